//! A sector's knowledge as a graph: interned terms, statements in shared sorted chunks, changes applied copy-on-write.

mod canonical;
mod compact;
mod delta;
mod layer;
mod order;
mod small;
mod statements;
mod term;
mod terms;

pub(crate) use canonical::Lines;
pub use canonical::{write_statement, write_term};
pub use delta::Delta;
pub(crate) use layer::{object_of, predicate_of, row_to, take_saying};
pub(crate) use order::Row;
pub(crate) use small::instant;
pub(crate) use statements::Subjects;
pub use statements::{Graph, GraphBuilder, Triple};
pub use term::{Term, TermRef};
pub use terms::{Terms, Writer};
