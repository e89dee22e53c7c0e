//! The doctrine: rules added, revised, removed, listed as of any moment, and taken back.

use knhk_governance::doctrine::{Doctrine, Rule, RuleRevision, expired, remove, revise, rollback, rules_at};
use knhk_ledger::{Entry, Evidence, Outcome};
use knhk_store::{Batch, Rule as Record, Write};

use super::book::entry;
use crate::{Engine, Error, Status};

impl Engine {
    /// Adds rules, or revises those of the same names. All of them are taken or none.
    ///
    /// # Errors
    /// `Document` for what is no rule; `Conflict` where one contradicts another, with both named; `NotFound` for a sector that is not there,
    /// and without a ledger; `Io` when it cannot be recorded.
    pub fn add_rules(&self, rules: &[Rule], by: &str, why: &str) -> Result<Vec<RuleRevision>, Error> {
        self.recording()?;
        for rule in rules {
            rule.check()?;
            rule.sector.as_deref().map_or(Ok(()), |sector| self.sector(sector).map(drop))?;
        }
        let _turn = self.inner.governance.turn();
        let now_ns = self.now_ns();
        let mut known = self.revisions()?;
        let mut added = Vec::new();
        for rule in rules {
            let doctrine = Doctrine::at(&known, now_ns, u64::MAX);
            doctrine.admit_revision(rule)?;
            let revision = revise(&known, rule.clone(), false, now_ns, by, why);
            known.push(revision.clone());
            added.push(revision);
        }
        self.decide_rules(&added)?;
        Ok(added)
    }

    /// Removes a rule from now on; `name` is `sector/id`, or `id` of a rule of every sector.
    ///
    /// # Errors
    /// `NotFound` where there is none to remove; else as [`Engine::add_rules`].
    pub fn remove_rule(&self, name: &str, by: &str, why: &str) -> Result<RuleRevision, Error> {
        self.recording()?;
        let _turn = self.inner.governance.turn();
        let removed = remove(&self.revisions()?, name, self.now_ns(), by, why).ok_or_else(|| {
            let message = format!("there is no rule {name:?} that holds now or later: `knhk doctrine` lists them");
            Error::new(Status::NotFound, "govern", name, message)
        })?;
        self.decide_rules(std::slice::from_ref(&removed))?;
        Ok(removed)
    }

    /// The rules that hold at a moment, as they were known at another; now where none is given. With a sector: those that judge its
    /// changes.
    ///
    /// # Errors
    /// `NotFound` without a ledger; `Io` when the store cannot be read.
    pub fn rules(
        &self,
        sector: Option<&str>,
        valid_ns: Option<u64>,
        decided_ns: Option<u64>,
    ) -> Result<Vec<RuleRevision>, Error> {
        let now_ns = self.now_ns();
        let revisions = self.revisions()?;
        let rules = rules_at(&revisions, valid_ns.unwrap_or(now_ns), decided_ns.unwrap_or(u64::MAX));
        let judges = |revision: &&RuleRevision| {
            sector.is_none_or(|sector| revision.rule.sector.as_deref().is_none_or(|of| of == sector))
        };
        Ok(rules.into_iter().filter(judges).cloned().collect())
    }

    /// The content hash of the rules that hold at a moment, as they were known at another: [`Doctrine::hash`].
    ///
    /// # Errors
    /// As [`Engine::rules`].
    pub fn doctrine_hash(&self, valid_ns: Option<u64>, decided_ns: Option<u64>) -> Result<[u8; 32], Error> {
        let valid_ns = valid_ns.unwrap_or_else(|| self.now_ns());
        Ok(Doctrine::at(&self.revisions()?, valid_ns, decided_ns.unwrap_or(u64::MAX)).hash())
    }

    /// Every revision of every rule, or of one, in the order of the decisions.
    ///
    /// # Errors
    /// As [`Engine::rules`].
    pub fn doctrine_log(&self, name: Option<&str>) -> Result<Vec<RuleRevision>, Error> {
        let mut revisions = self.revisions()?;
        revisions.retain(|revision| name.is_none_or(|name| revision.rule.name() == name));
        revisions.sort_by_key(|revision| (revision.decided_ns, revision.rule.name(), revision.revision));
        Ok(revisions)
    }

    /// Takes the doctrine back to what was known at a moment, by revisions with the bodies of then.
    ///
    /// # Errors
    /// As [`Engine::add_rules`].
    pub fn rollback_doctrine(&self, to_ns: u64, by: &str, why: &str) -> Result<Vec<RuleRevision>, Error> {
        self.recording()?;
        let _turn = self.inner.governance.turn();
        let back = rollback(&self.revisions()?, to_ns, self.now_ns(), by, why);
        self.decide_rules(&back)?;
        Ok(back)
    }

    /// Removes the rules that have ended. Under no lock.
    ///
    /// # Errors
    /// As [`Engine::add_rules`].
    pub fn clean_up_doctrine(&self) -> Result<Vec<RuleRevision>, Error> {
        self.recording()?;
        let _turn = self.inner.governance.turn();
        let ended = expired(&self.revisions()?, self.now_ns());
        self.decide_rules(&ended)?;
        Ok(ended)
    }

    /// Records revisions with a receipt each, all or nothing. Under the governance lock.
    fn decide_rules(&self, revisions: &[RuleRevision]) -> Result<(), Error> {
        if revisions.is_empty() {
            return Ok(());
        }
        let entries = revisions.iter().map(rule_entry).collect();
        let with = |appended: &[knhk_ledger::Appended]| {
            let record = |(revision, receipt): (&RuleRevision, &knhk_ledger::Appended)| {
                Write::Rule(Record { receipt: Some(receipt.number), ..revision.to_store() })
            };
            revisions.iter().zip(appended).map(record).collect::<Batch>()
        };
        self.durable()?.history.ledger().append_with(entries, with)?;
        self.inner.governance.moved();
        Ok(())
    }
}

fn rule_entry(revision: &RuleRevision) -> Entry {
    let (rule, by, why) = (revision.rule.name(), revision.by.clone(), revision.why.clone());
    let number = revision.revision;
    let evidence = match revision.removed {
        false => Evidence::RuleAdded { rule, revision: number, body: revision.hash(), by, why },
        true => Evidence::RuleRemoved { rule, revision: number, by, why },
    };
    entry(revision.decided_ns, revision.rule.sector.as_deref(), Outcome::Approved, evidence)
}
