//! A sector's knowledge as a graph: interned terms, statements in shared sorted chunks, changes applied copy-on-write.

mod delta;
mod standin;
mod statements;
mod term;
mod terms;

pub use delta::Delta;
pub use standin::write_statement;
pub use statements::{Graph, GraphBuilder, Triple};
pub use term::{Term, TermRef};
pub use terms::Terms;
