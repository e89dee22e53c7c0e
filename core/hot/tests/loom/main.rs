//! The protocol under loom, from the same source as the product: every interleaving and every value that the memory model allows, for
//! small programs. Run by `RUSTFLAGS="--cfg loom" cargo test -p knhk-hot --release --test loom --target-dir target/loom`.
//!
//! Two models of the asymmetric barrier, since each finds what the other misses:
//!
//! - *fences*: the reader's compiler barrier is a seq_cst fence, and so is the reclaimer's heavy barrier;
//! - *forced*: the reader has no fence but the slow path's own; the heavy barrier is a full fence on the reader's thread, forced at each
//!   position of its program, the slow path's included.
//!
//! Memory is handed over in tracked cells: a root that is written (built, or poisoned after it was freed) without being ordered after
//! every read of it is reported, and so is a read of poison. Each planted fault must be found; each that cannot be is listed with why.
#![cfg(loom)]

mod programs;
mod ring;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use knhk_hot::mutant::{self, Mutant};

use programs::Program;
use world::Model;

/// One check: a program under a model.
type Case = (Program, Model);

const FORCED: Model = Model::Forced;
const FENCES: Model = Model::Fences;
const CLOSED: Model = Model::Closed;

/// What the faithful protocol must pass.
const ALL: &[Case] = &[
    (Program::Views, FENCES),
    (Program::Views, FORCED),
    (Program::Views, CLOSED),
    (Program::Nested, FENCES),
    (Program::Nested, FORCED),
    (Program::Nested, CLOSED),
    (Program::Candidate, FENCES),
    (Program::Candidate, FORCED),
    (Program::Candidate, CLOSED),
    (Program::Quiescent, FENCES),
    (Program::Quiescent, FORCED),
    (Program::Quiescent, CLOSED),
    (Program::Hold, FENCES),
    (Program::Hold, FORCED),
    (Program::Hold, CLOSED),
    (Program::Views, Model::Fallback),
    (Program::Nested, Model::Fallback),
    (Program::Quiescent, Model::Fallback),
];

/// Each fault, and the cases of which one must find it.
const FAULTS: &[(Mutant, &[Case])] = &[
    (Mutant::PinRelaxed, &[(Program::Views, FENCES), (Program::Views, FORCED)]),
    (Mutant::RootRelaxed, &[(Program::Views, FENCES)]),
    (Mutant::EndRelaxed, &[(Program::Views, FENCES)]),
    (Mutant::NoValidation, &[(Program::Views, FENCES), (Program::Views, FORCED)]),
    (Mutant::PinAfterRoot, &[(Program::Views, FENCES)]),
    (Mutant::SlowUnfenced, &[(Program::Views, CLOSED)]),
    (Mutant::SlowBoundRelaxed, &[(Program::Views, CLOSED), (Program::Views, FORCED)]),
    (Mutant::SlowRootRelaxed, &[(Program::Views, CLOSED)]),
    (Mutant::NestedForgetsOuter, &[(Program::Nested, CLOSED), (Program::Nested, FENCES)]),
    (Mutant::QuiescentEpochRelaxed, &[(Program::Quiescent, FORCED), (Program::Quiescent, FENCES)]),
    (Mutant::QuiescentRelaxed, &[(Program::Quiescent, FORCED), (Program::Quiescent, FENCES)]),
    (Mutant::QuiescentUnfenced, &[(Program::Quiescent, CLOSED)]),
    (Mutant::EpochFirst, &[(Program::Views, CLOSED)]),
    (Mutant::EpochRelaxed, &[(Program::Quiescent, FORCED), (Program::Views, CLOSED)]),
    (Mutant::RootStoreRelaxed, &[(Program::Views, FENCES), (Program::Views, CLOSED)]),
    (Mutant::CandidateRelaxed, &[(Program::Candidate, FENCES)]),
    (Mutant::CandidateKept, &[(Program::Candidate, FENCES)]),
    (Mutant::NoBarrier, &[(Program::Views, FENCES)]),
    (Mutant::FenceOnWriterOnly, &[(Program::Views, FENCES)]),
    (Mutant::BarrierFirst, &[(Program::Views, FORCED), (Program::Views, FENCES)]),
    (Mutant::ScanRelaxed, &[(Program::Views, FENCES)]),
    (Mutant::BoundBelow, &[(Program::Views, CLOSED)]),
    (Mutant::BoundsIgnored, &[(Program::Views, CLOSED)]),
    (Mutant::HoldsFirst, &[(Program::Hold, FENCES)]),
    (Mutant::HoldsRelaxed, &[(Program::Hold, FENCES)]),
    (Mutant::ReleaseRelaxed, &[(Program::Hold, FENCES)]),
    (Mutant::MarksIgnored, &[(Program::Views, Model::Fallback)]),
    (Mutant::MarkEarly, &[(Program::Views, Model::Fallback), (Program::Nested, Model::Fallback)]),
    (Mutant::SequenceFirst, &[(Program::Ring, FENCES)]),
    (Mutant::SequenceRelaxed, &[(Program::Ring, FENCES)]),
    (Mutant::DrainRelaxed, &[(Program::Ring, FENCES)]),
    (Mutant::HeadFirst, &[(Program::Ring, FENCES)]),
    (Mutant::HeadRelaxed, &[(Program::Ring, FENCES)]),
    (Mutant::FullRelaxed, &[(Program::Ring, FENCES)]),
];

