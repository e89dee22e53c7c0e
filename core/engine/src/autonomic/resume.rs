//! Going on where the loop was: after a stop, after the engine was closed, after a crash, and after a turn that did not come to its end.

use serde_json::Value;

use super::act::Filed;
use super::journal::{Event, PAGES, Page, digest};
use super::mind::Mind;
use super::turn::Round;
use super::{CycleState, Settings};
use crate::control::hex;
use crate::governance::book::CYCLE;
use crate::{Engine, Error, Status};

impl Engine {
    /// What goes round, as it was kept last.
    pub(super) fn resume(&self, settings: Settings) -> Result<Round, Error> {
        let pages = self.durable()?.store().states(PAGES)?;
        let newest = pages.last().map(|(number, _)| self.page(*number)).transpose()?.flatten();
        let (page, hash) = match newest {
            Some((page, hash)) => (Some(page), hex(&hash)),
            None => (None, String::new()),
        };
        let none = Value::Null;
        let state = page.as_ref().map_or(&none, |page| &page.state);
        let mind = if state.is_null() { Mind::default() } else { self.mind(state)? };
        let mut round = Round {
            settings,
            mind,
            page: page.as_ref().map_or(0, |page| page.number),
            hash,
            oldest: pages.first().map_or(0, |(number, _)| *number),
            turns: Vec::new(),
            events: Vec::new(),
            number: page.as_ref().map_or(0, |page| page.turn),
            next_segment: page.as_ref().map_or_else(|| self.segment_count(), |page| Ok(page.next_segment))?,
            resumes: true,
            open: self.all(CYCLE, true)?,
            lost: false,
        };
        round.open.sort_by_key(|filed: &Filed| filed.cycle.started_ns);
        self.catch_up(&mut round)?;
        Ok(round)
    }

    /// A mind as it was kept.
    pub(crate) fn mind(&self, state: &Value) -> Result<Mind, Error> {
        Mind::from_state(state, |sector, version| match self.declaration(sector, version) {
            Ok(declaration) => Ok(Some(declaration)),
            // The version is not retained any more, or the sector is gone: what was seen of it says nothing now.
            Err(error) if error.status() == Status::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// Tells the mind what became of its cycles after it was kept.
    fn catch_up(&self, round: &mut Round) -> Result<(), Error> {
        for id in round.mind.open() {
            let Filed { cycle, .. } = self.find::<Filed>(CYCLE, &id)?.body;
            match (cycle.outcome, cycle.state) {
                (Some(outcome), _) => {
                    let at_ns = cycle.ended_ns.unwrap_or(cycle.started_ns);
                    let refused = Vec::new();
                    round.happened(Event::Ended { cycle: id, at_ns, outcome, said: cycle.said, refused });
                }
                (None, CycleState::Waiting) => round.happened(Event::Waiting { cycle: id }),
                (None, CycleState::Watching) => round.happened(Event::Watching { cycle: id }),
                (None, _) => {}
            }
        }
        Ok(())
    }

    /// A page of the journal with its hash; none where there is none of the number.
    pub(crate) fn page(&self, number: u64) -> Result<Option<(Page, [u8; 32])>, Error> {
        let Some(bytes) = self.durable()?.store().state(PAGES, number)? else { return Ok(None) };
        let page: Page = serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!(
                "page {number} of the loop's journal cannot be read ({error}): a newer library wrote it, or the store is damaged"
            );
            Error::new(Status::Corrupt, "loop", number.to_string(), message)
        })?;
        Ok(Some((page, digest(&bytes))))
    }
}
