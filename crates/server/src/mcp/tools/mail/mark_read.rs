//! `mail_mark_read`.

use crate::mcp::tools::arguments::one_or_many;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::MessageId;
use mainstay_api::mail::{MarkRead, MarkedRead};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "mail_mark_read";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The messages, 1 to 1000. Ids that are not in your inbox are passed over.
    #[serde(deserialize_with = "one_or_many")]
    #[schemars(length(min = 1, max = 1_000))]
    ids: Vec<MessageId>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, MarkedRead>(Description {
        name: NAME,
        title: "Mark mail as read",
        text: "Marks messages in your inbox as read, so that mail_inbox no longer returns them as unread. It does not \
               acknowledge them.",
        effect: Effect::Settles,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<MarkedRead> {
    backend.mark_read(MarkRead { ids: given.ids }).await
}
