//! What is restored is what was saved: full, incremental, compressed, encrypted, across versions of the set of components.

use std::sync::Arc;
use std::time::Duration;

use knhk_resilience::checkpoint::{BackendError, CheckpointError, Checkpoints, Folder, Key, Settings, pause};
use knhk_resilience::{Events, Scope};

use crate::{Bytes, Random, World, open};

fn keyed(byte: u8) -> Settings {
    Settings { keys: vec![Key::new([byte; 32])], ..Settings::default() }
}

#[test]
fn each_of_many_checkpoints_restores_exactly() {
    for (seed, settings) in [(1, Settings::default()), (2, keyed(7)), (3, Settings { chain: 1, ..keyed(7) })] {
        let mut random = Random(seed);
        let world = World::new(Settings { chain: settings.chain.min(7), ..settings.clone() });
        let mut state = vec![0_u8; 50_000];
        for round in 1..=30_u64 {
            // Changed here and there, longer, shorter, gone.
            for _ in 0..random.below(20) {
                let at = random.below(state.len());
                state[at] = random.next() as u8;
            }
            match random.below(6) {
                0 => state.extend((0..random.below(5000)).map(|n| n as u8)),
                1 => state.truncate(1 + random.below(state.len())),
                _ => {}
            }
            let other: Vec<u8> =
                if random.below(3) == 0 { Vec::new() } else { round.to_le_bytes().repeat(random.below(50)) };
            world.set(&state, &other);
            let taken = world.checkpoints.take().unwrap();
            assert_eq!((taken.number, taken.state_bytes), (round, (state.len() + other.len()) as u64));
            if random.below(4) == 0 {
                world.set(&[1], &[2]);
                let restored = world.checkpoints.restore().unwrap();
                assert_eq!((restored.number, restored.skipped.len()), (round, 0));
                assert!(world.a.now() == state && world.b.now() == other, "seed {seed}, round {round}");
            }
        }
        let world = world.reopened(settings);
        assert_eq!(world.checkpoints.restore().unwrap().number, 30);
        assert!(world.a.now() == state);
    }
}

#[test]
fn increments_are_as_small_as_the_change() {
    let world = World::new(Settings::default());
    let mut random = Random(5);
    let mut state: Vec<u8> = (0..1_000_000).map(|_| random.next() as u8).collect();
    world.set(&state, b"small");
    let full = world.checkpoints.take().unwrap();
    assert!(full.full && full.bytes > 1_000_000, "{full:?}");
    let nothing = world.checkpoints.take().unwrap();
    assert!(!nothing.full && nothing.bytes < 300, "{nothing:?}");
    // A hundredth of the lines.
    for _ in 0..156 {
        state[random.below(1_000_000)] ^= 1;
    }
    world.set(&state, b"small");
    let some = world.checkpoints.take().unwrap();
    assert!(!some.full && some.bytes < 15_000, "{some:?}");
    assert!(world.checkpoints.take_full().unwrap().full);
    assert_eq!(world.files().len(), 4);
    let infos = world.checkpoints.list().unwrap();
    let shown: Vec<(u64, bool)> = infos.iter().map(|info| (info.number, info.full)).collect();
    assert_eq!(shown, [(1, true), (2, false), (3, false), (4, true)]);
    assert!(infos.iter().all(|info| info.damage.is_none() && info.time_ns > 1_600_000_000_000_000_000));
}

#[test]
fn old_chains_are_removed_and_two_stay() {
    let world = World::new(Settings { chain: 3, ..Settings::default() });
    for round in 0..11_u8 {
        world.set(&[round; 100], &[]);
        world.checkpoints.take().unwrap();
    }
    let numbers: Vec<String> = world.files().iter().map(|name| name.trim_start_matches('0').to_owned()).collect();
    assert_eq!(numbers, ["7.full", "8.part", "9.part", "10.full", "11.part"]);
    // The first one of another process stands alone.
    let world = world.reopened(Settings { chain: 3, ..Settings::default() });
    assert_eq!(world.checkpoints.restore().unwrap().number, 11);
    let taken = world.checkpoints.take().unwrap();
    assert_eq!((taken.number, taken.full), (12, true));
}

#[test]
fn encrypted_ones_need_their_key_and_show_nothing() {
    let secret = b"a secret that must not be seen, ".repeat(10);
    let world = World::new(keyed(1));
    world.set(&secret, &[]);
    world.checkpoints.take().unwrap();
    world.checkpoints.take().unwrap();
    for name in world.files() {
        let content = std::fs::read(world.folder.path().join(name)).unwrap();
        assert!(!content.windows(8).any(|window| window == &secret[..8]));
    }
    assert!(!format!("{:?}", keyed(1)).contains("1, 1"), "a key is not printed");

    let world = world.reopened(keyed(2));
    let refused = world.checkpoints.restore().unwrap_err();
    assert!(refused.to_string().contains("2: it is encrypted with a key that was not given"), "{refused}");
    assert_eq!(world.a.now(), []);
    // A new key encrypts, and the old one still opens.
    let both = Settings { keys: vec![Key::new([2; 32]), Key::new([1; 32])], ..Settings::default() };
    let world = world.reopened(both);
    assert_eq!((world.checkpoints.restore().unwrap().number, world.a.now()), (2, secret.clone()));
    assert_eq!(world.checkpoints.take().unwrap().number, 3);
    let world = world.reopened(keyed(2));
    assert_eq!((world.checkpoints.restore().unwrap().number, world.a.now()), (3, secret.clone()));

    // What is not encrypted is not trusted where a key is given.
    let plain = World::new(Settings::default());
    plain.set(&secret, &[]);
    plain.checkpoints.take().unwrap();
    let plain = plain.reopened(keyed(1));
    let refused = plain.checkpoints.restore().unwrap_err();
    assert!(refused.to_string().contains("it is not encrypted"), "{refused}");
}

