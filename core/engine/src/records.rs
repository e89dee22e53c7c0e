//! What a promotion leaves behind: a file where there is a folder, and the announcement of the change.

use std::io;
use std::sync::Arc;

use knhk_ontology::{Document, KeyTable};
use knhk_promotion::{Journal, Version};

use crate::folder::Folder;
use crate::subscribe::Announcer;

pub(crate) struct Records {
    pub(crate) folder: Option<Arc<Folder>>,
    pub(crate) announcer: Arc<Announcer>,
}

impl Journal for Records {
    fn keys(&self, sector: &str, table: &KeyTable) -> io::Result<()> {
        self.folder.as_ref().map_or(Ok(()), |folder| folder.keys(sector, table))
    }

    fn version(&self, sector: &str, version: &Version) -> io::Result<()> {
        self.folder.as_ref().map_or(Ok(()), |folder| folder.version(sector, version))
    }

    fn intend(&self, sector: usize, version: &Version) -> io::Result<()> {
        self.folder.as_ref().map_or(Ok(()), |folder| folder.emergency.intend(sector, version))
    }

    fn declared(&self, sector: &str, declared: &Document) -> io::Result<()> {
        self.folder.as_ref().map_or(Ok(()), |folder| folder.declared(sector, declared))
    }

    fn promoted(&self, sector: &str, version: &Arc<Version>) {
        self.announcer.announce(sector, version);
    }

    fn prune(&self, sector: &str, version: u64) {
        if let Some(folder) = &self.folder {
            folder.prune(sector, version);
        }
    }
}
