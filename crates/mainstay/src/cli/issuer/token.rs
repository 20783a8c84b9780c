//! `mainstay issuer token`.

use crate::cli::span::Millis;
use crate::failure::Result;
use crate::printer::Printer;
use crate::test_issuer::{TestIssuer, TokenRequest};
use clap::Args;
use mainstay_api::{InstanceId, SubjectId, TenantId, Timestamp};
use mainstay_core::{Clock, Role, SystemClock};
use serde_json::json;
use std::path::PathBuf;

/// Prints a token of an issuer for tests.
#[derive(Debug, Args)]
#[command(after_help = "Example: TOKEN=$(mainstay issuer token idp --user ada --tenant acme)")]
pub struct Token {
    /// The folder of the issuer.
    folder: PathBuf,
    /// The user.
    #[arg(long)]
    user: SubjectId,
    /// The tenant of the user.
    #[arg(long)]
    tenant: TenantId,
    /// The role of the user: owner, admin, member or viewer.
    #[arg(long, default_value = "member", value_parser = role)]
    role: Role,
    /// The instance that the user sends and receives mail as.
    #[arg(long = "instance", value_name = "INSTANCE")]
    speaks_for: Option<InstanceId>,
    /// Another audience than the usual one.
    #[arg(long)]
    audience: Option<String>,
    /// How long the token holds.
    #[arg(long, value_name = "SPAN", default_value = "1h")]
    ttl: Millis,
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).map_err(|error| error.problem.detail)
}

impl Token {
    /// Runs the command.
    pub fn run(self, printer: &Printer) -> Result {
        let now = SystemClock.now();
        let issuer = TestIssuer::open(&self.folder)?;
        let request = TokenRequest {
            user: self.user,
            tenant: self.tenant,
            role: self.role,
            instance: self.speaks_for.map(|instance| instance.as_str().to_owned()),
            audience: self.audience,
            ttl_ms: self.ttl.0,
        };
        let token = issuer.token(&request, now)?;
        let ends = Timestamp::from_millis(now.as_millis().saturating_add(request.ttl_ms));
        printer.data(&json!({ "token": token, "expires_at": ends }), || token.clone())
    }
}
