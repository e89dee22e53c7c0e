//! Invariants: what is written, and which fields it speaks of.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Expr, Ident, LitStr, Result};

/// One `#[knhk(invariant = "…")]`.
pub struct Invariant {
    /// Its text, which names it when it is broken.
    pub name: String,
    /// The condition, with `self` in scope.
    pub condition: TokenStream,
    /// The fields that it mentions, whose values are reported when it is broken.
    pub mentions: Vec<Ident>,
}

impl Invariant {
    /// Reads an expression, or the path of a `fn(&Self) -> bool`.
    pub fn of(text: &LitStr, fields: &[&Ident]) -> Result<Invariant> {
        let condition: Expr = text.parse()?;
        let mut mentions = Vec::new();
        mentioned(condition.to_token_stream(), fields, &mut mentions);
        let condition = match &condition {
            Expr::Path(path) => quote!(#path(self)),
            other => quote!(#other),
        };
        Ok(Invariant { name: text.value(), condition, mentions })
    }
}

/// Collects `self.field` wherever it stands, also inside macros and closures, each once.
fn mentioned(tokens: TokenStream, fields: &[&Ident], found: &mut Vec<Ident>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for token in &tokens {
        if let TokenTree::Group(group) = token {
            mentioned(group.stream(), fields, found);
        }
    }
    for three in tokens.windows(3) {
        let [TokenTree::Ident(this), TokenTree::Punct(dot), TokenTree::Ident(field)] = three else { continue };
        let known = this == "self" && dot.as_char() == '.' && fields.contains(&field);
        if known && !found.contains(field) {
            found.push(field.clone());
        }
    }
}
