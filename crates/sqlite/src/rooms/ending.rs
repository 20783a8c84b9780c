//! Removing what is over.

use super::wake_streams;
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use mainstay_core::api::Timestamp;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// See [`mainstay_core::events::RoomStore::purge`].
pub(super) fn purge(connection: &Connection, now: Timestamp, limit: u32, wakes: &mut Wakes) -> Outcome<u32> {
    let mut removed = 0;
    let mut streams = BTreeSet::new();
    for (select, delete) in [
        (
            include_str!("occupants_over.sql"),
            "DELETE FROM room_occupants WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND connection = ?4",
        ),
        (
            include_str!("members_over.sql"),
            "DELETE FROM room_members WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND member = ?4",
        ),
    ] {
        let over: Vec<Over> = connection
            .prepare_cached(select)?
            .query_map((now.as_millis(), limit), Over::read)?
            .collect::<Result<_, _>>()?;
        let mut statement = connection.prepare_cached(delete)?;
        for Over { namespace, stream, room, who, name } in over {
            removed += u32::try_from(statement.execute((namespace, &stream, room, who))?).unwrap_or(1);
            streams.insert((name, stream));
        }
    }
    wake_streams(streams.into_iter().collect(), wakes)?;
    Ok(removed)
}

/// A connection or a member whose time has passed, and the name of its namespace.
struct Over {
    namespace: i64,
    stream: String,
    room: String,
    who: String,
    name: String,
}

impl Over {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { namespace: row.get(0)?, stream: row.get(1)?, room: row.get(2)?, who: row.get(3)?, name: row.get(4)? })
    }
}
