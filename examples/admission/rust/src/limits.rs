//! Orders, the limits they are admitted on, and the operator who changes these.

use std::thread;
use std::time::Duration;

use knhk_engine::{Engine, Error, Observation, Origin, ReaderOptions, VersionInfo};

use crate::report::event;
use crate::{Program, now_ns};

pub const VERDICTS: [&str; 6] = ["accepted", "closed", "venue", "quantity", "tenant", "price"];
/// The last one trades in the dark.
pub const VENUES: [&str; 4] = ["XPAR", "XLON", "XETR", "XOFF"];
/// The last one has no limit of its own.
pub const TENANTS: [&str; 4] = ["acme", "birch", "cobalt", "delta"];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    Closed,
    Venue,
    Quantity,
    Tenant,
    Price,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        VERDICTS[self as usize]
    }
}

pub struct Order<'a> {
    pub id: u64,
    pub tenant: &'a str,
    /// An index of [`VENUES`].
    pub venue: Option<usize>,
    pub qty: i64,
    pub price: i64,
}

impl Order<'_> {
    /// Reads `id tenant venue quantity price` and a newline.
    pub fn parse(line: &[u8]) -> Option<Order<'_>> {
        let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
        let mut words = text.split(' ');
        let (id, tenant, venue) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
        let (qty, price) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let venue = VENUES.iter().position(|name| *name == venue);
        (words.next().is_none() && qty >= 0 && (0..1 << 40).contains(&price)).then_some(Order {
            id,
            tenant,
            venue,
            qty,
            price,
        })
    }

    /// What the auditor needs to decide again, beside the quantity, which is the observation's value.
    pub fn detail(&self, verdict: Verdict) -> u64 {
        let tenant = TENANTS.iter().position(|name| *name == self.tenant).unwrap_or(TENANTS.len());
        (self.price as u64) << 24 | (tenant as u64) << 16 | (self.venue.unwrap_or(255) as u64) << 8 | verdict as u64
    }
}

/// What a document says, as the auditor knows it.
#[derive(Clone, Copy)]
pub struct Limits {
    open: bool,
    max_qty: i64,
    tenants: [i64; 3],
    dark_tradable: bool,
    price: (i64, i64),
}

impl Limits {
    fn to_json(self) -> String {
        let Limits { open, max_qty, tenants: [acme, birch, cobalt], dark_tradable, price: (low, high) } = self;
        let dark = if dark_tradable { "\"tradable\"" } else { "" };
        format!(
            r#"{{
  "open": {{"$value": {open}, "$doc": "no order is admitted while this is off"}},
  "max_qty": {{"$value": {max_qty}, "$min": 1, "$max": 5000, "$unit": "lots"}},
  "price": {{"$value": 10000, "$min": {low}, "$max": {high}, "$unit": "ticks", "$doc": "reference price and its collar"}},
  "tenants": {{"acme": {acme}, "birch": {birch}, "cobalt": {cobalt}}},
  "$classes": {{"tradable": [], "lit": ["tradable"], "dark": [{dark}],
               "XPAR": ["lit"], "XLON": ["lit"], "XETR": ["lit"], "XOFF": ["dark"]}}
}}
"#
        )
    }

    fn decide_again(&self, qty: i64, detail: u64) -> Verdict {
        let (venue, tenant, price) =
            ((detail >> 8) as u8 as usize, (detail >> 16) as u8 as usize, (detail >> 24) as i64);
        if !self.open {
            Verdict::Closed
        } else if venue >= VENUES.len() || (venue == VENUES.len() - 1 && !self.dark_tradable) {
            Verdict::Venue
        } else if qty > self.max_qty {
            Verdict::Quantity
        } else if self.tenants.get(tenant).is_some_and(|own| qty > *own) {
            Verdict::Tenant
        } else if price < self.price.0 || price > self.price.1 {
            Verdict::Price
        } else {
            Verdict::Accepted
        }
    }
}

/// The time between two of the operator's changes.
pub struct Era {
    pub generation: u64,
    pub info: VersionInfo,
    pub called_ns: u64,
    pub returned_ns: u64,
    /// The first decision under it; 0 while there is none.
    pub first_ns: u64,
    pub decisions: u64,
    limits: Limits,
}

impl Era {
    /// What changed, in a line.
    pub fn change(&self) -> String {
        let all = self.info.differences().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if self.info.version == 1 { "the first limits".into() } else { all }
    }

