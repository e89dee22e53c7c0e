//! Tags: names for versions.

use knhk_ledger::Appended;
use knhk_store::{Batch, Tag, Write};

use crate::history::updated;
use crate::reference::Reference;
use crate::{History, VersionError};

/// Characters of a tag, at most.
const MAX: usize = 64;

impl History {
    /// A sector's tags, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn tags(&self, sector: &str) -> Result<Vec<Tag>, VersionError> {
        Ok(self.store().tags(sector)?)
    }

    /// Sets a tag, moving it if it is there, with a receipt. A tag is 1 to 64 characters of letters, digits, `.`, `_`, `-` and `/`, begins
    /// with a letter and is nothing else that a reference can be.
    ///
    /// # Errors
    /// [`VersionError::Tag`] for another name, [`VersionError::Unknown`] where the version is not retained.
    pub fn tag(&self, tag: Tag) -> Result<Appended, VersionError> {
        let refuse = |why: &str| VersionError::Tag { name: tag.name.clone(), why: why.into() };
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
        let begins = tag.name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !begins || tag.name.len() > MAX || !tag.name.chars().all(letters) {
            return Err(refuse("it is 1 to 64 characters of a-z, A-Z, 0-9, ., _, - and /, beginning with a letter"));
        }
        if Reference::parse(&tag.name)? != Reference::Name(tag.name.clone()) {
            return Err(refuse("it means something else already"));
        }
        self.version(&tag.sector, tag.version)?;
        let change = format!("tag {} set to version {}", tag.name, tag.version);
        let entry = updated(&tag.sector, tag.time_ns, change, &tag.by, "");
        self.append(entry, Batch::new().with(Write::Tag(tag)))
    }

    /// Removes a tag, with a receipt.
    ///
    /// # Errors
    /// [`VersionError::Unknown`] where there is none.
    pub fn untag(&self, sector: &str, name: &str, by: &str, time_ns: u64) -> Result<Appended, VersionError> {
        let tags = self.store().tags(sector)?;
        if !tags.iter().any(|tag| tag.name == name) {
            let names: Vec<_> = tags.iter().map(|tag| tag.name.as_str()).collect();
            let there = if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
            let what = format!("there is no tag {name:?}; {there}");
            return Err(VersionError::Unknown { sector: sector.into(), what });
        }
        let entry = updated(sector, time_ns, format!("tag {name} removed"), by, "");
        self.append(entry, Batch::new().with(Write::Untag { sector: sector.into(), name: name.into() }))
    }
}
