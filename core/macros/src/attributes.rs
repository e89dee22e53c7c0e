//! What `#[knhk(…)]` and doc comments say.

use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Meta, Path, Result, Token, UnOp, parenthesized};

/// What is said on the struct.
#[derive(Default)]
pub struct OnStruct {
    pub sector: Option<LitStr>,
    pub invariants: Vec<LitStr>,
    pub krate: Option<Path>,
}

/// What is said on a field.
#[derive(Default)]
pub struct OnField {
    pub min: Option<Expr>,
    pub max: Option<Expr>,
    pub one_of: Vec<Expr>,
    pub unit: Option<LitStr>,
    pub doc: Option<String>,
    pub rename: Option<LitStr>,
    pub bytes: bool,
}

impl OnStruct {
    pub fn of(attributes: &[Attribute]) -> Result<OnStruct> {
        let mut said = OnStruct::default();
        each(attributes, |meta| {
            if meta.path.is_ident("sector") {
                once(&mut said.sector, &meta, LitStr::parse_value)?;
                sector_name(said.sector.as_ref())
            } else if meta.path.is_ident("invariant") {
                said.invariants.push(LitStr::parse_value(&meta)?);
                Ok(())
            } else if meta.path.is_ident("crate") {
                once(&mut said.krate, &meta, |meta| LitStr::parse_value(meta)?.parse())
            } else {
                Err(meta.error("unknown on a struct; there are `sector`, `invariant` and `crate`"))
            }
        })?;
        Ok(said)
    }
}

impl OnField {
    pub fn of(attributes: &[Attribute]) -> Result<OnField> {
        let mut said = OnField::default();
        each(attributes, |meta| {
            let path = &meta.path;
            if path.is_ident("min") {
                once(&mut said.min, &meta, Expr::parse_value)
            } else if path.is_ident("max") {
                once(&mut said.max, &meta, Expr::parse_value)
            } else if path.is_ident("unit") {
                once(&mut said.unit, &meta, LitStr::parse_value)
            } else if path.is_ident("doc") {
                once(&mut said.doc, &meta, |meta| Ok(LitStr::parse_value(meta)?.value()))
            } else if path.is_ident("rename") {
                once(&mut said.rename, &meta, LitStr::parse_value)?;
                field_name(said.rename.as_ref())
            } else if path.is_ident("bytes") {
                said.bytes = true;
                Ok(())
            } else if path.is_ident("one_of") {
                let values;
                parenthesized!(values in meta.input);
                said.one_of.extend(Punctuated::<Expr, Token![,]>::parse_terminated(&values)?);
                if said.one_of.is_empty() { Err(meta.error("`one_of` names no value")) } else { Ok(()) }
            } else {
                let known = "`min`, `max`, `one_of`, `unit`, `doc`, `rename` and `bytes`";
                Err(meta.error(format!("unknown on a field; there are {known}")))
            }
        })?;
        said.doc = said.doc.or_else(|| comment(attributes));
        said.range_is_not_empty()?;
        Ok(said)
    }

    /// Finds the mistake that no value could satisfy, where both bounds are literals.
    fn range_is_not_empty(&self) -> Result<()> {
        let (Some(min), Some(max)) = (&self.min, &self.max) else { return Ok(()) };
        match (number(min), number(max)) {
            (Some(low), Some(high)) if low > high => Err(Error::new(min.span(), "`min` is above `max`")),
            _ => Ok(()),
        }
    }
}

/// A value after `name =`.
trait ParseValue: Sized {
    fn parse_value(meta: &ParseNestedMeta<'_>) -> Result<Self>;
}

impl<T: syn::parse::Parse> ParseValue for T {
    fn parse_value(meta: &ParseNestedMeta<'_>) -> Result<T> {
        meta.value()?.parse()
    }
}

fn each(attributes: &[Attribute], mut said: impl FnMut(ParseNestedMeta<'_>) -> Result<()>) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("knhk")) {
        attribute.parse_nested_meta(&mut said)?;
    }
    Ok(())
}

fn once<T>(
    place: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    parse: impl FnOnce(&ParseNestedMeta<'_>) -> Result<T>,
) -> Result<()> {
    if place.is_some() {
        return Err(meta.error("said twice"));
    }
    *place = Some(parse(meta)?);
    Ok(())
}

/// The same rule that `Engine::create_sector` holds names to.
fn sector_name(name: Option<&LitStr>) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    let text = name.value();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let sound = text.bytes().next().is_some_and(plain) && text.bytes().all(|b| plain(b) || b == b'-' || b == b'_');
    if sound && text.len() <= 64 {
        return Ok(());
    }
    let rule = "a sector's name is 1 to 64 characters of a-z, 0-9, - and _, beginning with a letter or digit";
    Err(Error::new(name.span(), rule))
}

fn field_name(name: Option<&LitStr>) -> Result<()> {
    match name {
        Some(name) if name.value().is_empty() || name.value().starts_with('$') || name.value().contains('/') => {
            Err(Error::new(name.span(), "a name is not empty, does not begin with `$` and has no `/`"))
        }
        _ => Ok(()),
    }
}

/// The doc comment: its lines joined, paragraphs kept apart.
fn comment(attributes: &[Attribute]) -> Option<String> {
    let mut text = String::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value else { continue };
        if !pair.path.is_ident("doc") {
            continue;
        }
        for line in line.value().split('\n').map(str::trim) {
            match (line.is_empty(), text.is_empty() || text.ends_with('\n')) {
                (true, false) => text.push('\n'),
                (false, false) => text.extend([" ", line]),
                (false, true) => text.push_str(line),
                (true, true) => {}
            }
        }
    }
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A literal's value, near enough to compare two of them.
fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Unary(negated) if matches!(negated.op, UnOp::Neg(_)) => number(&negated.expr).map(|n: f64| -n),
        _ => None,
    }
}
