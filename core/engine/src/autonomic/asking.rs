//! What a turn asks of others, and the record of what they said.

use knhk_autonomic::detect::Score;
use knhk_autonomic::plan::Question;
use knhk_autonomic::watch::Sample;

use super::asks::Request;
use super::callbacks::Stopped;
use super::journal::{Answer, Ground, Said, Turn, digest_text};
use super::mind::Asking;
use super::{HookInfo, Phase, Settings, When};
use crate::{Engine, Error, Status};

/// Asks those who are there now.
pub(super) struct Live<'l> {
    pub engine: &'l Engine,
    pub settings: &'l Settings,
    /// The turn's record.
    pub turn: &'l mut Turn,
    /// Whom to ask once the turn is kept.
    pub requests: Vec<Request>,
}

impl Asking for Live<'_> {
    fn score(&mut self, sector: &str, watch: &str, detector: &str, sample: &Sample) -> Result<Option<Score>, Error> {
        let score = self.engine.inner.autonomic.score(sector, watch, detector, sample, self.settings.deadline());
        let score = score.map_err(|Stopped| {
            let message = format!("the loop was stopped while {detector} looked: what was recorded is looked at again");
            Error::new(Status::Timeout, "loop", watch, message)
        })?;
        self.turn.scores.push(score);
        Ok(score)
    }

    fn ground(&mut self, sector: &str) -> Result<Ground, Error> {
        let ground = self.engine.ground(sector)?;
        self.turn.grounds.push(ground.clone());
        Ok(ground)
    }

    fn answer(&mut self, cycle: &str, name: &str, question: &Question) -> Result<Answer, Error> {
        let bytes = serde_json::to_vec(question).expect("a question has text for keys, and numbers that JSON knows");
        let hash = digest_text(&bytes);
        let autonomic = &self.engine.inner.autonomic;
        let own = || autonomic.model().filter(|_| name == "model");
        let said = if let Some(desk) = autonomic.callbacks.proposer(name).or_else(own) {
            let (cycle, question, hash) = (cycle.to_owned(), question.clone(), hash.clone());
            self.requests.push(Request { cycle, desk, question, hash });
            Said::Asked
        } else if name == "search" {
            self.engine.search(question, self.turn.next_segment)?
        } else {
            Said::Absent
        };
        let answer = Answer { proposer: name.into(), question: hash, said, transcript: None };
        self.turn.answers.push(answer.clone());
        Ok(answer)
    }

    fn evidence(&mut self, segments: &[u64]) -> Result<Vec<String>, Error> {
        self.engine.receipts_of(segments)
    }

    fn planning(&mut self, sector: &str, when: When) {
        self.engine.tell(Phase::Plan, when, self.turn, Some(sector), None);
    }
}

impl Engine {
    /// Tells hooks of a phase.
    pub(super) fn tell(
        &self,
        phase: Phase,
        when: When,
        turn: &Turn,
        sector: Option<&str>,
        cycle: Option<&super::Cycle>,
    ) {
        let hooks = &self.inner.autonomic.hooks;
        if hooks.wanted(phase, when) {
            let (sector, cycle) = (sector.map(str::to_owned), cycle.cloned());
            hooks.tell(HookInfo { phase, when, turn: turn.number, now_ns: turn.moment_ns, sector, cycle });
        }
    }

    /// The receipts of segments, by id.
    pub(super) fn receipts_of(&self, segments: &[u64]) -> Result<Vec<String>, Error> {
        let store = self.durable()?.store();
        let mut ids = Vec::with_capacity(segments.len());
        for &number in segments {
            let query = crate::SegmentQuery { from: number, limit: Some(1), ..Default::default() };
            let receipt = store.segments(&query)?.pop().and_then(|segment| segment.receipt);
            let receipt = receipt.map(|receipt| store.receipt(receipt)).transpose()?.flatten();
            ids.extend(receipt.map(|receipt| receipt.id));
        }
        Ok(ids)
    }
}
