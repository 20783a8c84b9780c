//! In and out: the folder of JSON files, and the keys in Redis, of the gateway that Mainstay replaces.
//!
//! *Invariant:* what is read is carried as text: numbers, empty arrays, unknown members and their order come out as they
//! went in.

mod finding;
pub mod folder;
pub mod paths;
pub mod picture;
mod pools;
#[cfg(test)]
mod roundtrip;
mod text;
pub mod writing;
