//! The Model Context Protocol: tools, resources and prompts for agents, over stdio and streamable HTTP.
//!
//! Both the current protocol (2026-07-28, stateless) and the earlier ones that begin with `initialize` are spoken.
//! Nothing is kept between two requests over HTTP, so any node answers any request; over stdio the connection knows
//! which resources its client subscribed to, and no more.

mod backend;
mod changes;
mod guidance;
mod handler;
mod http;
mod local;
mod order;
mod prompts;
mod resources;
mod stdio;
mod subscriptions;
mod tools;
mod view;

pub use backend::{Backend, Result, Watched};
pub use http::{HttpOptions, http_router};
pub use local::LocalBackend;
pub use stdio::{StdioError, StdioOptions, serve_stdio, serve_streams};

use crate::Services;
use crate::access::Origin;
use mainstay_core::{Caller, Clock};
use std::sync::Arc;

/// What the adapter needs from the server that it is part of.
#[derive(Clone)]
pub struct McpParts {
    /// What the tools call, and where calls are counted.
    pub services: Arc<Services>,
    /// The clock that the age of a heartbeat is taken from.
    pub clock: Arc<dyn Clock>,
    /// The version that the server reports.
    pub version: String,
}

impl McpParts {
    /// What the tools call, on behalf of a caller within this process.
    #[must_use]
    pub fn backend(&self, caller: Caller) -> Arc<dyn Backend> {
        self.backend_from(caller, Origin { within: true, ..Origin::default() })
    }

    /// What the tools call, on behalf of a caller whose request came from there.
    fn backend_from(&self, caller: Caller, origin: Origin) -> Arc<dyn Backend> {
        Arc::new(LocalBackend::new(self.clone(), caller, origin))
    }
}
