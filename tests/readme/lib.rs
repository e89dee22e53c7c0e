//! Runs the README's and the manual's Rust blocks as documentation tests, and takes their JSON blocks for what they say they are: a
//! document that is promoted, or, fenced as `json refused`, one that is refused.
#![forbid(unsafe_code)]

macro_rules! pages {
    ($($name:ident = $path:literal;)*) => {
        $(#[doc = include_str!($path)] #[cfg(doctest)] pub struct $name;)*

        #[cfg(test)]
        const PAGES: &[(&str, &str)] = &[$(($path, include_str!($path))),*];
    };
}

pages! {
    Readme = "../../README.md";
    Documents = "../../docs/documents.md";
    Knowledge = "../../docs/knowledge.md";
    Reading = "../../docs/reading.md";
    Changing = "../../docs/changing.md";
    Promotion = "../../docs/promotion.md";
    Governance = "../../docs/governance.md";
    Governing = "../../docs/governing.md";
    LoopLanguages = "../../docs/loop-languages.md";
    Loop = "../../docs/loop.md";
    Warm = "../../docs/warm.md";
    Demo = "../../docs/demo.md";
    Observing = "../../docs/observing.md";
    Observations = "../../docs/observations.md";
    Resilience = "../../docs/resilience.md";
    Operating = "../../docs/operating.md";
    Store = "../../docs/store.md";
    Ledger = "../../docs/ledger.md";
    Versions = "../../docs/versions.md";
    Codegen = "../../docs/codegen.md";
    Doctrine = "../../docs/doctrine.md";
    Guards = "../../docs/guards.md";
    Languages = "../../docs/languages.md";
    Command = "../../docs/command.md";
    Sectors = "../../docs/sectors/README.md";
    Core = "../../docs/sectors/core.md";
    Finance = "../../docs/sectors/finance.md";
    Healthcare = "../../docs/sectors/healthcare.md";
    Logistics = "../../docs/sectors/logistics.md";
    Manufacturing = "../../docs/sectors/manufacturing.md";
}

#[cfg(test)]
mod tests {
    use knhk_engine::governance::approval::Approvers;
    use knhk_engine::governance::doctrine::{Rule, rules_from_toml};
    use knhk_engine::governance::guard::Guards;
    use knhk_engine::{Engine, Format, Options, Origin, SectorKind, Status};

    use super::PAGES;

    /// The blocks of a page that are fenced as `info`.
    fn blocks<'a>(page: &'a str, info: &str) -> Vec<&'a str> {
        let opening = format!("\n```{info}\n");
        page.split(&opening)
            .skip(1)
            .map(|rest| rest.split("\n```").next().expect("split yields one at least"))
            .collect()
    }

    #[test]
    fn every_page_of_the_manual_is_tested() {
        for folder in ["../../docs", "../../docs/sectors"] {
            let entries = std::fs::read_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
            let pages = entries.expect("the manual is there").map(|entry| entry.expect("readable").path());
            for page in pages.filter(|page| page.is_file()) {
                let name = page.file_name().expect("a file has a name").to_string_lossy();
                let listed = PAGES.iter().any(|(path, _)| *path == format!("{folder}/{name}"));
                assert!(listed, "{} is not tested", page.display());
            }
        }
    }

    #[test]
    fn the_manual_lists_every_status() {
        let (_, page) = PAGES.iter().find(|(path, _)| path.ends_with("operating.md")).expect("the page is listed");
        for status in Status::ALL {
            let row = format!("\n| {} | {} | ", status.code(), status.as_str());
            assert!(page.contains(&row), "{row}");
        }
    }

    /// What is about a shipped sector is added to it, and all else to an empty sector `orders`.
    #[test]
    fn turtle_is_promoted() {
        for (path, page) in PAGES {
            for block in blocks(page, "turtle") {
                let engine = Engine::open(":memory:", Options::default()).expect("memory is there");
                let about = |name: &&str| block.contains(&format!("urn:knhk:{name}:"));
                let shipped = ["finance", "healthcare", "logistics", "manufacturing"].into_iter().find(about);
                match shipped {
                    Some(name) => drop(engine.create_sector_from(name, SectorKind::Direct).expect("it is shipped")),
                    None => engine.create_sector("orders", SectorKind::Direct).expect("a name"),
                }
                let sector = shipped.unwrap_or("orders");
                let promoted = engine.promote_delta(sector, b"", block.as_bytes(), Format::Turtle, Origin::default());
                promoted.unwrap_or_else(|error| panic!("{path}: {error}\n{block}"));
            }
        }
    }

    /// A page's TOML blocks that are guards or approvers say what they say in JSON, too.
    #[test]
    fn guards_are_guards_and_approvers_are_approvers() {
        let (mut guards, mut sets) = (0, 0);
        for (path, page) in PAGES {
            for block in blocks(page, "toml") {
                if block.contains("[[guard]]") {
                    let read = Guards::from_toml(block).unwrap_or_else(|error| panic!("{path}: {error}\n{block}"));
                    assert_eq!(Guards::from_json(&read.to_json()).expect("it was written so"), read, "{path}");
                    guards += read.guards.len();
                }
                if block.contains("[[approver]]") {
                    let read = Approvers::from_toml(block).unwrap_or_else(|error| panic!("{path}: {error}\n{block}"));
                    assert_eq!(Approvers::from_json(&read.to_json()).expect("it was written so"), read, "{path}");
                    sets += 1;
                }
            }
        }
        assert!(guards > 0 && sets > 0);
    }

    /// A page's TOML blocks that are rules say what they say in each other form, too.
    #[test]
    fn rules_are_rules() {
        let mut count = 0;
        for (path, page) in PAGES {
            for block in blocks(page, "toml").into_iter().filter(|block| block.contains("[[rule]]")) {
                for rule in rules_from_toml(block).unwrap_or_else(|error| panic!("{path}: {error}\n{block}")) {
                    let turtle = rule.to_turtle();
                    assert_eq!(Rule::from_turtle(&turtle).expect("it was written so"), rule, "{path}: {turtle}");
                    count += 1;
                }
            }
        }
        assert!(count > 0);
    }

    #[test]
    fn documents_are_promoted_and_come_back_the_same() {
        let mut count = 0;
        for (path, page) in PAGES {
            for json in blocks(page, "json") {
                let engine = Engine::open(":memory:", Options::default()).expect("an engine in memory");
                engine.create_sector("s", SectorKind::Direct).expect("the first sector");
                let first =
                    engine.promote_json("s", json, Origin::default()).unwrap_or_else(|e| panic!("{path}: {e}\n{json}"));
                let exported = engine.export_json("s", None).expect("a version is current");
                let again =
                    engine.promote_json("s", &exported, Origin::default()).expect("what is exported is a document");
                assert_eq!(first.snapshot_id, again.snapshot_id, "{path}: {json}");
                count += 1;
            }
        }
        assert!(count > 0);
    }

    #[test]
    fn documents_that_are_said_to_be_refused_are() {
        let mut count = 0;
        for (path, page) in PAGES {
            for json in blocks(page, "json refused") {
                let engine = Engine::open(":memory:", Options::default()).expect("an engine in memory");
                engine.create_sector("s", SectorKind::Direct).expect("the first sector");
                let refused = engine.promote_json("s", json, Origin::default());
                assert!(refused.is_err(), "{path}: {json}");
                count += 1;
            }
        }
        assert!(count > 0);
    }
}