/// Faults without consequence in the memory model, and why. They pass the cases that they concern, which is checked too.
const HARMLESS: &[(Mutant, &str)] = &[
    (Mutant::SlowEpochRelaxed, "the fence behind it makes the load an acquire for the root's load, which comes after"),
    (Mutant::SlowPinRelaxed, "the fence before it makes the store a release for the reads of earlier views"),
];

fn check(mutant: Mutant, (program, model): Case) -> Result<usize, String> {
    mutant::plant(mutant);
    let result = catch_unwind(AssertUnwindSafe(|| match program {
        Program::Ring => ring::run(),
        _ => world::run(program, model, mutant),
    }));
    mutant::plant(Mutant::Faithful);
    result.map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => text.lines().next().unwrap_or_default().to_string(),
        Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or("a violation").to_string(),
    })
}

/// One test, because a planted fault is the process's.
#[test]
fn the_protocol_holds_and_each_fault_is_found() {
    let only = std::env::var("KNHK_LOOM_ONLY").unwrap_or_default(); // a part of a case's or a fault's name
    let wanted = |name: &str| only.is_empty() || name.contains(&only);
    let started = std::time::Instant::now();
    for case in ALL.iter().chain(&[(Program::Ring, FENCES)]).filter(|case| wanted(&format!("{case:?}"))) {
        match check(Mutant::Faithful, *case) {
            Ok(executions) => println!("{:>6.1?} holds   {case:?}: {executions} executions", started.elapsed()),
            Err(violation) => panic!("{case:?}: {violation}"),
        }
    }
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for (fault, cases) in FAULTS.iter().filter(|(fault, _)| wanted(&format!("{fault:?}"))) {
        let found = cases.iter().find_map(|case| check(*fault, *case).err().map(|violation| (case, violation)));
        match found {
            Some((case, violation)) => {
                println!("{:>6.1?} found   {fault:?} by {case:?}: {violation}", started.elapsed())
            }
            None => {
                println!("{:>6.1?} MISSED  {fault:?}", started.elapsed());
                missed.push(*fault);
            }
        }
    }
    for (fault, why) in HARMLESS.iter().filter(|(fault, _)| wanted(&format!("{fault:?}"))) {
        // Both faults are in the slow path, which these cases take each time.
        let closed = ALL.iter().filter(|(_, model)| *model == CLOSED);
        let found = closed.into_iter().find_map(|case| check(*fault, *case).err());
        println!("{:>6.1?} harmless {fault:?}: {why}", started.elapsed());
        missed.extend(found.map(|_| *fault));
    }
    let _ = std::panic::take_hook();
    assert!(missed.is_empty(), "not as expected: {missed:?}");
    for (mutant, name, _) in Mutant::ALL {
        let listed = FAULTS.iter().map(|(fault, _)| fault).chain(HARMLESS.iter().map(|(fault, _)| fault));
        let elsewhere = [Mutant::Faithful, Mutant::AckEarly];
        assert!(listed.chain(&elsewhere).any(|listed| listed == mutant), "{name} is not tried");
    }
}
