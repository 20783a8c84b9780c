//! Pools of providers, and settings, on a Redis that goes away: by a clock of the test, one look at a time.

mod node;
mod pools;
mod settings;
