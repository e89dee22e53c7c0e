//! The knowledge that is shipped: the core, which every sector stands on, and four sectors to begin with.

/// A sector that is shipped: Turtle texts, embedded in the library. Its names begin with `urn:knhk:<name>:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shipped {
    /// The sector's name, which `knhk init --sector` takes.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub title: &'static str,
    /// Its classes, properties, parameters, observations and shapes, as one Turtle document.
    pub ontology: &'static str,
    /// Records that conform to its shapes beside [`Shipped::ontology`]: what a day-one set-up looks like.
    pub example: &'static str,
    /// Rules for changes of it, to start from, as TOML: a `[[rule]]` each.
    pub doctrine: &'static str,
    /// Boundaries that no change of it crosses, to start from, as TOML: a `[[guard]]` each.
    pub guards: &'static str,
}

/// One text of several, since each has the prefixes that it needs and Turtle admits declaring them again.
macro_rules! texts {
    ($folder:literal: $($file:literal),+) => { concat!($(include_str!(concat!("../sectors/", $folder, "/", $file, ".ttl")), "\n"),+) };
}

macro_rules! sector {
    ($name:literal, $title:literal) => {
        Shipped {
            name: $name,
            title: $title,
            ontology: texts!($name: "classes", "properties", "parameters", "observations", "shapes"),
            example: texts!($name: "example"),
            doctrine: include_str!(concat!("../sectors/", $name, "/doctrine.toml")),
            guards: include_str!(concat!("../sectors/", $name, "/guards.toml")),
        }
    };
}

/// The core ontology: the vocabulary that every sector uses and the shapes that hold in each. No sector changes it.
pub const CORE: &str = texts!("core": "vocabulary", "shapes");

const SHIPPED: [Shipped; 4] = [
    sector!(
        "finance",
        "electronic trading: order, position and credit limits, price collars, throttles, kill switches"
    ),
    sector!("healthcare", "clinical services: access and consent, retention, alert thresholds, dose limits"),
    sector!("logistics", "shipping: weights and sizes, dangerous goods, cold chain, cut-off times, routing, customs"),
    sector!("manufacturing", "plants: process windows, interlocks, recipes, maintenance, OEE, quality gates"),
];

/// The sectors that are shipped, by name.
pub fn shipped() -> &'static [Shipped] {
    &SHIPPED
}
