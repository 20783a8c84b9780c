//! What the cases of rooms write with: the rooms of a stream in a namespace, and short words for long structures.

use crate::conformance::Bed;
use mainstay_core::Topic;
use mainstay_core::api::events::{MemberId, RoomId, StreamName};
use mainstay_core::api::{Namespace, RawJson, Timestamp};
use mainstay_core::events::{Admit, Enter, EnterOutcome, Membership, Occupant, RoomKey, RoomStore};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection is in a room without being renewed.
pub(super) const TTL: Duration = Duration::from_secs(30);
/// The same, in milliseconds.
pub(super) const TTL_MS: i64 = 30_000;

/// The rooms of a stream in a namespace.
#[derive(Clone)]
pub(super) struct House {
    pub store: Arc<dyn RoomStore>,
    pub namespace: Namespace,
    pub stream: StreamName,
    pub now: Timestamp,
    /// Most connections of a room, and most members.
    pub most: u32,
}

impl House {
    pub fn new(bed: &Bed) -> Self {
        Self::at(bed, bed.now())
    }

    pub fn at(bed: &Bed, now: Timestamp) -> Self {
        let (store, namespace) = (bed.stores().rooms.clone(), bed.namespace());
        Self { store, namespace, stream: stream("chat"), now, most: 1_000 }
    }

    /// The same rooms, later.
    pub fn later(&self, millis: i64) -> Self {
        Self { now: at(self.now, millis), ..self.clone() }
    }

    pub fn topic(&self) -> Topic {
        Topic::Rooms(self.namespace.clone(), self.stream.clone())
    }

    pub fn room(&self, room: &str) -> RoomKey {
        let room = RoomId::parse(room).expect("a room");
        RoomKey { namespace: self.namespace.clone(), stream: self.stream.clone(), room }
    }

    pub async fn enter(&self, room: &str, who: &str, connection: &str) -> EnterOutcome {
        self.enter_saying(room, occupant(who, connection, None)).await
    }

    pub async fn enter_saying(&self, room: &str, occupant: Occupant) -> EnterOutcome {
        let occupant = Occupant { since: self.now, ..occupant };
        let enter = Enter { room: self.room(room), occupant, ttl: TTL, max_occupants: self.most, now: self.now };
        self.store.enter(enter).await.expect("enter")
    }

    /// Renews connections in rooms; those that were gone.
    pub async fn renew(&self, held: &[(&str, &str)]) -> Vec<(String, String)> {
        let held: Vec<(RoomKey, String)> =
            held.iter().map(|(room, connection)| (self.room(room), (*connection).to_owned())).collect();
        let gone = self.store.renew(&held, TTL, self.now).await.expect("renew");
        gone.into_iter().map(|(key, connection)| (key.room.into(), connection)).collect()
    }

    pub async fn leave(&self, room: &str, connection: &str) -> bool {
        self.store.leave(&self.room(room), connection, self.now).await.expect("leave")
    }

    pub async fn occupants(&self, room: &str) -> Vec<Occupant> {
        self.store.occupants(&self.room(room), 1_000, self.now).await.expect("occupants")
    }

    /// Who is in a room: `who/connection`.
    pub async fn names(&self, room: &str) -> Vec<String> {
        let occupants = self.occupants(room).await.into_iter();
        occupants.map(|occupant| format!("{}/{}", occupant.member, occupant.connection)).collect()
    }

    pub async fn connections_of(&self, who: &str) -> u64 {
        let who = member(who);
        let counted = self.store.connections_of(&self.namespace, &self.stream, &who, self.now);
        counted.await.expect("connections of a member")
    }

    pub async fn admit(&self, room: &str, who: &str, until: Option<i64>) -> bool {
        let until = until.map(|millis| at(self.now, millis));
        let (room, member) = (self.room(room), member(who));
        self.store.admit(Admit { room, member, until, max_members: self.most, now: self.now }).await.expect("admit")
    }

    pub async fn dismiss(&self, room: &str, who: &str) -> bool {
        self.store.dismiss(&self.room(room), &member(who), self.now).await.expect("dismiss")
    }

    pub async fn membership(&self, room: &str, who: &str) -> Option<Membership> {
        self.store.membership(&self.room(room), &member(who), self.now).await.expect("membership")
    }

    pub async fn members(&self, room: &str) -> Vec<String> {
        self.members_behind(room, None, 1_000).await
    }

    pub async fn members_behind(&self, room: &str, behind: Option<&str>, limit: u32) -> Vec<String> {
        let behind = behind.map(member);
        let members = self.store.members(&self.room(room), behind.as_ref(), limit, self.now).await.expect("members");
        members.into_iter().map(|(member, _)| member.into()).collect()
    }

    /// Removes everything that is over.
    pub async fn purge(&self) -> u32 {
        let mut removed = 0;
        loop {
            match self.store.purge(self.now, 100).await.expect("purge") {
                0 => return removed,
                some => removed += some,
            }
        }
    }
}

pub(super) fn at(now: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(now.as_millis() + millis)
}

pub(super) fn stream(name: &str) -> StreamName {
    StreamName::parse(name).expect("a name of a stream")
}

pub(super) fn member(name: &str) -> MemberId {
    MemberId::parse(name).expect("a member")
}

/// A connection that came at the beginning of time, which whoever lets it in corrects.
pub(super) fn occupant(who: &str, connection: &str, info: Option<&str>) -> Occupant {
    Occupant {
        member: member(who),
        connection: connection.to_owned(),
        info: info.map(|text| RawJson::parse(text).expect("JSON")),
        since: Timestamp::from_millis(0),
    }
}
