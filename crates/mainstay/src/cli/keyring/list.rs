//! `mainstay keyring list`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::keyring;
use clap::Args;
use mainstay_core::Caller;
use serde_json::{Value, json};

/// Lists the keys of the ring, never what they are; those that the store needs and the ring lacks, too.
#[derive(Debug, Args)]
pub struct List {}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let ring = keyring::find_or_make(&context.settings)?;
        let backbone = super::open(context).await?;
        let used = backbone.services.identity.seal_keys(&Caller::owner()).await;
        backbone.close().await;
        let used = used?;
        let state = |id: &str| match (ring.primary().id == id, ring.find(id).is_some()) {
            (true, _) => "primary",
            (_, true) => "older",
            _ => "missing",
        };
        let lacking = used.iter().map(String::as_str).filter(|id| ring.find(id).is_none());
        let rows: Vec<(&str, &str, bool)> =
            ring.ids().chain(lacking).map(|id| (id, state(id), used.iter().any(|used| used == id))).collect();
        let keys: Vec<Value> =
            rows.iter().map(|(id, state, used)| json!({ "id": id, "state": state, "used": used })).collect();
        let row = |(id, state, used): &(&str, &str, bool)| {
            vec![(*id).to_owned(), (*state).to_owned(), if *used { "yes" } else { "no" }.to_owned()]
        };
        let rows = || rows.iter().map(row).collect();
        context.printer.data(&json!({ "keys": keys }), || context.printer.rows(&["ID", "STATE", "USED"], rows()))
    }
}
