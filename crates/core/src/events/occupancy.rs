//! The rules of rooms: who is in them, and who may be.

use super::access::member_of;
use super::rooms::{Admit, Enter, EnterOutcome, Membership, Occupant, RoomKey, RoomStore};
use super::service::EventService;
use crate::error::{Error, Result};
use crate::{Caller, Clock, Scope};
use futures::{StreamExt, TryStreamExt, stream};
use mainstay_api::events::{
    AdmitMember, DEFAULT_ROOM_PAGE, ListMembers, MAX_ROOM_INFO_BYTES, MAX_ROOM_PAGE, MemberDismissed, MemberId,
    PresentMember, RoomId, RoomMember, RoomPresence, StreamName,
};
use mainstay_api::page::Page;
use mainstay_api::{Code, RawJson};
use std::sync::Arc;
use std::time::Duration;

/// Streams that are asked at a time who is in their rooms.
const ASKED_AT_ONCE: usize = 8;

/// What is configured about rooms.
#[derive(Debug, Clone, Copy)]
pub struct RoomRules {
    /// How long a connection is in a room without being renewed. Nodes renew theirs three times within it.
    pub ttl: Duration,
    /// Most connections in a room.
    pub max_occupants: u32,
    /// Most members of a room.
    pub max_members: u32,
    /// Passing states of a user in a room, such as who types, are at least this far apart; zero where each is published.
    pub coalescing: Duration,
}

impl Default for RoomRules {
    /// A minute; 10,000 connections; 10,000 members; a tenth of a second.
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(60),
            max_occupants: 10_000,
            max_members: 10_000,
            coalescing: Duration::from_millis(100),
        }
    }
}

/// What rooms stand on.
pub struct RoomParts {
    /// The rooms.
    pub rooms: Arc<dyn RoomStore>,
    /// The streams, and the rule who may subscribe.
    pub events: Arc<EventService>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The rules.
    pub rules: RoomRules,
}

/// Rooms: every operation, for every surface.
pub struct RoomService {
    rooms: Arc<dyn RoomStore>,
    events: Arc<EventService>,
    clock: Arc<dyn Clock>,
    rules: RoomRules,
}

/// A live connection that comes into a room.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The stream.
    pub stream: StreamName,
    /// The room.
    pub room: RoomId,
    /// The connection, unique in the installation.
    pub connection: String,
    /// What it says of itself.
    pub info: Option<RawJson>,
}

impl RoomService {
    /// Rooms on a store.
    #[must_use]
    pub fn new(parts: RoomParts) -> Self {
        let RoomParts { rooms, events, clock, rules } = parts;
        Self { rooms, events, clock, rules }
    }

    /// How often a node renews its connections.
    #[must_use]
    pub fn renew_every(&self) -> Duration {
        self.rules.ttl / 3
    }

    /// A connection of the caller is in a room, as long as it is renewed; says something else of itself where it is there.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.room_forbidden`, `events.room_full`, `request.too_large`.
    pub async fn enter(&self, caller: &Caller, arrival: Arrival) -> Result<RoomKey> {
        self.events.admit(caller, &arrival.stream, &arrival.room).await?;
        if let Some(bytes) = arrival.info.as_ref().map(|info| info.as_str().len()).filter(|b| *b > MAX_ROOM_INFO_BYTES)
        {
            return Err(Error::new(
                Code::TooLarge,
                format!(
                    "a connection says {bytes} bytes of itself in a room, at most {MAX_ROOM_INFO_BYTES} are allowed"
                ),
                "Say it in fewer words.",
            ));
        }
        let now = self.clock.now();
        let room = RoomKey { namespace: caller.namespace.clone(), stream: arrival.stream, room: arrival.room };
        let (member, connection) = (member_of(caller)?, arrival.connection);
        let occupant = Occupant { member, connection, info: arrival.info, since: now };
        let max_occupants = self.rules.max_occupants;
        let enter = Enter { room: room.clone(), occupant, ttl: self.rules.ttl, max_occupants, now };
        match self.rooms.enter(enter).await? {
            EnterOutcome::Joined | EnterOutcome::Present => Ok(room),
            EnterOutcome::Full => Err(full(&room.room, format!("{max_occupants} connections"))),
        }
    }

