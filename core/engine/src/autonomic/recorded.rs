//! What a turn asked of others, answered from its record.

use std::slice;

use knhk_autonomic::detect::Score;
use knhk_autonomic::plan::Question;
use knhk_autonomic::watch::Sample;

use super::journal::{Answer, Ground, Said, Turn, digest_text};
use super::mind::Asking;
use crate::{Engine, Error};

/// Answers what was recorded, in the order in which it was asked for.
pub(super) struct Recorded<'t> {
    engine: &'t Engine,
    scores: slice::Iter<'t, Option<Score>>,
    grounds: slice::Iter<'t, Ground>,
    answers: slice::Iter<'t, Answer>,
    /// What was asked for otherwise than it was recorded: what, the record, and what was asked for.
    wrong: Vec<(String, String, String)>,
}

impl<'t> Recorded<'t> {
    pub(super) fn of(engine: &'t Engine, turn: &'t Turn) -> Recorded<'t> {
        let (scores, grounds, answers) = (turn.scores.iter(), turn.grounds.iter(), turn.answers.iter());
        Recorded { engine, scores, grounds, answers, wrong: Vec::new() }
    }

    fn wrong(&mut self, what: &str, recorded: impl Into<String>, asked: impl Into<String>) {
        self.wrong.push((what.into(), recorded.into(), asked.into()));
    }

    /// What was asked for otherwise, and what nobody asked for: what, the record, and what was asked for.
    pub(super) fn end(mut self) -> Vec<(String, String, String)> {
        let left = [("scores", self.scores.len()), ("grounds", self.grounds.len()), ("answers", self.answers.len())];
        for (what, left) in left.into_iter().filter(|(_, left)| *left > 0) {
            self.wrong(&format!("recorded {what} that nobody asks for"), left.to_string(), "0");
        }
        self.wrong
    }
}

impl Asking for Recorded<'_> {
    fn score(&mut self, _: &str, watch: &str, _: &str, _: &Sample) -> Result<Option<Score>, Error> {
        let Some(score) = self.scores.next() else {
            self.wrong("a score is asked for that was not recorded", "none", watch);
            return Ok(None);
        };
        Ok(*score)
    }

    fn ground(&mut self, sector: &str) -> Result<Ground, Error> {
        match self.grounds.next().filter(|ground| ground.sector == sector) {
            Some(ground) => Ok(ground.clone()),
            None => {
                self.wrong("what a plan can rest on is asked for and was not recorded", "none", sector);
                Ok(Ground { sector: sector.into(), ..Ground::default() })
            }
        }
    }

    fn answer(&mut self, _: &str, proposer: &str, question: &Question) -> Result<Answer, Error> {
        let asked = digest_text(&serde_json::to_vec(question).unwrap_or_default());
        match self.answers.next().filter(|answer| answer.proposer == proposer).cloned() {
            Some(answer) => {
                if answer.question != asked {
                    self.wrong("another question is asked than was recorded", answer.question.clone(), asked);
                }
                Ok(answer)
            }
            None => {
                self.wrong("an answer is asked for that was not recorded", "none", proposer);
                Ok(Answer { proposer: proposer.into(), question: asked, said: Said::Absent, transcript: None })
            }
        }
    }

    fn evidence(&mut self, segments: &[u64]) -> Result<Vec<String>, Error> {
        self.engine.receipts_of(segments)
    }
}
