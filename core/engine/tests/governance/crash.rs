//! kill -9 at any moment between filing and enacting: after a restart every proposal is what the versions say it is, and none is lost.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use knhk_engine::governance::{Proposal, ProposalQuery, Propose, SectorChange, State};
use knhk_engine::{Engine, Options, SectorKind, VerifyOptions};

use crate::world::document;

const CHILD: &str = "KNHK_TEST_KILL_GOVERNANCE";
const SECTORS: [&str; 2] = ["left", "right"];

fn open(folder: &str) -> Engine {
    let engine = Engine::open(folder, Options::default()).unwrap();
    SECTORS.iter().for_each(|sector| _ = engine.create_sector(sector, SectorKind::Governed));
    engine
}

fn ask(n: u64) -> Propose {
    let change =
        |sector: &&str| SectorChange { sector: (*sector).into(), content: document(&format!(r#"{{"n": {n}}}"#)) };
    let both = Propose::of("left", document("{}"), "ops-1", "the test asks");
    Propose { changes: SECTORS.iter().map(change).collect(), ..both }
}

fn proposals(engine: &Engine) -> Vec<Proposal> {
    engine.proposals(&ProposalQuery { limit: Some(usize::MAX), ..ProposalQuery::default() }).unwrap()
}

/// What was proposed is what is current, however often the process was killed on the way.
fn consistent(engine: &Engine, begun: u64) {
    engine.settle_due().unwrap();
    let mut named = BTreeSet::new();
    for proposal in proposals(engine) {
        // Measuring may refuse on a machine that does other work; what counts is that it is decided.
        assert!(matches!(proposal.state, State::Enacted | State::Refused), "{}: {}", proposal.id, proposal.said);
        assert_eq!(proposal.versions.len(), if proposal.state == State::Enacted { 2 } else { 0 });
        for one in &proposal.versions {
            assert!(named.insert((one.sector.clone(), one.version.version)), "one version, one proposal");
            let receipt = engine.receipt(one.version.receipt.as_ref().unwrap()).unwrap();
            assert!(receipt.links.iter().any(|link| proposal.receipts.contains(link)), "{}", proposal.id);
        }
    }
    for sector in SECTORS {
        let log = engine.log(sector, &Default::default()).unwrap();
        for entry in &log {
            assert!(
                named.contains(&(sector.to_owned(), entry.version)),
                "version {} of {sector} was proposed",
                entry.version
            );
        }
        assert!(log.len() as u64 <= begun + 1, "none came twice");
    }
    let versions = |sector: &str| engine.log(sector, &Default::default()).unwrap().len();
    assert_eq!(versions("left"), versions("right"), "both or none");
}

#[test]
fn a_kill_at_any_moment_leaves_proposals_and_versions_in_step() {
    if let Ok(folder) = std::env::var(CHILD) {
        let engine = open(&folder);
        loop {
            let next = proposals(&engine).len() as u64 + 1;
            println!("begun {next}");
            engine.propose(&ask(next)).unwrap();
            println!("done {next}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap();
    let mut begun = 0;
    for round in 0..24 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::a_kill_at_any_moment_leaves_proposals_and_versions_in_step", "--nocapture"])
            .env(CHILD, location)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut take = |line: &str| {
            if let Some((_, number)) = line.split_once("begun ") {
                begun = number.parse::<u64>().unwrap();
            }
        };
        // An odd number of lines: the next proposal is on its way, and the kill comes at another moment of it each time.
        for _ in 0..1 + 2 * (round % 3) {
            let line =
                lines.by_ref().map(Result::unwrap).find(|line| line.contains("begun ") || line.contains("done "));
            take(&line.unwrap());
        }
        (0..round * 4000).for_each(|n| _ = std::hint::black_box(n));
        child.kill().unwrap();
        child.wait().unwrap();
        lines.map_while(Result::ok).for_each(|line| take(&line));
        let engine = open(location);
        consistent(&engine, begun);
        if round % 8 == 7 {
            engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
        }
    }
    let engine = open(location);
    let enacted = proposals(&engine).iter().filter(|one| one.state == State::Enacted).count();
    assert!(enacted > 0, "something came through");
}
