//! What the tests of every crate stand on.
//!
//! [`fixtures`] runs real `redis-server` processes (single, cluster, Sentinel, TLS) and a proxy that cuts
//! connections at a chosen command. Nothing here is part of the product: depend on it from `[dev-dependencies]`.

pub mod fixtures;
