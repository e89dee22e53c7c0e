//! Trials add up what belongs to them: from a generation on, and by arm where a canary chooses.

use std::sync::Arc;

use knhk_hot::Observed;
use knhk_observation::{Settings, Trial};
use knhk_store::MemoryStore;

use crate::world::{World, order};

const LIMIT: u64 = u64::MAX / 4;
const SALT: u64 = 0x9e37_79b9_7f4a_7c15;

#[test]
fn a_trial_counts_from_its_generation_on_and_by_arm() {
    let world = World::new(Arc::new(MemoryStore::new()), 4096);
    let monitor = world.monitor(Settings::default());
    let reader = world.reader();
    let observe = |subject: u64, quantity: i64| {
        let view = reader.view_for(subject);
        assert!(reader.observe(&view, Observed { subject, ..order(quantity) }));
    };
    observe(7, 1);
    let epoch = world.hot.start_canary(&[], LIMIT, SALT).unwrap();
    let all = monitor.begin_trial(Trial { sector: 0, from_epoch: epoch, choice: None }).unwrap();
    let arms = monitor.begin_trial(Trial { sector: 0, from_epoch: epoch, choice: Some((LIMIT, SALT)) }).unwrap();
    let other = monitor.begin_trial(Trial { sector: 1, from_epoch: 0, choice: None }).unwrap();
    let chosen = (1..=100_u64).filter(|subject| subject.wrapping_mul(SALT) < LIMIT).count() as u64;
    (1..=100).for_each(|subject| observe(subject, 2));
    observe(0, 2);
    monitor.flush().unwrap();

    let whole = monitor.trial(all).unwrap().unwrap();
    assert_eq!((whole.current.counts.count, whole.candidate.counts.count, whole.without_subject), (101, 0, 0));
    let series = &whole.current.series[..];
    let kind = series.iter().find(|one| one.kind.as_deref() == Some("OrderChecked")).unwrap();
    assert_eq!((kind.total.count, kind.window.max), (101, Some(2.0)), "it knows what the sector declares");
    let flow = whole.current.objectives.iter().find(|one| one.objective.name == "Flow").unwrap();
    assert_eq!(flow.figures.counts.count, 101);

    let split = monitor.trial(arms).unwrap().unwrap();
    assert!(chosen > 0 && chosen < 100);
    assert_eq!((split.candidate.counts.count, split.current.counts.count), (chosen, 100 - chosen));
    assert_eq!(split.without_subject, 1);

    assert_eq!(monitor.trial(other).unwrap().unwrap().current.counts.count, 0, "of another sector");
    assert_eq!(monitor.series(0).unwrap().iter().map(|one| one.total.count).sum::<u64>(), 102, "and all of it as ever");
    monitor.end_trial(arms).unwrap();
    assert_eq!(monitor.trial(arms).unwrap(), None);
    assert!(monitor.trial(all).unwrap().is_some());
}
