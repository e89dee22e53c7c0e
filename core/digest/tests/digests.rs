//! However many messages there are, of whatever lengths: each digest is that of `sha2`.

use knhk_digest::{Digest, Messages, digest};
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

fn of(messages: &Messages) -> Vec<Option<Digest>> {
    let mut digests = vec![None; messages.len()];
    messages.digests(|number, digest| assert!(digests[number].replace(digest).is_none(), "{number} came twice"));
    digests
}

proptest! {
    #[test]
    fn each_digest_is_that_of_its_message(texts in vec(vec(any::<u8>(), 0..300), 0..40), again in 0..40_usize) {
        let mut messages = Messages::default();
        for round in [&texts[..], &texts[..again.min(texts.len())]] {
            messages.clear();
            round.iter().for_each(|text| messages.push(|bytes| bytes.extend_from_slice(text)));
            let expected: Vec<_> = round.iter().map(|text| Some(Sha256::digest(text).into())).collect();
            prop_assert_eq!(of(&messages), expected);
        }
        for text in &texts {
            prop_assert_eq!(digest(text), <Digest>::from(Sha256::digest(text)));
        }
    }
}

/// FIPS 180-4's own examples, and lengths around the ends of blocks.
#[test]
fn known_messages_have_their_digests() {
    let hex = |digest: Digest| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(digest(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(hex(digest(b"")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let mut messages = Messages::with_capacity(140, 100);
    (0..140).for_each(|len| messages.push(|bytes| bytes.resize(bytes.len() + len, 0x61)));
    for (len, found) in of(&messages).into_iter().enumerate() {
        assert_eq!(found, Some(Sha256::digest(vec![0x61; len]).into()), "{len} bytes");
    }
}
