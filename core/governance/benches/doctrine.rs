//! What a change is judged by 1,000 rules costs, each of which is about it: every kind, on a sector of 10,000 statements.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::sync::Arc;

use driver::Program;
use knhk_governance::approval::Approved;
use knhk_governance::doctrine::{self, Doctrine, Facts, Rule};
use knhk_governance::{Asked, Candidate, Verdict};
use knhk_ontology::{Core, Document, KeyTable, Limits, Snapshot, compile_snapshot};

/// Parameters of the sector, and how many of them the change gives other values.
const PARAMETERS: usize = 2_500;
const CHANGED: usize = 10;
const NOW: u64 = 1_772_618_400_000_000_000;

/// The sector: a parameter is four statements.
fn document(first: usize) -> String {
    let parameter = |at: usize| {
        let value = if at < CHANGED { first + at } else { at };
        format!(r#""p{at}": {{"$value": {value}, "$min": 0, "$max": 100000, "$unit": "lots"}}"#)
    };
    format!(r#"{{"limits": {{{}}}}}"#, (0..PARAMETERS).map(parameter).collect::<Vec<_>>().join(","))
}

fn candidate() -> Candidate {
    let parse = |text: String| Document::parse(&text, &Limits::default()).expect("the workload is a document");
    let empty = Snapshot::empty("orders", &Core::shipped(), &Limits::default());
    let base = empty.apply(&empty.change_to(&parse(document(1000))).expect("sound")).expect("sound");
    let mut keys = KeyTable::new();
    let current = Arc::new(compile_snapshot(&base, &mut keys, None).expect("it compiles"));
    let delta = Arc::new(base.change_to(&parse(document(1100))).expect("sound"));
    let asked = Asked { by: "bob".to_owned(), time_ns: NOW, ..Asked::default() };
    Candidate::prepare(asked, 1, Arc::new(base), Some(current), delta, &keys).expect("it is the sector's own")
}

/// A rule that the change keeps, about it. Of a thousand, 300 are chains, 300 limits, 200 conditions, 100 windows, 90 segregations, 10 shapes.
fn rule(number: usize) -> Rule {
    let path = format!("limits/p{}", number % CHANGED);
    let kind = match number % 100 {
        0..30 => {
            "[rule.approval_chain]\nabove_percent = 5\nsteps = [{ groups = [\"desk-risk\"], quorum = 1 }]".to_owned()
        }
        30..60 => "[rule.resource_limit]\nof = \"value\"\nmax = 5000".to_owned(),
        60..80 => {
            format!("[rule.expression]\ncel = \"after['{path}'] > 0 && after['{path}'] - before['{path}'] <= 500\"")
        }
        80..90 => "[rule.time_window]\nzone = \"Europe/Berlin\"\ndays = [\"wed\"]\nfrom = \"09:00\"\nto = \"17:00\""
            .to_owned(),
        99 => format!(
            "[rule.shape]\nturtle = '''@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix knhk: <urn:knhk:core:> .\n\
             <S{number}> sh:targetNode <{path}> ; sh:property [ sh:path knhk:value ; sh:maxInclusive 5000 ] .'''"
        ),
        _ => "[rule.segregation_of_duties]\nexclusive = [[\"desk\", \"desk-risk\"]]".to_owned(),
    };
    let head = format!("[[rule]]\nid = \"r{number}\"\nsector = \"orders\"\nenforcement = \"hard_mandatory\"\n");
    Rule::from_toml(&format!("{head}paths = [\"{path}\"]\n{kind}")).expect("the workload is rules")
}

fn main() {
    let candidate = candidate();
    let revisions: Vec<_> =
        (0..1000).map(|number| doctrine::revise(&[], rule(number), false, NOW - 1, "ops-1", "a workload")).collect();
    let doctrine = Doctrine::at(&revisions, NOW, NOW);
    let groups = vec!["desk-risk".to_owned()];
    let approvals =
        vec![Approved { by: "ada".to_owned(), groups, time_ns: NOW - 1, expires_ns: u64::MAX, overrides: Vec::new() }];
    let mut program = Program::default();
    program.warmed("doctrine_1000_rules", 4, move |times| {
        let groups_of = |_: &str| vec!["desk".to_owned()];
        let callbacks = |_: &str, _: &Rule, _: &Candidate| None;
        let facts = Facts {
            candidate: &candidate,
            groups_of: &groups_of,
            approvals: &approvals,
            now_ns: NOW,
            changes_last_hour: 3,
            callbacks: &callbacks,
        };
        let judged = (0..times).map(|_| {
            let report = doctrine.judge(&facts);
            assert_eq!(report.verdict, Verdict::Passed, "{:?}", report.findings);
            report.evidence["judged"].as_u64().unwrap_or_default()
        });
        let judged = judged.sum();
        assert_eq!(judged, 1000 * times);
        judged
    });
    program.run();
}
