//! Doctrine as people use it: rules written as text, changes judged by them, and their history.

mod conflicts;
mod documents;
mod forms;
mod history;
mod kinds;
mod support;
mod verdicts;
