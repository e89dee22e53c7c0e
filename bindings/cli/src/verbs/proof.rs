//! The verb `proof`: writes proofs for strangers, and checks them.

use std::io::Read;

use knhk_engine::control::{Failure, ProveReceipt};
use knhk_engine::{Options, Proof, ReceiptQuery, Status, check_observation, check_receipt};
use serde::{Deserialize, Serialize};

use super::Place;
use crate::arguments::{ProofOf, To};
use crate::input;
use crate::output::Done;

/// The most that a proof's file may have.
const BYTES: u64 = 16 << 20;

/// A proof as it is handed on: bytes in hexadecimal.
#[derive(Serialize, Deserialize)]
#[serde(tag = "proves", rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    /// That a receipt is in a log.
    Receipt {
        /// The log's name and first key.
        trust_root: String,
        /// Statements of the rotations by which later keys took over.
        rotations: Vec<String>,
        /// The signed statement (COSE_Sign1).
        statement: String,
        /// The COSE receipt of its inclusion (RFC 9942).
        inclusion: String,
    },
    /// That a version states something.
    Statement {
        /// The version's content address.
        snapshot_id: String,
        /// The statement, as canonical N-Triples.
        statement: String,
        /// The hashes from it to the content address.
        proof: String,
    },
    /// That an observation was ingested.
    Observation {
        /// The log's name and first key.
        trust_root: String,
        /// Statements of the rotations by which later keys took over.
        rotations: Vec<String>,
        /// The observation's 64 bytes.
        record: String,
        /// The batch's statement, the observation's place in it and the hashes to its root (CBOR).
        proof: String,
    },
}

pub fn proof(place: &Place<'_>, of: ProofOf) -> Result<Done, Failure> {
    match of {
        ProofOf::Receipt { receipt, to } => {
            let proven = place.change()?.ask(ProveReceipt { receipt })?;
            let written = Written::Receipt {
                trust_root: proven.trust_root,
                rotations: proven.rotations,
                statement: proven.receipt.statement,
                inclusion: proven.inclusion,
            };
            hand_on(&written, to, &format!("receipt {}", proven.receipt.number))
        }
        ProofOf::Statement { sector, statement, to } => {
            let engine = place.engine(newest())?;
            let proof = hex(&engine.prove(&sector, &statement)?.to_bytes());
            let current = engine.history(&sector)?.pop().map_or([0; 32], |version| version.snapshot_id);
            let written = Written::Statement { snapshot_id: hex(&current), statement, proof };
            hand_on(&written, to, "the statement")
        }
        ProofOf::Observation { segment, index, to } => {
            let engine = place.engine(newest())?;
            let proven = engine.prove_observation(segment, index)?;
            let query =
                ReceiptQuery { kind: Some("key rotated".into()), limit: Some(usize::MAX >> 1), ..Default::default() };
            let rotations = engine.receipts(&query)?.iter().map(|rotation| hex(&rotation.statement)).collect();
            let written = Written::Observation {
                trust_root: engine.trust_root().unwrap_or_default(),
                rotations,
                record: hex(&proven.record),
                proof: hex(&proven.proof),
            };
            hand_on(&written, to, &format!("observation {index} of segment {segment}"))
        }
        ProofOf::Check { file, trust_root } => check(&file, trust_root),
    }
}

fn newest() -> Options {
    let mut options = Options::default();
    options.history = 1;
    options
}

fn hand_on(written: &Written, to: To, what: &str) -> Result<Done, Failure> {
    let text = serde_json::to_string_pretty(written).expect("a proof has text keys, so it has a form in JSON") + "\n";
    let Some(path) = to.output else { return Ok(Done::new(text, written)) };
    input::write(&path, &text)?;
    let path = path.display();
    let text = format!("proof of {what} written to {path}: `knhk proof check {path}` checks it anywhere\n");
    Ok(Done::new(text, written))
}

fn check(file: &std::path::Path, trusted: Option<String>) -> Result<Done, Failure> {
    let name = file.display().to_string();
    let failed = |error: std::io::Error| {
        let status = if error.kind() == std::io::ErrorKind::NotFound { Status::NotFound } else { Status::Io };
        Failure::new(status, "read", &name, format!("{name} cannot be read: {error}"))
    };
    let mut text = String::new();
    let source: Box<dyn Read> = match file == std::path::Path::new("-") {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(std::fs::File::open(file).map_err(failed)?),
    };
    source.take(BYTES).read_to_string(&mut text).map_err(failed)?;
    let wrong = |why: String| Failure::new(Status::Document, "proof", &name, format!("{name} is no proof: {why}"));
    let written: Written = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let bytes = |text: &str| bytes(text).ok_or_else(|| wrong("it has what is not hexadecimal".into()));
    let all = |texts: &[String]| texts.iter().map(|text| bytes(text)).collect::<Result<Vec<_>, _>>();
    let believed = trusted.is_none();
    let said = match &written {
        Written::Receipt { trust_root, rotations, statement, inclusion } => {
            let root = trusted.as_ref().unwrap_or(trust_root);
            let receipt = check_receipt(root, &all(rotations)?, &bytes(statement)?, &bytes(inclusion)?)?;
            format!("{} ({}), receipt {} of {root}", receipt.kind, receipt.outcome, receipt.number)
        }
        Written::Statement { snapshot_id, statement, proof } => {
            let id = trusted.as_ref().unwrap_or(snapshot_id);
            let address = bytes(id)?.try_into().map_err(|_| wrong("its content address has not 32 bytes".into()))?;
            Proof::check(&address, &bytes(proof)?, statement)?;
            format!("version {id} states {statement}")
        }
        Written::Observation { trust_root, rotations, record, proof } => {
            let root = trusted.as_ref().unwrap_or(trust_root);
            let receipt = check_observation(root, &all(rotations)?, &bytes(record)?, &bytes(proof)?)?;
            format!("the observation was ingested, receipt {} of {root}", receipt.number)
        }
    };
    let note =
        believed.then(|| "what it begins at is the proof's own word; state what you know with --trust-root".into());
    Ok(Done {
        note,
        ..Done::new(format!("proven: {said}\n"), &serde_json::json!({ "proven": said, "believed": believed }))
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
