//! The way out: upstreams that this server asks on behalf of its callers.
//!
//! *Invariant:* what an upstream does never looks like what the store does. An upstream that is away is an error of the
//! agent, with a code of its own.

pub mod counting;
pub mod errors;
mod json;
pub mod models;
mod oauth;
mod openai;
mod protocol;
pub mod sse;
pub mod translate;
pub mod usage;

pub use oauth::HttpAuthorizer;
pub use openai::{InvalidUpstream, OpenAiAgent, OpenAiOptions};
pub use protocol::{Protocol, UnknownProtocol};
