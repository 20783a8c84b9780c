//! `mainstay logout`.

use super::context::Context;
use crate::failure::Result;
use crate::session_file;
use clap::Args;
use mainstay_client::ClientError;
use serde_json::json;

/// Ends the session of `mainstay login`, here and at the server.
#[derive(Debug, Args)]
pub struct Logout {}

impl Logout {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        if context.settings.token.is_none() && session_file::find(&context.settings)?.is_none() {
            context.printer.note("nobody was logged in");
            return Ok(());
        }
        let ended = context.client_plain().await?.account().logout().await;
        // One that the server does not know any more has ended, and must not stand in the way of the next.
        match ended {
            Err(ClientError::Problem(problem)) if problem.status == 401 => {}
            ended => ended?,
        }
        session_file::forget(&context.settings)?;
        context.printer.data(&json!({ "logged_out": true }), || "logged out".into())
    }
}
