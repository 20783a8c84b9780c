//! `settings_get`.

use super::view::Shown;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::documents::{CollectionName, DocumentKey};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "settings_get";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The key of the document, such as main.
    key: DocumentKey,
    /// The collection; settings when absent.
    collection: Option<CollectionName>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Shown>(Description {
        name: NAME,
        title: "Read settings",
        text: "Returns a settings document, or one of another collection, as it was written, with ******** in the place \
               of secrets.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Shown> {
    let collection = given.collection.unwrap_or_else(CollectionName::settings);
    Ok(Shown::of(backend.document(&collection, &given.key).await?))
}
