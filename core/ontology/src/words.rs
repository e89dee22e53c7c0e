//! The vocabulary's terms in one interner.

use crate::graph::{Term, Terms, Triple};
use crate::vocabulary::{knhk, owl, rdf, rdfs};

macro_rules! words {
    ($($word:ident = $iri:expr;)*) => {
        /// The terms that the code knows by name.
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct Words {
            $(pub $word: Term,)*
        }

        impl Words {
            /// The vocabulary as `terms` numbers it.
            pub(crate) fn of(terms: &Terms) -> Words {
                Words { $($word: terms.iri($iri),)* }
            }
        }
    };
}

words! {
    value = knhk::VALUE;
    min = knhk::MIN;
    max = knhk::MAX;
    allowed = knhk::ENUM;
    unit = knhk::UNIT;
    default = knhk::DEFAULT;
    value_type = knhk::TYPE;
    doc = knhk::DOC;
    map = knhk::MAP;
    is = rdf::TYPE;
    first = rdf::FIRST;
    rest = rdf::REST;
    nil = rdf::NIL;
    comment = rdfs::COMMENT;
    class = rdfs::CLASS;
    owl_class = owl::CLASS;
    sub_class = rdfs::SUB_CLASS_OF;
    sub_property = rdfs::SUB_PROPERTY_OF;
    domain = rdfs::DOMAIN;
    range = rdfs::RANGE;
    property = rdf::PROPERTY;
    object_property = owl::OBJECT_PROPERTY;
    datatype_property = owl::DATATYPE_PROPERTY;
    annotation_property = owl::ANNOTATION_PROPERTY;
}

impl Words {
    /// Whether `rdf:type` with this object makes a class.
    pub(crate) fn is_class(&self, object: Term) -> bool {
        object == self.class || object == self.owl_class
    }

    /// Whether it is what parameters say of themselves.
    pub(crate) fn is_of_parameter(&self, predicate: Term) -> bool {
        [self.value, self.min, self.max, self.allowed, self.unit, self.default, self.value_type, self.doc]
            .contains(&predicate)
    }

    /// Whether a statement that is not of a parameter has a part in what programs read all the same: in classes, properties, lists,
    /// maps or descriptions.
    pub(crate) fn is_read(&self, triple: &Triple) -> bool {
        let Triple { predicate, object, .. } = *triple;
        [self.first, self.rest, self.comment, self.sub_class, self.sub_property, self.domain, self.range]
            .contains(&predicate)
            || predicate == self.is && (self.is_class(object) || self.is_property(object) || object == self.map)
    }

    /// Whether `rdf:type` with this object makes a property.
    pub(crate) fn is_property(&self, object: Term) -> bool {
        [self.property, self.object_property, self.datatype_property, self.annotation_property].contains(&object)
    }
}
