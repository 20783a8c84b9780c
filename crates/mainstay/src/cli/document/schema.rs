//! `mainstay settings schema`.

use super::{Which, write};
use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use crate::printer::printable;
use clap::Args;
use mainstay_api::Code;
use mainstay_api::documents::{CollectionName, DocumentKey, WriteOp};

/// Shows the JSON Schema that documents of a collection are checked against, sets it, or removes it. What it calls
/// `writeOnly` is secret.
#[derive(Debug, Args)]
pub struct Schema {
    /// The collection.
    #[arg(default_value = "settings")]
    of: CollectionName,
    /// The schema to set; `-` reads it from stdin.
    #[arg(long, value_name = "JSON")]
    set: Option<String>,
    /// Remove the schema.
    #[arg(long, conflicts_with = "set")]
    remove: bool,
}

impl Schema {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let key = DocumentKey::parse(self.of.as_str())
            .map_err(|broken| Failure::new(Code::InvalidRequest, broken.to_string(), "Name a collection."))?;
        let which = Which { key, collection: CollectionName::schemas() };
        if let Some(text) = self.set {
            let mut change = which.write(WriteOp::Put);
            change.value = Some(super::set::document(text)?);
            return write(context, change, (false, None)).await;
        }
        if self.remove {
            return write(context, which.write(WriteOp::Delete), (false, None)).await;
        }
        let documents = context.client().await?.documents();
        let schema = documents.read(&which.collection, &which.key).await?;
        context.printer.data(&schema.value, || printable(schema.value.as_str()).into_owned())
    }
}
