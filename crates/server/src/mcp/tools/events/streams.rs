//! `events_streams`.

use crate::mcp::tools::Nothing;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::events::StreamList;
use rmcp::model::Tool;

pub(in crate::mcp::tools) const NAME: &str = "events_streams";

pub(super) fn tool() -> Tool {
    schema::tool::<Nothing, StreamList>(Description {
        name: NAME,
        title: "Streams of events",
        text: "Lists the streams that events can be published to and read from, and what each holds.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, _given: Nothing) -> Result<StreamList> {
    backend.event_streams().await
}
