//! Where requests are sent: addresses, connections, headers.
//!
//! *Invariant:* no credential of a client reaches an upstream, and no header that is meant for one connection passes on.

mod clients;
mod headers;
mod sending;
mod target;

pub(crate) use clients::Clients;
pub(crate) use headers::{Passed, allowed_answer_headers, allowed_request_headers};
pub(crate) use sending::{Incoming, Interrupted, Outgoing, send};
pub(crate) use target::Call;
pub use target::{HeaderRules, Speaks, Target, Way};
