//! Aggregates by sector, key and kind, and the objectives that are about them.

use hashbrown::HashMap;

use crate::Record;
use crate::kinds::Kinds;
use crate::objective::ObjectiveState;
use crate::schema::{Kind, Schema};
use crate::window::{Counts, Figures, NS, Sum, Window};

/// The slot of what came beyond the limit of series; no key has it.
const OTHERS: u32 = u32::MAX;

/// What was recorded under a key, of a kind.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Series {
    /// The key's path; none for what came beyond the limit of series, which is aggregated together.
    pub key: Option<String>,
    /// The name of the kind, where the ontology declares one.
    pub kind: Option<String>,
    /// What the values are counted in, where it says so.
    pub unit: Option<String>,
    /// The window that ends now.
    pub window: Figures,
    /// Since the monitor was started.
    pub total: Counts,
}

/// Adds up records. Time is passed in by [`Aggregates::advance`]; it is that of draining, so that a program's own times distort nothing.
pub struct Aggregates {
    window_s: u32,
    limit: usize,
    start_ns: u64,
    now_ns: u64,
    sectors: Vec<Kinds>,
    series: Vec<State>,
    /// Where a sector's slot and code are in `series`.
    places: HashMap<(u32, u32, u32), u32>,
}

struct State {
    sector: u32,
    /// [`OTHERS`] for what came beyond the limit.
    slot: u32,
    /// The kind's code, or 0.
    code: u32,
    key: Option<String>,
    kind: Option<Kind>,
    /// Since the start, without the second that runs.
    total: Counts,
    /// The second that runs.
    now: Sum,
    /// The window of its figures, then those of objectives.
    windows: Vec<Window>,
}

