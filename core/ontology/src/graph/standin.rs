//! Stands in until the graph's own parts land.
use super::{Graph, Term, TermRef, Terms, Triple};

impl Graph {
    /// The graph's own statements.
    pub fn own(&self) -> impl Iterator<Item = Triple> + '_ {
        self.iter()
    }
    /// No statements of its own over a core.
    pub fn over(core: &Graph) -> Graph {
        core.clone()
    }
    /// Whether it is the core's.
    pub fn is_core(&self, _: Triple) -> bool {
        false
    }
}

/// The canonical N-Triples line.
pub fn write_statement(terms: &Terms, triple: Triple, out: &mut Vec<u8>) {
    let mut one = |term: Term| match terms.get(term) {
        TermRef::Iri(iri) => out.extend(format!("<{iri}> ").bytes()),
        TermRef::Blank(label) => out.extend(format!("_:{label} ").bytes()),
        TermRef::Literal { lexical, datatype, language } => {
            out.extend(format!("{:?}", lexical).bytes());
            match language {
                Some(language) => out.extend(format!("@{language} ").bytes()),
                None if datatype == crate::vocabulary::xsd::STRING => out.push(b' '),
                None => out.extend(format!("^^<{datatype}> ").bytes()),
            }
        }
    };
    one(triple.subject);
    one(triple.predicate);
    one(triple.object);
    out.extend_from_slice(b".\n");
}
