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
    /// `NotFound` without a ledger; `Io` when the store cannot be read.
    pub fn patterns(&self, query: &PatternQuery) -> Result<Vec<PatternInfo>, Error> {
        let mut all: Vec<PatternInfo> = self.all_of(PATTERN, query.sector.as_deref(), false)?;
        all.retain(|one| query.since_ns.is_none_or(|since| one.pattern.to_ns >= since));
        all.sort_unstable_by_key(|one| std::cmp::Reverse(number(PATTERN, &one.id)));
        all.truncate(query.limit.unwrap_or(LISTED));
        Ok(all)
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
        let all: Vec<Filed> = self.all_of(CYCLE, query.sector.as_deref(), query.open)?;
        let all = all.into_iter().map(|filed| (number(CYCLE, &filed.cycle.id), filed.cycle));
        let mut found: Vec<_> = all.filter(|(number, _)| before.is_none_or(|before| *number < Some(before))).collect();
        found.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        found.truncate(query.limit.unwrap_or(LISTED));
        Ok(found.into_iter().map(|(_, cycle)| cycle).collect())
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
    /// As [`Engine::patterns`]; `Corrupt` where what was kept is damaged.
    pub fn knowledge(&self, sector: Option<&str>) -> Result<Value, Error> {
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
    /// `InvalidArgument` for what no export gave; nothing is taken up then. `Io` where it cannot be kept.
    pub fn import_knowledge(&self, exported: &Value) -> Result<u64, Error> {
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
        let guard = self.inner.autonomic.round();
        match &*guard {
            Some(round) if !round.lost => Ok(round.mind.knowledge().clone()),
            _ => Ok(self.resume(Settings::default())?.mind.knowledge().clone()),
        }
    }

    fn all_of<T: serde::de::DeserializeOwned>(
        &self,
        kind: Kind,
        sector: Option<&str>,
        open: bool,
    ) -> Result<Vec<T>, Error> {
        self.not_forked()?;
        self.durable()?.store().items(kind.name, sector, open)?.iter().map(crate::governance::book::read).collect()
    }
}

fn number(kind: Kind, id: &str) -> Option<u64> {
    id.strip_prefix(kind.prefix)?.parse().ok()
}
