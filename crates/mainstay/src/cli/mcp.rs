//! `mainstay mcp`.

use super::context::Context;
use crate::failure::{Failure, Result};
use crate::mcp::ClientBackend;
use clap::Args;
use mainstay_api::Code;
use mainstay_server::mcp::{StdioOptions, serve_stdio};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Serves the Model Context Protocol on stdin and stdout, for one agent. Ends when the agent closes its end.
#[derive(Debug, Args)]
pub struct Mcp {
    /// Check that the store or server can be reached, then end.
    #[arg(long)]
    check: bool,
}

impl Mcp {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client().await?;
        if self.check {
            client.whoami().await?;
            return context.printer.text("MCP server prerequisites met");
        }
        let instance = context.settings.instance.clone();
        if instance.is_none() {
            context.printer.note("no instance is set: mail cannot be sent; set MAINSTAY_INSTANCE to a name");
        }
        let options = StdioOptions {
            backend: Arc::new(ClientBackend::new(client.clone(), instance)),
            version: env!("CARGO_PKG_VERSION").into(),
            shutdown: CancellationToken::new(),
        };
        serve_stdio(options).await.map_err(|error| {
            let help = "Start `mainstay mcp` from an MCP client; it speaks JSON-RPC on stdin and stdout.";
            Failure::new(Code::InvalidRequest, error.to_string(), help)
        })
    }
}
