//! What asking may cost.

use serde::{Deserialize, Serialize};

/// The most that may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caps {
    /// Tokens of one answer.
    pub answer_tokens: u64,
    /// Tokens of questions and answers in an hour.
    pub tokens_per_hour: u64,
    /// What a million tokens of questions cost, in the caller's currency.
    pub question_price: f64,
    /// What a million tokens of answers cost.
    pub answer_price: f64,
    /// Money in an hour.
    pub cost_per_hour: f64,
}

impl Default for Caps {
    /// 2,000 tokens an answer, 100,000 an hour, and no price known.
    fn default() -> Caps {
        Caps {
            answer_tokens: 2_000,
            tokens_per_hour: 100_000,
            question_price: 0.0,
            answer_price: 0.0,
            cost_per_hour: f64::INFINITY,
        }
    }
}

/// What was spent in the hour that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// When the hour began, in nanoseconds.
    pub since_ns: u64,
    /// Tokens.
    pub tokens: u64,
    /// Money.
    pub cost: f64,
}

const HOUR_NS: u64 = 3_600_000_000_000;

impl Spent {
    /// Sets aside what a question may cost at most: its bytes as tokens (a token is a byte or more) and the longest answer.
    ///
    /// # Errors
    /// The cap that it would break, in a sentence; nothing is set aside then.
    pub(super) fn reserve(&mut self, caps: &Caps, question_bytes: u64, now_ns: u64) -> Result<Reserved, String> {
        if now_ns.saturating_sub(self.since_ns) >= HOUR_NS {
            *self = Spent { since_ns: now_ns, ..Spent::default() };
        }
        let tokens = question_bytes + caps.answer_tokens;
        let cost = caps.cost(question_bytes, caps.answer_tokens);
        if self.tokens + tokens > caps.tokens_per_hour {
            let (spent, cap) = (self.tokens, caps.tokens_per_hour);
            return Err(format!("{tokens} more tokens would exceed the hour's {cap}, of which {spent} are spent"));
        }
        if self.cost + cost > caps.cost_per_hour {
            let (spent, cap) = (self.cost, caps.cost_per_hour);
            return Err(format!("{cost:.4} more would exceed the hour's {cap:.4}, of which {spent:.4} are spent"));
        }
        self.tokens += tokens;
        self.cost += cost;
        Ok(Reserved { tokens, cost })
    }

    /// Puts what was really used in place of what was set aside; an endpoint that does not say leaves it as it is.
    pub(super) fn settle(&mut self, caps: &Caps, reserved: Reserved, used: Option<(u64, u64)>) {
        let Some((question, answer)) = used else { return };
        self.tokens = self.tokens.saturating_sub(reserved.tokens).saturating_add(question.saturating_add(answer));
        self.cost = (self.cost - reserved.cost + caps.cost(question, answer)).max(0.0);
    }
}

/// What was set aside for one question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reserved {
    tokens: u64,
    cost: f64,
}

impl Caps {
    fn cost(&self, question: u64, answer: u64) -> f64 {
        (question as f64 * self.question_price + answer as f64 * self.answer_price) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caps_hold_and_the_next_hour_begins_anew() {
        let caps = Caps {
            answer_tokens: 100,
            tokens_per_hour: 1_000,
            question_price: 1e4,
            answer_price: 1e4,
            cost_per_hour: 9.0,
        };
        let mut spent = Spent::default();
        let reserved = spent.reserve(&caps, 400, 5).unwrap();
        assert_eq!((spent.tokens, spent.cost), (500, 5.0));
        spent.settle(&caps, reserved, Some((90, 10)));
        assert_eq!((spent.tokens, spent.cost), (100, 1.0));
        assert!(spent.reserve(&caps, 801, 6).unwrap_err().contains("tokens"));
        assert!(spent.reserve(&caps, 750, 6).unwrap_err().contains("9.0000"));
        let before = spent;
        let reserved = spent.reserve(&caps, 600, 6).unwrap();
        spent.settle(&caps, reserved, None);
        assert_eq!(spent.tokens, before.tokens + 700, "what is not known counts as the most that it can be");
        assert!(spent.reserve(&caps, 400, HOUR_NS + 6).is_ok());
        assert_eq!(spent.tokens, 500);
        spent.settle(&caps, Reserved { tokens: 500, cost: 5.0 }, Some((u64::MAX, u64::MAX)));
        assert_eq!(spent.tokens, u64::MAX, "an endpoint that lies locks itself out");
    }
}
