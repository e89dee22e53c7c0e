//! What a document or a graph may ask for.

/// Limits on a document or a graph, held while it is read: what exceeds one is refused before memory is taken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Names on a path; at most 64, which is what an artifact can hold.
    pub depth: usize,
    /// Values, maps and classes together.
    pub keys: usize,
    /// Bytes of one string, or of one value of type bytes.
    pub string_bytes: usize,
    /// Elements of one list.
    pub list_len: usize,
    /// Bytes of one name.
    pub name_bytes: usize,
    /// Classes, properties, domains and ranges together: the rows of the artifact's closure.
    pub classes: usize,
    /// Statements of a graph.
    pub statements: usize,
    /// Bytes of one IRI, or of one blank node's label.
    pub iri_bytes: usize,
    /// How deep lists, blank nodes and elements of RDF texts may nest.
    pub nesting: usize,
    /// Bytes of the terms of all statements, written out without prefixes, bases and entities: what a small text may swell to.
    pub text_bytes: usize,
    /// Steps of RDFC-1.0's n-degree hash over one graph: what hostile blank nodes make it do.
    pub blank_node_steps: usize,
}

impl Default for Limits {
    /// 16 MiB, 32 names on a path, 200,000 keys, strings of 1 MiB, lists of 65,536 elements, names of 256 bytes, 4,096 classes;
    /// of a graph 1,000,000 statements, IRIs of 32 KiB (a path of 32 names in percent-encoding), nesting of 64, 512 MiB of terms
    /// written out, 1,000,000 steps for blank nodes.
    fn default() -> Limits {
        Limits {
            bytes: 16 << 20,
            depth: 32,
            keys: 200_000,
            string_bytes: 1 << 20,
            list_len: 1 << 16,
            name_bytes: 256,
            classes: 4096,
            statements: 1_000_000,
            iri_bytes: 32 << 10,
            nesting: 64,
            text_bytes: 512 << 20,
            blank_node_steps: 1_000_000,
        }
    }
}
