//! `mainstay settings`: documents, of which settings are the usual collection.

mod delete;
mod diff;
mod edit;
mod get;
mod history;
mod list;
mod rollback;
mod schema;
mod set;
mod view;
mod watch;

use super::context::Context;
use crate::failure::Result;
use clap::{Args, Subcommand};
use mainstay_api::documents::{CollectionName, Committed, DocumentKey, Transaction, WriteDocument, WriteOp};
use mainstay_api::ids::RequestId;

/// Commands about settings, and about documents of any other collection.
#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Print a document.
    Get(get::Get),
    /// Write a document, or some of its members.
    Set(Box<set::Set>),
    /// Change a document in an editor.
    Edit(edit::Edit),
    /// Delete a document.
    Delete(delete::Delete),
    /// List documents, or collections.
    List(list::List),
    /// Show what a document was, and who changed it.
    History(history::History),
    /// Write an earlier revision of a document again.
    Rollback(rollback::Rollback),
    /// Follow what changes.
    Watch(watch::Watch),
    /// Show what a document would change, and change nothing.
    Diff(diff::Diff),
    /// Show, set or remove the JSON Schema of a collection.
    Schema(schema::Schema),
}

impl SettingsCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Get(command) => command.run(context).await,
            Self::Set(command) => command.run(context).await,
            Self::Edit(command) => command.run(context).await,
            Self::Delete(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::History(command) => command.run(context).await,
            Self::Rollback(command) => command.run(context).await,
            Self::Watch(command) => command.run(context).await,
            Self::Diff(command) => command.run(context).await,
            Self::Schema(command) => command.run(context).await,
        }
    }
}

/// Which document.
#[derive(Debug, Clone, Args)]
struct Which {
    /// The key of the document, such as main.
    key: DocumentKey,
    /// The collection.
    #[arg(long, short, default_value = "settings", value_name = "NAME")]
    collection: CollectionName,
}

impl Which {
    fn write(&self, op: WriteOp) -> WriteDocument {
        WriteDocument {
            collection: self.collection.clone(),
            key: self.key.clone(),
            op,
            value: None,
            revision: None,
            expected: None,
            ttl_ms: None,
        }
    }
}

/// Writes one document, and prints what changed.
async fn write(context: &Context<'_>, write: WriteDocument, (dry_run, request): (bool, Option<RequestId>)) -> Result {
    let committed = commit(context, write, (dry_run, request)).await?;
    context.printer.data(&committed, || view::committed(&committed))
}

async fn commit(
    context: &Context<'_>,
    write: WriteDocument,
    (dry_run, request): (bool, Option<RequestId>),
) -> Result<Committed> {
    context.ready_to_seal().await?;
    let transaction = Transaction { changes: vec![write], dry_run };
    Ok(context.client().await?.documents().write(&transaction, request).await?)
}
