//! How long ago something was, as people say it.

use std::time::{Duration, SystemTime};

/// `just now`, `5 min ago`, `2 h ago`, `3 d ago`. What lies ahead, because a clock was set back, is just now too.
pub fn ago(time_ns: u64, now: SystemTime) -> String {
    let then = SystemTime::UNIX_EPOCH + Duration::from_nanos(time_ns);
    let seconds = now.duration_since(then).map_or(0, |passed| passed.as_secs());
    match seconds {
        0..60 => "just now".into(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_begins_where_the_smaller_one_is_full() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let said = |seconds: u64| ago((1_000_000 - seconds) * 1_000_000_000, now);
        assert_eq!([0, 59, 60, 3599].map(said), ["just now", "just now", "1 min ago", "59 min ago"]);
        assert_eq!([3600, 86_399, 86_400, 900_000].map(said), ["1 h ago", "23 h ago", "1 d ago", "10 d ago"]);
        assert_eq!(ago(2_000_000 * 1_000_000_000, now), "just now");
    }
}
