//! A sector's knowledge as a plain JSON document, the key table that gives names their slots, and the projection into the artifact.
//!
//! ```
//! use knhk_ontology::{Document, KeyTable, Limits, compile};
//!
//! let document = Document::parse(r#"{"limits": {"max_qty": {"$value": 1000, "$min": 1, "$max": 5000}}}"#, &Limits::default())?;
//! let mut table = KeyTable::new();
//! let artifact = compile(&document, &mut table, false)?;
//! assert_eq!(artifact.find("limits/max_qty"), table.get("limits/max_qty"));
//! assert_eq!(Document::parse(document.to_json(), &Limits::default())?, document);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod canon;
mod compatible;
mod compile;
mod diff;
mod display;
mod document;
mod draft;
mod error;
mod export;
pub mod graph;
mod hash;
mod identity;
mod import;
mod key_table;
mod limits;
pub mod merkle;
mod parse;
pub mod rdf;
pub mod sectors;
mod value_type;
pub mod vocabulary;

pub use compatible::{Incompatibility, accept, check_compatible};
pub use compile::{CompileError, compile, compile_after, link};
pub use diff::{Difference, diff};
pub use document::{Document, Leaf};
pub use error::{DocumentError, DocumentErrorKind};
pub use key_table::{KeyTable, KeyTableError};
pub use limits::Limits;
pub use value_type::{UnknownType, ValueType};
