//! Any text as a reference to a version: refused, or read as what it says.
#![no_main]

use knhk_version::Reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Reference::parse(text) {
        Ok(Reference::Number(number)) => assert_eq!(text.parse(), Ok(number)),
        Ok(Reference::Back(back)) => assert!(text == "current" || text[1..].parse() == Ok(back)),
        Ok(Reference::Name(name)) => assert_eq!(name, text),
        Ok(Reference::Moment(_) | Reference::Ago(_)) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