impl Aggregates {
    /// Aggregates over windows of `window_s` seconds, of at most `limit` series.
    pub fn new(window_s: u32, limit: usize, now_ns: u64) -> Aggregates {
        Aggregates {
            window_s,
            limit,
            start_ns: now_ns,
            now_ns,
            sectors: Vec::new(),
            series: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Whether a second ends where it is that time.
    pub fn ends_second(&self, now_ns: u64) -> bool {
        now_ns / NS > self.now_ns / NS
    }

    /// Says what time it is; it never goes back.
    pub fn advance(&mut self, now_ns: u64) {
        if self.ends_second(now_ns) {
            let second = self.now_ns / NS;
            self.series.iter_mut().for_each(|state| state.end_second(second));
        }
        self.now_ns = self.now_ns.max(now_ns);
    }

    /// Takes up what a sector's ontology says now. `slot` gives the slot of a key.
    pub fn learn(&mut self, sector: u32, schema: Schema, slot: impl Fn(&str) -> Option<u32>) {
        let at = sector as usize;
        if self.sectors.len() <= at {
            self.sectors.resize_with(at + 1, Kinds::default);
        }
        let kinds = Kinds::new(schema, slot);
        // A kind that nothing was recorded of has a series too: that something is missing is worth knowing.
        let expected: Vec<_> = kinds.schema.kinds.iter().cloned().zip(kinds.slots.iter().copied()).collect();
        self.sectors[at] = kinds;
        for number in 0..self.series.len() {
            if self.series[number].sector == sector {
                self.attach(number);
            }
        }
        for (kind, slot) in expected {
            if let Some(slot) = slot {
                self.place(sector, slot, kind.code.unwrap_or(0), || kind.key.clone());
            }
        }
    }

    /// Adds a record. `key` gives the path of its key, and is asked only when there was none under it before.
    pub fn add(&mut self, sector: u32, record: &Record, key: impl FnOnce() -> Option<String>) {
        let code = if record.outcome < 256 { 0 } else { self.code(sector, record) };
        let place = match self.places.get(&(sector, record.slot, code)) {
            Some(place) => *place as usize,
            None => self.place(sector, record.slot, code, key),
        };
        self.series[place].add(record);
    }

    /// The code by which a record is of a kind of its own, or 0.
    fn code(&self, sector: u32, record: &Record) -> u32 {
        self.sectors.get(sector as usize).map_or(0, |known| known.code(record))
    }

    /// The place of a series, which is made where there is none.
    fn place(&mut self, sector: u32, slot: u32, code: u32, key: impl FnOnce() -> Option<String>) -> usize {
        if let Some(place) = self.places.get(&(sector, slot, code)) {
            return *place as usize;
        }
        // Beyond the limit a sector has one more, for all others. They are not remembered: nothing may grow without end.
        let (slot, code, key) = if self.places.len() < self.limit { (slot, code, key()) } else { (OTHERS, 0, None) };
        let next = self.series.len();
        let place = *self.places.entry((sector, slot, code)).or_insert(next as u32) as usize;
        if place == next {
            let (kind, total, now) = (None, Counts::default(), Sum::new());
            self.series.push(State { sector, slot, code, key, kind, total, now, windows: Vec::new() });
            self.attach(place);
        }
        place
    }

    /// Gives a series the kind and the windows that the ontology says.
    fn attach(&mut self, place: usize) {
        let state = &mut self.series[place];
        let known = self.sectors.get(state.sector as usize);
        state.kind = known.and_then(|known| known.kind(state.slot, state.code)).cloned();
        let mut windows = vec![self.window_s];
        if let (Some(known), Some(kind)) = (known, &state.kind) {
            windows.extend(known.schema.objectives.iter().filter(|one| one.kind == kind.name).map(|one| one.window_s));
        }
        windows[1..].sort_unstable();
        windows.dedup();
        let mut before = std::mem::take(&mut state.windows);
        // A window that is new begins now, but at the monitor's start where the series is as new as it.
        let since = if before.is_empty() { self.start_ns } else { self.now_ns };
        state.windows.extend(windows.into_iter().map(|seconds| {
            let kept = before.iter().position(|window| window.seconds == seconds);
            kept.map_or_else(|| Window::new(seconds, since), |kept| before.swap_remove(kept))
        }));
    }

    /// The series of a sector as of now, by key and kind.
    pub fn series(&self, sector: u32) -> Vec<Series> {
        let of = self.series.iter().filter(|state| state.sector == sector).map(|state| state.series(self.now_ns));
        // What is not declared any more and never was recorded is of no interest.
        let mut series: Vec<Series> = of.filter(|one| one.kind.is_some() || one.total.count > 0).collect();
        series.sort_by(|one, other| (&one.key, &one.kind).cmp(&(&other.key, &other.kind)));
        series
    }

    /// The objectives of a sector as of now, by name.
    pub fn objectives(&self, sector: u32) -> Vec<ObjectiveState> {
        let Some(known) = self.sectors.get(sector as usize) else { return Vec::new() };
        let of = known.schema.objectives.iter().map(|objective| {
            let mut sum = Sum::new();
            let mut covered: f64 = 0.0;
            let kind = |state: &&State| state.kind.as_ref().is_some_and(|kind| kind.name == objective.kind);
            for state in self.series.iter().filter(|state| state.sector == sector).filter(kind) {
                covered = covered.max(state.sum_into(objective.window_s, self.now_ns, &mut sum));
            }
            ObjectiveState::of(objective.clone(), sum.figures(covered))
        });
        of.collect()
    }
}

impl State {
    #[inline]
    fn add(&mut self, record: &Record) {
        let (value, mismatched) = match &self.kind {
            None => {
                let number = record.number().filter(|number| number.is_finite());
                (number, number.is_none())
            }
            Some(kind) => kind.judge(record),
        };
        self.now.add(record.outcome, value, mismatched);
    }

    fn end_second(&mut self, second: u64) {
        if self.now.counts.count == 0 {
            return;
        }
        let sum = std::mem::take(&mut self.now);
        self.total.merge(&sum.counts);
        for window in &mut self.windows {
            window.take(second, &sum);
        }
    }

    /// Adds up the window of a length; gives the seconds that it is over.
    fn sum_into(&self, seconds: u32, now_ns: u64, sum: &mut Sum) -> f64 {
        let Some(window) = self.windows.iter().find(|window| window.seconds == seconds) else { return 0.0 };
        window.sum_into(now_ns / NS, sum);
        sum.merge(&self.now);
        window.covered(now_ns)
    }

    fn series(&self, now_ns: u64) -> Series {
        let mut sum = Sum::new();
        let covered = self.windows.first().map_or(0.0, |window| self.sum_into(window.seconds, now_ns, &mut sum));
        let mut total = self.total;
        total.merge(&self.now.counts);
        Series {
            key: self.key.clone(),
            kind: self.kind.as_ref().map(|kind| kind.name.clone()),
            unit: self.kind.as_ref().and_then(|kind| kind.unit.clone()),
            window: sum.figures(covered),
            total,
        }
    }
}
