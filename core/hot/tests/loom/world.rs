//! Roots, one promoter that reclaims and re-uses, one reader.

use std::sync::Mutex;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::AtomicUsize as Plain;
use std::sync::atomic::Ordering::SeqCst as Always;

use knhk_hot::layout::RawView;
use knhk_hot::model::{self, Generation, ModelReader, Protected};
use knhk_hot::mutant::{self, Mutant, Step};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::Ordering::{Acquire, Release, SeqCst};
use loom::sync::atomic::{AtomicU64, fence};
use loom::sync::mpsc::{Receiver, Sender, channel};

use crate::programs::{self, Program};

/// How the asymmetric barrier is modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// A seq_cst fence on both sides.
    Fences,
    /// A full fence forced at each position of the reader's program.
    Forced,
    /// The gates are closed: the readers take the slow path, whose fence is the product's own.
    Closed,
    /// The gates are open at first, and there is no barrier: the reclaimer closes them, and waits for the readers' marks.
    Fallback,
}

const POISON: u64 = u64::MAX;

pub struct World {
    pub reader: ModelReader,
    /// The epoch that each root holds.
    roots: [UnsafeCell<u64>; 4],
    pub holds: [AtomicU64; 4],
    acknowledged: AtomicU64,
    /// The barrier's handshake: asked for by the reclaimer, done by the reader at the forced position.
    asked: (Sender<()>, Mutex<Option<Receiver<()>>>),
    done: (Sender<()>, Receiver<()>),
}

// SAFETY: the receivers are used by one thread each.
unsafe impl Send for World {}
// SAFETY: as above.
unsafe impl Sync for World {}

/// The address that stands for root number `index`; it is never followed.
pub fn address(index: usize) -> u64 {
    (index as u64 + 1) << 12
}

fn index(view: RawView) -> usize {
    (view.root.addr() >> 12) - 1
}

impl World {
    fn new(model: Model, canary: bool) -> World {
        let first = Generation {
            root: address(0),
            candidate: address(if canary { 2 } else { 0 }),
            epoch: 1,
            open: model != Model::Closed,
        };
        let (asked, done) = (channel(), channel());
        let world = World {
            reader: ModelReader::new(&first, std::ptr::null_mut()),
            roots: [1, 0, 1, 0].map(UnsafeCell::new),
            holds: [0; 4].map(AtomicU64::new),
            acknowledged: AtomicU64::new(1),
            asked: (asked.0, Mutex::new(Some(asked.1))),
            done,
        };
        if canary {
            model::choose(world.reader.hot, u64::MAX, 1);
        }
        world
    }

    /// Reads the root of a view, as often as a program does before it ends the view.
    pub fn read(&self, view: RawView) -> u64 {
        // SAFETY: this is what the model checks.
        let epoch = self.roots[index(view)].with(|at| unsafe { *at });
        assert_ne!(epoch, POISON, "a freed root was read");
        model::reading();
        epoch
    }

