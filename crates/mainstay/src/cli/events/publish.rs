//! `mainstay events publish`.

use crate::cli::context::Context;
use crate::cli::conversation::input;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::events::{EventId, EventMetadata, EventType, PublishEvent, PublishEvents, RoomId, StreamName};
use mainstay_api::ids::RequestId;
use mainstay_api::{Code, RawJson, Timestamp};

/// Publishes an event, or several.
#[derive(Debug, Args)]
pub struct Publish {
    /// The stream.
    stream: StreamName,
    /// What happened: a JSON object; `-` reads it from stdin.
    #[arg(required_unless_present = "events", requires_all = ["room", "kind"])]
    payload: Option<String>,
    /// What it is about, such as request:42.
    #[arg(long)]
    room: Option<RoomId>,
    /// The type, such as chat_message.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<EventType>,
    /// The id: an event of this id is published once.
    #[arg(long)]
    id: Option<EventId>,
    /// When it happened, RFC 3339; now when absent.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The trace that it belongs to.
    #[arg(long, value_name = "ID")]
    trace_id: Option<String>,
    /// The events as a JSON list, in the place of one; `-` reads it from stdin.
    #[arg(long, value_name = "JSON", conflicts_with_all = ["payload", "room", "kind", "id", "at", "trace_id"])]
    events: Option<String>,
    /// An id of this call: repeated with the same id, it publishes nothing twice.
    #[arg(long, value_name = "ID")]
    request_id: Option<RequestId>,
}

impl Publish {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let (stream, request_id) = (self.stream.clone(), self.request_id.clone());
        let publish = PublishEvents { events: self.events()? };
        let published = context.client().await?.events().publish(&stream, &publish, request_id).await?;
        context.printer.data(&published, || {
            let line = |event: &mainstay_api::events::PublishedEvent| {
                let repeated = if event.duplicate { "\tpublished before" } else { "" };
                format!("{}{repeated}", event.position)
            };
            published.events.iter().map(line).collect::<Vec<_>>().join("\n")
        })
    }

    fn events(self) -> Result<Vec<PublishEvent>> {
        if let Some(events) = self.events {
            return input::document(events);
        }
        let (Some(payload), Some(room), Some(kind)) = (self.payload, self.room, self.kind) else {
            let help = "Give --room, --type and a JSON object.";
            return Err(Failure::new(Code::InvalidRequest, "there is nothing to publish", help));
        };
        let payload = RawJson::parse(&input::text(payload)?).map_err(|cause| {
            let help = "Give a JSON object, such as '{\"text\": \"hello\"}'.";
            Failure::new(Code::InvalidRequest, format!("the payload is no JSON: {cause}"), help)
        })?;
        let metadata = EventMetadata { trace_id: self.trace_id, ..EventMetadata::default() };
        Ok(vec![PublishEvent { id: self.id, kind, room, timestamp: self.at, payload, metadata }])
    }
}
