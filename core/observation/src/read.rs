//! Reading observations back, and proving them.

use knhk_ledger::{Evidence, KeyRing, ObservationProof, Statement, observations_root, prove_observation};
use knhk_store::{Segment, Store};

use crate::{ObservationError, RECORD_BYTES, Record, Settings};

/// The observations of a segment, in the order in which they were drained.
///
/// # Errors
/// When there is no such segment, retention dropped it, or it is damaged. Whether it is what was signed, only a proof or the verification
/// of the log tells.
pub fn records(store: &dyn Store, segment: u64) -> Result<Vec<Record>, ObservationError> {
    let (_, bytes) = unpacked(store, segment)?;
    let (records, _) = bytes.as_chunks::<RECORD_BYTES>();
    Ok(records.iter().map(Record::decode).collect())
}

/// Looks whether a segment is what its receipt states, and whether the log's key signed that: its number, sector, count and the root over its
/// observations.
///
/// # Errors
/// As [`records()`], and `Damaged` where it is not.
pub fn check_segment(store: &dyn Store, keys: &KeyRing, number: u64) -> Result<(), ObservationError> {
    let damaged = |what: String| ObservationError::Damaged { segment: number, what };
    let (stored, bytes) = unpacked(store, number)?;
    let missing = || damaged("its receipt is not there".into());
    let receipt = store.receipt(stored.receipt.ok_or_else(missing)?)?.ok_or_else(missing)?;
    let statement = Statement::decode(&receipt.statement)?;
    statement.verify(&keys.at(statement.claims.number))?;
    let claims = &statement.claims;
    let Evidence::ObservationsIngested { segment, count, root, .. } = &claims.evidence else {
        return Err(damaged(format!("receipt {} is of something else", claims.id())));
    };
    let stated = (claims.log.as_str(), *segment, claims.sector.as_deref(), *count, *root);
    let is =
        (keys.root().origin(), number, Some(&*stored.sector), stored.count, observations_root(&bytes, RECORD_BYTES)?);
    if stated != (is.0, is.1, is.2, is.3, is.4) {
        return Err(damaged(format!("its observations are not those that receipt {} states", claims.id())));
    }
    Ok(())
}

/// A single observation.
///
/// # Errors
/// As [`records()`], and when the segment has no such observation.
pub fn record(store: &dyn Store, segment: u64, index: u64) -> Result<Record, ObservationError> {
    let (_, bytes) = unpacked(store, segment)?;
    Ok(Record::decode(at(&bytes, segment, index)?))
}

/// A single observation and the proof, for someone who has the log's trust root and nothing else, that it was ingested: the 64 bytes as
/// they were signed, and what [`ObservationProof::verify`] takes.
///
/// # Errors
/// As [`record()`], and when the segment's receipt is not there.
pub fn prove(
    store: &dyn Store,
    segment: u64,
    index: u64,
) -> Result<([u8; RECORD_BYTES], ObservationProof), ObservationError> {
    let (stored, bytes) = unpacked(store, segment)?;
    let record = *at(&bytes, segment, index)?;
    let missing = || ObservationError::Damaged { segment, what: "its receipt is not there".into() };
    let receipt = store.receipt(stored.receipt.ok_or_else(missing)?)?.ok_or_else(missing)?;
    Ok((record, prove_observation(&receipt.statement, &bytes, RECORD_BYTES, index)?))
}

fn at(bytes: &[u8], segment: u64, index: u64) -> Result<&[u8; RECORD_BYTES], ObservationError> {
    let (records, _) = bytes.as_chunks::<RECORD_BYTES>();
    let found = usize::try_from(index).ok().and_then(|index| records.get(index));
    found.ok_or_else(|| {
        let what = format!("segment {segment} has {} observations, and none with index {index}", records.len());
        ObservationError::NotFound { what }
    })
}

fn unpacked(store: &dyn Store, number: u64) -> Result<(Segment, Vec<u8>), ObservationError> {
    let Some(mut segment) = store.segment(number)? else {
        let count = store.segment_count()?;
        return Err(ObservationError::NotFound { what: format!("there is no segment {number} among {count}") });
    };
    let damaged = |what: String| ObservationError::Damaged { segment: number, what };
    let content = segment.content.take().ok_or(ObservationError::Dropped { segment: number })?;
    if segment.record_bytes as usize != RECORD_BYTES || segment.count > Settings::MAX_SEGMENT_RECORDS as u64 {
        let what = format!("it claims {} records of {} bytes", segment.count, segment.record_bytes);
        return Err(damaged(what));
    }
    // A limit is known before any memory is taken.
    let size = segment.count as usize * RECORD_BYTES;
    let bytes =
        zstd::bulk::decompress(&content, size).map_err(|error| damaged(format!("it does not unpack: {error}")))?;
    if bytes.len() != size {
        return Err(damaged(format!("it unpacks to {} bytes and not to {size}", bytes.len())));
    }
    Ok((segment, bytes))
}
