//! What is read is what was validated, byte for byte.

use knhk_engine::ReaderOptions;

use crate::passed;
use crate::world::World;

#[test]
fn what_is_current_has_the_content_address_that_passed() {
    let world = World::new();
    let proposal = passed(&world, "1100");
    let enacted = world.engine().enact(&proposal.id, "ops-2").unwrap();
    let reader = world.engine().register_reader(ReaderOptions::default()).unwrap();
    let number = world.engine().sector_number("orders").unwrap() as usize;
    let current: String = reader.view().snapshot_id(number).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(current, proposal.changes[0].snapshot_id);
    assert_eq!(current, enacted.versions[0].version.snapshot_id);
}