#[test]
fn components_come_and_go() {
    let world = World::new(Settings::default());
    world.set(b"a", b"b");
    world.checkpoints.take().unwrap();
    assert!(world.checkpoints.remove("b") && !world.checkpoints.remove("b"));
    let c = Arc::new(Bytes::default());
    world.checkpoints.add("c", c.clone()).unwrap();
    c.set(b"c");
    let taken = world.checkpoints.take().unwrap();
    assert!(!taken.full);
    let world = world.reopened(Settings::default());
    world.set(b"", b"untouched");
    let restored = world.checkpoints.restore().unwrap();
    assert_eq!((restored.number, restored.absent, restored.unknown), (2, vec!["b".into()], vec!["c".into()]));
    assert_eq!((world.a.now(), world.b.now()), (b"a".to_vec(), b"untouched".to_vec()));
    assert_eq!(world.checkpoints.add("a", c.clone()), Err(CheckpointError::Taken("a".into())));
    assert_eq!(world.checkpoints.add("", c.clone()), Err(CheckpointError::Name(0)));
    assert_eq!(world.checkpoints.add(&"x".repeat(65536), c), Err(CheckpointError::Name(65536)));
}

#[test]
fn one_that_cannot_be_taken_leaves_nothing_and_the_next_is_full() {
    for why in ["the cache is being rebuilt", "panic"] {
        let world = World::new(Settings { limit: 1000, ..Settings::default() });
        assert_eq!(world.checkpoints.restore(), Err(CheckpointError::Empty));
        world.set(&[1; 600], b"b");
        world.checkpoints.take().unwrap();
        world.set(&[2; 600], b"c");
        world.b.refuse(Some(why));
        let refused = world.checkpoints.take().unwrap_err().to_string();
        let said = if why == "panic" { "it panicked" } else { why };
        assert!(refused.starts_with(&format!("b could not be saved: {said}; ")), "{refused}");
        world.b.refuse(None);
        world.set(&[3; 600], &[3; 401]);
        assert_eq!(world.checkpoints.take().unwrap_err(), CheckpointError::TooLarge { limit: 1000 });
        assert_eq!(world.files().len(), 1);
        world.set(&[4; 600], &[4; 400]);
        let taken = world.checkpoints.take().unwrap();
        assert_eq!((taken.number, taken.full), (2, true));
        world.set(&[], &[]);
        world.checkpoints.restore().unwrap();
        assert_eq!((world.a.now(), world.b.now()), (vec![4; 600], vec![4; 400]));
    }
}

#[test]
fn a_folder_has_one_process_and_settings_are_checked() {
    let world = World::new(Settings::default());
    let refused: BackendError = Folder::open(world.folder.path()).unwrap_err();
    assert!(refused.to_string().contains("another process has them"), "{refused}");
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { chains: 1, ..Settings::default() };
    let refused =
        Checkpoints::open("x", Folder::open(folder.path()).unwrap(), settings, &Scope::default()).unwrap_err();
    assert_eq!(refused.to_string(), "chains is 1, which must be at least 2");
}

#[test]
fn the_background_has_its_share_and_no_more() {
    let seconds = Duration::from_secs;
    assert_eq!(pause(seconds(10), seconds(1), 0.5), seconds(9));
    assert_eq!(pause(seconds(10), seconds(8), 0.5), seconds(8));
    assert_eq!(pause(seconds(1), seconds(3), 0.05), seconds(57));
    assert_eq!(pause(seconds(1), seconds(3), 1.0), Duration::ZERO);

    let folder = tempfile::tempdir().unwrap();
    let events = Events::new(100);
    let scope = Scope::default().with_events(events.clone());
    let checkpoints =
        Arc::new(Checkpoints::open("test", Folder::open(folder.path()).unwrap(), Settings::default(), &scope).unwrap());
    checkpoints.add("a", Arc::new(Bytes::default())).unwrap();
    assert!(checkpoints.start(Duration::from_millis(1), 0.0).is_err());
    let background = checkpoints.start(Duration::from_millis(1), 0.5).unwrap();
    let heard: Vec<String> = (0..3).map(|_| events.next_within(seconds(120)).unwrap().change.to_string()).collect();
    drop(background);
    assert!(heard[0].starts_with("checkpoint 1, full, ") && heard[2].starts_with("checkpoint 3, "), "{heard:?}");
    drop(checkpoints);
    let checkpoints = open(folder.path(), Settings::default());
    assert!(checkpoints.restore().unwrap().number >= 3);
}
