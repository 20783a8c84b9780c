//! The rooms that a connection is subscribed to.

use crate::Services;
use crate::live::Membership;
use mainstay_core::Caller;
use mainstay_core::api::RawJson;
use mainstay_core::api::events::{EventPosition, LiveMessage, RoomId, StreamName};
use mainstay_core::events::{Arrival, RoomKey};
use mainstay_hub::live::Subscription;
use std::collections::HashMap;
use tokio::time::Instant;

/// The rooms of a connection.
#[derive(Default)]
pub(super) struct Rooms {
    subscribed: HashMap<(StreamName, RoomId), Subscribed>,
    /// When it was last said that it is present.
    renewed: Option<Instant>,
}

/// A room that a connection is subscribed to.
pub(super) struct Subscribed {
    pub subscription: Subscription,
    pub membership: Membership,
    /// Where the caller shows as present, and what it says of itself.
    pub present: Option<(RoomKey, Option<RawJson>)>,
    /// The position that the client was last told.
    pub told: Option<EventPosition>,
}

impl Rooms {
    pub(super) fn len(&self) -> usize {
        self.subscribed.len()
    }

    pub(super) fn contains(&self, room: &(StreamName, RoomId)) -> bool {
        self.subscribed.contains_key(room)
    }

    pub(super) fn insert(&mut self, room: (StreamName, RoomId), subscribed: Subscribed) {
        if subscribed.present.is_some() {
            self.renewed.get_or_insert_with(Instant::now);
        }
        self.subscribed.insert(room, subscribed);
    }

    /// Ends a subscription whose caller goes on being present.
    pub(super) fn forget(&mut self, room: &(StreamName, RoomId)) {
        self.subscribed.remove(room);
    }

    /// Ends a subscription; whether there was one.
    pub(super) async fn remove(&mut self, services: &Services, room: &(StreamName, RoomId), connection: &str) -> bool {
        let Some(subscribed) = self.subscribed.remove(room) else { return false };
        if let Some((room, _)) = &subscribed.present {
            leave(services, room, connection).await;
        }
        true
    }

    /// Positions that have moved since the client was told: so it can resume where its rooms were quiet.
    pub(super) fn positions(&mut self) -> Vec<LiveMessage> {
        let moved = self.subscribed.iter_mut().filter_map(|((stream, room), subscribed)| {
            let position = subscribed.subscription.position()?;
            if subscribed.told.as_ref() == Some(&position) {
                return None;
            }
            subscribed.told = Some(position.clone());
            Some(LiveMessage::Position { stream: stream.clone(), room: room.clone(), position })
        });
        moved.collect()
    }

    /// Ends the subscriptions that the caller may not have any more, and says so.
    pub(super) async fn check(&mut self, services: &Services, caller: &Caller, connection: &str) -> Vec<LiveMessage> {
        let mut ended = Vec::new();
        for (room, subscribed) in &mut self.subscribed {
            if let Err(error) = subscribed.membership.check(services, caller).await {
                ended.push((room.clone(), error.problem));
            }
        }
        let mut told = Vec::with_capacity(ended.len());
        for (room, problem) in ended {
            self.remove(services, &room, connection).await;
            let (stream, room) = room;
            told.push(LiveMessage::Unsubscribed { id: None, stream, room, problem: Some(problem) });
        }
        told
    }

    /// Says again that the caller is present, where it is time for that.
    pub(super) async fn renew(&mut self, services: &Services, caller: &Caller, connection: &str) {
        if self.renewed.is_none_or(|renewed| renewed.elapsed() < services.rooms.renew_every()) {
            return;
        }
        self.renewed = Some(Instant::now());
        let present: Vec<&(RoomKey, Option<RawJson>)> =
            self.subscribed.values().filter_map(|subscribed| subscribed.present.as_ref()).collect();
        let held: Vec<(RoomKey, String)> =
            present.iter().map(|(room, _)| (room.clone(), connection.to_owned())).collect();
        if held.is_empty() {
            self.renewed = None;
            return;
        }
        let gone = match services.rooms.renew(&held).await {
            Ok(gone) => gone,
            Err(error) => {
                tracing::debug!(%error, "a connection could not say that it is present");
                return;
            }
        };
        for (room, _) in gone {
            let info = present.iter().find(|(known, _)| *known == room).and_then(|(_, info)| info.clone());
            let arrival = Arrival { stream: room.stream, room: room.room, connection: connection.to_owned(), info };
            if let Err(error) = services.rooms.enter(caller, arrival).await {
                tracing::debug!(%error, "a connection could not come back into its room");
            }
        }
    }

    /// Ends everything.
    pub(super) async fn leave_all(&mut self, services: &Services, connection: &str) {
        for (_, subscribed) in self.subscribed.drain() {
            if let Some((room, _)) = &subscribed.present {
                leave(services, room, connection).await;
            }
        }
    }
}

/// Leaves a room. Where that fails, the caller shows there until its time is over.
async fn leave(services: &Services, room: &RoomKey, connection: &str) {
    if let Err(error) = services.rooms.leave(room, connection).await {
        tracing::debug!(%error, "a connection could not leave its room");
    }
}