    pub fn hold(&self, view: RawView) -> usize {
        model::take_hold(&self.holds[index(view)]);
        index(view)
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Acquire)
    }

    fn write(&self, root: usize, epoch: u64) {
        // SAFETY: this is what the model checks.
        self.roots[root].with_mut(|at| unsafe { *at = epoch });
    }

    fn publish(&self, root: usize, candidate: usize, epoch: u64, open: bool) {
        self.write(root, epoch);
        if candidate != root {
            self.write(candidate, epoch);
        }
        model::publish(
            self.reader.hot,
            &Generation { root: address(root), candidate: address(candidate), epoch, open },
        );
        self.acknowledged.store(epoch, Release);
    }

    fn heavy(&self, model: Model, mutant: Mutant) {
        if mutant == Mutant::NoBarrier && model != Model::Forced {
            return;
        }
        fence(SeqCst);
        if model == Model::Forced {
            self.asked.0.send(()).expect("the reader waits");
            self.done.1.recv().expect("the reader answers");
            fence(SeqCst);
        }
    }

    /// Frees what may be freed; returns one root that is free.
    fn reclaim(&self, retired: &[(usize, u64)], model: Model, mutant: Mutant) -> Option<usize> {
        if mutant != Mutant::BarrierFirst {
            if model == Model::Fallback {
                model::shut(self.reader.hot);
            }
            self.heavy(model, mutant);
        }
        let held = |&(root, _): &(usize, u64)| model::is_held(&self.holds[root]);
        let early: Vec<bool> = match mutant {
            Mutant::HoldsFirst => retired.iter().map(held).collect(),
            _ => Vec::new(),
        };
        let protected = Protected::by(std::iter::once(self.reader.look()), model == Model::Fallback);
        let held = if early.is_empty() { retired.iter().map(held).collect() } else { early };
        let mut free = None;
        for (&(root, epoch), held) in retired.iter().zip(held) {
            if !held && !protected.covers(address(root), epoch) {
                self.write(root, POISON);
                free = Some(root);
            }
        }
        free
    }

    /// Generation 2, a reclaim, and generation 3 in the memory that it freed.
    fn promote(&self, model: Model, mutant: Mutant, canary: bool) {
        if mutant == Mutant::BarrierFirst {
            self.heavy(model, mutant);
        }
        let open = model == Model::Fences || model == Model::Forced || model == Model::Fallback;
        let retired: &[(usize, u64)] = if canary { &[(0, 1), (2, 1)] } else { &[(0, 1)] };
        self.publish(1, if canary { 3 } else { 1 }, 2, open);
        if let Some(free) = self.reclaim(retired, model, mutant) {
            self.publish(free, free, 3, open && model != Model::Fallback);
        }
    }

    /// The reader's side of the forced barrier.
    fn answer(&self) {
        let asked = self.asked.1.lock().expect("one reader").take().expect("once");
        asked.recv().expect("the reclaimer asks");
        fence(SeqCst);
        self.done.0.send(()).expect("the reclaimer waits");
        *self.asked.1.lock().expect("one reader") = Some(asked);
    }
}

/// The execution's world, for the hook; the position at which the barrier is forced; the positions passed so far.
static WORLD: AtomicPtr<World> = AtomicPtr::new(std::ptr::null_mut());
static FORCE_AT: Plain = Plain::new(usize::MAX);
static PASSED: Plain = Plain::new(0);
static LONGEST: Plain = Plain::new(0);

fn at_step(step: Step) {
    if step as u32 > Step::Ended as u32 || FORCE_AT.load(Always) == usize::MAX {
        return;
    }
    let passed = PASSED.fetch_add(1, Always);
    LONGEST.fetch_max(passed + 1, Always);
    if passed == FORCE_AT.load(Always) {
        // SAFETY: the world of this execution, which outlives its threads.
        unsafe { &*WORLD.load(Always) }.answer();
    }
}

/// Checks the program in every execution; returns how many there were.
pub fn run(program: Program, model: Model, mutant: Mutant) -> usize {
    mutant::hook(at_step);
    model::readers_fence(model == Model::Fences && mutant != Mutant::FenceOnWriterOnly);
    if model != Model::Forced {
        return explore(program, model, mutant, usize::MAX);
    }
    LONGEST.store(0, Always);
    let (mut position, mut executions) = (0, 0);
    // One position beyond the longest program: a barrier after its end.
    while position <= LONGEST.load(Always) {
        executions += explore(program, model, mutant, position);
        position += 1;
    }
    executions
}

fn explore(program: Program, model: Model, mutant: Mutant, position: usize) -> usize {
    static EXECUTIONS: Plain = Plain::new(0);
    EXECUTIONS.store(0, Always);
    let canary = program == Program::Candidate;
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 20_000;
    builder.preemption_bound = Some(program.preemptions(model));
    builder.check(move || {
        EXECUTIONS.fetch_add(1, Always);
        PASSED.store(0, Always);
        FORCE_AT.store(if model == Model::Forced { position } else { usize::MAX }, Always);
        let world = Arc::new(World::new(model, canary));
        WORLD.store((&raw const *world).cast_mut(), Always);
        let promoter = {
            let world = world.clone();
            loom::thread::spawn(move || world.promote(model, mutant, canary))
        };
        programs::read(program, &world);
        if model == Model::Forced && PASSED.load(Always) <= position {
            world.answer();
        }
        promoter.join().expect("a promoter's panic ends the execution");
    });
    EXECUTIONS.load(Always)
}
