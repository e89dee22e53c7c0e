//! Checkpoints in a store: what holds of a folder holds there too.

use std::path::Path;
use std::sync::Arc;

use knhk_resilience::Scope;
use knhk_resilience::checkpoint::{Backend, Checkpoints, InStore, Settings, Stored};
use knhk_store::{MemoryStore, SqliteStore, Store};

use crate::Bytes;

/// Checkpoints in the SQLite file of a folder.
pub fn open(path: &Path, settings: Settings) -> Checkpoints {
    let store = Arc::new(SqliteStore::open(&path.join("store.sqlite")).unwrap());
    Checkpoints::open("test", InStore::new(store, "test"), settings, &Scope::default()).unwrap()
}

#[test]
fn chains_are_kept_restored_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || Settings { chain: 3, ..Settings::default() };
    let component = Arc::new(Bytes::default());
    {
        let checkpoints = open(folder.path(), settings());
        checkpoints.add("a", component.clone()).unwrap();
        for round in 1..=11_u8 {
            component.set(&[round; 500]);
            assert_eq!(checkpoints.take().unwrap().number, u64::from(round));
        }
    }
    component.set(&[]);
    let checkpoints = open(folder.path(), settings());
    checkpoints.add("a", component.clone()).unwrap();
    assert_eq!((checkpoints.restore().unwrap().number, component.now()), (11, vec![11; 500]));
    let numbers: Vec<(u64, bool)> = checkpoints.list().unwrap().iter().map(|info| (info.number, info.full)).collect();
    assert_eq!(numbers, [(7, true), (8, false), (9, false), (10, true), (11, false)]);
    assert_eq!(checkpoints.take().unwrap().number, 12);
}

#[test]
fn names_do_not_mix_and_limits_hold() {
    let store = Arc::new(MemoryStore::new());
    let [a, b] = ["a", "b"].map(|name| InStore::new(store.clone(), name));
    let stored = |number, full| Stored { number, full };
    a.put(stored(1, true), b"one").unwrap();
    b.put(stored(7, true), b"seven").unwrap();
    a.put(stored(2, false), b"two").unwrap();
    assert_eq!(a.put(stored(2, false), b"again").unwrap_err().action, "written");
    assert_eq!(
        (a.list().unwrap(), b.list().unwrap()),
        (vec![stored(1, true), stored(2, false)], vec![stored(7, true)])
    );
    assert_eq!(
        (a.get(stored(2, false), 3).unwrap(), a.get(stored(7, true), 3).unwrap()),
        (Some(b"two".to_vec()), None)
    );
    let refused = b.get(stored(7, true), 4).unwrap_err().to_string();
    assert_eq!(refused, "checkpoints at \"b\" in the store cannot be read: it has more than 4 bytes");
    a.remove_before(2).unwrap();
    assert_eq!((a.list().unwrap().len(), b.list().unwrap().len()), (1, 1));
    store.close().unwrap();
    assert_eq!(a.remove_before(3).unwrap_err().action, "removed");
}
