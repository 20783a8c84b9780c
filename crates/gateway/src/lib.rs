//! The way out: upstreams that this server asks on behalf of its callers.
//!
//! *Invariant:* what an upstream does never looks like what the store does. An upstream that is away is an error of the
//! agent, with a code of its own.

mod book;
pub mod counting;
pub mod errors;
mod json;
pub mod models;
mod oauth;
mod openai;
mod protocol;
mod seats;
pub mod serving;
pub mod sse;
pub mod translate;
pub mod upstream;
pub mod usage;

pub use book::Book;
pub use oauth::HttpAuthorizer;
pub use openai::{InvalidUpstream, OpenAiAgent, OpenAiOptions};
pub use protocol::{Protocol, UnknownProtocol};

/// An error with its causes: the outermost one says little.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).take(8);
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
