//! The writer's thread: whatever waits is applied in one transaction.

use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, Sender};
use rusqlite::{Connection, TransactionBehavior};

use super::write::{Packed, apply};
use super::{ReadError, SqliteOptions, failure};
use crate::StoreError;
use crate::counters::{BATCHES, COMMITS, REFUSED};

/// A batch and who waits for it.
pub(super) struct Job {
    pub(super) writes: Vec<Packed>,
    pub(super) reply: Sender<Result<(), StoreError>>,
}

pub(super) struct Writer {
    connection: Connection,
    path: PathBuf,
    options: SqliteOptions,
    /// Commits since SQLite's log was last moved into the database.
    commits: u32,
    /// Their bytes, about.
    bytes: usize,
    /// A flush failed: what is on the disk is unknown.
    failed: Option<StoreError>,
}

impl Writer {
    pub(super) fn new(connection: Connection, path: &Path, options: SqliteOptions) -> Writer {
        Writer { connection, path: path.into(), options, commits: 0, bytes: 0, failed: None }
    }

    pub(super) fn run(mut self, jobs: &Receiver<Job>) -> Result<(), StoreError> {
        while let Ok(first) = jobs.recv() {
            let mut group = vec![first];
            group.extend(jobs.try_iter().take(self.options.group.saturating_sub(1)));
            let outcomes = self.commit(&group);
            for (job, outcome) in group.into_iter().zip(outcomes) {
                let counter = if outcome.is_ok() { &BATCHES } else { &REFUSED };
                counter.add(1);
                // Whoever no longer waits does not want to know.
                _ = job.reply.send(outcome);
            }
            let SqliteOptions { commits_per_checkpoint, bytes_per_checkpoint, .. } = self.options;
            if self.commits >= commits_per_checkpoint || self.bytes >= bytes_per_checkpoint {
                self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)");
            }
        }
        self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)");
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let path = self.path;
        self.connection.close().map_err(|(_, error)| failure(&path, "closed", error))
    }

    /// One outcome for each job.
    fn commit(&mut self, group: &[Job]) -> Vec<Result<(), StoreError>> {
        if let Some(error) = &self.failed {
            return vec![Err(error.clone()); group.len()];
        }
        match self.transact(group) {
            Ok(outcomes) if outcomes.iter().all(Result::is_err) => outcomes,
            Ok(outcomes) => {
                COMMITS.add(1);
                self.commits += 1;
                self.bytes += group.iter().flat_map(|job| &job.writes).map(Packed::bytes).sum::<usize>();
                outcomes
            }
            Err(error) => {
                let error = failure(&self.path, "written", error);
                tracing::warn!(path = %self.path.display(), %error, batches = group.len(), "a commit failed");
                if matches!(error, StoreError::Failed { .. }) {
                    self.failed = Some(error.clone());
                }
                vec![Err(error); group.len()]
            }
        }
    }

    /// An error here undoes every job.
    fn transact(&mut self, group: &[Job]) -> rusqlite::Result<Vec<Result<(), StoreError>>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let applied = group.iter().flat_map(|job| &job.writes).try_for_each(|write| apply(&transaction, write));
        match applied {
            Ok(()) => transaction.commit().map(|()| vec![Ok(()); group.len()]),
            Err(ReadError::Store(refusal)) if group.len() == 1 => Ok(vec![Err(refusal)]),
            Err(ReadError::Store(_)) => {
                transaction.rollback()?;
                self.transact_apart(group)
            }
            Err(ReadError::Sqlite(error)) => Err(error),
        }
    }

    /// Applies each job in a savepoint of its own, so that only those that do not fit are undone. It costs more, and a job that does not
    /// fit is rare.
    fn transact_apart(&mut self, group: &[Job]) -> rusqlite::Result<Vec<Result<(), StoreError>>> {
        let mut transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut outcomes = Vec::with_capacity(group.len());
        for job in group {
            let savepoint = transaction.savepoint()?;
            let applied = job.writes.iter().try_for_each(|write| apply(&savepoint, write));
            match applied {
                Ok(()) => {
                    savepoint.commit()?;
                    outcomes.push(Ok(()));
                }
                Err(ReadError::Store(refusal)) => {
                    drop(savepoint);
                    outcomes.push(Err(refusal));
                }
                Err(ReadError::Sqlite(error)) => return Err(error),
            }
        }
        transaction.commit()?;
        Ok(outcomes)
    }

    /// Moves SQLite's log into the database. Failing is harmless unless it was a flush: the log has it all.
    fn checkpoint(&mut self, how: &str) {
        if self.failed.is_some() {
            return;
        }
        (self.commits, self.bytes) = (0, 0);
        if let Err(error) = self.connection.query_row(how, [], |_| Ok(())) {
            let error = failure(&self.path, "tidied up", error);
            tracing::warn!(path = %self.path.display(), %error, "SQLite's log could not be moved into the database");
            if matches!(error, StoreError::Failed { .. }) {
                self.failed = Some(error);
            }
        }
    }
}
