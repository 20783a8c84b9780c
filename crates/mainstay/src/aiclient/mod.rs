//! In and out: the folder of JSON files, and the keys in Redis, of the gateway that Mainstay replaces.
//!
//! *Invariant:* what is read is carried as text: numbers, empty arrays, unknown members and their order come out as they
//! went in.

pub mod applying;
pub mod defaults;
mod finding;
pub mod folder;
mod keys;
pub mod paths;
pub mod picture;
pub mod plan;
mod pools;
pub mod redis;
pub mod report;
#[cfg(test)]
mod roundtrip;
mod state;
pub mod stored;
mod text;
pub mod writing;
