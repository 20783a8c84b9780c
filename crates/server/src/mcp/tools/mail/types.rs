//! `mail_types`.

use crate::mcp::tools::Nothing;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::mail::MessageTypes;
use rmcp::model::Tool;

pub(in crate::mcp::tools) const NAME: &str = "mail_types";

pub(super) fn tool() -> Tool {
    schema::tool::<Nothing, MessageTypes>(Description {
        name: NAME,
        title: "Message types",
        text: "Lists the types that a message may have: the known ones, and those configured on the server.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, _: Nothing) -> Result<MessageTypes> {
    backend.types().await
}
