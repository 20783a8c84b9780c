//! `mainstay key list`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::Timestamp;
use mainstay_api::identity::ApiKey;

/// Lists the API keys, the newest first.
#[derive(Debug, Args)]
pub struct List {}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let keys = context.client_plain().await?.keys().list().await?;
        let head = ["ID", "NAME", "SCOPES", "NAMESPACES", "LAST USED", "EXPIRES", "MADE BY"];
        let rows = || keys.keys.iter().map(row).collect();
        context.printer.data(&keys, || context.printer.rows(&head, rows()))
    }
}

fn row(key: &ApiKey) -> Vec<String> {
    let moment = |at: Option<Timestamp>| at.map_or_else(|| "-".into(), Timestamp::to_seconds_text);
    let namespaces: Vec<&str> = key.namespaces.iter().map(|namespace| namespace.as_str()).collect();
    vec![
        key.id.to_string(),
        key.name.clone(),
        key.scopes.join(" "),
        if namespaces.is_empty() { "every".into() } else { namespaces.join(" ") },
        moment(key.last_used_at),
        moment(key.expires_at),
        key.created_by.clone(),
    ]
}
