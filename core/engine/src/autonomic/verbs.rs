//! The loop's verbs: see [`Engine::govern`].

use serde::Deserialize;
use serde_json::{Value, json};

use super::{CycleQuery, PatternQuery, ReplaySpan, Settings};
use crate::governance::{read, unknown, value};
use crate::{Engine, Error};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfSector {
    #[serde(default)]
    sector: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    knowledge: Value,
}

impl Engine {
    /// What a verb of the loop asks for.
    pub(crate) fn govern_loop(&self, verb: &str, request: Value) -> Result<Value, Error> {
        match verb {
            "loop_start" => read::<Settings>(verb, request).and_then(|settings| {
                self.start_loop(settings)?;
                value(&self.loop_status())
            }),
            "loop_stop" => read::<Empty>(verb, request).and_then(|Empty {}| {
                self.stop_loop()?;
                value(&self.loop_status())
            }),
            "loop_step" => {
                read::<Empty>(verb, request).and_then(|Empty {}| Ok(json!({ "cycles": value(&self.loop_step()?)? })))
            }
            "loop_status" => read::<Empty>(verb, request).and_then(|Empty {}| value(&self.loop_status())),
            "patterns" => read::<PatternQuery>(verb, request)
                .and_then(|query| Ok(json!({ "patterns": value(&self.patterns(&query)?)? }))),
            "cycles" => read::<CycleQuery>(verb, request)
                .and_then(|query| Ok(json!({ "cycles": value(&self.cycles(&query)?)? }))),
            "cycle" => read::<Named>(verb, request).and_then(|Named { id }| value(&self.cycle(&id)?)),
            "replay" => read::<ReplaySpan>(verb, request).and_then(|span| value(&self.replay(&span)?)),
            "knowledge" => {
                read::<OfSector>(verb, request).and_then(|OfSector { sector }| self.knowledge(sector.as_deref()))
            }
            "export_knowledge" => {
                read::<Empty>(verb, request).and_then(|Empty {}| Ok(json!({ "knowledge": self.export_knowledge()? })))
            }
            "import_knowledge" => read::<Import>(verb, request)
                .and_then(|Import { knowledge }| Ok(json!({ "imported": self.import_knowledge(&knowledge)? }))),
            _ => Err(unknown(verb)),
        }
    }
}
