//! Names: a path as an identifier that is none of the language's own words.

use crate::Language;

/// Words of the languages, and macros of the C library that would be replaced.
const C: &str = "auto break case char const continue default do double else enum extern float for goto if inline int long register \
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while alignas alignof bool constexpr \
    false nullptr static_assert thread_local true typeof typeof_unqual asm fortran \
    NULL EOF errno assert offsetof stdin stdout stderr unix linux i386 INFINITY NAN complex imaginary I noreturn \
    signal_handler va_list va_arg va_end va_start va_copy setjmp environ";
const CPP: &str = "and and_eq atomic_cancel atomic_commit atomic_noexcept bitand bitor catch char8_t char16_t char32_t class co_await \
    co_return co_yield compl concept const_cast consteval constinit decltype delete dynamic_cast explicit export friend module import \
    mutable namespace new noexcept not not_eq operator or or_eq private protected public reflexpr reinterpret_cast requires \
    static_cast synchronized template this throw try typeid typename using virtual wchar_t xor xor_eq keys knhk std";
const RUST: &str = "as async await break const continue crate dyn else enum extern false fn for gen if impl in let loop match mod move \
    mut pub ref return self Self static struct super trait true type unsafe use where while abstract become box do final macro \
    override priv try typeof unsized virtual yield union";
const PYTHON: &str = "False None True and as assert async await break class continue def del elif else except finally for from global \
    if import in is lambda nonlocal not or pass raise return try while with yield match case type";
const TYPESCRIPT: &str = "constructor prototype __proto__";

/// Whether a name is taken in a language.
pub(crate) fn reserved(language: Language) -> impl Fn(&str) -> bool {
    let lists: &[&str] = match language {
        Language::C => &[C],
        Language::Cpp => &[C, CPP],
        Language::Rust => &[RUST],
        Language::Python => &[PYTHON],
        Language::TypeScript => &[TYPESCRIPT],
    };
    move |name| lists.iter().any(|list| list.split_ascii_whitespace().any(|word| word == name))
}

/// The identifier of a path: `limits/max_qty` is `limits_max_qty`, `$classes/lit` is `classes_lit`. Whatever cannot stand in a name is `_`,
/// letters beyond ASCII are their code point (`u00e9`), what does not begin with a letter begins with `k_`, and a word that is taken ends in
/// `_`.
pub(crate) fn identifier(path: &str, is_reserved: &impl Fn(&str) -> bool) -> String {
    let mut name = String::with_capacity(path.len());
    for character in path.strip_prefix('$').unwrap_or(path).chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => name.push(character),
            character if character.is_alphanumeric() => name += &format!("u{:04x}", u32::from(character)),
            _ => name.push('_'),
        }
    }
    // Two of them in a row are reserved in C++.
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name.insert_str(0, if name.starts_with('_') { "k" } else { "k_" });
    }
    if is_reserved(&name) {
        name.push('_');
    }
    name
}

/// A sector's name as part of a name.
pub(crate) fn stem(sector: &str) -> String {
    identifier(sector, &|_| false)
}

/// A sector's name as a type's.
pub(crate) fn type_name(sector: &str) -> String {
    let mut name = String::new();
    for part in stem(sector).split('_') {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_names_in_every_language() {
        for (path, name) in [
            ("max_qty", "max_qty"),
            ("limits/max_qty", "limits_max_qty"),
            ("$classes/XPAR", "classes_XPAR"),
            ("a b.c-d", "a_b_c_d"),
            ("7up", "k_7up"),
            ("_x", "k_x"),
            ("é", "u00e9"),
            ("a__b", "a_b"),
            ("-", "k_"),
            ("union", "union_"),
        ] {
            assert_eq!(identifier(path, &reserved(Language::C)), name, "{path}");
        }
        assert_eq!(identifier("keys", &reserved(Language::Cpp)), "keys_");
        assert_eq!(identifier("self", &reserved(Language::Rust)), "self_");
        assert_eq!(identifier("lambda", &reserved(Language::Python)), "lambda_");
        assert_eq!(identifier("class", &reserved(Language::TypeScript)), "class");
        assert_eq!((stem("orders-eu"), type_name("orders-eu_2")), ("orders_eu".into(), "OrdersEu2".into()));
        assert_eq!(type_name("7"), "K7");
    }
}
