//! The way out: upstreams that this server asks on behalf of its callers.
//!
//! *Invariant:* what an upstream does never looks like what the store does. An upstream that is away is an error of the
//! agent, with a code of its own.

mod book;
pub mod checking;
pub mod counting;
pub mod errors;
mod insist;
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

pub use book::{Book, UsualTimeouts};
pub use insist::insist;
pub use oauth::HttpAuthorizer;
pub use openai::{InvalidUpstream, OpenAiAgent, OpenAiOptions};
pub use protocol::{Protocol, UnknownProtocol};

use url::{Host, Url};

/// An error with its causes: the outermost one says little.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).take(8);
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Whether an address is that of this machine, which is reached in plain text and never by way of a proxy.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
