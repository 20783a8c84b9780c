//! The rooms that a live connection is subscribed to, whatever protocol it speaks.

use super::Membership;
use crate::app::App;
use crate::events::Passing;
use crate::metrics::Transport;
use mainstay_core::api::events::{EventGap, EventMetadata, EventPosition, EventType, PublishEvent, RoomId, StreamName};
use mainstay_core::api::{Problem, RawJson};
use mainstay_core::events::{Arrival, RoomKey};
use mainstay_core::{Caller, Error, Result, Scope};
use mainstay_hub::live::{Outlet, Pending, Subscription};
use std::collections::HashMap;
use tokio::time::Instant;

/// A room of a stream, in the namespace of the caller.
pub(crate) type Place = (StreamName, RoomId);

/// Who listens, and over which connection.
#[derive(Clone, Copy)]
pub(crate) struct Listener<'a> {
    pub app: &'a App,
    pub caller: &'a Caller,
    pub outlet: &'a Outlet,
}

/// A subscription that is asked for.
pub(crate) struct Wish {
    pub place: Place,
    /// Behind which position it is to begin; with what is new where absent.
    pub from: Option<EventPosition>,
    /// Whether the caller shows in the room.
    pub present: bool,
    /// What it says of itself there.
    pub info: Option<RawJson>,
}

/// A subscription that is granted and has not begun: what the client is told of it goes before its first event.
pub(crate) struct Joining {
    place: Place,
    pending: Pending,
    membership: Membership,
    present: Option<(RoomKey, Option<RawJson>)>,
}

/// What a connection says to the others in a room.
pub(crate) struct Said {
    pub place: Place,
    /// The type of the event.
    pub kind: &'static str,
    pub payload: serde_json::Value,
    /// Over what it was said.
    pub from: Transport,
}

/// The rooms of a connection.
#[derive(Default)]
pub(crate) struct Rooms {
    /// Boxed: a table has room for four, and most connections have one.
    subscribed: HashMap<Place, Box<Subscribed>>,
    /// When it was last said that the caller is present.
    renewed: Option<Instant>,
}

/// A room that a connection is subscribed to.
struct Subscribed {
    subscription: Subscription,
    membership: Membership,
    /// Where the caller shows as present, and what it says of itself.
    present: Option<(RoomKey, Option<RawJson>)>,
    /// The position that the client was last told.
    told: Option<EventPosition>,
}

impl Joining {
    /// Behind which position it begins.
    pub(crate) fn position(&self) -> &EventPosition {
        &self.pending.position
    }

    /// Set where the position that was asked for cannot be continued.
    pub(crate) fn gap(&self) -> Option<EventGap> {
        self.pending.gap
    }
}

impl Rooms {
    pub(crate) fn len(&self) -> usize {
        self.subscribed.len()
    }

    /// Whether the caller shows as present in any.
    pub(crate) fn shows(&self) -> bool {
        self.subscribed.values().any(|subscribed| subscribed.present.is_some())
    }

    pub(crate) fn contains(&self, place: &Place) -> bool {
        self.subscribed.contains_key(place)
    }

    /// Prepares a subscription, in place of an earlier one to the same room: that one must not deliver beside it.
    ///
    /// # Errors
    /// Where the caller may not subscribe.
    pub(crate) async fn prepare(&mut self, listener: Listener<'_>, wish: Wish) -> Result<Joining> {
        let Listener { app, caller, outlet } = listener;
        let Wish { place, from, present, info } = wish;
        let services = &app.services;
        let membership = Membership::ask(services, caller, place.clone()).await?;
        let (stream, room) = place.clone();
        let key = RoomKey { namespace: caller.namespace.clone(), stream: stream.clone(), room: room.clone() };
        let pending = services.live.subscribe(outlet, key, from).await?;
        let present = match present {
            true => {
                let connection = outlet.connection().to_owned();
                let arrival = Arrival { stream, room, connection, info: info.clone() };
                Some((services.rooms.enter(caller, arrival).await?, info))
            }
            false => None,
        };
        if present.is_some() {
            // Who comes again has not left.
            self.subscribed.remove(&place);
        } else {
            self.remove(listener, &place).await;
        }
        Ok(Joining { place, pending, membership, present })
    }

    /// Begins: events from the position on go into the outlet.
    pub(crate) fn begin(&mut self, joining: Joining) {
        let Joining { place, pending, membership, present } = joining;
        if present.is_some() {
            self.renewed.get_or_insert_with(Instant::now);
        }
        let told = Some(pending.position.clone());
        let subscribed = Subscribed { subscription: pending.begin(), membership, present, told };
        self.subscribed.insert(place, Box::new(subscribed));
    }

