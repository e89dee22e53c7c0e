//! What receipts stand for and is stored beside them: observations, and versions of sectors.

use std::collections::{HashMap, HashSet};

use knhk_store::{Segment, SegmentQuery, Store};

use crate::ledger::PAGE;
use crate::{Evidence, Hash, LedgerError, Outcome, Statement, Tampering};

/// Bytes of a segment's observations, at most.
const MAX_SEGMENT: u64 = 1 << 30;

/// Checks a batch of observations against its statement: how many are held and lead to the root, how many were dropped.
pub(super) fn check_segment(
    store: &dyn Store,
    statement: &Statement,
    number: u64,
    read: bool,
) -> Result<(u64, u64), LedgerError> {
    let Evidence::ObservationsIngested { count, record_bytes, root, first_ns, last_ns, .. } = statement.claims.evidence
    else {
        return Ok((0, 0));
    };
    let changed = |what: &str| Tampering::Observations { segment: number, what: what.into() };
    let segment = store.segment(number)?.ok_or_else(|| changed("it is missing"))?;
    let stated = Segment {
        number,
        sector: statement.claims.sector.clone().unwrap_or_default(),
        first_ns,
        last_ns,
        count,
        record_bytes: u32::try_from(record_bytes).unwrap_or(u32::MAX),
        root,
        receipt: Some(statement.claims.number),
        content: None,
    };
    let Segment { content, .. } = &segment;
    if (Segment { content: None, ..segment.clone() }) != stated {
        return Err(changed("its row says something else than its receipt").into());
    }
    let Some(packed) = content else { return Ok((0, count)) };
    if !read {
        return Ok((0, 0));
    }
    let bytes = count.checked_mul(record_bytes).filter(|bytes| *bytes <= MAX_SEGMENT);
    let bytes = bytes.ok_or_else(|| changed("it claims more than 1 GiB"))? as usize;
    let records =
        zstd::bulk::decompress(packed, bytes).map_err(|error| changed(&format!("it does not unpack: {error}")))?;
    let same = records.len() == bytes && crate::observations_root(&records, record_bytes as usize)? == root;
    if same { Ok((count, 0)) } else { Err(changed("its observations are not those that were signed").into()) }
}

/// Whether something names a receipt that was made since the verification of the first `total` began.
fn is_later(store: &dyn Store, receipt: Option<u64>, total: u64) -> Result<bool, LedgerError> {
    match receipt.filter(|receipt| *receipt >= total) {
        Some(receipt) => Ok(receipt < store.log_size()?),
        None => Ok(false),
    }
}

/// Checks that there is no segment beyond those that receipts stand for.
pub(super) fn check_segments(store: &dyn Store, receipted: &HashSet<u64>, total: u64) -> Result<(), LedgerError> {
    let mut from = 0;
    loop {
        let page = store.segments(&SegmentQuery { from, ..Default::default() })?;
        let Some(last) = page.last() else { return Ok(()) };
        from = last.number + 1;
        for segment in page.iter().filter(|segment| !receipted.contains(&segment.number)) {
            if !is_later(store, segment.receipt, total)? {
                let what = "it is an orphan: no receipt stands for it".into();
                return Err(Tampering::Observations { segment: segment.number, what }.into());
            }
        }
    }
}

/// Versions that receipts stand for.
#[derive(Default)]
pub(super) struct Versions {
    /// The receipt and the content address, by sector and version.
    promoted: HashMap<(String, u64), (u64, Hash)>,
    /// The newest version, by sector.
    newest: HashMap<String, u64>,
}

impl Versions {
    pub(super) fn note(&mut self, statement: &Statement) {
        let claims = &statement.claims;
        let (Evidence::SnapshotPromoted { version, snapshot: Some(snapshot), .. }
        | Evidence::RollbackExecuted { version, snapshot: Some(snapshot), .. }) = &claims.evidence
        else {
            return;
        };
        // What was refused is no version.
        if claims.outcome != Outcome::Approved {
            return;
        }
        let Some(sector) = &claims.sector else { return };
        self.promoted.insert((sector.clone(), *version), (claims.number, *snapshot));
        self.newest.insert(sector.clone(), *version);
    }

    /// Compares each stored version with what its receipt states, and the newest with the newest receipt.
    pub(super) fn check(&self, store: &dyn Store, total: u64) -> Result<u64, LedgerError> {
        let mut count = 0;
        for sector in store.sectors()? {
            let mut before = None;
            loop {
                let page = store.versions(&sector.name, before, PAGE)?;
                if before.is_none() {
                    self.check_newest(&sector.name, page.first().map(|version| version.number))?;
                }
                let Some(last) = page.last() else { break };
                before = Some(last.number);
                for version in &page {
                    if is_later(store, version.receipt, total)? {
                        continue;
                    }
                    let stated = self.promoted.get(&(version.sector.clone(), version.number));
                    let named = version.receipt.map(|receipt| (receipt, version.snapshot));
                    if named.is_none() || stated.copied() != named {
                        let what = "no receipt states it as it is stored".into();
                        let (sector, number) = (version.sector.clone(), version.number);
                        return Err(Tampering::Version { sector, number, what }.into());
                    }
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// An older version must not pass for the current one: going back is a new version with its own receipt.
    fn check_newest(&self, sector: &str, stored: Option<u64>) -> Result<(), LedgerError> {
        match self.newest.get(sector) {
            Some(newest) if stored.is_none_or(|stored| stored < *newest) => {
                let what = "its receipt is there and it is not, so that an older one passes for the current".into();
                Err(Tampering::Version { sector: sector.into(), number: *newest, what }.into())
            }
            _ => Ok(()),
        }
    }
}
