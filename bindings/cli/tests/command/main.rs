//! The real binary against real folders and live engines.

mod autonomic;
mod failures;
mod govern;
mod history;
mod hostile;
mod knowledge;
mod lineage;
mod live;
mod manual;
mod operate;
mod scratch;
mod socket;
mod terminal;
mod verbs;
