//! A sector's knowledge: an RDF graph, the documents that go into it and come out of it, the key table that gives names their slots, and
//! the projection into the artifact.
//!
//! ```
//! use knhk_ontology::{Core, Document, KeyTable, Limits, Snapshot, compile_snapshot};
//!
//! let document = Document::parse(r#"{"limits": {"max_qty": {"$value": 1000, "$min": 1, "$max": 5000}}}"#, &Limits::default())?;
//! let nothing = Snapshot::empty("orders", &Core::shipped(), &Limits::default());
//! let snapshot = nothing.apply(&nothing.change_to(&document)?)?;
//! let mut table = KeyTable::new();
//! let artifact = compile_snapshot(&snapshot, &mut table, None)?.artifact;
//! assert_eq!(artifact.find("limits/max_qty"), table.get("limits/max_qty"));
//! assert_eq!(snapshot.document().map_err(Clone::clone)?, &document);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod again;
mod aside;
pub mod canon;
mod closure;
mod compatible;
mod compile;
mod core;
mod counters;
mod diff;
mod display;
mod document;
mod draft;
mod error;
mod export;
mod format_1;
pub mod graph;
mod hash;
mod import;
mod key_table;
mod limits;
pub mod merkle;
mod names;
mod parameters;
mod parse;
mod partial;
mod proof;
pub mod rdf;
mod reading;
mod recompile;
pub mod sectors;
pub mod shacl;
mod snapshot;
mod statements;
mod value_type;
mod view;
pub mod vocabulary;
mod words;

pub use again::Text;
pub use aside::{Alone, Aside};
pub use compatible::{Incompatibility, accept, check_compatible};
pub use compile::{CompileError, compile, compile_snapshot};
pub use core::Core;
pub use counters::{Counter, counters};
pub use diff::{Difference, diff};
pub use display::literal_text;
pub use document::{Document, Leaf};
pub use error::{DocumentError, DocumentErrorKind};
pub use key_table::{KeyTable, KeyTableError};
pub use limits::Limits;
pub use names::{Namespace, owner};
pub use parameters::Compiled;
pub use proof::Proof;
pub use recompile::compile_change;
pub use snapshot::{Snapshot, SnapshotError, address_of};
pub use value_type::{UnknownType, ValueType};
