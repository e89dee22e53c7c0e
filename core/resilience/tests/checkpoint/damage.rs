//! A damaged checkpoint is never restored, and never takes the good ones before it along.

use std::fs;
use std::path::PathBuf;

use knhk_resilience::checkpoint::{CheckpointError, Key, Settings};

use crate::{Random, World};

/// Five checkpoints in chains of three; what each holds is its number, often.
fn five(settings: Settings) -> World {
    let world = World::new(Settings { chain: 3, ..settings });
    for round in 1..=5_u8 {
        world.set(&[round; 300], &[round]);
        world.checkpoints.take().unwrap();
    }
    world
}

fn file(world: &World, number: u64) -> PathBuf {
    let name = world.files().into_iter().find(|name| name.starts_with(&format!("{number:020}."))).unwrap();
    world.folder.path().join(name)
}

/// What is restored: its number, and those that were passed over.
fn restored(world: &World) -> (u64, Vec<u64>) {
    world.set(&[], &[]);
    let restored = world.checkpoints.restore().unwrap();
    let number = restored.number as u8;
    assert!(world.a.now() == [number; 300] && world.b.now() == [number], "{restored:?}");
    (restored.number, restored.skipped.iter().map(|skipped| skipped.number).collect())
}

#[test]
fn every_changed_bit_and_every_cut_is_found() {
    for settings in [Settings::default(), Settings { keys: vec![Key::new([9; 32])], ..Settings::default() }] {
        let world = five(settings);
        let newest = file(&world, 5);
        let whole = fs::read(&newest).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&newest, &damaged).unwrap();
            assert_eq!(restored(&world), (4, vec![5]), "byte {at}");
            fs::write(&newest, &whole[..at]).unwrap();
            assert_eq!(restored(&world), (4, vec![5]), "cut at {at}");
        }
        fs::write(&newest, &whole).unwrap();
        assert_eq!(restored(&world), (5, vec![]));
    }
}

#[test]
fn a_damaged_full_one_falls_back_to_the_chain_before() {
    let world = five(Settings::default());
    fs::write(file(&world, 4), b"nonsense").unwrap();
    assert_eq!(restored(&world), (3, vec![5, 4]));
    let infos = world.checkpoints.list().unwrap();
    let damage: Vec<(u64, bool)> = infos.iter().map(|info| (info.number, info.damage.is_some())).collect();
    assert_eq!(damage, [(1, false), (2, false), (3, false), (4, true), (5, true)]);
    // The next one builds on none of them.
    world.set(&[6; 300], &[6]);
    let taken = world.checkpoints.take().unwrap();
    assert_eq!((taken.number, taken.full), (6, true));
    assert_eq!(restored(&world), (6, vec![]));

    let world = five(Settings::default());
    fs::remove_file(file(&world, 2)).unwrap();
    fs::remove_file(file(&world, 4)).unwrap();
    assert_eq!(restored(&world), (1, vec![5, 3]));
    fs::write(file(&world, 1), b"").unwrap();
    let CheckpointError::NoneWhole(skipped) = world.checkpoints.restore().unwrap_err() else { panic!("no reasons") };
    assert_eq!(skipped.iter().map(|skipped| skipped.number).collect::<Vec<_>>(), [5, 3, 1]);
}

#[test]
fn one_that_a_component_refuses_is_passed_over() {
    let world = five(Settings::default());
    for why in ["of a newer version", "panic"] {
        world.b.refuse(Some(why));
        let refused = world.checkpoints.restore().unwrap_err().to_string();
        assert!(refused.contains("5: b does not take it"), "{refused}");
        world.b.refuse(None);
        assert_eq!(restored(&world), (5, vec![]));
    }
}

#[test]
fn pieces_of_different_chains_are_not_put_together() {
    let (world, other) = (five(Settings::default()), five(Settings::default()));
    // The same numbers and names, of another program's states.
    let theirs = World::new(Settings { chain: 3, ..Settings::default() });
    for round in 1..=5_u8 {
        theirs.set(&[round + 100; 300], &[round]);
        theirs.checkpoints.take().unwrap();
    }
    fs::copy(file(&theirs, 4), file(&world, 4)).unwrap();
    let skipped = world.checkpoints.restore().unwrap();
    assert_eq!(skipped.skipped[0].why, "5 builds on another 4 than is there");
    // One under another's name.
    fs::copy(file(&other, 2), file(&other, 5)).unwrap();
    let skipped = other.checkpoints.restore().unwrap();
    assert_eq!((skipped.number, &*skipped.skipped[0].why), (4, "it is checkpoint 2, under another name"));
}

#[test]
fn a_body_made_to_hurt_is_refused_within_its_limit() {
    // States of 100,000 bytes that compress to little, restored by one that allows 1,000.
    let world = World::new(Settings::default());
    world.set(&[0; 100_000], &[]);
    world.checkpoints.take().unwrap();
    let world = world.reopened(Settings { limit: 1000, ..Settings::default() });
    let refused = world.checkpoints.restore().unwrap_err().to_string();
    assert!(refused.contains("at most 1000"), "{refused}");

    // Nonsense with a right digest: whatever the numbers in it say, it is refused.
    use sha2::{Digest, Sha256};
    let world = five(Settings::default());
    let path = file(&world, 5);
    let whole = fs::read(&path).unwrap();
    let mut random = Random(3);
    for _ in 0..500 {
        let mut damaged = whole[..whole.len() - 32].to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(damaged.len());
            damaged[at] = random.next() as u8;
        }
        damaged.truncate(damaged.len() - random.below(2) * random.below(damaged.len()));
        let digest = Sha256::digest(&damaged);
        damaged.extend_from_slice(&digest);
        fs::write(&path, &damaged).unwrap();
        // Without a key a digest can be made by anyone, so it may be taken; it must not hurt.
        let _ = world.checkpoints.restore();
    }
}
