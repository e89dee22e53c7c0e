//! Approval chains: who approves a change, one after the other.

use super::judge::{Crossing, Judged};
use super::value::numbers;
use super::{Chain, Guard};
use crate::Need;
use crate::approval::Approved;
use crate::mutant::{Mutant, mutated};
use crate::text::listed;

impl Guard {
    pub(super) fn check_chain(&self, judged: &Judged<'_>, crossings: &mut Vec<Crossing>) -> Result<(), Crossing> {
        let Some(chain) = &self.chain else { return Ok(()) };
        let after = judged.after()?;
        let beyond = |path: &&str| {
            let (old, new) = (judged.before().get(path), after.get(path));
            let values = old.as_ref().and_then(numbers).zip(new.as_ref().and_then(numbers));
            match (chain.above, values) {
                (Some(share), Some((old, new))) if old.len() == new.len() => {
                    old.iter().zip(&new).any(|(old, new)| exceeds(old.to_f64(), new.to_f64(), share))
                }
                _ => true,
            }
        };
        let changed: Vec<&str> = judged.changed(&chain.paths).filter(beyond).collect();
        let done = steps(chain, judged.standing.approvals);
        let Some(group) = chain.steps.get(done).filter(|_| !changed.is_empty() && !mutated(Mutant::ChainSkipped))
        else {
            return Ok(());
        };
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let several = if changed.len() > 3 { format!("{} parameters", changed.len()) } else { listed(&changed) };
        let what = format!(
            "{several} would change, which {} approve in this order; {done} of {} did",
            listed(&chain.steps),
            chain.steps.len()
        );
        let need = Need {
            item: self.name(),
            groups: vec![group.clone()],
            approvals: count(done),
            quorum: count(chain.steps.len()),
            not_before_ns: None,
        };
        let id = if judged.candidate.proposal.is_empty() { "<proposal>" } else { &*judged.candidate.proposal };
        let fix = format!("have someone in {group} approve it: knhk approve {id}");
        crossings.push(Crossing { need: Some(need), ..Crossing::new(what, fix) });
        Ok(())
    }
}

/// How many steps are taken: each by an approval of its group that was recorded after that of the step before, each by someone else.
fn steps(chain: &Chain, approvals: &[Approved]) -> usize {
    let mut by: Vec<&str> = Vec::new();
    let mut rest = approvals;
    for group in &chain.steps {
        let next = |approved: &Approved| approved.groups.contains(group) && !by.contains(&&*approved.by);
        let Some(at) = rest.iter().position(next) else { break };
        by.push(&rest[at].by);
        rest = &rest[at + 1..];
    }
    by.len()
}

/// Whether a number changes by more than a share of what it was.
pub(super) fn exceeds(old: f64, new: f64, share: f64) -> bool {
    let of = if mutated(Mutant::StepOfNew) { new } else { old };
    (new - old).abs() > share * of.abs()
}
