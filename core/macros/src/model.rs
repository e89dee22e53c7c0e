//! The struct as the derive understands it, or the error that says why it cannot.

use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, GenericParam, Ident, Path, Result, Type, Visibility, parse_quote};

use crate::attributes::{OnField, OnStruct};
use crate::invariant::Invariant;
use crate::types;

/// A struct with named fields.
pub struct Model<'i> {
    pub input: &'i DeriveInput,
    pub sector: Option<String>,
    pub krate: Path,
    pub fields: Vec<Field<'i>>,
    pub invariants: Vec<Invariant>,
}

/// One field.
pub struct Field<'i> {
    pub ident: &'i Ident,
    pub visibility: &'i Visibility,
    pub value_type: &'i Type,
    /// Its name in the document.
    pub name: String,
    pub said: OnField,
}

impl<'i> Model<'i> {
    pub fn of(input: &'i DeriveInput) -> Result<Model<'i>> {
        let said = OnStruct::of(&input.attrs)?;
        for parameter in &input.generics.params {
            if !matches!(parameter, GenericParam::Lifetime(_)) {
                let why = "a promoted type has the same fields everywhere: only lifetimes may be parameters";
                return Err(Error::new(parameter.span(), why));
            }
        }
        let fields = fields(input)?;
        let idents: Vec<&Ident> = fields.iter().map(|field| field.ident).collect();
        let invariants = said.invariants.iter().map(|text| Invariant::of(text, &idents)).collect::<Result<_>>()?;
        let krate = said.krate.unwrap_or_else(|| parse_quote!(::knhk_engine));
        Ok(Model { input, sector: said.sector.map(|name| name.value()), krate, fields, invariants })
    }

    /// Whether it borrows, so that it cannot be made from a document.
    pub fn borrows(&self) -> bool {
        !self.input.generics.params.is_empty()
    }
}

fn fields(input: &DeriveInput) -> Result<Vec<Field<'_>>> {
    let Data::Struct(data) = &input.data else {
        let why = "only a struct can be promoted; give a choice as a `String` field with `one_of(…)`";
        return Err(Error::new(input.ident.span(), why));
    };
    let Fields::Named(named) = &data.fields else {
        return Err(Error::new(
            input.ident.span(),
            "only a struct with named fields can be promoted: names become keys",
        ));
    };
    if named.named.is_empty() {
        return Err(Error::new(input.ident.span(), "there is no field to promote"));
    }
    let mut fields: Vec<Field<'_>> = Vec::new();
    let mut wrong: Option<Error> = None;
    for field in &named.named {
        let ident = field.ident.as_ref().expect("a named field has a name");
        let said = OnField::of(&field.attrs)?;
        let name = said.rename.as_ref().map_or_else(|| ident.unraw().to_string(), |name| name.value());
        if let Some(other) = fields.iter().find(|other| other.name == name) {
            let why = format!("`{}` has the name {name:?} already", other.ident);
            return Err(Error::new(ident.span(), why));
        }
        if let Err(error) = types::check(&field.ty, said.bytes) {
            match &mut wrong {
                Some(wrong) => wrong.combine(error),
                None => wrong = Some(error),
            }
        }
        fields.push(Field { ident, visibility: &field.vis, value_type: &field.ty, name, said });
    }
    wrong.map_or(Ok(fields), Err)
}
