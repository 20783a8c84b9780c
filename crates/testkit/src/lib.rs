//! What the tests of every crate stand on. Nothing here is part of the product: depend on it from
//! `[dev-dependencies]`.
//!
//! - [`fixtures`]: real `redis-server` processes (single, cluster, Sentinel, TLS) and a proxy that cuts connections at
//!   a chosen command.
//! - [`model`]: the reference model, every port in memory in the simplest way that is right.
//! - [`notary`]: a log of checkpoints in memory that tests can tamper with.
//! - [`conformance`]: what the documentation of the ports promises, as cases that run against any store.
//! - [`sequences`]: random sequences of operations, played on a store and on the model side by side.
//!
//! A store is put to the test by two lines in a file under `tests/`, with an expression that opens it:
//!
//! ```text
//! mainstay_testkit::conformance!(memory, async { Bed::new(open("sqlite::memory:").await, ()) });
//! mainstay_testkit::sequences!(memory_at_random, async { Bed::new(open("sqlite::memory:").await, ()) });
//! ```
//!
//! Each case is then a test of its own, `memory::mail::append::…`. The expression is evaluated for each of them; where
//! it cannot open the store it panics, so that a store that is not there fails and is never passed over.

pub mod conformance;
pub mod fixtures;
pub mod model;
pub mod notary;
pub mod sequences;
