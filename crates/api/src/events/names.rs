//! Names of streams, rooms, events and of those who work on them.

use crate::ids::{no_nul, word};
use crate::text::text_type;

text_type! {
    /// The name of a stream: small letters, digits, `-` and `_`.
    StreamName, "stream", 64, |value| {
        let valid = value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        valid.then_some(()).ok_or_else(|| format!("{value:?} must be small letters, digits, `-` and `_`"))
    }
}

text_type! {
    /// A room: what an event is about, and what clients subscribe to. Any text; by custom `<kind>:<id>`.
    RoomId, "room", 512, |value| no_nul(value)
}

text_type! {
    /// The id of an event, by which a repeated one is recognised; a UUID where the server makes it.
    EventId, "event id", 200, |value| no_nul(value)
}

text_type! {
    /// The type of an event, such as `chat_message`: letters, digits, `_`, `-` and `.`.
    EventType, "event type", 100, |value| {
        let valid = value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        valid.then_some(()).ok_or_else(|| format!("{value:?} must be letters, digits, `_`, `-` and `.`"))
    }
}

text_type! {
    /// The name of a consumer group.
    GroupName, "consumer group", 100, |value| word(value)
}

text_type! {
    /// The name of a consumer within its group: one process that works.
    ConsumerName, "consumer", 200, |value| no_nul(value)
}

text_type! {
    /// Somebody in a room, as the credential names them: `user:…`, `key:…`, `token:…`, `owner`, or the user's id where
    /// an application's own tokens are used.
    MemberId, "member", 800, |value| no_nul(value)
}

impl StreamName {
    /// The stream of an event type that the founding system knows (`events:chat` and so on); `chat` for any other.
    #[must_use]
    pub fn of_type(kind: &EventType) -> Self {
        let name = match kind.as_str() {
            "status_change" | "assignment_change" | "ticket_list_update" => "ticket",
            "notification" => "notification",
            "remote_session_start" | "remote_session_end" | "remote_control_mode" | "remote_session_reconnect" => {
                "remote"
            }
            _ => "chat",
        };
        Self::parse(name).expect("a constant name is valid")
    }
}
