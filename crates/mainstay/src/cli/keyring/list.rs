//! `mainstay keyring list`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::keyring;
use clap::Args;
use mainstay_core::Caller;
use mainstay_core::secrets::KeyRing;
use serde_json::{Value, json};

/// Lists the keys of the ring, never what they are; those that the store needs and the ring lacks, too.
#[derive(Debug, Args)]
pub struct List {}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let backbone = super::open(context).await?;
        let used = backbone.services.seal_keys(&Caller::owner()).await;
        backbone.close().await;
        let used = used?;
        let ring = match keyring::find(&context.settings)? {
            // One that is lost is shown as that, and none is made in its place.
            None if used.is_empty() => Some(keyring::find_or_make(&context.settings)?),
            found => found,
        };
        let holds = |id: &str| ring.as_ref().is_some_and(|ring| ring.find(id).is_some());
        let state = |id: &str| match ring.as_ref().is_some_and(|ring| ring.primary().id == id) {
            true => "primary",
            false if holds(id) => "older",
            false => "missing",
        };
        let lacking = used.iter().map(String::as_str).filter(|id| !holds(id));
        let rows: Vec<(&str, &str, bool)> = ring
            .iter()
            .flat_map(KeyRing::ids)
            .chain(lacking)
            .map(|id| (id, state(id), used.iter().any(|used| used == id)))
            .collect();
        let keys: Vec<Value> =
            rows.iter().map(|(id, state, used)| json!({ "id": id, "state": state, "used": used })).collect();
        let row = |(id, state, used): &(&str, &str, bool)| {
            vec![(*id).to_owned(), (*state).to_owned(), if *used { "yes" } else { "no" }.to_owned()]
        };
        let rows = || rows.iter().map(row).collect();
        context.printer.data(&json!({ "keys": keys }), || context.printer.rows(&["ID", "STATE", "USED"], rows()))
    }
}