    /// Renews the connections of a node. Those that were gone are returned: each must enter again, which asks again whether
    /// it may.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn renew(&self, held: &[(RoomKey, String)]) -> Result<Vec<(RoomKey, String)>> {
        self.rooms.renew(held, self.rules.ttl, self.clock.now()).await
    }

    /// A connection leaves a room; whether its member has none there any more.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn leave(&self, room: &RoomKey, connection: &str) -> Result<bool> {
        self.rooms.leave(room, connection, self.clock.now()).await
    }

    /// Who is in a room, for whoever may subscribe to it.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.room_forbidden`.
    pub async fn presence(&self, caller: &Caller, stream: &StreamName, room: &RoomId) -> Result<RoomPresence> {
        self.events.admit(caller, stream, room).await?;
        let key = key(caller, stream, room);
        let mut occupants = self.rooms.occupants(&key, MAX_ROOM_PAGE + 1, self.clock.now()).await?;
        let more = occupants.len() > MAX_ROOM_PAGE as usize;
        occupants.truncate(MAX_ROOM_PAGE as usize);
        Ok(RoomPresence { room: key.room, present: by_member(occupants), more })
    }

    /// How many connections somebody has in the rooms of a stream.
    ///
    /// # Errors
    /// `events.stream_unknown`, `auth.forbidden` without the scope `events:read`.
    pub async fn connections_of(&self, caller: &Caller, stream: &StreamName, member: &MemberId) -> Result<u64> {
        caller.require(Scope::EventsRead)?;
        self.events.stream(stream)?;
        self.rooms.connections_of(&caller.namespace, stream, member, self.clock.now()).await
    }

    /// How many connections somebody has in rooms of the caller's namespace. One that is in rooms of several streams counts
    /// in each.
    ///
    /// # Errors
    /// `auth.forbidden` without the scope `events:read`.
    pub async fn connections_in_all(&self, caller: &Caller, member: &MemberId) -> Result<u64> {
        let streams: Vec<StreamName> = self.events.streams().iter().map(|(name, _)| name.clone()).collect();
        let asked = streams.into_iter().map(|stream| async move { self.connections_of(caller, &stream, member).await });
        let counted: Vec<u64> = stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await?;
        Ok(counted.iter().sum())
    }

    /// Lets somebody into a room, in place of an earlier admission.
    ///
    /// # Errors
    /// `auth.forbidden` without the scope `events:admin`, `events.stream_unknown`, `events.room_full`, `request.invalid`
    /// where it would be over already.
    pub async fn admit(
        &self,
        caller: &Caller,
        (stream, room): (&StreamName, &RoomId),
        member: MemberId,
        admit: AdmitMember,
    ) -> Result<RoomMember> {
        caller.require(Scope::EventsAdmin)?;
        self.events.stream(stream)?;
        let (room, now) = (key(caller, stream, room), self.clock.now());
        if let Some(until) = admit.until.filter(|until| *until <= now) {
            return Err(Error::invalid(format!(
                "until: {until} has passed; give a time to come, or dismiss the member"
            )));
        }
        let admitted = RoomMember { member: member.clone(), until: admit.until };
        let max_members = self.rules.max_members;
        let admit = Admit { room: room.clone(), member, until: admit.until, max_members, now };
        if !self.rooms.admit(admit).await? {
            return Err(full(&room.room, format!("{max_members} members")));
        }
        Ok(admitted)
    }

    /// Ends a membership, and with it the live subscriptions that stood on it.
    ///
    /// # Errors
    /// `auth.forbidden` without the scope `events:admin`, `events.stream_unknown`.
    pub async fn dismiss(
        &self,
        caller: &Caller,
        (stream, room): (&StreamName, &RoomId),
        member: &MemberId,
    ) -> Result<MemberDismissed> {
        caller.require(Scope::EventsAdmin)?;
        self.events.stream(stream)?;
        let room = key(caller, stream, room);
        Ok(MemberDismissed { changed: self.rooms.dismiss(&room, member, self.clock.now()).await? })
    }

    /// The members of a room, by name, for whoever may subscribe to it.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.room_forbidden`, `request.invalid` for a page that is none.
    pub async fn members(
        &self,
        caller: &Caller,
        (stream, room): (&StreamName, &RoomId),
        list: ListMembers,
    ) -> Result<Page<RoomMember>> {
        self.events.admit(caller, stream, room).await?;
        let limit = list.limit.unwrap_or(DEFAULT_ROOM_PAGE);
        if !(1..=MAX_ROOM_PAGE).contains(&limit) {
            return Err(Error::invalid(format!("limit: {limit} is not between 1 and {MAX_ROOM_PAGE}")));
        }
        let room = key(caller, stream, room);
        let mut found = self.rooms.members(&room, list.cursor.as_ref(), limit + 1, self.clock.now()).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|(member, _)| member.to_string());
        let items = found.into_iter().map(|(member, Membership { until })| RoomMember { member, until }).collect();
        Ok(Page { items, next })
    }

    /// Removes presence and memberships that are over, at most `limit` of each; for the maintenance job.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self, limit: u32) -> Result<u32> {
        self.rooms.purge(self.clock.now(), limit).await
    }
}

fn key(caller: &Caller, stream: &StreamName, room: &RoomId) -> RoomKey {
    RoomKey { namespace: caller.namespace.clone(), stream: stream.clone(), room: room.clone() }
}

/// Members from their connections, which come by member and then by arrival.
fn by_member(occupants: Vec<Occupant>) -> Vec<PresentMember> {
    let mut present: Vec<PresentMember> = Vec::new();
    for Occupant { member, info, since, .. } in occupants {
        match present.last_mut().filter(|last| last.member == member) {
            Some(last) => {
                last.connections += 1;
                last.info = info.or(last.info.take());
            }
            None => present.push(PresentMember { member, since, connections: 1, info }),
        }
    }
    present
}

fn full(room: &RoomId, of: String) -> Error {
    Error::new(
        Code::EventRoomFull,
        format!("the room {:?} has {of}, as many as it may", room.as_str()),
        "Try again when somebody has left, dismiss members who need it no more, or use several rooms.",
    )
    .retry_after_ms(1_000)
}
