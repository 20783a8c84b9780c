//! Who is in a room.

use super::{parse_member, place, topic};
use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::Error;
use mainstay_core::api::{RawJson, Timestamp};
use mainstay_core::events::{Enter, EnterOutcome, Occupant, RoomKey};
use rusqlite::{Connection, OptionalExtension, named_params};

/// See [`mainstay_core::events::RoomStore::enter`].
pub(super) fn enter(connection: &Connection, enter: &Enter, wakes: &mut Wakes) -> Outcome<EnterOutcome> {
    let (room, occupant, now) = (&enter.room, &enter.occupant, enter.now);
    let namespace = names::intern_namespace(connection, &room.namespace)?;
    let place = (namespace, room.stream.as_str(), room.room.as_str());
    let known = find(connection, place, &occupant.connection, now)?;
    if known.is_none() && count(connection, place, now)? >= enter.max_occupants {
        return Ok(EnterOutcome::Full);
    }
    let joined = !holds(connection, place, occupant.member.as_str(), now)?;
    let same = known.as_ref().filter(|known| known.member == occupant.member.as_str());
    let info = occupant.info.as_ref().map(RawJson::as_str);
    let changed = same.is_none_or(|same| same.info.as_deref() != info);
    connection.prepare_cached(include_str!("occupants_put.sql"))?.execute(named_params! {
        ":namespace": place.0,
        ":stream": place.1,
        ":room": place.2,
        ":connection": occupant.connection,
        ":member": occupant.member.as_str(),
        ":since_ms": same.map_or(occupant.since.as_millis(), |same| same.since_ms),
        ":ends_ms": now.after(enter.ttl).as_millis(),
        ":info": info,
    })?;
    if joined || (known.is_some() && changed) {
        wakes.topic(topic(room));
    }
    Ok(if joined { EnterOutcome::Joined } else { EnterOutcome::Present })
}

/// Connections to renew.
pub(super) struct Renewal {
    pub rooms: Vec<(RoomKey, String)>,
    pub now: Timestamp,
    pub ends_ms: i64,
}

/// See [`mainstay_core::events::RoomStore::renew`].
pub(super) fn renew(connection: &Connection, renewal: &Renewal) -> Outcome<Vec<(RoomKey, String)>> {
    let sql = "UPDATE room_occupants SET ends_ms = ?5
        WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND connection = ?4 AND ends_ms > ?6";
    let mut statement = connection.prepare_cached(sql)?;
    let mut gone = Vec::new();
    for (room, name) in &renewal.rooms {
        let renewed = match place(connection, room)? {
            Some(at) => statement.execute((at.0, at.1, at.2, name, renewal.ends_ms, renewal.now.as_millis()))?,
            None => 0,
        };
        if renewed == 0 {
            gone.push((room.clone(), name.clone()));
        }
    }
    Ok(gone)
}

/// See [`mainstay_core::events::RoomStore::leave`].
pub(super) fn leave(
    connection: &Connection,
    (room, name): (&RoomKey, &str),
    now: Timestamp,
    wakes: &mut Wakes,
) -> Outcome<bool> {
    let Some(at) = place(connection, room)? else { return Ok(false) };
    let known = find(connection, at, name, now)?;
    let sql = "DELETE FROM room_occupants WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND connection = ?4";
    connection.prepare_cached(sql)?.execute((at.0, at.1, at.2, name))?;
    let Some(known) = known else { return Ok(false) };
    let left = !holds(connection, at, &known.member, now)?;
    if left {
        wakes.topic(topic(room));
    }
    Ok(left)
}

/// See [`mainstay_core::events::RoomStore::occupants`].
pub(super) fn list(connection: &Connection, room: &RoomKey, limit: u32, now: Timestamp) -> Outcome<Vec<Occupant>> {
    let Some(at) = place(connection, room)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(include_str!("occupants_list.sql"))?;
    let mut rows = statement.query((at.0, at.1, at.2, now.as_millis(), limit))?;
    let mut occupants = Vec::new();
    while let Some(row) = rows.next()? {
        let info: Option<String> = row.get(3)?;
        occupants.push(Occupant {
            member: parse_member(row.get(0)?)?,
            connection: row.get(1)?,
            since: Timestamp::from_millis(row.get(2)?),
            info: info.as_deref().map(parse_info).transpose()?,
        });
    }
    Ok(occupants)
}

struct Known {
    member: String,
    since_ms: i64,
    info: Option<String>,
}

type Place<'a> = (i64, &'a str, &'a str);

fn find(connection: &Connection, at: Place<'_>, name: &str, now: Timestamp) -> Outcome<Option<Known>> {
    let sql = "SELECT member, since_ms, info FROM room_occupants
        WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND connection = ?4 AND ends_ms > ?5";
    let read = |row: &rusqlite::Row<'_>| Ok(Known { member: row.get(0)?, since_ms: row.get(1)?, info: row.get(2)? });
    let key = (at.0, at.1, at.2, name, now.as_millis());
    Ok(connection.prepare_cached(sql)?.query_row(key, read).optional()?)
}

/// How many connections are in a room.
fn count(connection: &Connection, at: Place<'_>, now: Timestamp) -> Outcome<u32> {
    let sql = "SELECT count(*) FROM room_occupants
        WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND ends_ms > ?4";
    Ok(connection.prepare_cached(sql)?.query_row((at.0, at.1, at.2, now.as_millis()), |row| row.get(0))?)
}

/// Whether a member has a connection in a room.
fn holds(connection: &Connection, at: Place<'_>, member: &str, now: Timestamp) -> Outcome<bool> {
    let sql = "SELECT 1 FROM room_occupants
        WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND member = ?4 AND ends_ms > ?5 LIMIT 1";
    Ok(connection.prepare_cached(sql)?.exists((at.0, at.1, at.2, member, now.as_millis()))?)
}

fn parse_info(text: &str) -> Outcome<RawJson> {
    RawJson::parse(text).map_err(|e| Error::inconsistent(format!("what a connection says is no JSON: {e}")).into())
}
