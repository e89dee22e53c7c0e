//! `#[derive(PromotionSafe)]`. Programs get it, and the trait, from `knhk-engine`.
#![forbid(unsafe_code)]

mod attributes;
mod expand;
mod invariant;
mod model;
mod types;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Maps a struct to a sector's document and checks it, field by field, before it may be promoted.
///
/// # Types of fields
/// `bool`; `i64` and every integer that converts to it, checked; `f64`; `String` and `&str`; `Vec` of these; `Vec<u8>` as bytes with
/// `#[knhk(bytes)]`; another struct that derives this, as an object; `BTreeMap<String, _>` of scalars, as a map; `Option` of any of these,
/// which is left out of the document when it is `None`.
///
/// # On the struct: `#[knhk(…)]`
/// | attribute | meaning |
/// |---|---|
/// | `sector = "orders"` | the sector it is promoted to; a struct without one can only be a field of another |
/// | `invariant = "self.min_qty <= self.max_qty"` | what must hold over several fields: an expression, or the path of a `fn(&Self) -> bool`; may be repeated; a broken one is named by its text |
/// | `crate = "path"` | where `knhk_engine` is, if not there |
///
/// # On a field: `#[knhk(…)]`
/// | attribute | meaning |
/// |---|---|
/// | `min = 1`, `max = 5000` | inclusive range of the number, or of each number of a list or map; guards every later promotion too |
/// | `one_of("XLON", "XPAR")` | the values that are allowed |
/// | `unit = "lots"` | the unit, for people |
/// | `doc = "…"` | what it means; the doc comment where this is not given |
/// | `rename = "max-qty"` | its name in the document, if not the field's |
/// | `bytes` | bytes, instead of a list of integers |
#[proc_macro_derive(PromotionSafe, attributes(knhk))]
pub fn promotion_safe(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    model::Model::of(&input).map_or_else(syn::Error::into_compile_error, |model| expand::expand(&model)).into()
}
