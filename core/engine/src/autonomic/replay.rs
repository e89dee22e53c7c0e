//! Replay: the loop's decisions, recomputed from what was recorded, beside what signed receipts state of them.
//!
//! A page of turns is gone through from the state of the page before it ([`journal`](super::journal)): the same code decides as did then, on the
//! recorded observations and the versions of then, and is told what callbacks and models answered then. What differs is named, and so is
//! whatever it rests on that is not what was signed: a segment, a page, a pattern's or a cycle's row.

use std::collections::{BTreeMap, BTreeSet};

use knhk_ledger::{Claims, Evidence, KeyRing, Statement};
use knhk_observation::{ObservationError, check_segment};
use knhk_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::journal::{Decision, Event, PAGES, Page, Turn, digest, digest_text};
use super::mind::Mind;
use super::recorded::Recorded;
use super::{Cycle, CycleOutcome, PatternInfo};
use crate::control::hex;
use crate::governance::book::PATTERN;
use crate::{Engine, Error, ReceiptQuery, Status};

/// Differences that are told, at most.
const TOLD: usize = 100;

/// What is to be recomputed; all that was kept, unless it says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplaySpan {
    /// From the turn that began this cycle to the one in which it ended.
    pub cycle: Option<String>,
    /// Turns from this moment on, in nanoseconds since 1970 (UTC).
    pub from_ns: Option<u64>,
    /// Turns up to this moment.
    pub to_ns: Option<u64>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// Turns that were recomputed. They are kept in pages, which are recomputed whole.
    pub turns: u64,
    /// Patterns that were found in them.
    pub patterns: u64,
    /// Cycles that they began: what was decided about a pattern beside that it belongs to another.
    pub decisions: u64,
    /// Whether all that was recomputed is what the receipts state.
    pub equal: bool,
    /// What is not, the first 100.
    pub differences: Vec<Difference>,
    /// Segments that retention dropped: turns that looked at them are not recomputed.
    pub missing: Vec<u64>,
    /// Turns that cannot be recomputed because a version that they went by is not retained any more, each in a sentence.
    pub left_out: Vec<String>,
}

/// Something that is not what was signed, or does not follow from what was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The turn; 0: it is of no single one.
    pub turn: u64,
    /// What: a segment, a page, a decision, a cycle, and what is wrong with it.
    pub what: String,
    /// What is stated or recorded: a receipt, a hash, a text.
    pub receipt: String,
    /// What it is, recomputed.
    pub recomputed: String,
}

impl Engine {
    /// Recomputes what the loop decided, and compares it with what its receipts state. Reads only; the loop may go on meanwhile. Turns since the
    /// last page was kept are not in it: a turn that decides something keeps a page, and so does stopping.
    ///
    /// # Errors
    /// `NotFound` without a ledger or for a cycle that there is not, `Io` where the store cannot be read. What is damaged is no error but a
    /// difference.
    pub fn replay(&self, span: &ReplaySpan) -> Result<Replayed, Error> {
        let durable = self.durable()?;
        let (store, keys) = (&**durable.store(), durable.history.ledger().keys()?);
        let span = match &span.cycle {
            None => span.clone(),
            Some(cycle) => {
                let Cycle { started_ns, ended_ns, .. } = self.cycle(cycle)?;
                ReplaySpan { from_ns: Some(started_ns), to_ns: ended_ns, ..span.clone() }
            }
        };
        let mut replay = Replay {
            engine: self,
            store,
            keys,
            found: Replayed::default(),
            cycles: BTreeMap::new(),
            ended: BTreeMap::new(),
        };
        replay.pages(&span)?;
        replay.check_cycles();
        if let Some(cycle) = span.cycle.filter(|cycle| !replay.cycles.contains_key(cycle)) {
            replay.differs(0, format!("cycle {cycle} was begun by no turn of the time that it states"), cycle, "none");
        }
        replay.found.equal = replay.found.differences.is_empty();
        Ok(replay.found)
    }
}

