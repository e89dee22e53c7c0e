//! Field types that no document can hold, told before the compiler tells it in terms of traits.
//!
//! Only what is certainly meant is refused here: an alias, or a type of the program's own, is left to the compiler.

use syn::{Error, GenericArgument, PathArguments, PathSegment, Result, Type};

/// Refuses the type of a field that no document can hold.
pub fn check(value_type: &Type, bytes: bool) -> Result<()> {
    let refuse = |why: &str| Err(Error::new_spanned(value_type, why));
    match value_type {
        Type::Reference(reference) => match &*reference.elem {
            Type::Path(_) if bytes => refuse("bytes are borrowed as `&[u8]`"),
            Type::Path(path) if path.path.is_ident("str") => Ok(()),
            Type::Slice(_) if bytes => Ok(()),
            _ => refuse("of borrowed values a document holds `&str`, and `&[u8]` with `#[knhk(bytes)]`"),
        },
        Type::Tuple(_) => refuse("a tuple has no names: make it a struct that derives `PromotionSafe`"),
        Type::Array(_) | Type::Slice(_) => refuse("lists have any length: use `Vec`"),
        Type::Path(path) => path.path.segments.last().map_or(Ok(()), |last| named(last, value_type, bytes)),
        _ => refuse("a document cannot hold this type"),
    }
}

fn named(last: &PathSegment, value_type: &Type, bytes: bool) -> Result<()> {
    let refuse = |why: &str| Err(Error::new_spanned(value_type, why));
    let arguments = arguments(last);
    match (last.ident.to_string().as_str(), &arguments[..]) {
        ("f32", _) => refuse("a document holds doubles: use `f64`"),
        ("i128" | "u128", _) => refuse("a document holds integers of up to 64 bits: use `i64`"),
        ("char", _) => refuse("a document holds texts: use `String`"),
        ("Duration" | "Instant" | "SystemTime", _) => refuse("use an integer with a `unit`: `#[knhk(unit = \"ms\")]`"),
        ("Box" | "Rc" | "Arc" | "Cow" | "Cell" | "RefCell" | "Mutex", [_, ..]) => {
            refuse("a document holds values: use the type inside")
        }
        ("HashMap" | "HashSet" | "BTreeSet" | "IndexMap", [_, ..]) => {
            refuse("use `BTreeMap<String, _>`, or `Vec`: a document has one order")
        }
        ("Option", [inner]) => match inner {
            Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option") => {
                refuse("a value is there or absent: one `Option` says so")
            }
            inner => check(inner, bytes),
        },
        ("Vec", [element]) => element_of("list", element, bytes && !is(element, "u8")),
        ("BTreeMap", [key, value]) if is(key, "String") => element_of("map", value, bytes),
        ("BTreeMap", [key, _]) => Err(Error::new_spanned(key, "names are texts: use `BTreeMap<String, _>`")),
        ("bool" | "i8" | "i16" | "i32" | "i64" | "isize" | "f64" | "String", [])
        | ("u8" | "u16" | "u32" | "u64" | "usize", [])
            if bytes =>
        {
            refuse("`bytes` is said of `Vec<u8>`, and of lists and maps of it")
        }
        _ => Ok(()),
    }
}

/// What a list or a map holds is a scalar.
fn element_of(container: &str, element: &Type, bytes: bool) -> Result<()> {
    if let Type::Path(path) = element
        && let Some(last) = path.path.segments.last()
        && matches!(last.ident.to_string().as_str(), "Vec" | "Option" | "BTreeMap")
        && !(bytes && last.ident == "Vec" && arguments(last).first().is_some_and(|inner| is(inner, "u8")))
    {
        let why = format!("a {container} in a document holds scalars, no `{}`", last.ident);
        return Err(Error::new_spanned(element, why));
    }
    check(element, bytes)
}

fn is(value_type: &Type, name: &str) -> bool {
    matches!(value_type, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

fn arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(value_type) => Some(value_type),
        _ => None,
    });
    types.collect()
}
