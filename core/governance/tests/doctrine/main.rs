//! Doctrine as people use it: rules written as text, changes judged by them, and their history.

mod alone;
mod conflicts;
mod forms;
mod history;
mod kinds;
mod sectors;
mod support;
mod verdicts;
