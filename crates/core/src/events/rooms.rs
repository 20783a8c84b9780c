//! What rooms need from a store: who is in them, and who may be.

use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::events::{MemberId, RoomId, StreamName};
use mainstay_api::{Namespace, RawJson, Timestamp};
use std::time::Duration;

/// A room of a stream in a namespace. The rooms of a stream in a namespace are one aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey {
    /// Where.
    pub namespace: Namespace,
    /// The stream.
    pub stream: StreamName,
    /// The room.
    pub room: RoomId,
}

/// One live connection in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupant {
    /// Who.
    pub member: MemberId,
    /// The connection, unique in the installation.
    pub connection: String,
    /// What it says of itself, at most 1 KiB.
    pub info: Option<RawJson>,
    /// When it came.
    pub since: Timestamp,
}

/// An arrival to store.
#[derive(Debug, Clone)]
pub struct Enter {
    /// Where.
    pub room: RoomKey,
    /// Who, and over which connection.
    pub occupant: Occupant,
    /// How long it is there without being renewed.
    pub ttl: Duration,
    /// Most connections that the room may hold.
    pub max_occupants: u32,
    /// The present.
    pub now: Timestamp,
}

/// What became of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnterOutcome {
    /// The first connection of this member in the room.
    Joined,
    /// Another connection of it was there, or this one had arrived before.
    Present,
    /// The room holds as many connections as it may.
    Full,
}

/// A membership to store.
#[derive(Debug, Clone)]
pub struct Admit {
    /// Where.
    pub room: RoomKey,
    /// Who.
    pub member: MemberId,
    /// Until when; without an end where absent.
    pub until: Option<Timestamp>,
    /// Most members that the room may have.
    pub max_members: u32,
    /// The present.
    pub now: Timestamp,
}

/// How long somebody may subscribe to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Until when; without an end where absent.
    pub until: Option<Timestamp>,
}

/// Rooms in a store. Every write is one atomic step. What ends at a moment is over at that moment, by the clock of the call,
/// whether it was removed or not.
#[async_trait]
pub trait RoomStore: Send + Sync {
    /// A connection is in a room for a time. One that is there already is renewed, keeps the time of its arrival, and says of
    /// itself what it says now. A room that is full takes no further connection. Wakes who watches the rooms of the stream,
    /// where a member joined or says something else.
    async fn enter(&self, enter: Enter) -> Result<EnterOutcome>;

    /// Renews connections in rooms, many in one call, one aggregate in one step; those that were gone are not brought back and
    /// are returned.
    async fn renew(&self, rooms: &[(RoomKey, String)], ttl: Duration, now: Timestamp)
    -> Result<Vec<(RoomKey, String)>>;

    /// A connection leaves a room; whether its member has none there any more. Wakes in that case.
    async fn leave(&self, room: &RoomKey, connection: &str, now: Timestamp) -> Result<bool>;

    /// Who is in a room, by member and then by arrival, at most `limit` connections.
    async fn occupants(&self, room: &RoomKey, limit: u32, now: Timestamp) -> Result<Vec<Occupant>>;

    /// Where a member is connected, over all rooms of a stream: how many connections, each counted once.
    async fn connections_of(
        &self,
        namespace: &Namespace,
        stream: &StreamName,
        member: &MemberId,
        now: Timestamp,
    ) -> Result<u64>;

    /// Lets a member subscribe to a room, in place of an earlier admission; `false` where the room has as many members as it
    /// may. Wakes, because an earlier end may be nearer now.
    async fn admit(&self, admit: Admit) -> Result<bool>;

    /// Ends the membership; whether there was one. Wakes, so that live subscriptions end.
    async fn dismiss(&self, room: &RoomKey, member: &MemberId, now: Timestamp) -> Result<bool>;

    /// Whether somebody is a member, and until when.
    async fn membership(&self, room: &RoomKey, member: &MemberId, now: Timestamp) -> Result<Option<Membership>>;

    /// The members of a room, in the order of the bytes of their names, behind a name.
    async fn members(
        &self,
        room: &RoomKey,
        after: Option<&MemberId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(MemberId, Membership)>>;

    /// Removes presence and memberships whose time has passed, at most `limit` of each, in any namespace; returns how many.
    /// Wakes who watches the rooms that they were in.
    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32>;
}
