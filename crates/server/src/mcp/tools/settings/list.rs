//! `settings_list`.

use super::view::Shown;
use crate::mcp::tools::arguments;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::documents::{CollectionName, ListDocuments};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mcp::tools) const NAME: &str = "settings_list";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The collection; settings when absent.
    collection: Option<CollectionName>,
    /// Documents on the page: 1 to 100, 20 when absent.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// The next of the page before this one.
    cursor: Option<String>,
}

/// One page of documents.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// The documents, by key.
    documents: Vec<Shown>,
    /// Pass this as cursor for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "List settings",
        text: "Lists the settings documents of the namespace, or those of another collection, by key and in pages, with \
               ******** in the place of secrets.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let collection = given.collection.unwrap_or_else(CollectionName::settings);
    let list = ListDocuments { limit: Some(arguments::limit(given.limit)?), cursor: given.cursor };
    let page = backend.documents(&collection, list).await?;
    Ok(Answer { documents: page.items.into_iter().map(Shown::of).collect(), next: page.next })
}
