//! The verbs about receipts and the store: receipts, verify, checkpoint, keys, backup, restore.

use std::time::Instant;

use knhk_engine::control::{Failure, Keys, Receipt, Receipts, RotateKey, SignCheckpoint};
use knhk_engine::{Options, RestoreOptions, Status, Verified, VerifyOptions, VerifyProgress, restore as restored};
use serde_json::{Value, json};

use super::{Place, operate};
use crate::arguments::{self, Trusted};
use crate::input;
use crate::output::Done;
use crate::progress::Progress;
use crate::render::{Render, counted, date};

pub fn receipts(place: &Place<'_>, render: &Render, receipts: arguments::Receipts) -> Result<Done, Failure> {
    let arguments::Receipts { receipt, sector, kind, before, limit } = receipts;
    let mut access = place.read(1)?;
    if let Some(receipt) = receipt {
        let receipt = access.ask(Receipt { receipt })?;
        return Ok(Done::new(render.receipt(&receipt), &receipt));
    }
    let receipts = access.ask(Receipts { sector, kind, before, limit: Some(limit) })?;
    Ok(Done::new(render.receipts(&receipts), &json!({ "receipts": receipts })))
}

pub fn verify(place: &Place<'_>, verify: arguments::Verify) -> Result<Done, Failure> {
    let checkpoint = checkpoint_of(&verify.trusted)?;
    let mut options = Options::default();
    options.history = 1;
    options.trust_root = verify.trusted.trust_root;
    options.checkpoint = checkpoint.clone();
    let mut progress = Progress::begin("verifying".into());
    let begun = Instant::now();
    let engine = place.engine(options)?;
    let options = VerifyOptions { checkpoint, without_observations: verify.without_observations };
    let verified = engine.verify(&options, &mut |at| {
        progress.at(said(&at));
        true
    })?;
    drop(progress);
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Done::new(format!("{} ({seconds:.2} s)\n", whole(&verified)), &figures(&verified)))
}

fn said(at: &VerifyProgress) -> String {
    let observations = if at.observations > 0 { format!(", {} observations", at.observations) } else { String::new() };
    let versions = if at.versions > 0 { format!(", {} versions", at.versions) } else { String::new() };
    format!("{} of {} receipts{observations}{versions}", at.receipts, at.total)
}

/// `1,204 receipts, 3 keys, 61 versions: the log is whole since 2026-08-01`
fn whole(verified: &Verified) -> String {
    let log = &verified.log;
    let mut parts =
        vec![counted(log.receipts, "receipt"), counted(log.keys, "key"), counted(verified.versions, "version")];
    if log.observations + log.dropped > 0 {
        parts.push(counted(log.observations, "observation"));
    }
    format!("{}: the log is whole since {}", parts.join(", "), date(log.first_ns))
}

fn figures(verified: &Verified) -> Value {
    let log = &verified.log;
    let root: String = log.root.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "receipts": log.receipts, "root": root, "keys": log.keys, "checkpoints": log.checkpoints,
        "observations": log.observations, "dropped_observations": log.dropped,
        "versions": verified.versions, "snapshots": verified.snapshots, "other_core": verified.other_core, "first_ns": log.first_ns, "last_ns": log.last_ns
    })
}

pub fn checkpoint(place: &Place<'_>, render: &Render, checkpoint: arguments::Checkpoint) -> Result<Done, Failure> {
    match checkpoint.components {
        Some(Some(name)) => return operate::take(place, render, name, checkpoint.full),
        Some(None) => return operate::kept(place, render),
        None => {}
    }
    let signed = place.change()?.ask(SignCheckpoint {})?;
    match checkpoint.to.output {
        None => Ok(Done::new(signed.checkpoint.clone(), &signed)),
        Some(path) => {
            input::write(&path, &signed.checkpoint)?;
            let path = path.display().to_string();
            Ok(Done::new(format!("checkpoint written to {path}: keep it elsewhere\n"), &json!({ "output": path })))
        }
    }
}

pub fn keys(place: &Place<'_>, render: &Render, keys: arguments::Keys) -> Result<Done, Failure> {
    if keys.rotate {
        let receipt = place.change()?.ask(RotateKey {})?;
        let text = format!("a new key signs from receipt {} on\n", receipt.number + 1);
        return Ok(Done::new(text, &receipt));
    }
    let keys = place.read(1)?.ask(Keys {})?;
    Ok(Done::new(render.keys(&keys), &keys))
}

pub fn backup(place: &Place<'_>, backup: arguments::Backup) -> Result<Done, Failure> {
    let mut options = Options::default();
    options.history = 1;
    let mut progress = Progress::begin("backing up".into());
    place.engine(options)?.backup(&backup.file, &mut |at| {
        progress.at(format!("{} of {} pages", at.done, at.total));
        true
    })?;
    drop(progress);
    let file = backup.file.display().to_string();
    let bytes = backup.file.metadata().map_or(0, |about| about.len());
    let text = format!("{file} written ({bytes} bytes); signing.key is not in it: keep a copy of that elsewhere\n");
    Ok(Done::new(text, &json!({ "file": file, "bytes": bytes })))
}

pub fn restore(place: &Place<'_>, render: &Render, restore: arguments::Restore) -> Result<Done, Failure> {
    let Some(file) = restore.file else {
        let name = restore.components.expect("the arguments name a backup or components");
        return operate::go_back(place, render, name);
    };
    let options =
        RestoreOptions { checkpoint: checkpoint_of(&restore.trusted)?, trust_root: restore.trusted.trust_root };
    let mut progress = Progress::begin("restoring".into());
    let verified = restored(&file, place.folder, &options, &mut |at| {
        progress.at(said(&at));
        true
    })?;
    drop(progress);
    let folder = place.folder.display().to_string();
    let text = format!("{folder} restored. {}; put signing.key into it\n", whole(&verified));
    Ok(Done::new(text, &json!({ "folder": folder, "verified": figures(&verified) })))
}

/// The checkpoint that is held.
fn checkpoint_of(trusted: &Trusted) -> Result<Option<String>, Failure> {
    let Some(path) = &trusted.checkpoint else { return Ok(None) };
    let failed = |error: std::io::Error| {
        let name = path.display().to_string();
        let status = if error.kind() == std::io::ErrorKind::NotFound { Status::NotFound } else { Status::Io };
        Failure::new(status, "read", &name, format!("the checkpoint {name} cannot be read: {error}"))
    };
    std::fs::read_to_string(path).map(Some).map_err(failed)
}
