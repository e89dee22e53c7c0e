//! Rust structs as documents: what `#[derive(PromotionSafe)]` implements, and what a promotion of one asks.
//!
//! A struct is checked before there is a document of it: [`PromotionSafe::document`] is the only way from one to the other, and it refuses
//! with every field that is out of bounds. The document carries the ranges, units and types, so that the values of a later
//! promotion, whoever makes it, are held to them too.

mod container;
mod error;
mod field;
mod literal;
mod rules;
mod source;
mod writer;

pub use error::{Bound, FieldError, Unfit};
pub use field::{Bytes, Field, FromField, FromScalar, Plain, Ranged, Scalar};
pub use literal::{Literal, NoRule};
pub use rules::{Rules, bound, choice};
pub use source::Source;
pub use writer::{Writer, join};

use knhk_ontology::{Document, Limits};

/// A struct that is a sector's document. Derive it: `#[derive(PromotionSafe)]` with `#[knhk(sector = "…")]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be promoted by itself",
    note = "add `#[derive(PromotionSafe)]` and name its sector: `#[knhk(sector = \"orders\")]`"
)]
pub trait PromotionSafe: Field {
    /// The sector that it is promoted to.
    const SECTOR: &'static str;

    /// Checks every field against its bounds, then the type's invariants.
    ///
    /// # Errors
    /// Every field that is out of bounds, or every invariant that does not hold.
    fn verify(&self) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        self.check("", &Rules::default(), &mut errors);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The value as a plain JSON document, with types, ranges and units; verified first.
    ///
    /// # Errors
    /// [`Unfit::Fields`] with what [`PromotionSafe::verify`] found, [`Unfit::Document`] where it is beyond a document's limits.
    fn document(&self) -> Result<Document, Unfit> {
        self.document_within(&Limits::default())
    }

    /// [`PromotionSafe::document`] under other limits.
    ///
    /// # Errors
    /// As [`PromotionSafe::document`].
    fn document_within(&self, limits: &Limits) -> Result<Document, Unfit> {
        parse(self, Writer::default(), limits)
    }

    /// The value as what reads see before the sector's first promotion: each field's value is its `$default`.
    ///
    /// # Errors
    /// As [`PromotionSafe::document`].
    fn declaration_within(&self, limits: &Limits) -> Result<Document, Unfit> {
        parse(self, Writer::of_defaults(), limits)
    }

    /// The value that a document holds. Whoever wrote the document, the result is verified. What the document has beyond the type's
    /// fields is passed over, so that a program reads on when a later version of another program adds some.
    ///
    /// # Errors
    /// The field that is absent or of another type, or what [`PromotionSafe::verify`] finds.
    fn from_document(document: &Document) -> Result<Self, Unfit>
    where
        Self: FromField,
    {
        let value = Self::read("", &Source::of(document)).map_err(|error| Unfit::Fields(vec![error]))?;
        value.verify().map_err(Unfit::Fields)?;
        Ok(value)
    }
}

fn parse<T: PromotionSafe + ?Sized>(value: &T, mut out: Writer, limits: &Limits) -> Result<Document, Unfit> {
    value.verify().map_err(Unfit::Fields)?;
    value.write("", &Rules::default(), &mut out);
    Ok(Document::parse(out.finish().as_bytes(), limits)?)
}
