//! The SHACL vocabulary: what each of its terms is for, as far as a shape is concerned.

use crate::graph::{Term, Terms};
use crate::vocabulary::{rdf, rdfs};

/// Where SHACL's names begin.
pub(super) const NAMESPACE: &str = "http://www.w3.org/ns/shacl#";

/// `owl:Class`, which OWL makes a subclass of `rdfs:Class`.
const OWL_CLASS: &str = "http://www.w3.org/2002/07/owl#Class";

macro_rules! names {
    ($($field:ident = $name:literal),* $(,)?) => {
        /// The terms of SHACL and RDF that compiling and reporting need, interned.
        #[derive(Clone, Debug)]
        pub(super) struct Names {
            pub(super) rdf_type: Term,
            pub(super) first: Term,
            pub(super) rest: Term,
            pub(super) nil: Term,
            pub(super) sub_class_of: Term,
            pub(super) rdfs_class: Term,
            pub(super) owl_class: Term,
            $(pub(super) $field: Term,)*
        }

        impl Names {
            pub(super) fn new(terms: &Terms) -> Names {
                Names {
                    rdf_type: terms.iri(rdf::TYPE),
                    first: terms.iri(rdf::FIRST),
                    rest: terms.iri(rdf::REST),
                    nil: terms.iri(rdf::NIL),
                    sub_class_of: terms.iri(rdfs::SUB_CLASS_OF),
                    rdfs_class: terms.iri(rdfs::CLASS),
                    owl_class: terms.iri(OWL_CLASS),
                    $($field: terms.iri(concat!("http://www.w3.org/ns/shacl#", $name)),)*
                }
            }
        }
    };
}

names! {
    node_shape = "NodeShape", property_shape = "PropertyShape",
    path = "path", inverse_path = "inversePath", alternative_path = "alternativePath",
    zero_or_more_path = "zeroOrMorePath", one_or_more_path = "oneOrMorePath", zero_or_one_path = "zeroOrOnePath",
    and = "and", or = "or", xone = "xone", not = "not", node = "node", property = "property",
    qualified_value_shape = "qualifiedValueShape",
    parameter = "parameter", entailment = "entailment", violation = "Violation", warning = "Warning", info = "Info",
    validation_report = "ValidationReport", validation_result = "ValidationResult", conforms = "conforms",
    result = "result", focus_node = "focusNode", result_path = "resultPath", value = "value",
    source_shape = "sourceShape", source_constraint_component = "sourceConstraintComponent",
    result_severity = "resultSeverity", result_message = "resultMessage",
}

/// What a property of SHACL's namespace does on a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It constrains, or takes part in a constraint of SHACL Core: its subject is a shape.
    Parameter,
    /// It says which nodes a shape is about: its subject is a shape.
    Target,
    /// It is allowed on a shape and constrains nothing.
    Annotation,
    /// It derives statements; it is kept and listed, not run.
    Rule,
    /// It belongs to something other than a shape: a path, a report, a query, a function.
    Elsewhere,
    /// It constrains or targets in a way that is not SHACL Core: its subject is a shape that cannot be checked.
    Unsupported,
    /// Nobody knows it. On a shape it might constrain; elsewhere it is a statement like any other.
    Unknown,
}

/// The role of `sh:name`.
pub(super) fn role(name: &str) -> Role {
    match name {
        "class" | "datatype" | "nodeKind" | "minCount" | "maxCount" | "minExclusive" | "minInclusive"
        | "maxExclusive" | "maxInclusive" | "minLength" | "maxLength" | "pattern" | "flags" | "languageIn"
        | "uniqueLang" | "equals" | "disjoint" | "lessThan" | "lessThanOrEquals" | "not" | "and" | "or" | "xone"
        | "node" | "property" | "qualifiedValueShape" | "qualifiedValueShapesDisjoint" | "qualifiedMinCount"
        | "qualifiedMaxCount" | "closed" | "ignoredProperties" | "hasValue" | "in" => Role::Parameter,
        "targetClass" | "targetNode" | "targetSubjectsOf" | "targetObjectsOf" => Role::Target,
        "path" | "deactivated" | "severity" | "message" | "name" | "description" | "order" | "group"
        | "defaultValue" | "optional" | "shapesGraph" | "suggestedShapesGraph" | "declare" | "prefixes" => Role::Annotation,
        "rule" | "values" => Role::Rule,
        // Paths, prefixes, and reports.
        "inversePath" | "alternativePath" | "zeroOrMorePath" | "oneOrMorePath" | "zeroOrOnePath" | "prefix"
        | "namespace" | "conforms" | "result" | "focusNode" | "resultPath" | "value" | "sourceShape"
        | "sourceConstraintComponent" | "sourceConstraint" | "resultSeverity" | "resultMessage" | "detail"
        | "shapesGraphWellFormed" | "resultAnnotation" | "annotationProperty" | "annotationValue"
        | "annotationVarName" | "entailment"
        // Queries, functions, rules and components: what a constraint of theirs would need is refused where it is used.
        | "select" | "ask" | "construct" | "update" | "parameter" | "labelTemplate" | "validator"
        | "nodeValidator" | "propertyValidator" | "returnType" | "jsFunctionName" | "jsLibrary" | "jsLibraryURL"
        | "subject" | "predicate" | "object" | "condition" | "filterShape" | "nodes" | "union" | "intersection"
        | "minus" | "if" | "then" | "else" | "exists" | "distinct" | "count" | "min" | "max" | "sum"
        | "groupConcat" | "separator" | "orderBy" | "limit" | "offset" | "desc" => Role::Elsewhere,
        "sparql" | "js" | "expression" | "target" | "targetWhere" | "targetShape" | "nodeByExpression"
        | "deactivatedBy" | "reifierShape" | "reificationRequired" | "memberShape" | "minListLength" | "maxListLength"
        | "uniqueMembers" | "singleLine" | "subsetOf" | "someValue" | "rootClass" | "uniqueValuesFor"
        | "uniqueValuesForClass" | "nodesByExpression" | "shape" => Role::Unsupported,
        _ => Role::Unknown,
    }
}
