//! Generated histories, told to the specification and to the implementation: after each act both say the same.
//!
//! A history has one relaxation, one change of the approvers and one change of the guards, which the same people sign, well or badly: at every
//! moment that matters, one nanosecond before and after it; twice, too late, of something else. One history in 50 goes by signed
//! bytes, and there are strangers and forgers in it; the others begin where signatures were verified, since those take most of the time.

use super::world::World;

/// Plays a history through; says where the two sides differ.
pub(super) fn play(seed: u64) -> Result<(), String> {
    let mut world = World::new(seed);
    let acts = 4 + world.dice.throw(12);
    (0..acts).try_for_each(|_| world.act()).map_err(|why| format!("history {seed}: {why}"))
}

#[test]
fn the_implementation_does_what_the_specification_says_in_100_000_histories() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let play_some = |first: u64| (first..100_000).step_by(threads as usize).try_for_each(play);
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|first| scope.spawn(move || play_some(first))).collect();
        for part in parts {
            part.join().expect("no side panics").unwrap_or_else(|difference| panic!("{difference}"));
        }
    });
}

/// The histories lead where they should: each refusal, each state and each change comes up.
#[test]
fn the_histories_come_everywhere() {
    let (mut states, mut takeovers, mut changes) = (std::collections::HashSet::new(), 0, 0);
    for seed in 0..3_000 {
        let mut world = World::new(seed);
        for _ in 0..12 {
            world.act().unwrap_or_else(|why| panic!("history {seed}: {why}"));
            states.insert(world.relaxation.state(&world.approvers, world.now));
            takeovers += usize::from(world.may_take_over() == Ok(true));
            changes +=
                usize::from(world.changes[1].lacks(Some(&world.approvers), &world.guards, world.now) == Ok(vec![]));
        }
    }
    assert_eq!(states.len(), 5, "{states:?}");
    assert!(takeovers > 100 && changes > 100, "{takeovers} {changes}");
}
