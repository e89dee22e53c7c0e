//! The verb `observe`: what a live engine observes, and what was kept.

use knhk_engine::control::{Failure, Observe};
use knhk_engine::{Options, SegmentQuery};
use serde_json::json;

use super::{Place, watch};
use crate::arguments;
use crate::output::Done;
use crate::render::Render;

pub fn observe(place: &Place<'_>, render: &Render, observe: arguments::Observe) -> Result<Done, Failure> {
    let arguments::Observe { sector, watch, segments, limit } = observe;
    let Some(sector) = sector.filter(|_| !segments) else { return kept(place, render, limit) };
    let mut live = place.live()?;
    watch::shown(watch, || {
        let observed = live.ask(&Observe { sector: sector.clone() })?;
        Ok(Done::new(render.observed(&observed), &observed))
    })
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
