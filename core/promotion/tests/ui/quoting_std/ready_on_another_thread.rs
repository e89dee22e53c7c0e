//! The thread that verified is the one that promotes: it holds the sector's lock.
use knhk_promotion::{Guard, Promotion, Ready, Verified};

fn sent(ready: Promotion<'static, Ready<'static>>, verified: Verified) {
    std::thread::spawn(move || {
        let _ = ready.promote(Guard::new(verified));
    });
}

fn main() {}
