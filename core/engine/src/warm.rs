//! The engine's clock thread: advances the cached clock and frees retired roots. It runs no code of the program's.

use std::sync::Arc;
use std::time::Duration;

use knhk_hot::Hot;
use knhk_warm::{Next, Ticker};

use crate::subscribe::Announcer;
use crate::{Error, Level, Status};

pub(crate) fn start(hot: &Hot, announcer: &Arc<Announcer>, period: Duration) -> Result<Ticker, Error> {
    let (cells, announcer) = (hot.clone(), announcer.clone());
    let mut stalled: Option<u64> = None;
    let step = move || {
        cells.wait_reclaim(period);
        cells.clock().advance();
        let reclaimed = cells.reclaim();
        let now = reclaimed.stalled.as_ref().map(|reader| reader.reader);
        if now != stalled {
            match &reclaimed.stalled {
                Some(reader) => announcer.log(Level::Warning, "hot", reader.to_string()),
                None => announcer.log(Level::Info, "hot", "no reader holds memory back any more".into()),
            }
            stalled = now;
        }
        Next::Continue
    };
    Ticker::spawn("knhk-clock", step).map_err(|error| {
        Error::new(Status::System, "open", "knhk-clock", format!("the clock thread could not be started: {error}"))
    })
}
