//! Who may be in a room.

use super::{parse_member, place, topic};
use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::MemberId;
use mainstay_core::events::{Admit, Membership, RoomKey};
use rusqlite::{Connection, OptionalExtension};

/// See [`mainstay_core::events::RoomStore::admit`].
pub(super) fn admit(connection: &Connection, admit: &Admit, wakes: &mut Wakes) -> Outcome<bool> {
    let namespace = names::intern_namespace(connection, &admit.room.namespace)?;
    let (stream, room, member) = (admit.room.stream.as_str(), admit.room.room.as_str(), admit.member.as_str());
    let known = find(connection, &admit.room, &admit.member, admit.now)?.is_some();
    if !known {
        let sql = "SELECT count(*) FROM room_members
            WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND (until_ms IS NULL OR until_ms > ?4)";
        let key = (namespace, stream, room, admit.now.as_millis());
        let count: u32 = connection.prepare_cached(sql)?.query_row(key, |row| row.get(0))?;
        if count >= admit.max_members {
            return Ok(false);
        }
    }
    let sql = "INSERT INTO room_members (namespace, stream, room, member, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT DO UPDATE SET until_ms = excluded.until_ms";
    let until_ms = admit.until.map(Timestamp::as_millis);
    connection.prepare_cached(sql)?.execute((namespace, stream, room, member, until_ms))?;
    wakes.topic(topic(&admit.room));
    Ok(true)
}

/// See [`mainstay_core::events::RoomStore::dismiss`].
pub(super) fn dismiss(
    connection: &Connection,
    (room, member): (&RoomKey, &MemberId),
    now: Timestamp,
    wakes: &mut Wakes,
) -> Outcome<bool> {
    let Some(at) = place(connection, room)? else { return Ok(false) };
    let known = find(connection, room, member, now)?.is_some();
    let sql = "DELETE FROM room_members WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND member = ?4";
    connection.prepare_cached(sql)?.execute((at.0, at.1, at.2, member.as_str()))?;
    if known {
        wakes.topic(topic(room));
    }
    Ok(known)
}

/// See [`mainstay_core::events::RoomStore::membership`].
pub(super) fn find(
    connection: &Connection,
    room: &RoomKey,
    member: &MemberId,
    now: Timestamp,
) -> Outcome<Option<Membership>> {
    let Some(at) = place(connection, room)? else { return Ok(None) };
    let sql = "SELECT until_ms FROM room_members
        WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND member = ?4 AND (until_ms IS NULL OR until_ms > ?5)";
    let key = (at.0, at.1, at.2, member.as_str(), now.as_millis());
    Ok(connection.prepare_cached(sql)?.query_row(key, |row| membership(row.get(0)?)).optional()?)
}

/// Which members to list.
pub(super) struct Page {
    pub room: RoomKey,
    pub after: Option<MemberId>,
    pub limit: u32,
    pub now: Timestamp,
}

/// See [`mainstay_core::events::RoomStore::members`].
pub(super) fn list(connection: &Connection, page: &Page) -> Outcome<Vec<(MemberId, Membership)>> {
    let Some(at) = place(connection, &page.room)? else { return Ok(Vec::new()) };
    let after = page.after.as_ref().map_or("", MemberId::as_str);
    let mut statement = connection.prepare_cached(include_str!("members_list.sql"))?;
    let mut rows = statement.query((at.0, at.1, at.2, after, page.now.as_millis(), page.limit))?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        members.push((parse_member(row.get(0)?)?, membership(row.get(1)?)?));
    }
    Ok(members)
}

fn membership(until_ms: Option<i64>) -> rusqlite::Result<Membership> {
    Ok(Membership { until: until_ms.map(Timestamp::from_millis) })
}
