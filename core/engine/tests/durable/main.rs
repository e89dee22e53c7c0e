//! What survives the process, and what is found of what was done to it.

mod backup;
mod damage;
mod emergency;
mod folder;
mod keys;
mod ledger;
mod log;
mod retention;
mod scratch;
mod together;
mod trust;
mod views;
