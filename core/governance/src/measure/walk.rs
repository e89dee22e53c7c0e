//! Wald's sequential test of whether something is more likely than not, as the walk that it is.

/// Steps up at each yes and down at each no, until one leads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    at: i64,
    lead: i64,
}

impl Walk {
    /// A walk that ends once one answer leads by `lead`.
    pub(crate) fn new(lead: i64) -> Walk {
        Walk { at: 0, lead: lead.max(1) }
    }

    /// Takes a step; the answer, once it is found.
    pub(crate) fn step(&mut self, yes: bool) -> Option<bool> {
        self.at += if yes { 1 } else { -1 };
        (self.at.abs() >= self.lead).then_some(self.at > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers that are yes with probability `p`, the same in every run.
    fn ends_with_yes(p: f64, runs: u32) -> u32 {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let run = |_: &u32| {
            let mut walk = Walk::new(9);
            loop {
                if let Some(answer) = walk.step(random() < p) {
                    return answer;
                }
            }
        };
        (0..runs).filter(run).count() as u32
    }

    #[test]
    fn it_errs_as_often_as_the_theory_says() {
        // 1 / (1 + (7 / 3)^9) of 20,000 are 10; three standard deviations are 10 more.
        assert!(ends_with_yes(0.3, 20_000) <= 20);
        assert!(ends_with_yes(0.7, 20_000) >= 20_000 - 20);
        // A fair game ends either way.
        let fair = ends_with_yes(0.5, 2000);
        assert!((850..1150).contains(&fair), "{fair}");
    }

    #[test]
    fn it_ends_at_the_lead_and_not_before() {
        let mut walk = Walk::new(3);
        assert_eq!([true, true, false, true].map(|yes| walk.step(yes)), [None; 4]);
        assert_eq!(walk.step(true), Some(true));
    }
}