pub(super) struct Replay<'e> {
    pub(super) engine: &'e Engine,
    pub(super) store: &'e dyn Store,
    keys: KeyRing,
    pub(super) found: Replayed,
    /// Cycles that were begun, with the turn and the decision.
    pub(super) cycles: BTreeMap<String, (u64, Decision)>,
    /// What became of cycles, as the turns know it.
    pub(super) ended: BTreeMap<String, (CycleOutcome, String)>,
}

/// What receipts state of decisions: the hash of the page, and the receipt's number and id, by the decision's hash.
type Stated = BTreeMap<[u8; 32], (Option<[u8; 32]>, u64, String)>;

impl Replay<'_> {
    pub(super) fn differs(
        &mut self,
        turn: u64,
        what: impl Into<String>,
        receipt: impl Into<String>,
        is: impl Into<String>,
    ) {
        if self.found.differences.len() < TOLD {
            let (what, receipt, recomputed) = (what.into(), receipt.into(), is.into());
            self.found.differences.push(Difference { turn, what, receipt, recomputed });
        }
    }

    /// Goes through the pages of a span.
    fn pages(&mut self, span: &ReplaySpan) -> Result<(), Error> {
        let numbers: Vec<u64> = self.store.states(PAGES)?.into_iter().map(|(number, _)| number).collect();
        let mut first = 0;
        if let Some(from_ns) = span.from_ns {
            // Moments only grow from page to page, but for a clock that was set back; what cannot be read is not passed over.
            let (mut low, mut high) = (0, numbers.len());
            while low < high {
                let middle = low.midpoint(high);
                let last = self.page(numbers[middle])?.and_then(|(page, _)| Some(page.turns.last()?.moment_ns));
                if last.is_some_and(|last| last < from_ns) { low = middle + 1 } else { high = middle }
            }
            first = low;
        }
        let (stated, mut seen) = (self.stated()?, BTreeSet::new());
        let mut before = match first.checked_sub(1) {
            Some(place) => self.page(numbers[place])?,
            None => None,
        };
        for (place, &number) in numbers.iter().enumerate().skip(first) {
            let Some((page, hash)) = self.page(number)? else {
                self.differs(0, format!("page {number} of the loop's turns cannot be read"), hex(&[0; 32]), "none");
                before = None;
                continue;
            };
            if place > 0 && numbers[place - 1] + 1 != number {
                self.differs(
                    0,
                    format!("page {} of the loop's turns is gone", number - 1),
                    page.before.clone(),
                    "none",
                );
            }
            if span.to_ns.is_some_and(|to| page.turns.first().is_some_and(|turn| turn.moment_ns > to)) {
                break;
            }
            seen.insert(hash);
            self.follow(before.as_ref(), &page, hash, &stated)?;
            before = Some((page, hash));
        }
        if (span.from_ns, span.to_ns) == (None, None) {
            self.check_end(&seen, &stated);
        }
        Ok(())
    }

    /// Looks whether receipts state pages after those that there are.
    fn check_end(&mut self, seen: &BTreeSet<[u8; 32]>, stated: &Stated) {
        let known = |one: &&(Option<[u8; 32]>, u64, String)| one.0.is_some_and(|journal| seen.contains(&journal));
        let last = stated.values().filter(known).map(|(_, number, _)| *number).max().unwrap_or(0);
        let beyond = stated.values().filter(|one| one.1 > last && one.0.is_some() && !known(one));
        if let Some((Some(journal), _, receipt)) = beyond.min_by_key(|(_, number, _)| *number) {
            let what = format!("the page of the loop's turns that receipt {receipt} states is gone, or another");
            self.differs(0, what, hex(journal), "none");
        }
    }

    /// A page and its hash; none where it is not there, or none.
    fn page(&self, number: u64) -> Result<Option<(Page, [u8; 32])>, Error> {
        let Some(bytes) = self.store.state(PAGES, number)? else { return Ok(None) };
        let page = serde_json::from_slice::<Page>(&bytes).ok().filter(|page| page.number == number);
        Ok(page.map(|page| (page, digest(&bytes))))
    }

    /// What the receipts of patterns state.
    fn stated(&mut self) -> Result<Stated, Error> {
        let mut stated = Stated::new();
        let kind = Some("pattern detected".to_owned());
        let mut query = ReceiptQuery { kind, ..ReceiptQuery::default() };
        loop {
            let receipts = self.store.receipts(&query)?;
            let Some(last) = receipts.last() else { return Ok(stated) };
            query.from = last.number + 1;
            for receipt in receipts {
                match self.claims(&receipt.statement) {
                    Some(claims) => {
                        if let Evidence::PatternDetected { decision: Some(decision), journal, .. } = claims.evidence {
                            stated.insert(decision, (journal, receipt.number, receipt.id));
                        }
                    }
                    None => self.differs(0, "a receipt of a pattern is not signed by the log", receipt.id, "no proof"),
                }
            }
        }
    }

    /// What a statement claims, where the log's key signed it.
    pub(super) fn claims(&self, statement: &[u8]) -> Option<Claims> {
        let statement = Statement::decode(statement).ok()?;
        let own = statement.claims.log == self.keys.root().origin();
        (own && statement.verify(&self.keys.at(statement.claims.number)).is_ok()).then_some(statement.claims)
    }

    /// Goes through a page's turns.
    fn follow(
        &mut self,
        before: Option<&(Page, [u8; 32])>,
        page: &Page,
        hash: [u8; 32],
        stated: &Stated,
    ) -> Result<(), Error> {
        let number = page.number;
        for decision in page.turns.iter().flat_map(|turn| &turn.decisions) {
            if let Some((Some(journal), _, receipt)) = stated.get(&decision.digest()).filter(|one| one.0 != Some(hash))
            {
                let what = format!("page {number} of the loop's turns is not the one that receipt {receipt} states");
                self.differs(0, what, hex(journal), hex(&hash));
                break;
            }
        }
        let mut mind = match before {
            None if page.before.is_empty() => Mind::default(),
            // Pages before it are not kept any more: it is there for its state, from which the next one goes on.
            None => return Ok(()),
            Some((before, hash)) => {
                if page.before != hex(hash) {
                    let what =
                        format!("page {} of the loop's turns is not the one that page {number} follows", before.number);
                    self.differs(0, what, page.before.clone(), hex(hash));
                }
                match self.engine.mind(&before.state) {
                    Ok(mind) => mind,
                    Err(error) => {
                        let what = format!("the state after page {} cannot be gone on from", before.number);
                        self.differs(0, what, hex(hash), error.to_string());
                        return Ok(());
                    }
                }
            }
        };
        for turn in &page.turns {
            if !self.turn(&mut mind, page, turn, stated)? {
                return Ok(());
            }
        }
        for event in &page.after {
            self.happened(&mut mind, event);
        }
        let state = mind.state();
        if state != page.state {
            let last = page.turns.last().map_or(0, |turn| turn.number);
            let hash = |state: &Value| digest_text(state.to_string().as_bytes());
            let what = format!("the state after page {number}, in {}", place_of_difference(&page.state, &state));
            self.differs(last, what, hash(&page.state), hash(&state));
        }
        Ok(())
    }

    fn happened(&mut self, mind: &mut Mind, event: &Event) {
        mind.happened(event);
        if let Event::Ended { cycle, outcome, said, .. } = event {
            self.ended.insert(cycle.clone(), (*outcome, said.clone()));
        }
    }

    /// Recomputes a turn; false where what it looked at is not there any more.
    fn turn(&mut self, mind: &mut Mind, page: &Page, turn: &Turn, stated: &Stated) -> Result<bool, Error> {
        for event in &turn.events {
            self.happened(mind, event);
        }
        self.check_segments(turn)?;
        let mut asking = Recorded::of(self.engine, turn);
        let mut missing = Vec::new();
        let decided = self.engine.decide(mind, &page.settings, turn, &mut asking, &mut missing);
        let wrong = asking.end();
        if !missing.is_empty() {
            self.found.missing.append(&mut missing);
            return Ok(false);
        }
        let decisions = match decided {
            Ok(decisions) => decisions,
            Err(error) if error.status() == Status::Io => return Err(error),
            Err(error) if error.status() == Status::NotFound => {
                self.found.left_out.push(format!("turn {}: {error}", turn.number));
                return Ok(false);
            }
            Err(error) => {
                self.differs(
                    turn.number,
                    "the turn cannot be recomputed",
                    turn.decisions.len().to_string(),
                    error.to_string(),
                );
                return Ok(false);
            }
        };
        self.found.turns += 1;
        self.found.patterns += decisions.iter().filter(|decision| !decision.late).count() as u64;
        for (what, recorded, is) in wrong {
            self.differs(turn.number, what, recorded, is);
        }
        let most = decisions.len().max(turn.decisions.len());
        for place in 0..most {
            match (turn.decisions.get(place), decisions.get(place)) {
                (recorded, Some(decision)) => self.compare(turn, recorded, decision, stated)?,
                (Some(recorded), None) => {
                    let what = format!("decision {} follows from nothing that was recorded", recorded.id);
                    self.differs(turn.number, what, hex(&recorded.digest()), "none");
                }
                (None, None) => {}
            }
        }
        Ok(true)
    }

    /// Compares a decision with the one that was recorded, with its receipt (of one that follows from an answer: the cycle's last), and with the row.
    fn compare(
        &mut self,
        turn: &Turn,
        recorded: Option<&Decision>,
        decision: &Decision,
        stated: &Stated,
    ) -> Result<(), Error> {
        let (id, hash) = (&decision.id, decision.digest());
        if let (Some(cycle), Some(_)) = (&decision.cycle, &decision.planned) {
            self.found.decisions += u64::from(!decision.late);
            self.cycles.insert(cycle.clone(), (turn.number, decision.clone()));
        }
        match recorded {
            Some(recorded) if recorded == decision => {}
            Some(recorded) => self.differs(turn.number, format!("decision {id}"), hex(&recorded.digest()), hex(&hash)),
            None => self.differs(turn.number, format!("decision {id} was not recorded"), "none", hex(&hash)),
        }
        if !decision.late && !stated.contains_key(&hash) {
            let what = format!("no receipt states decision {id} as it is recomputed");
            let receipt = self.row::<PatternInfo>(PATTERN.name, id).and_then(|row| row.receipt);
            self.differs(turn.number, what, receipt.unwrap_or_else(|| "none".into()), hex(&hash));
        }
        self.check_pattern(turn.number, decision);
        Ok(())
    }

    /// Looks whether the segments of a turn are what was signed.
    fn check_segments(&mut self, turn: &Turn) -> Result<(), Error> {
        for segment in turn.first_segment..turn.next_segment {
            match check_segment(self.store, &self.keys, segment) {
                Ok(()) | Err(ObservationError::Dropped { .. }) => {}
                Err(
                    error @ (ObservationError::Damaged { .. }
                    | ObservationError::NotFound { .. }
                    | ObservationError::Ledger(_)),
                ) => {
                    self.differs(turn.number, format!("segment {segment}"), "as it was signed", error.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// The path of the first place in which two values differ.
fn place_of_difference(one: &Value, other: &Value) -> String {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
            let first = names.into_iter().find(|name| one.get(*name) != other.get(*name));
            let Some(name) = first else { return String::new() };
            let [one, other] = [one, other].map(|values| values.get(name).unwrap_or(&Value::Null));
            format!("/{name}{}", place_of_difference(one, other))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let first = one.iter().zip(other).position(|(one, other)| one != other);
            first.map_or(String::new(), |place| format!("/{place}{}", place_of_difference(&one[place], &other[place])))
        }
        _ => String::new(),
    }
}
