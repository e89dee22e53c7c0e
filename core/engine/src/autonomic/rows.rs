//! Replay's second half: the rows of patterns and cycles, which people see, beside the decisions that they come from and the receipts.

use knhk_ledger::{Evidence, Outcome};
use serde::de::DeserializeOwned;

use super::act::Filed;
use super::journal::{Decision, digest_text};
use super::replay::Replay;
use super::{Cycle, CycleOutcome, PatternInfo};
use crate::control::hex;
use crate::governance::book::{CYCLE, PATTERN};

impl Replay<'_> {
    /// A row as it is kept; none where it is not there or none.
    pub(super) fn row<T: DeserializeOwned>(&self, kind: &str, id: &str) -> Option<T> {
        serde_json::from_slice(&self.store.item(kind, id).ok()??.body).ok()
    }

    /// Compares the row of a pattern with the decision about it.
    pub(super) fn check_pattern(&mut self, turn: u64, decision: &Decision) {
        let (id, hash) = (&decision.id, decision.digest());
        match self.row::<PatternInfo>(PATTERN.name, id) {
            Some(row) if row.pattern == decision.pattern && row.cycle == decision.cycle => {}
            Some(row) => {
                let shown = |pattern: &PatternInfo| digest_text(&serde_json::to_vec(pattern).unwrap_or_default());
                self.differs(turn, format!("the row of pattern {id} is another"), shown(&row), hex(&hash));
            }
            None => self.differs(turn, format!("the row of pattern {id} is not there"), "none", hex(&hash)),
        }
    }

    /// Compares the rows of cycles with the decisions that began them, with what the turns know of their end, and with their last receipts.
    pub(super) fn check_cycles(&mut self) {
        for (id, (turn, decision)) in std::mem::take(&mut self.cycles) {
            let row = self.row::<Filed>(CYCLE.name, &id);
            match row {
                None => {
                    self.differs(turn, format!("the row of cycle {id} is not there"), "none", hex(&decision.digest()))
                }
                Some(row) => self.check_cycle(turn, &decision, &row.cycle),
            }
            self.cycles.insert(id, (turn, decision));
        }
    }

    fn check_cycle(&mut self, turn: u64, decision: &Decision, row: &Cycle) {
        let id = &row.id;
        let planned = decision.planned.as_ref();
        let same = row.sector == decision.pattern.sector
            && row.pattern == decision.pattern
            && row.patterns.first() == Some(&decision.id)
            && Some(&row.plan) == planned.map(|planned| &planned.plan)
            && Some(&row.proposer) == planned.map(|planned| &planned.proposer)
            && Some(&row.question) == planned.map(|planned| &planned.question);
        if !same {
            let shown = digest_text(&serde_json::to_vec(row).unwrap_or_default());
            self.differs(
                turn,
                format!("the row of cycle {id} is another than was decided"),
                shown,
                hex(&decision.digest()),
            );
        }
        let ended = self.ended.get(id).cloned();
        if let Some((outcome, said)) = ended
            && (row.outcome != Some(outcome) || row.said != said)
        {
            let what = format!("the row of cycle {id} says that it ended otherwise than the turns know");
            self.differs(turn, what, format!("{:?}: {}", row.outcome, row.said), format!("{outcome:?}: {said}"));
        }
        if row.is_open() {
            return;
        }
        let number = id.strip_prefix(CYCLE.prefix).and_then(|number| number.parse::<u64>().ok());
        let last = row.receipts.last().and_then(|receipt| self.engine.receipt(receipt).ok());
        let stated = last.and_then(|receipt| self.claims(&receipt.statement)).is_some_and(|claims| {
            let kept = (claims.outcome == Outcome::Approved) == (row.outcome == Some(CycleOutcome::Kept));
            let Evidence::CycleCompleted { cycle, decision: of, patterns, proposals, promoted, .. } = claims.evidence
            else {
                return false;
            };
            kept && Some(cycle) == number
                && of == Some(decision.digest())
                && patterns == row.patterns.len() as u64
                && proposals == u64::from(row.proposal.is_some())
                && promoted == u64::from(!row.versions.is_empty())
        });
        if !stated {
            let receipt = row.receipts.last().cloned().unwrap_or_else(|| "none".into());
            let what = format!("the row of cycle {id} is not what its last receipt states");
            self.differs(turn, what, receipt, format!("{:?}", row.outcome));
        }
    }
}
