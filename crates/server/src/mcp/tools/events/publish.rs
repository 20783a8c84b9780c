//! `events_publish`.

use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::events::{PublishEvent, PublishEvents, PublishedEvents, StreamName};
use mainstay_api::ids::RequestId;
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "events_publish";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The stream, such as chat, ticket or agent_updates; events_streams lists them.
    stream: StreamName,
    /// 1 to 100 events. Those of one room keep this order.
    #[schemars(length(min = 1, max = 100))]
    events: Vec<PublishEvent>,
    /// An id of your own for this call. A repetition with the same request_id publishes nothing twice.
    request_id: Option<RequestId>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, PublishedEvents>(Description {
        name: NAME,
        title: "Publish events",
        text: "Publishes events to a stream. Each is stored before this returns; whoever is live in its room has it at \
               once. An event whose id was published before is not published again. For a message to an agent use \
               mail_send.",
        effect: Effect::Adds,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<PublishedEvents> {
    backend.publish_events(given.request_id, &given.stream, PublishEvents { events: given.events }).await
}