    /// Counts a decision made under these limits; whether it is the right one.
    pub fn confirms(&mut self, seen: &Observation) -> bool {
        if self.first_ns == 0 || seen.time_ns < self.first_ns {
            self.first_ns = seen.time_ns;
        }
        self.decisions += 1;
        self.limits.decide_again(seen.value as i64, seen.detail) as u64 == seen.detail & 0xff
    }
}

enum Step {
    Promote(Limits),
    /// This one breaks a range that the document itself states.
    Refused(Limits),
    /// Back to this version.
    Rollback(u64),
}

const DAY: Limits =
    Limits { open: true, max_qty: 1000, tenants: [600, 400, 800], dark_tradable: true, price: (9500, 10500) };
const CALM: Limits = Limits { max_qty: 400, ..DAY };
const CREDIT: Limits = Limits { tenants: [150, 400, 800], ..CALM };
const LIT: Limits = Limits { dark_tradable: false, ..CREDIT };
const NARROW: Limits = Limits { price: (9800, 10200), ..LIT };

const PLAN: [(&str, &str, Step); 8] = [
    ("desk", "limits of the day", Step::Promote(DAY)),
    ("risk", "volatility is up", Step::Promote(CALM)),
    ("desk", "a large client asks", Step::Refused(Limits { max_qty: 9000, ..DAY })),
    ("credit", "acme is near its line", Step::Promote(CREDIT)),
    ("compliance", "XOFF is suspended", Step::Promote(LIT)),
    ("risk", "the market is thin", Step::Promote(NARROW)),
    ("exchange", "trading halt", Step::Promote(Limits { open: false, ..NARROW })),
    ("desk", "the halt is over", Step::Rollback(5)),
];

#[derive(Default)]
pub struct Operator {
    json: bool,
    /// What the refused document was refused for.
    pub refusals: Vec<String>,
    /// Calls that went otherwise than planned.
    pub unexpected: u64,
    /// The least that one decision cost, in nanoseconds, measured before each change.
    pub decision_ns: f64,
}

impl Operator {
    pub fn new(json: bool) -> Operator {
        Operator { json, decision_ns: f64::INFINITY, ..Default::default() }
    }

    /// Promotes the first document.
    pub fn open(&mut self, engine: &Engine) -> Result<Era, Error> {
        self.take(engine, &[], 0)
    }

    fn take(&mut self, engine: &Engine, eras: &[Era], step: usize) -> Result<Era, Error> {
        let (by, why, action) = &PLAN[step];
        let origin = Origin { by: (*by).into(), why: (*why).into(), ..Origin::default() };
        let called_ns = now_ns();
        let (info, limits) = match action {
            Step::Promote(limits) | Step::Refused(limits) => {
                (engine.promote_json("orders", &limits.to_json(), origin)?, *limits)
            }
            Step::Rollback(version) => {
                let back = eras.iter().find(|era| era.info.version == *version).map_or(DAY, |era| era.limits);
                (engine.rollback("orders", *version, origin)?, back)
            }
        };
        let returned_ns = now_ns();
        Ok(Era { generation: info.epoch, info, called_ns, returned_ns, first_ns: 0, decisions: 0, limits })
    }

    /// Works through the plan while orders are decided.
    pub fn work(mut self, p: &Program) -> Result<Operator, Error> {
        let reader = p.engine.register_reader(ReaderOptions { ring_records: Some(0), ..Default::default() })?;
        for step in 1..=PLAN.len() {
            let at = p.seconds * step as u32 / (PLAN.len() as u32 + 1);
            wait_until(p, at);
            self.decision_ns = self.decision_ns.min(p.keys.measure(&reader));
            let Some((by, why, action)) = PLAN.get(step) else { break };
            let mut eras = p.eras();
            let taken = self.take(&p.engine, &eras, step);
            self.unexpected += u64::from(taken.is_err() != matches!(action, Step::Refused(_)));
            match taken {
                Ok(era) => {
                    // From here on, every decision that begins must be on these limits or newer ones.
                    p.acknowledged.store(era.generation, std::sync::atomic::Ordering::Release);
                    event(p, self.json, &format!("● version {} by {by}: {why}", era.info.version));
                    eras.push(era);
                }
                Err(error) => {
                    event(p, self.json, &format!("✗ refused: {error}"));
                    self.refusals.push(error.to_string());
                }
            }
        }
        Ok(self)
    }
}

fn wait_until(p: &Program, at: Duration) {
    while let Some(left) = at.checked_sub(p.begun.elapsed()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}
