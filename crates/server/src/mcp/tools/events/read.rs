//! `events_read`.

use crate::mcp::tools::arguments;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::events::{EventPage, EventPosition, ReadEvents, RoomId, StreamName};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "events_read";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The stream; events_streams lists them.
    stream: StreamName,
    /// Only events of this room, such as request:42. Without it, those of every room, which not everybody may read.
    room: Option<RoomId>,
    /// The position behind which to begin, as an earlier answer gave it; the oldest event kept when absent.
    from: Option<EventPosition>,
    /// The partition to read, where the stream has several and no room is given.
    partition: Option<u16>,
    /// Events to examine at most: 1 to 100, 20 when absent.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, EventPage>(Description {
        name: NAME,
        title: "Read events",
        text: "Reads events of a stream behind a position, oldest first. Give the returned position as `from` to go on. A \
               `gap` says that something behind `from` is gone.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<EventPage> {
    let limit = Some(arguments::limit(given.limit)?);
    let read = ReadEvents { from: given.from, room: given.room, partition: given.partition, limit };
    backend.read_events(&given.stream, read).await
}
