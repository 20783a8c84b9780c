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

impl EventType {
    /// The types of the founding system and those that we added to them. Publishers may invent others.
    pub const KNOWN: [&'static str; 12] = [
        "chat_message",
        "typing_start",
        "typing_stop",
        "read_receipt",
        "status_change",
        "assignment_change",
        "ticket_list_update",
        "notification",
        "remote_session_start",
        "remote_session_end",
        "remote_session_reconnect",
        "remote_control_mode",
    ];

    /// Its place among the known ones.
    #[must_use]
    pub fn known(&self) -> Option<usize> {
        Self::KNOWN.iter().position(|known| *known == self.as_str())
    }
}
