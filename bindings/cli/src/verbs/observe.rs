//! The verb `observe`: what a live engine observes, and what was kept.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use knhk_engine::control::{Failure, Live, Observe};
use knhk_engine::{Options, SegmentQuery};
use serde_json::json;

use super::Place;
use crate::arguments;
use crate::output::Done;
use crate::render::Render;

/// How often figures are shown anew.
const EVERY: Duration = Duration::from_secs(1);

pub fn observe(place: &Place<'_>, render: &Render, observe: arguments::Observe) -> Result<Done, Failure> {
    let arguments::Observe { sector, watch, segments, limit } = observe;
    let Some(sector) = sector.filter(|_| !segments) else { return kept(place, render, limit) };
    let mut live = place.live()?;
    if watch {
        return watched(&mut live, render, &sector);
    }
    let observed = live.ask(&Observe { sector })?;
    Ok(Done::new(render.observed(&observed), &observed))
}

/// Shows the figures anew until nobody reads them any more; an interrupt ends the command.
fn watched(live: &mut Live, render: &Render, sector: &str) -> Result<Done, Failure> {
    loop {
        let observed = live.ask(&Observe { sector: sector.into() })?;
        let mut out = std::io::stdout().lock();
        let clear = if out.is_terminal() { "\x1b[H\x1b[2J" } else { "" };
        if write!(out, "{clear}{}", render.observed(&observed)).and_then(|()| out.flush()).is_err() {
            return Ok(Done::new(String::new(), &observed));
        }
        drop(out);
        std::thread::sleep(EVERY);
    }
}

fn kept(place: &Place<'_>, render: &Render, limit: usize) -> Result<Done, Failure> {
    let mut options = Options::default();
    options.history = 1;
    let engine = place.engine(options)?;
    let first = engine.segment_count()?.saturating_sub(limit as u64);
    let segments = engine.segments(&SegmentQuery { from: first, limit: Some(limit), ..Default::default() })?;
    let json: Vec<_> = segments
        .iter()
        .map(|segment| {
            let root: String = segment.root.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({
                "number": segment.number, "sector": segment.sector, "first_ns": segment.first_ns, "last_ns": segment.last_ns,
                "count": segment.count, "root": root, "receipt": segment.receipt
            })
        })
        .collect();
    Ok(Done::new(render.segments(&segments), &json!({ "segments": json })))
}
