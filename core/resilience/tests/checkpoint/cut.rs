//! A checkpoint of several components is one cut across them: what moves from one to the other is never there twice or not at all.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};

use knhk_resilience::Scope;
use knhk_resilience::checkpoint::{Checkpoints, Folder, Settings, Stateful};

const EACH: i64 = 1_000_000;

/// An account, and who may change it: transfers, or one checkpoint.
struct Account {
    balance: Mutex<i64>,
    gate: Arc<Gate>,
    holds_still: bool,
}

/// Transfers pass while nobody froze it.
#[derive(Default)]
struct Gate {
    state: Mutex<(u32, u32)>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self, transfer: impl FnOnce()) {
        let mut state = self.changed.wait_while(self.state.lock().unwrap(), |(frozen, _)| *frozen > 0).unwrap();
        state.1 += 1;
        drop(state);
        transfer();
        self.state.lock().unwrap().1 -= 1;
        self.changed.notify_all();
    }
}

impl Stateful for Account {
    fn freeze(&self) {
        if self.holds_still {
            let mut state = self.gate.state.lock().unwrap();
            state.0 += 1;
            drop(self.gate.changed.wait_while(state, |(_, passing)| *passing > 0).unwrap());
        }
    }

    fn thaw(&self) {
        if self.holds_still {
            self.gate.state.lock().unwrap().0 -= 1;
            self.gate.changed.notify_all();
        }
    }

    fn save(&self, to: &mut dyn Write) -> Result<(), String> {
        let balance = *self.balance.lock().unwrap();
        // Others have their turn between two components' saves.
        std::thread::yield_now();
        to.write_all(&balance.to_le_bytes()).map_err(|error| error.to_string())
    }

    fn load(&self, from: &[u8]) -> Result<(), String> {
        *self.balance.lock().unwrap() = i64::from_le_bytes(from.try_into().map_err(|_| "a balance has 8 bytes")?);
        Ok(())
    }
}

/// Takes and restores checkpoints while threads transfer; how many had another sum.
fn torn(holds_still: bool) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { chain: 5, ..Settings::default() };
    let checkpoints =
        Checkpoints::open("bank", Folder::open(folder.path()).unwrap(), settings, &Scope::default()).unwrap();
    let gate = Arc::new(Gate::default());
    let account = || Arc::new(Account { balance: Mutex::new(EACH), gate: gate.clone(), holds_still });
    let accounts: [Arc<Account>; 3] = std::array::from_fn(|_| account());
    for (at, account) in accounts.iter().enumerate() {
        checkpoints.add(&format!("account {at}"), account.clone()).unwrap();
    }
    // What a checkpoint holds is looked at in accounts of its own.
    let (over, transfers, mut torn) = (AtomicBool::new(false), AtomicU64::new(0), 0);
    std::thread::scope(|scope| {
        for from in 0..2 {
            let (accounts, gate, over, transfers) = (&accounts, &gate, &over, &transfers);
            scope.spawn(move || {
                while !over.load(SeqCst) {
                    gate.pass(|| {
                        *accounts[from].balance.lock().unwrap() -= 1;
                        std::thread::yield_now();
                        *accounts[2].balance.lock().unwrap() += 1;
                    });
                    transfers.fetch_add(1, SeqCst);
                }
            });
        }
        for _ in 0..100 {
            let before = transfers.load(SeqCst);
            while transfers.load(SeqCst) < before + 10 {
                std::thread::yield_now();
            }
            checkpoints.take().unwrap();
        }
        over.store(true, SeqCst);
    });
    // Those that are still there, newest first.
    let view = |number: u64| {
        let copy = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if name.split('.').next().unwrap().parse().is_ok_and(|other: u64| other <= number) {
                std::fs::copy(entry.path(), copy.path().join(name)).unwrap();
            }
        }
        let checkpoints = crate::open(copy.path(), Settings::default());
        let accounts: [Arc<Account>; 3] = std::array::from_fn(|_| account());
        for (at, account) in accounts.iter().enumerate() {
            checkpoints.add(&format!("account {at}"), account.clone()).unwrap();
        }
        assert_eq!(checkpoints.restore().unwrap().number, number);
        accounts.iter().map(|account| *account.balance.lock().unwrap()).sum::<i64>()
    };
    for info in checkpoints.list().unwrap() {
        torn += u64::from(view(info.number) != 3 * EACH);
    }
    torn
}

#[test]
fn nothing_is_there_twice_or_not_at_all() {
    assert_eq!(torn(true), 0);
    // The same transfers, without holding still, are torn: the test sees what it is to see.
    assert!((0..20).any(|_| torn(false) > 0));
}
