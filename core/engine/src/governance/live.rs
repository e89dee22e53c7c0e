//! Verbs over what is on its way to everyone: canaries, schedules, probations, several sectors at once.

use serde::Deserialize;
use serde_json::{Value, json};

use super::govern::{read, value};
use super::{EnactedVersion, ScheduleChange, SectorChange, StartCanary};
use crate::control::VersionEntry;
use crate::{Engine, Error, Origin, VersionInfo};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    id: String,
    #[serde(default)]
    adopt: bool,
    #[serde(default)]
    by: String,
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Together {
    changes: Vec<SectorChange>,
    #[serde(default)]
    by: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    major: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Back {
    sectors: Vec<Target>,
    /// Before anything is written.
    #[serde(default)]
    emergency: bool,
    #[serde(default)]
    by: String,
    #[serde(default)]
    why: String,
}

/// A sector and a reference to the version that it goes back to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    sector: String,
    version: String,
}

impl Engine {
    /// The verbs of this file; none for another.
    pub(super) fn govern_live(&self, verb: &str, request: Value) -> Option<Result<Value, Error>> {
        Some(match verb {
            "canary" => read::<StartCanary>(verb, request).and_then(|asked| value(&self.start_canary(&asked)?)),
            "stop_canary" => read::<Stop>(verb, request)
                .and_then(|stop| value(&self.stop_canary(&stop.id, stop.adopt, &stop.by, &stop.why)?)),
            "canaries" => {
                read::<Empty>(verb, request).and_then(|Empty {}| Ok(json!({ "canaries": value(&self.canaries()?)? })))
            }
            "schedule" => read::<ScheduleChange>(verb, request).and_then(|asked| value(&self.schedule(&asked)?)),
            "unschedule" => {
                read::<Stop>(verb, request).and_then(|stop| value(&self.unschedule(&stop.id, &stop.by, &stop.why)?))
            }
            "schedules" => {
                read::<Empty>(verb, request).and_then(|Empty {}| Ok(json!({ "schedules": value(&self.schedules()?)? })))
            }
            "probations" => read::<Empty>(verb, request)
                .and_then(|Empty {}| Ok(json!({ "probations": value(&self.probations()?)? }))),
            "promote_together" => read::<Together>(verb, request).and_then(|asked| {
                let Together { changes, by, why, major } = asked;
                let versions = self.promote_together(&changes, Origin { by, why, major, ..Origin::default() })?;
                told(changes.iter().map(|change| change.sector.as_str()), &versions)
            }),
            "rollback_together" => read::<Back>(verb, request).and_then(|asked| {
                let target =
                    |target: &Target| Ok((target.sector.clone(), self.resolve(&target.sector, &target.version)?));
                let targets = asked.sectors.iter().map(target).collect::<Result<Vec<_>, Error>>()?;
                let origin = Origin { by: asked.by, why: asked.why, ..Origin::default() };
                let versions = match asked.emergency {
                    true => self.emergency_rollback_together(&targets, origin)?,
                    false => self.rollback_together(&targets, origin)?,
                };
                told(targets.iter().map(|(sector, _)| sector.as_str()), &versions)
            }),
            _ => return None,
        })
    }
}

fn told<'s>(sectors: impl Iterator<Item = &'s str>, versions: &[VersionInfo]) -> Result<Value, Error> {
    let of = |(sector, version): (&str, &VersionInfo)| EnactedVersion {
        sector: sector.into(),
        version: VersionEntry::from(version),
    };
    let versions: Vec<EnactedVersion> = sectors.zip(versions).map(of).collect();
    Ok(json!({ "versions": value(&versions)? }))
}
