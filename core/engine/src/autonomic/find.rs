//! What the loop found, did and learned, for whoever asks.

use knhk_autonomic::knowledge::Knowledge;
use serde_json::Value;

use super::act::Filed;
use super::journal::Event;
use super::{Cycle, CycleQuery, PatternInfo, PatternQuery, Settings};
use crate::governance::book::{CYCLE, Kind, PATTERN};
use crate::{Engine, Error, Status};

/// Items of a list, unless a query says otherwise.
const LISTED: usize = 100;

impl Engine {
    /// What was found, newest first.
    ///
    /// # Errors
    /// `NotFound` without a ledger, and for a sector that is not there; `Io` when the store cannot be read.
    pub fn patterns(&self, query: &PatternQuery) -> Result<Vec<PatternInfo>, Error> {
        let since = |one: &PatternInfo| query.since_ns.is_none_or(|since| one.pattern.to_ns >= since);
        self.newest_of(PATTERN, query.sector.as_deref(), false, None, query.limit, since)
    }

    /// Cycles, newest first.
    ///
    /// # Errors
    /// As [`Engine::patterns`]; `InvalidArgument` where `before` names no cycle.
    pub fn cycles(&self, query: &CycleQuery) -> Result<Vec<Cycle>, Error> {
        let before = query.before.as_deref().map(|id| {
            let wrong = || Error::new(Status::InvalidArgument, "loop", id, format!("{id:?} names no cycle"));
            number(CYCLE, id).ok_or_else(wrong)
        });
        let before = before.transpose()?;
        let found: Vec<Filed> =
            self.newest_of(CYCLE, query.sector.as_deref(), query.open, before, query.limit, |_| true)?;
        Ok(found.into_iter().map(|filed| filed.cycle).collect())
    }

    /// A cycle.
    ///
    /// # Errors
    /// `NotFound`; `Io` when the store cannot be read.
    pub fn cycle(&self, id: &str) -> Result<Cycle, Error> {
        Ok(self.find::<Filed>(CYCLE, id)?.body.cycle)
    }

    /// What was learned: of every sector, or of one.
    ///
    /// # Errors
    /// As [`Engine::patterns`]; `Corrupt` where what was kept is damaged; `Busy` from a detector of the loop.
    pub fn knowledge(&self, sector: Option<&str>) -> Result<Value, Error> {
        sector.map(|sector| self.sector(sector)).transpose()?;
        Ok(self.learned()?.summary(sector))
    }

    /// All that was learned, to be imported elsewhere: success rates, examples, refusals.
    ///
    /// # Errors
    /// As [`Engine::knowledge`].
    pub fn export_knowledge(&self) -> Result<Value, Error> {
        Ok(serde_json::to_value(self.learned()?).expect("knowledge has text for keys, and numbers that JSON knows"))
    }

    /// Takes up what another loop learned: its tallies are added, and its examples count as older than one's own. Gives how many plans it is of.
    ///
    /// # Errors
    /// `InvalidArgument` for what no export gave; nothing is taken up then. `Io` where it cannot be kept, `Busy` from a callback of the loop.
    pub fn import_knowledge(&self, exported: &Value) -> Result<u64, Error> {
        self.not_within("import_knowledge")?;
        let knowledge: Knowledge = serde::Deserialize::deserialize(exported).map_err(|error| {
            Error::new(Status::InvalidArgument, "loop", "knowledge", format!("this is no exported knowledge: {error}"))
        })?;
        self.recording()?;
        let count = knowledge.count();
        let mut guard = self.inner.autonomic.round();
        let mut own = None;
        let round = match &mut *guard {
            Some(round) if !round.lost => round,
            Some(round) => {
                *round = self.resume(round.settings.clone())?;
                round
            }
            None => own.insert(self.resume(Settings::default())?),
        };
        round.happened(Event::Imported { knowledge: Box::new(knowledge) });
        round.lost = true;
        let page = round.next_page();
        self.keep_page(round, page, Vec::new(), |_| Vec::new())?;
        round.lost = false;
        Ok(count)
    }

    fn learned(&self) -> Result<Knowledge, Error> {
        self.not_within_turn("knowledge")?;
        let guard = self.inner.autonomic.round();
        match &*guard {
            Some(round) if !round.lost => Ok(round.mind.knowledge().clone()),
            _ => Ok(self.resume(Settings::default())?.mind.knowledge().clone()),
        }
    }

    /// The newest items of a kind that are meant; only those whose number is below `before`.
    fn newest_of<T: serde::de::DeserializeOwned>(
        &self,
        kind: Kind,
        sector: Option<&str>,
        open: bool,
        before: Option<u64>,
        limit: Option<usize>,
        meant: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>, Error> {
        self.not_forked()?;
        sector.map(|sector| self.sector(sector)).transpose()?;
        let limit = limit.unwrap_or(LISTED);
        let (store, mut found) = (self.durable()?.store(), Vec::new());
        let mut before = before.map(|number| format!("{}{number}", kind.prefix));
        while found.len() < limit {
            let wanted = limit - found.len();
            let items = store.newest_items(kind.name, sector, open, before.as_deref(), wanted)?;
            before = items.last().map(|item| item.id.clone());
            for item in &items {
                found.extend(Some(crate::governance::book::read(item)?).filter(&meant));
            }
            if items.len() < wanted {
                break;
            }
        }
        Ok(found)
    }
}

fn number(kind: Kind, id: &str) -> Option<u64> {
    id.strip_prefix(kind.prefix)?.parse().ok()
}
