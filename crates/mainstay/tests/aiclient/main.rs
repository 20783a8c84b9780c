//! Settings of the gateway that Mainstay replaces, in and out, on both stores.

#[path = "../common/mod.rs"]
mod common;
mod defects;
mod first;
mod generated;
mod pools;
mod sample;
mod site;
