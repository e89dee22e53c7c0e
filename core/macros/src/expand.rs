//! The generated implementations. Everything is named through the engine's `__derive` module, so that a program needs no other crate.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{Lifetime, Type, TypeReference};

use crate::model::{Field, Model};

pub fn expand(model: &Model<'_>) -> TokenStream {
    let krate = &model.krate;
    let parts = [field(model), from_field(model), keyed(model), promotion_safe(model)];
    quote! {
        const _: () = {
            use #krate::__derive as __knhk;
            #(#parts)*
        };
    }
}

/// `Field`: checking and writing.
fn field(model: &Model<'_>) -> TokenStream {
    let (ident, generics) = (&model.input.ident, &model.input.generics);
    let (implemented, arguments, clause) = generics.split_for_impl();
    let checks = model.fields.iter().map(|field| {
        let (place, name, rules, of) = (field.ident, &field.name, rules(field), of(field));
        quote!(#of::check(&self.#place, &__knhk::join(at, #name), &#rules, errors);)
    });
    let writes = model.fields.iter().map(|field| {
        let (place, name, rules, of) = (field.ident, &field.name, rules(field), of(field));
        quote!(#of::write(&self.#place, #name, &#rules, out);)
    });
    let invariants = model.invariants.iter().map(|invariant| {
        let (name, condition) = (&invariant.name, &invariant.condition);
        let mentions = invariant.mentions.iter().map(|mentioned| {
            let field = model.fields.iter().find(|field| field.ident == mentioned);
            let field = field.expect("only fields are collected as mentioned");
            let (name, of) = (&field.name, of(field));
            quote!((#name, #of::show(&self.#mentioned)))
        });
        quote! {
            let holds: bool = #condition;
            if !holds {
                errors.push(__knhk::FieldError::invariant(at, #name, &[#(#mentions),*]));
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #implemented __knhk::Field for #ident #arguments #clause {
            type Rule = __knhk::NoRule;

            fn check(
                &self,
                at: &str,
                _: &__knhk::Rules,
                errors: &mut ::std::vec::Vec<__knhk::FieldError>,
            ) {
                let before = errors.len();
                #(#checks)*
                // Over fields that are out of bounds an invariant says nothing, and may overflow.
                if errors.len() == before {
                    #(#invariants)*
                }
            }

            fn write(&self, name: &str, _: &__knhk::Rules, out: &mut __knhk::Writer) {
                out.open(name);
                #(#writes)*
                out.close();
            }

            fn show(&self) -> ::std::string::String {
                ::std::string::String::from(stringify!(#ident))
            }
        }
    }
}

/// `FromField`: reading back, for what does not borrow.
fn from_field(model: &Model<'_>) -> TokenStream {
    if model.borrows() {
        return TokenStream::new();
    }
    let ident = &model.input.ident;
    let reads = model.fields.iter().map(|field| {
        let (place, name, kind, value_type) = (field.ident, &field.name, kind(field), field.value_type);
        let read = quote_spanned!(value_type.span()=> <#value_type as __knhk::FromField<#kind>>::read);
        quote!(#place: #read(&__knhk::join(at, #name), source)?)
    });
    quote! {
        #[automatically_derived]
        impl __knhk::FromField for #ident {
            fn read(
                at: &str,
                source: &__knhk::Source<'_>,
            ) -> ::std::result::Result<Self, __knhk::FieldError> {
                ::std::result::Result::Ok(#ident { #(#reads),* })
            }
        }
    }
}

/// `Keyed`: a struct of the same shape that holds the interned keys.
fn keyed(model: &Model<'_>) -> TokenStream {
    let ident = &model.input.ident;
    let visibility = &model.input.vis;
    let generics = &model.input.generics;
    let (implemented, arguments, clause) = generics.split_for_impl();
    let keys = format_ident!("{}Keys", ident);
    let fields = model.fields.iter().map(|field| {
        let (place, visibility, kind) = (field.ident, field.visibility, kind(field));
        let value_type = lasting(field.value_type);
        let doc = format!("The key of `{}`.", field.name);
        let keys = quote_spanned!(field.value_type.span()=> <#value_type as __knhk::Keyed<#kind>>::Keys);
        quote!(#[doc = #doc] #visibility #place: #keys)
    });
    let interned = model.fields.iter().map(|field| {
        let (place, name, kind) = (field.ident, &field.name, kind(field));
        let value_type = lasting(field.value_type);
        let intern = quote_spanned!(field.value_type.span()=> <#value_type as __knhk::Keyed<#kind>>::intern);
        quote!(#place: #intern(&__knhk::join(at, #name), names)?)
    });
    let doc = format!("Interned keys of the fields of [`{ident}`].");
    quote! {
        #[doc = #doc]
        #[derive(Clone)]
        #[allow(dead_code, unreachable_pub)]
        #visibility struct #keys { #(#fields),* }

        #[automatically_derived]
        impl #implemented __knhk::Keyed for #ident #arguments #clause {
            type Keys = #keys;

            fn intern(at: &str, names: &__knhk::Names<'_>) -> ::std::result::Result<#keys, __knhk::Error> {
                ::std::result::Result::Ok(#keys { #(#interned),* })
            }
        }
    }
}

/// `PromotionSafe`, where a sector is named.
fn promotion_safe(model: &Model<'_>) -> TokenStream {
    let Some(sector) = &model.sector else { return TokenStream::new() };
    let ident = &model.input.ident;
    let (implemented, arguments, clause) = model.input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #implemented __knhk::PromotionSafe for #ident #arguments #clause {
            const SECTOR: &'static str = #sector;
        }
    }
}

/// `<T as Field<Kind>>`, blamed on the field's type where it is not one.
fn of(field: &Field<'_>) -> TokenStream {
    let (value_type, kind) = (field.value_type, kind(field));
    quote_spanned!(value_type.span()=> <#value_type as __knhk::Field<#kind>>)
}

fn kind(field: &Field<'_>) -> TokenStream {
    if field.said.bytes { quote!(__knhk::Bytes) } else { quote!(__knhk::Plain) }
}

/// What the field's attributes say, as an expression.
fn rules(field: &Field<'_>) -> TokenStream {
    let (said, value_type, kind) = (&field.said, field.value_type, kind(field));
    let mut rules = quote!(__knhk::Rules::default());
    if let Some(min) = &said.min {
        let bound = quote_spanned!(min.span()=> __knhk::bound::<#kind, #value_type>(#min));
        rules.extend(quote!(.min(#bound)));
    }
    if let Some(max) = &said.max {
        let bound = quote_spanned!(max.span()=> __knhk::bound::<#kind, #value_type>(#max));
        rules.extend(quote!(.max(#bound)));
    }
    if !said.one_of.is_empty() {
        let values =
            said.one_of.iter().map(|value| quote_spanned!(value.span()=> __knhk::choice::<#kind, #value_type>(#value)));
        rules.extend(quote!(.one_of([#(#values),*])));
    }
    if let Some(unit) = &said.unit {
        rules.extend(quote!(.unit(#unit)));
    }
    if let Some(doc) = &said.doc {
        rules.extend(quote!(.doc(#doc)));
    }
    rules
}

/// The type with every lifetime `'static`: keys borrow nothing.
fn lasting(value_type: &Type) -> Type {
    struct Lasting;
    impl VisitMut for Lasting {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            *lifetime = Lifetime::new("'static", lifetime.span());
        }

        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            reference.lifetime = Some(Lifetime::new("'static", Span::call_site()));
            self.visit_type_mut(&mut reference.elem);
        }
    }
    let mut lasting = value_type.clone();
    Lasting.visit_type_mut(&mut lasting);
    lasting
}
