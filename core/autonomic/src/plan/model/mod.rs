//! The proposer that asks a language model, at any endpoint that speaks OpenAI's chat completions.
//!
//! What a model says is a suggestion of a stranger: the answer's form is a JSON Schema made of the parameters' bounds, so that a value out of
//! them cannot be expressed where the endpoint keeps to it ([`schema`]); the answer is read as if it did not, with limits before memory is
//! taken, and checked like any plan. Telemetry goes into the prompt as JSON in a part that says that nothing in it is an instruction.
//! Without an endpoint there is no such proposer, and the loop goes on without.

mod client;
mod prompt;
mod schema;
mod spending;

pub use client::{Endpoint, InvalidVariable, Model, Transcript};
pub use prompt::prompt;
pub use schema::schema;
pub use spending::{Caps, Spent};
