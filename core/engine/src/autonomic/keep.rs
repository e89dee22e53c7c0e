//! What of turns is kept, with the receipts of what they decided: a page of the journal, patterns and cycles, all or nothing.

use knhk_ledger::{Appended, Entry, Evidence, Outcome};
use knhk_store::{State, Write};

use super::PatternInfo;
use super::act::Filed;
use super::counters::{CYCLES, PATTERNS};
use super::journal::{Decision, PAGES, Page, Turn, digest};
use super::turn::Round;
use crate::control::hex;
use crate::governance::book::{CYCLE, Kept, PATTERN, entry, serialized};
use crate::{Engine, Error, SegmentQuery};

impl Engine {
    /// Keeps what a turn decided, with the receipts of its patterns; gives the cycles that began, and those for which somebody answered.
    pub(super) fn keep_decisions(&self, round: &mut Round, turn: &Turn) -> Result<Vec<Filed>, Error> {
        let info = |decision: &Decision| PatternInfo {
            id: decision.id.clone(),
            cycle: decision.cycle.clone(),
            receipt: None,
            pattern: decision.pattern.clone(),
        };
        let (late, new): (Vec<&Decision>, Vec<&Decision>) = turn.decisions.iter().partition(|one| one.late);
        let mut patterns: Vec<PatternInfo> = new.iter().copied().map(info).collect();
        let mut begun: Vec<Filed> = new.iter().filter_map(|decision| Filed::of(decision, turn)).collect();
        PATTERNS.add(patterns.len() as u64);
        CYCLES.add(begun.len() as u64);
        // Cycles for which somebody answered.
        begun.extend(late.iter().filter_map(|decision| {
            let filed = round.open.iter().find(|filed| Some(&filed.cycle.id) == decision.cycle.as_ref())?;
            Some(filed.clone().with(decision, turn))
        }));
        // Patterns of cycles that are there already.
        let mut joined: Vec<Filed> = Vec::new();
        for decision in new.iter().filter(|decision| decision.planned.is_none()) {
            let Some(id) = &decision.cycle else { continue };
            let is = |filed: &&mut Filed| filed.cycle.id == *id;
            let known = begun.iter_mut().find(is).or_else(|| joined.iter_mut().find(is));
            match (known, round.open.iter().find(|filed| filed.cycle.id == *id)) {
                (Some(filed), _) => filed.cycle.patterns.push(decision.id.clone()),
                (None, Some(filed)) => {
                    let mut filed = filed.clone();
                    filed.cycle.patterns.push(decision.id.clone());
                    joined.push(filed);
                }
                (None, None) => {}
            }
        }
        let (bytes, hash) = round.next_page();
        let mut entries: Vec<Entry> = new.iter().map(|one| found(one, hash, turn.moment_ns)).collect();
        entries.extend(begun.iter().filter(|filed| !filed.cycle.is_open()).map(|one| one.completed(turn.moment_ns)));
        let of_pattern = |one: &PatternInfo| (PATTERN, one.id.clone(), one.pattern.sector.clone(), false);
        let of_cycle = |one: &Filed| (CYCLE, one.cycle.id.clone(), one.cycle.sector.clone(), one.cycle.is_open());
        let cycles = begun.iter().chain(&joined).map(of_cycle);
        let names: Vec<_> = patterns.iter().map(of_pattern).chain(cycles).collect();
        let items = |appended: &[Appended]| {
            let (found, ended) = appended.split_at(patterns.len());
            patterns.iter_mut().zip(found).for_each(|(one, receipt)| one.receipt = Some(receipt.id.clone()));
            for filed in begun.iter_mut().chain(&mut joined) {
                let own = patterns.iter().filter(|one| one.cycle.as_ref() == Some(&filed.cycle.id));
                filed.cycle.receipts.extend(own.filter_map(|one| one.receipt.clone()));
            }
            let closed = begun.iter_mut().filter(|filed| !filed.cycle.is_open());
            closed.zip(ended).for_each(|(filed, receipt)| filed.cycle.receipts.push(receipt.id.clone()));
            let cycles = begun.iter().chain(&joined).map(serialized);
            let bodies = patterns.iter().map(serialized).chain(cycles);
            let kept = names.iter().map(|(kind, id, sector, open)| Kept {
                kind: *kind,
                id,
                sector: Some(sector),
                open: *open,
            });
            kept.zip(bodies).collect()
        };
        self.keep_page(round, (bytes, hash), entries, items)?;
        for filed in joined {
            round.open.iter_mut().filter(|open| open.cycle.id == filed.cycle.id).for_each(|open| *open = filed.clone());
        }
        Ok(begun)
    }

    /// Keeps the turns since the newest page as another one, together with receipts and items.
    pub(super) fn keep_page<'k>(
        &self,
        round: &mut Round,
        (content, hash): (Vec<u8>, [u8; 32]),
        entries: Vec<Entry>,
        items: impl FnOnce(&[Appended]) -> Vec<(Kept<'k>, Vec<u8>)>,
    ) -> Result<(), Error> {
        let number = round.page + 1;
        let mut writes = vec![Write::State(State { name: PAGES.into(), number, whole: true, content })];
        if let Some(before) = self.first_useful(round)? {
            writes.push(Write::DropStates { name: PAGES.into(), before });
            round.oldest = before;
        }
        self.keep_with(entries, items, writes)?;
        (round.page, round.hash) = (number, hex(&hash));
        round.oldest = round.oldest.max(1);
        round.turns.clear();
        round.events.clear();
        Ok(())
    }

    /// The oldest page that is of use, where that is another than the oldest one: turns over observations that retention dropped cannot be recomputed.
    fn first_useful(&self, round: &Round) -> Result<Option<u64>, Error> {
        if round.oldest == 0 || round.oldest + 1 >= round.page {
            return Ok(None);
        }
        let held = SegmentQuery { held: true, limit: Some(1), ..SegmentQuery::default() };
        let first_held = self.segments(&held)?.first().map_or(round.next_segment, |segment| segment.number);
        // The oldest one is there for its state, the next one for its turns.
        let next = self.page(round.oldest + 1)?;
        Ok(next.filter(|(next, _)| next.next_segment <= first_held).map(|(next, _)| next.number))
    }
}

impl Round {
    /// The turns since the newest page, as another one, and its hash.
    pub(super) fn next_page(&self) -> (Vec<u8>, [u8; 32]) {
        let page = Page {
            number: self.page + 1,
            before: self.hash.clone(),
            settings: self.settings.clone(),
            turn: self.number,
            next_segment: self.next_segment,
            turns: self.turns.clone(),
            after: self.events.clone(),
            state: self.mind.state(),
        };
        let bytes = page.bytes();
        let hash = digest(&bytes);
        (bytes, hash)
    }
}

/// The receipt of a pattern.
fn found(decision: &Decision, journal: [u8; 32], time_ns: u64) -> Entry {
    let pattern = &decision.pattern;
    let evidence = Evidence::PatternDetected {
        detector: pattern.detector.clone(),
        pattern: pattern.to_string(),
        confidence: pattern.confidence,
        observations: pattern.evidence.clone(),
        decision: Some(decision.digest()),
        journal: Some(journal),
    };
    entry(time_ns, Some(&pattern.sector), Outcome::Approved, evidence)
}
