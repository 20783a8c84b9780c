//! `mail_counts`.

use crate::mcp::tools::Nothing;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::mail::InboxCounts;
use rmcp::model::Tool;

pub(in crate::mcp::tools) const NAME: &str = "mail_counts";

pub(super) fn tool() -> Tool {
    schema::tool::<Nothing, InboxCounts>(Description {
        name: NAME,
        title: "Count mail",
        text: "Counts your mail: all of it, what you have not read, and what waits for your acknowledgement.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, _: Nothing) -> Result<InboxCounts> {
    backend.counts().await
}
