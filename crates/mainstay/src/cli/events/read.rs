//! `mainstay events read`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::events::{Event, EventGap, EventPosition, ReadEvents, RoomId, StreamName};

/// Reads events that are kept, oldest first.
#[derive(Debug, Args)]
pub struct Read {
    /// The stream.
    stream: StreamName,
    /// Only events of this room.
    #[arg(long)]
    room: Option<RoomId>,
    /// Begin behind this position.
    #[arg(long, value_name = "POSITION")]
    from: Option<EventPosition>,
    /// The partition, where the stream has several and no room is named.
    #[arg(long)]
    partition: Option<u16>,
    /// Events to examine at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

impl Read {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let read = ReadEvents { from: self.from, room: self.room, partition: self.partition, limit: Some(self.limit) };
        let page = context.client().await?.events().read(&self.stream, &read).await?;
        match page.gap {
            Some(EventGap::Trimmed) => {
                context.printer.warning("events behind this position are gone: the stream was trimmed");
            }
            Some(EventGap::NewEpoch) => {
                context.printer.warning("the position is of an earlier life of the stream: what there is follows");
            }
            None => {}
        }
        if page.unreadable > 0 {
            context.printer.warning(&format!("passed over what others wrote that is no event: {}", page.unreadable));
        }
        if !context.printer.is_json() {
            let more = if page.more { "there is more" } else { "that is all" };
            context.printer.note(&format!("{more}; go on with --from {}", page.position));
            if page.events.is_empty() {
                return Ok(());
            }
        }
        let head = ["POSITION", "TIME", "TYPE", "ROOM", "ID", "PAYLOAD"];
        context.printer.data(&page, || context.printer.rows(&head, page.events.iter().map(row).collect()))
    }
}

fn row(event: &Event) -> Vec<String> {
    vec![
        event.position.to_string(),
        event.timestamp.to_millis_text(),
        one_line(event.kind.as_str()),
        one_line(event.room.as_str()),
        one_line(event.id.as_str()),
        one_line(event.payload.as_str()),
    ]
}
