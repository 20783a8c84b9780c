//! The HTTP server: an adapter that holds no state and no rules.

pub mod mcp;
