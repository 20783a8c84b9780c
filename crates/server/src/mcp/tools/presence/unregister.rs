//! `presence_unregister`.

use super::own;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::presence::PresenceChanged;
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "presence_unregister";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The run that ends, as it registered; where another run has taken the name over, nothing changes.
    session_id: Option<String>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, PresenceChanged>(Description {
        name: NAME,
        title: "Say that you leave",
        text: "Ends your registration. Call it at the end of a session; your mail is kept.",
        effect: Effect::Removes,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<PresenceChanged> {
    backend.unregister(own(backend)?, given.session_id).await
}
