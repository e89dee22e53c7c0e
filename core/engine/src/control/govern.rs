//! The request about governance: one way for all of its verbs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Request;
use crate::{Engine, Error};

/// Does what a verb of governance asks for: see [`Engine::govern`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Govern {
    /// The verb, such as `propose`.
    pub verb: String,
    /// What the verb asks for.
    #[serde(default)]
    pub request: Value,
}

impl Request for Govern {
    const METHOD: &'static str = "govern";
    type Answer = Value;

    fn serve(self, engine: &Engine) -> Result<Value, Error> {
        engine.govern(&self.verb, self.request)
    }
}
