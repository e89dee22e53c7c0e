//! What a program writes that derives its limits and binds their reads, under the strictest lints of its own.
#![deny(warnings, missing_docs, unreachable_pub)]

use std::sync::OnceLock;

use knhk_engine::{Engine, Options, Origin, PromotionSafe, SectorKind};

/// What this program lets through.
#[derive(PromotionSafe)]
#[knhk(sector = "orders", invariant = "self.min_qty <= i64::from(self.max_qty)")]
pub(crate) struct Limits {
    /// The smallest order.
    #[knhk(min = 1, unit = "lots")]
    pub min_qty: i64,
    /// The largest order.
    pub max_qty: u32,
    desk: Desk,
}

#[derive(PromotionSafe)]
struct Desk {
    name: String,
}

static ENGINE: OnceLock<Engine> = OnceLock::new();
knhk_engine::bind!(Orders => ENGINE);
const _: () = assert!(size_of::<Orders>() == 0);

#[test]
fn limits_are_derived_promoted_and_read() {
    let engine = ENGINE.get_or_init(|| Engine::open(":memory:", Options::default()).unwrap());
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    let limits = Limits { min_qty: 1, max_qty: 1000, desk: Desk { name: "rates".into() } };
    engine.promote(&limits, Origin::default()).unwrap();
    let keys = engine.keys_of::<Limits>().unwrap();
    assert_eq!(Orders::get(keys.max_qty, 0), 1000);
    let name = Orders::with(|view| keys.desk.name.get(view).map(str::to_owned)).unwrap();
    assert_eq!(name.as_deref(), Some(engine.promoted::<Limits>().unwrap().desk.name.as_str()));
}
