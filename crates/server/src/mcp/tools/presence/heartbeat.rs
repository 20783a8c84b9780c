//! `presence_heartbeat`.

use super::own;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::presence::{Heartbeat, PresenceChanged};
use rmcp::model::Tool;

pub(in crate::mcp::tools) const NAME: &str = "presence_heartbeat";

pub(super) fn tool() -> Tool {
    schema::tool::<Heartbeat, PresenceChanged>(Description {
        name: NAME,
        title: "Heartbeat",
        text: "Says that you are alive, and what you do now if you like. Call it every few minutes during long work: \
               after five minutes of silence you count as inactive.",
        effect: Effect::Settles,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Heartbeat) -> Result<PresenceChanged> {
    backend.heartbeat(own(backend)?, given).await
}
