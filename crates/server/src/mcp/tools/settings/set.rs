//! `settings_set`.

use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::documents::{
    CollectionName, Committed, Difference, DocumentKey, Transaction, WriteDocument, WriteOp,
};
use mainstay_api::ids::RequestId;
use mainstay_api::{Code, Problem, RawJson};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mcp::tools) const NAME: &str = "settings_set";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The key of the document, such as main.
    key: DocumentKey,
    /// The document as JSON text; with merge, only the members to change, where null removes one.
    json: String,
    /// The collection; settings when absent.
    collection: Option<CollectionName>,
    /// Change only the members that are given.
    #[serde(default)]
    merge: bool,
    /// The revision that it must have; 0 where it must not be there.
    expected: Option<u64>,
    /// Only say what would change.
    #[serde(default)]
    dry_run: bool,
    /// An id of this call: repeated with the same id, it is done once.
    request_id: Option<RequestId>,
}

/// What was, or would be, changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// The revision of the document now; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    /// The places that changed; of secrets only that they did.
    changes: Vec<Difference>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "Change settings",
        text: "Writes a settings document whole, or with merge only the members that are given; it is checked against \
               the schema of its collection first. A ******** that is left in its place keeps the secret behind it. Look \
               with dry_run before you change what others depend on.",
        effect: Effect::Removes,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let value = RawJson::parse(&given.json).map_err(|cause| {
        let help = "Give the document as JSON text, such as {\"port\": 8080}.";
        Box::new(Problem::new(Code::InvalidRequest, format!("json: this is no JSON: {cause}"), help))
    })?;
    let write = WriteDocument {
        collection: given.collection.unwrap_or_else(CollectionName::settings),
        key: given.key,
        op: if given.merge { WriteOp::Patch } else { WriteOp::Put },
        value: Some(value),
        revision: None,
        expected: given.expected,
        ttl_ms: None,
    };
    let transaction = Transaction { changes: vec![write], dry_run: given.dry_run };
    let Committed { position, changes, .. } = backend.write_documents(given.request_id, transaction).await?;
    Ok(Answer {
        revision: position.map(|position| position.offset.0),
        changes: changes.into_iter().flat_map(|change| change.diff).collect(),
    })
}
