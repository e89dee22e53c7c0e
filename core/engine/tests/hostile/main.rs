//! A model that answers whatever it likes never gets anything promoted that the specification refuses.

mod generate;
mod plans;
mod round;
#[path = "../../../autonomic/tests/model/server.rs"]
mod server;
#[path = "../autonomic/traffic.rs"]
#[allow(dead_code, reason = "the tests of the loop use the rest")]
mod traffic;
#[allow(dead_code, reason = "who answers for a rule is looked at where the stages are")]
#[path = "../../../governance/src/spec/values.rs"]
mod values;
mod whole;
#[path = "../governance/world.rs"]
#[allow(dead_code, reason = "the tests of governance use the rest")]
mod world;
