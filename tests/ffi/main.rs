//! libknhk from the outside: its header, its symbols, its layouts, and programs in C and C++ that use it.

mod autonomic;
mod checked;
mod governance;
mod header;
mod layout;
mod programs;
mod support;
mod symbols;
