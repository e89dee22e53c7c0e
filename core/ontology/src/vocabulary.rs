//! The IRIs that the code knows by name.

/// RDF's own terms.
pub mod rdf {
    /// `rdf:type`
    pub const TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
    /// `rdf:first`
    pub const FIRST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first";
    /// `rdf:rest`
    pub const REST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest";
    /// `rdf:nil`
    pub const NIL: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil";
    /// `rdf:langString`
    pub const LANG_STRING: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString";
    /// `rdf:JSON`
    pub const JSON: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON";
    /// `rdf:Property`
    pub const PROPERTY: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#Property";
}

/// RDF Schema.
pub mod rdfs {
    /// `rdfs:Class`
    pub const CLASS: &str = "http://www.w3.org/2000/01/rdf-schema#Class";
    /// `rdfs:subClassOf`
    pub const SUB_CLASS_OF: &str = "http://www.w3.org/2000/01/rdf-schema#subClassOf";
    /// `rdfs:subPropertyOf`
    pub const SUB_PROPERTY_OF: &str = "http://www.w3.org/2000/01/rdf-schema#subPropertyOf";
    /// `rdfs:domain`
    pub const DOMAIN: &str = "http://www.w3.org/2000/01/rdf-schema#domain";
    /// `rdfs:range`
    pub const RANGE: &str = "http://www.w3.org/2000/01/rdf-schema#range";
    /// `rdfs:comment`
    pub const COMMENT: &str = "http://www.w3.org/2000/01/rdf-schema#comment";
}

/// OWL, as far as it says what RDF Schema says.
pub mod owl {
    /// `owl:Class`
    pub const CLASS: &str = "http://www.w3.org/2002/07/owl#Class";
    /// `owl:ObjectProperty`
    pub const OBJECT_PROPERTY: &str = "http://www.w3.org/2002/07/owl#ObjectProperty";
    /// `owl:DatatypeProperty`
    pub const DATATYPE_PROPERTY: &str = "http://www.w3.org/2002/07/owl#DatatypeProperty";
    /// `owl:AnnotationProperty`
    pub const ANNOTATION_PROPERTY: &str = "http://www.w3.org/2002/07/owl#AnnotationProperty";
}

/// XML Schema's datatypes.
pub mod xsd {
    /// Where they begin.
    pub const PREFIX: &str = "http://www.w3.org/2001/XMLSchema#";
    /// `xsd:boolean`
    pub const BOOLEAN: &str = "http://www.w3.org/2001/XMLSchema#boolean";
    /// `xsd:integer`
    pub const INTEGER: &str = "http://www.w3.org/2001/XMLSchema#integer";
    /// `xsd:double`
    pub const DOUBLE: &str = "http://www.w3.org/2001/XMLSchema#double";
    /// `xsd:decimal`
    pub const DECIMAL: &str = "http://www.w3.org/2001/XMLSchema#decimal";
    /// `xsd:dateTime`
    pub const DATE_TIME: &str = "http://www.w3.org/2001/XMLSchema#dateTime";
    /// `xsd:string`
    pub const STRING: &str = "http://www.w3.org/2001/XMLSchema#string";
    /// `xsd:hexBinary`
    pub const HEX_BINARY: &str = "http://www.w3.org/2001/XMLSchema#hexBinary";
    /// `xsd:base64Binary`
    pub const BASE64_BINARY: &str = "http://www.w3.org/2001/XMLSchema#base64Binary";
}

/// KNHK's own terms, which the core defines: those of a sector `s` begin with `urn:knhk:s:`, and the core is the sector `core`.
pub mod knhk {
    /// Where every sector's names begin.
    pub const SECTORS: &str = "urn:knhk:";
    /// Where the IRIs begin that stand for blank nodes that a change brought.
    pub const SKOLEM: &str = "urn:knhk:skolem:";
    /// Where the core's names begin.
    pub const CORE: &str = "urn:knhk:core:";
    /// A parameter's value: a literal, or a list of literals.
    pub const VALUE: &str = "urn:knhk:core:value";
    /// The smallest allowed value or element.
    pub const MIN: &str = "urn:knhk:core:min";
    /// The largest allowed value or element.
    pub const MAX: &str = "urn:knhk:core:max";
    /// The allowed values or elements, as a list.
    pub const ENUM: &str = "urn:knhk:core:enum";
    /// What a value is counted in.
    pub const UNIT: &str = "urn:knhk:core:unit";
    /// What holds while nothing was promoted.
    pub const DEFAULT: &str = "urn:knhk:core:default";
    /// A value's type, where neither value nor default tells: `i64`, `list<f64>` and so on.
    pub const TYPE: &str = "urn:knhk:core:type";
    /// What a value is for.
    pub const DOC: &str = "urn:knhk:core:doc";
    /// The class of maps; said only of an empty one, since a path says the rest.
    pub const MAP: &str = "urn:knhk:core:Map";
}
