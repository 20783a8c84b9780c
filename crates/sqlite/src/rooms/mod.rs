//! Rooms on SQLite.

mod ending;
mod members;
mod occupants;

use crate::errors::Outcome;
use crate::names;
use crate::store::Store;
use crate::wakeups::Wakes;
use async_trait::async_trait;
use mainstay_core::api::events::{MemberId, StreamName};
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::events::{Admit, Enter, EnterOutcome, Membership, Occupant, RoomKey, RoomStore};
use mainstay_core::{Error, Result, Topic};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;

/// Rooms in a store.
pub(crate) struct SqliteRooms {
    store: Arc<Store>,
}

impl SqliteRooms {
    /// The rooms of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl RoomStore for SqliteRooms {
    async fn enter(&self, enter: Enter) -> Result<EnterOutcome> {
        self.store.write(move |connection, wakes| occupants::enter(connection, &enter, wakes)).await
    }

    async fn renew(
        &self,
        rooms: &[(RoomKey, String)],
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Vec<(RoomKey, String)>> {
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let renewal = occupants::Renewal { rooms: rooms.to_vec(), now, ends_ms: now.after(ttl).as_millis() };
        self.store.write(move |connection, _| occupants::renew(connection, &renewal)).await
    }

    async fn leave(&self, room: &RoomKey, connection: &str, now: Timestamp) -> Result<bool> {
        let (room, name) = (room.clone(), connection.to_owned());
        self.store.write(move |connection, wakes| occupants::leave(connection, (&room, &name), now, wakes)).await
    }

    async fn occupants(&self, room: &RoomKey, limit: u32, now: Timestamp) -> Result<Vec<Occupant>> {
        let room = room.clone();
        self.store.read(move |connection| occupants::list(connection, &room, limit, now)).await
    }

    async fn connections_of(
        &self,
        namespace: &Namespace,
        stream: &StreamName,
        member: &MemberId,
        now: Timestamp,
    ) -> Result<u64> {
        let (namespace, stream, member) = (namespace.clone(), stream.clone(), member.clone());
        self.store
            .read(move |connection| {
                let Some(namespace) = names::namespace(connection, &namespace)? else { return Ok(0) };
                let sql = "SELECT count(DISTINCT connection) FROM room_occupants
                    WHERE namespace = ?1 AND stream = ?2 AND member = ?3 AND ends_ms > ?4";
                let key = (namespace, stream.as_str(), member.as_str(), now.as_millis());
                Ok(connection.prepare_cached(sql)?.query_row(key, |row| row.get(0))?)
            })
            .await
    }

    async fn admit(&self, admit: Admit) -> Result<bool> {
        self.store.write(move |connection, wakes| members::admit(connection, &admit, wakes)).await
    }

    async fn dismiss(&self, room: &RoomKey, member: &MemberId, now: Timestamp) -> Result<bool> {
        let (room, member) = (room.clone(), member.clone());
        self.store.write(move |connection, wakes| members::dismiss(connection, (&room, &member), now, wakes)).await
    }

    async fn membership(&self, room: &RoomKey, member: &MemberId, now: Timestamp) -> Result<Option<Membership>> {
        let (room, member) = (room.clone(), member.clone());
        self.store.read(move |connection| members::find(connection, &room, &member, now)).await
    }

    async fn members(
        &self,
        room: &RoomKey,
        after: Option<&MemberId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(MemberId, Membership)>> {
        let page = members::Page { room: room.clone(), after: after.cloned(), limit, now };
        self.store.read(move |connection| members::list(connection, &page)).await
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32> {
        self.store.write(move |connection, wakes| ending::purge(connection, now, limit, wakes)).await
    }
}

/// The columns that name a room, where its namespace is known.
fn place<'a>(connection: &Connection, room: &'a RoomKey) -> Outcome<Option<(i64, &'a str, &'a str)>> {
    let namespace = names::namespace(connection, &room.namespace)?;
    Ok(namespace.map(|namespace| (namespace, room.stream.as_str(), room.room.as_str())))
}

fn topic(room: &RoomKey) -> Topic {
    Topic::Rooms(room.namespace.clone(), room.stream.clone())
}

fn parse_member(text: String) -> Outcome<MemberId> {
    MemberId::parse(text).map_err(|broken| Error::inconsistent(broken.to_string()).into())
}

/// Wakes who watches rooms, each stream once.
fn wake_streams(streams: Vec<(String, String)>, wakes: &mut Wakes) -> Outcome<()> {
    for (namespace, stream) in streams {
        let stream = StreamName::parse(stream).map_err(|broken| Error::inconsistent(broken.to_string()))?;
        wakes.topic(Topic::Rooms(names::parse_namespace(namespace)?, stream));
    }
    Ok(())
}
