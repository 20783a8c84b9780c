//! `mainstay gateway key list`.

use crate::cli::context::Context;
use crate::cli::gateway::money::amount;
use crate::failure::Result;
use clap::Args;
use mainstay_api::Timestamp;
use mainstay_api::gateway::{GatewayKey, ListGatewayKeys, MAX_GATEWAY_KEYS};

/// Lists the keys of the namespace, by id.
#[derive(Debug, Args)]
pub struct List {}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client_plain().await?;
        let mut list = ListGatewayKeys { cursor: None, limit: Some(MAX_GATEWAY_KEYS) };
        let mut keys = Vec::new();
        loop {
            let page = client.gateway_keys().list(&list).await?;
            keys.extend(page.items);
            match page.next {
                Some(next) => list.cursor = Some(next),
                None => break,
            }
        }
        let head = ["ID", "NAME", "STATE", "TODAY", "REQUESTS", "TOKENS", "SPENT", "LAST USED"];
        let now = context.now();
        context.printer.data(&keys, || context.printer.rows(&head, keys.iter().map(|key| row(key, now)).collect()))
    }
}

fn row(key: &GatewayKey, now: Timestamp) -> Vec<String> {
    let state = match key {
        key if key.disabled => "disabled",
        key if key.expires_at.is_some_and(|at| at <= now) => "ended",
        _ => "valid",
    };
    vec![
        key.id.to_string(),
        key.name.clone(),
        state.to_owned(),
        key.used.requests_today.to_string(),
        key.used.requests.to_string(),
        key.used.tokens.to_string(),
        amount(key.used.spent_millionths),
        key.used.last_used_at.map_or_else(|| "-".into(), Timestamp::to_seconds_text),
    ]
}
