//! Governance at the engine: what is proposed, what becomes of it, and what it leaves behind.

mod approving;
mod crash;
mod functions;
mod life;
mod receipts;
mod scenarios;
mod shadows;
mod stages;
mod versions;
mod way_back;
mod world;
