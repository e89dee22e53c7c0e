//! Terms of a snapshot as people name them.

use knhk_ontology::Snapshot;
use knhk_ontology::graph::{Term, TermRef};
use knhk_ontology::vocabulary::knhk;

/// The core's own prefix, as texts write it.
const CORE: &str = "knhk:";

/// The path of a name of the sector, `knhk:Name` for one of the core, the IRI of any other, the text of a literal.
pub(crate) fn name(snapshot: &Snapshot, term: Term) -> String {
    match snapshot.graph().terms().get(term) {
        TermRef::Iri(iri) => match (snapshot.namespace().path(iri), iri.strip_prefix(knhk::CORE)) {
            (Some(path), _) => path,
            (None, Some(name)) => format!("{CORE}{name}"),
            (None, None) => iri.to_owned(),
        },
        TermRef::Blank(label) => format!("_:{label}"),
        TermRef::Literal { lexical, .. } => lexical.into_owned(),
    }
}