    /// Says something else of the caller where it shows.
    ///
    /// # Errors
    /// Those of entering a room.
    pub(crate) async fn show(&mut self, listener: Listener<'_>, place: &Place, info: RawJson) -> Result<()> {
        let Some((_, said)) = self.subscribed.get_mut(place).and_then(|subscribed| subscribed.present.as_mut()) else {
            return Ok(());
        };
        *said = Some(info.clone());
        let (stream, room) = place.clone();
        let connection = listener.outlet.connection().to_owned();
        let arrival = Arrival { stream, room, connection, info: Some(info) };
        listener.app.services.rooms.enter(listener.caller, arrival).await.map(drop)
    }

    /// Ends a subscription; whether there was one.
    pub(crate) async fn remove(&mut self, listener: Listener<'_>, place: &Place) -> bool {
        let Some(subscribed) = self.subscribed.remove(place) else { return false };
        if let Some((room, _)) = &subscribed.present {
            leave(listener, room).await;
        }
        true
    }

    /// Tells the others in a room something, at whatever node they are. It does not come back to the connection.
    ///
    /// # Errors
    /// Where the caller may not speak there; those of publishing.
    pub(crate) async fn say(&self, listener: Listener<'_>, said: Said) -> Result<()> {
        let Listener { app, caller, outlet } = listener;
        let Said { place, kind, payload, from } = said;
        caller.require(Scope::EventsWrite)?;
        // Who speaks in a room is one who may hear it. A subscription has asked that already.
        if !self.contains(&place) {
            app.services.events.admit(caller, &place.0, &place.1).await?;
        }
        let bug = |cause: String| Error::bug(format!("an event of ours is not valid: {cause}"));
        let (stream, room) = place;
        let event = PublishEvent {
            id: None,
            kind: EventType::parse(kind).map_err(|cause| bug(cause.to_string()))?,
            room,
            timestamp: None,
            payload: RawJson::of(&payload).map_err(|cause| bug(cause.to_string()))?,
            metadata: EventMetadata { origin: Some(outlet.connection().to_owned()), ..EventMetadata::default() },
        };
        let passing = Passing { stream, user: caller.principal.to_string(), event };
        app.services.coalescer.publish(caller, from, passing).await.map(drop)
    }

    /// Positions that have moved since the client was told: so it can resume where its rooms were quiet.
    pub(crate) fn positions(&mut self) -> Vec<(Place, EventPosition)> {
        let moved = self.subscribed.iter_mut().filter_map(|(place, subscribed)| {
            let position = subscribed.subscription.position()?;
            if subscribed.told.as_ref() == Some(&position) {
                return None;
            }
            subscribed.told = Some(position.clone());
            Some((place.clone(), position))
        });
        moved.collect()
    }

    /// Ends the subscriptions that the caller may not have any more; which ones, and why.
    pub(crate) async fn check(&mut self, listener: Listener<'_>) -> Vec<(Place, Box<Problem>)> {
        let mut ended = Vec::new();
        for (place, subscribed) in &mut self.subscribed {
            if let Err(error) = subscribed.membership.check(&listener.app.services, listener.caller).await {
                ended.push((place.clone(), error.problem));
            }
        }
        for (place, _) in &ended {
            self.remove(listener, place).await;
        }
        ended
    }

    /// Says again that the caller is present, where it is time for that.
    pub(crate) async fn renew(&mut self, listener: Listener<'_>) {
        let Listener { app, caller, outlet } = listener;
        let services = &app.services;
        if self.renewed.is_none_or(|renewed| renewed.elapsed() < services.rooms.renew_every()) {
            return;
        }
        self.renewed = Some(Instant::now());
        let present: Vec<&(RoomKey, Option<RawJson>)> =
            self.subscribed.values().filter_map(|subscribed| subscribed.present.as_ref()).collect();
        let held: Vec<(RoomKey, String)> =
            present.iter().map(|(room, _)| (room.clone(), outlet.connection().to_owned())).collect();
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
        for (room, connection) in gone {
            let info = present.iter().find(|(known, _)| *known == room).and_then(|(_, info)| info.clone());
            let arrival = Arrival { stream: room.stream, room: room.room, connection, info };
            if let Err(error) = services.rooms.enter(caller, arrival).await {
                tracing::debug!(%error, "a connection could not come back into its room");
            }
        }
    }

    /// Ends everything.
    pub(crate) async fn leave_all(&mut self, listener: Listener<'_>) {
        // No event is delivered while the rooms are left one after the other.
        let present: Vec<RoomKey> =
            self.subscribed.drain().filter_map(|(_, subscribed)| Some(subscribed.present?.0)).collect();
        for room in &present {
            leave(listener, room).await;
        }
    }
}

/// Leaves a room. Where that fails, the caller shows there until its time is over.
async fn leave(listener: Listener<'_>, room: &RoomKey) {
    if let Err(error) = listener.app.services.rooms.leave(room, listener.outlet.connection()).await {
        tracing::debug!(%error, "a connection could not leave its room");
    }
}
