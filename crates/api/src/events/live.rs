//! What is said over a live connection: a WebSocket with JSON messages, or server-sent events.

use super::{Event, EventGap, EventPosition, PublishEvent, PublishedEvent, RoomId, RoomPresence, StreamName};
use crate::Problem;
use crate::raw::RawJson;
use serde::{Deserialize, Serialize};

/// Most messages of a client in one frame.
pub const MAX_LIVE_BATCH: usize = 64;

/// Which room to follow over server-sent events.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FollowRoom {
    /// The room.
    pub room: RoomId,
    /// The position behind which to begin; with what is new where absent. The header `Last-Event-ID` goes before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<EventPosition>,
    /// Whether the caller shows as present in the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub present: bool,
    /// The credential, where no header can be given.
    #[serde(default, skip_serializing)]
    pub access_token: Option<String>,
}

/// What a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveOp {
    /// Subscribe to `room` of `stream`, from behind `from` or from now on.
    Subscribe,
    /// End that.
    Unsubscribe,
    /// Publish `events` to `stream`.
    Publish,
    /// Tell the others in `room` of `stream` whether the caller types: `is_typing`.
    Typing,
    /// Tell them which messages the caller has read: `message_ids`.
    Read,
    /// Ask who is in `room` of `stream`.
    Presence,
    /// Ask for a sign of life.
    Ping,
}

/// A message of a client. Several may stand in one frame, as a list.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveRequest {
    /// What it wants.
    pub op: LiveOp,
    /// A number that the answer repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The stream; everything but `ping` names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamName>,
    /// The room; everything but `publish` and `ping` names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// `subscribe`: the position behind which to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<EventPosition>,
    /// `subscribe`: whether the caller shows as present in the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub present: bool,
    /// `subscribe`: what it says of itself there, at most 1 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<RawJson>,
    /// `publish`: 1 to 100 events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<PublishEvent>>,
    /// `typing`: whether the caller types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_typing: Option<bool>,
    /// `read`: the messages, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_ids: Option<Vec<String>>,
}

impl LiveRequest {
    /// A request about a room that says nothing else.
    #[must_use]
    pub fn about(op: LiveOp, stream: StreamName, room: RoomId) -> Self {
        Self {
            op,
            id: None,
            stream: Some(stream),
            room: Some(room),
            from: None,
            present: false,
            info: None,
            events: None,
            is_typing: None,
            message_ids: None,
        }
    }
}

/// A message of the server.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum LiveMessage {
    /// The first one.
    Welcome {
        /// The connection, which `metadata.origin` of events names.
        connection: String,
        /// The node.
        node: String,
        /// How often the server gives a sign of life when it has nothing else to say.
        keep_alive_ms: u64,
        /// The connection is closed when nothing at all was heard of the client for so long.
        idle_ms: u64,
        /// Most subscriptions of the connection.
        max_subscriptions: usize,
        /// Most bytes of a message.
        max_message_bytes: usize,
    },
    /// The subscription has begun; its events follow.
    Subscribed {
        /// The number of the request.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// The stream.
        stream: StreamName,
        /// The room.
        room: RoomId,
        /// Where it begins: behind this position.
        position: EventPosition,
        /// Set where `from` could not be continued: what was missed must be fetched from where it is kept.
        #[serde(skip_serializing_if = "Option::is_none")]
        gap: Option<EventGap>,
    },
    /// The subscription has ended, as asked, or for the reason in `problem`.
    Unsubscribed {
        /// The number of the request.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// The stream.
        stream: StreamName,
        /// The room.
        room: RoomId,
        /// Why, where nobody asked for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<Box<Problem>>,
    },
    /// An event.
    Event(Box<Event>),
    /// Events of the room were missed, and must be fetched from where they are kept. It goes on behind the position.
    Gap {
        /// The stream.
        stream: StreamName,
        /// The room.
        room: RoomId,
        /// Why.
        gap: EventGap,
        /// Where it goes on.
        position: EventPosition,
    },
    /// Events of the room were left out because the connection was slow; the last one of each type follows.
    Conflated {
        /// The stream.
        stream: StreamName,
        /// The room.
        room: RoomId,
        /// How many.
        dropped: u64,
    },
    /// Nothing of the room is missing up to here: resume from this position.
    Position {
        /// The stream.
        stream: StreamName,
        /// The room.
        room: RoomId,
        /// The position.
        position: EventPosition,
    },
    /// The events are stored.
    Published {
        /// The number of the request.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// What became of each.
        events: Vec<PublishedEvent>,
    },
    /// Who is in the room.
    Presence {
        /// The number of the request.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// The stream.
        stream: StreamName,
        /// Who is there.
        presence: RoomPresence,
    },
    /// The answer to a ping.
    Pong {
        /// The number of the request.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
    },
    /// The request was refused; the connection goes on.
    Problem {
        /// The number of the request.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// Why, and what to do.
        problem: Box<Problem>,
    },
}

/// What may be said over the WebSocket, each a text frame with one JSON document; clients may send lists of theirs.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only described")]
struct LiveProtocol {
    /// What clients say.
    client: LiveRequest,
    /// What the server says.
    server: LiveMessage,
}

/// The JSON schema of the messages of the WebSocket.
#[must_use]
pub fn live_schema() -> schemars::Schema {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<LiveProtocol>()
}
