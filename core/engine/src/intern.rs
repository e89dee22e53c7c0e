//! From names to keys.

use knhk_hot::layout;
use knhk_ontology::ValueType;

use crate::{Engine, Error, Key, Named, Status, Typed};

impl Engine {
    /// Interns a name for typed reads; see [`Engine::intern`].
    ///
    /// # Errors
    /// As [`Engine::intern`].
    pub fn key<T: Typed>(&self, sector: &str, name: &str) -> Result<Key<T>, Error> {
        Ok(Key::new(self.intern(sector, name, T::TYPE)?))
    }

    /// [`Engine::key`] for keys of every type, also of those that are read in place: `Key<str>`, `Key<[i64]>`, `Key<Map>` and so on.
    ///
    /// # Errors
    /// As [`Engine::intern`].
    pub fn key_of<T: Named + ?Sized>(&self, sector: &str, name: &str) -> Result<Key<T>, Error> {
        Ok(Key::new(self.intern(sector, name, T::TYPE)?))
    }

    /// Interns a name with its type. The key is valid for the engine's life, through promotions and rollbacks; while it is held, a
    /// promotion that drops or retypes it needs a declared major version.
    ///
    /// # Errors
    /// `NotFound` when the sector or the name does not exist (the nearest name is suggested), `WrongType` when it has another type,
    /// `NotReady` when nothing was promoted or declared yet.
    pub fn intern(&self, sector: &str, name: &str, value_type: ValueType) -> Result<layout::Key, Error> {
        self.checked()?;
        let sector = self.sector(sector)?;
        let mut state = sector.lock()?;
        let item = || format!("{}/{name}", sector.name());
        let Some(document) = state.document() else {
            let message = format!(
                "sector {} has no names yet: promote or declare a document first, or wait until it is ready",
                sector.name()
            );
            return Err(Error::new(Status::NotReady, "intern", item(), message));
        };
        let Some(slot) = state.keys.get(name).filter(|&slot| state.keys.is_promoted(slot)) else {
            let known: Vec<String> = document.entries().map(|entry| entry.path).collect();
            let near = nearest(name, &known).map_or(String::new(), |near| format!("; did you mean {near:?}?"));
            let message = format!("sector {} has no key {name:?}{near}", sector.name());
            return Err(Error::new(Status::NotFound, "intern", item(), message));
        };
        // A name that the document lacks today, but had once, may come back.
        let known = document.get(name).map(|leaf| leaf.value_type).or_else(|| state.keys.value_type(slot));
        if let Some(known) = known.filter(|known| *known != value_type) {
            let message = format!("{} is {known}, not {value_type}", item());
            return Err(Error::new(Status::WrongType, "intern", item(), message));
        }
        state.keys.mark_interned(slot, value_type);
        Ok(layout::Key::new(sector.number() as u32, slot))
    }
}

/// The known name that differs least, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let distance = |other: &str| {
        let (a, b): (Vec<char>, Vec<char>) = (name.chars().collect(), other.chars().collect());
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, from) in a.iter().enumerate() {
            let mut diagonal = std::mem::replace(&mut row[0], i + 1);
            for (j, to) in b.iter().enumerate() {
                let substituted = diagonal + usize::from(from != to);
                diagonal = row[j + 1];
                row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
            }
        }
        row[b.len()]
    };
    if name.len() > 256 {
        return None;
    }
    let (best, other) =
        known.iter().filter(|k| k.len() <= 256).take(10_000).map(|k| (distance(k), k.as_str())).min()?;
    (best <= 1 + name.chars().count() / 3).then_some(other)
}
