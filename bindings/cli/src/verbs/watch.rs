//! Showing something anew until nobody looks any more.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use knhk_engine::control::Failure;

use crate::output::Done;

/// How often it is shown anew.
const EVERY: Duration = Duration::from_secs(1);

/// Shows it once; or, to be watched, again and again until nobody reads it any more. An interrupt ends the command.
pub fn shown(watch: bool, mut look: impl FnMut() -> Result<Done, Failure>) -> Result<Done, Failure> {
    if !watch {
        return look();
    }
    loop {
        let done = look()?;
        let mut out = std::io::stdout().lock();
        let text = if out.is_terminal() { over(&done.text) } else { done.text.clone() };
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            return Ok(Done { text: String::new(), ..done });
        }
        drop(out);
        std::thread::sleep(EVERY);
    }
}

/// The text in the place of what is on the screen. Nothing is cleared before it is written over, so that nothing flickers.
fn over(text: &str) -> String {
    format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\n"))
}
