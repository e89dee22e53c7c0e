//! The verb `proof`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Writes a proof for someone who has no access to the folder, or checks one.
#[derive(Args)]
pub struct Proof {
    #[command(subcommand)]
    pub of: ProofOf,
}

#[derive(Subcommand)]
pub enum ProofOf {
    /// That a receipt is in the log: its signed statement with a COSE receipt (RFC 9942), for any COSE library.
    Receipt {
        /// Its id, or its place in the log.
        receipt: String,
        #[command(flatten)]
        to: To,
    },
    /// That a sector's current version states something.
    Statement {
        /// The sector.
        sector: String,
        /// The statement, as N-Triples: '<subject> <predicate> <object> .'
        statement: String,
        #[command(flatten)]
        to: To,
    },
    /// That an observation was ingested.
    Observation {
        /// The segment (`knhk observe --segments` lists them).
        segment: u64,
        /// Which observation of it, from 0.
        index: u64,
        #[command(flatten)]
        to: To,
    },
    /// Checks a proof; needs no folder.
    Check {
        /// The proof, or - for standard input.
        file: PathBuf,
        /// The trust root that is known from elsewhere; without it the proof's own is believed. Of a statement: the content address.
        #[arg(long, value_name = "ROOT")]
        trust_root: Option<String>,
    },
}

/// Where a proof goes.
#[derive(Args)]
pub struct To {
    /// The file to write, which is replaced whole or not at all; standard output if left out.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
