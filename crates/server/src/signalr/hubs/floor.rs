//! What a client of a hub is subscribed to: groups, each of which is some rooms of streams.

use super::Told;
use super::groups::Group;
use crate::layers::timed_out;
use crate::live::{Joining, Listener, Place, Rooms, Said, Wish};
use crate::metrics::Transport;
use crate::signalr::session::Peer;
use mainstay_core::Result as CoreResult;
use mainstay_core::api::events::{EventGap, EventPosition};
use mainstay_core::api::{Code, Problem, RawJson};
use serde::Serialize;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::Mutex;

/// The subscriptions of a client. Its calls come one after the other, and each has the floor while it runs.
#[derive(Default)]
pub(crate) struct Floor(Mutex<State>);

#[derive(Default)]
struct State {
    rooms: Rooms,
    /// The groups, with the rooms of each that the client may listen to.
    groups: HashMap<Group, Vec<Place>>,
}

/// Why a client is refused something.
#[derive(Debug)]
pub(super) struct Refused {
    pub why: String,
    /// Whether asking again may help.
    pub later: bool,
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self { why, later: false }
    }
}

impl From<Refused> for String {
    fn from(refused: Refused) -> Self {
        refused.why
    }
}

/// A group that a client wants to join.
pub(super) struct Entry {
    pub group: Group,
    /// Behind which position of its first room.
    pub from: Option<EventPosition>,
    /// Whether the client shows in that room.
    pub present: bool,
    /// What it says of itself there.
    pub info: Option<RawJson>,
}

impl From<Group> for Entry {
    fn from(group: Group) -> Self {
        Self { group, from: None, present: true, info: None }
    }
}

/// Where a client stands in the room that its group is named after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Joined {
    /// What it has heard up to; absent where it had joined before.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<EventPosition>,
    /// Set where what followed the position that it gave is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<EventGap>,
}

impl Peer {
    /// Who the user is to the application: the id within its tenant.
    pub(super) fn user(&self) -> &str {
        self.caller.subject.user.as_str()
    }

    /// Joins a group. What the client is told of it goes before the group's first event.
    pub(super) async fn join<T>(&self, entry: Entry, told: T) -> Result<Joined, Refused>
    where
        T: FnOnce(&Joined) -> Result<Option<Told>, String> + Send,
    {
        let mut state = self.floor.0.lock().await;
        let places = entry.group.places()?;
        let max = self.app.config.live.max_subscriptions;
        if state.groups.len() >= max && !state.groups.contains_key(&entry.group) {
            return Err(format!("a connection is in at most {max} groups").into());
        }
        let (group, first) = (entry.group.clone(), places.first().cloned());
        let (admitted, joinings) = self.within(state.rooms.admitted(self.listener(), entry, places)).await?;
        let named = joinings.iter().find(|(place, _)| Some(place) == first.as_ref()).map(|(_, joining)| joining);
        let joined =
            Joined { position: named.map(|joining| joining.position().clone()), gap: named.and_then(Joining::gap) };
        if let Some((target, arguments)) = told(&joined)? {
            self.tell(target, arguments)?;
        }
        joinings.into_iter().for_each(|(_, joining)| state.rooms.begin(joining));
        state.groups.insert(group, admitted);
        Ok(joined)
    }

    /// Leaves a group; whether the client was in it. Rooms that another of its groups has as well stay.
    pub(super) async fn leave(&self, group: &Group) -> bool {
        let mut state = self.floor.0.lock().await;
        let State { rooms, groups } = &mut *state;
        let Some(places) = groups.remove(group) else { return false };
        for place in places {
            if !groups.values().any(|kept| kept.contains(&place)) {
                rooms.remove(self.listener(), &place).await;
            }
        }
        true
    }

    /// The groups that the client is in.
    pub(super) async fn groups(&self) -> Vec<Group> {
        self.floor.0.lock().await.groups.keys().cloned().collect()
    }

    /// Leaves every group.
    pub(super) async fn leave_all(&self) {
        let mut state = self.floor.0.lock().await;
        state.groups.clear();
        state.rooms.leave_all(self.listener()).await;
    }

    /// Tells the others in a group something, at whatever node they are.
    pub(super) async fn say(
        &self,
        group: &Group,
        (kind, payload): (&'static str, serde_json::Value),
    ) -> Result<(), String> {
        let place = group.named_after()?;
        let state = self.floor.0.lock().await;
        let said = Said { place, kind, payload, from: Transport::SignalR };
        Ok(self.within(state.rooms.say(self.listener(), said)).await?)
    }

    /// Says something else of the client in the room that a group is named after.
    pub(super) async fn show(&self, group: &Group, info: RawJson) -> Result<(), String> {
        let place = group.named_after()?;
        let mut state = self.floor.0.lock().await;
        Ok(self.within(state.rooms.show(self.listener(), &place, info)).await?)
    }

    /// Looks whether the client may still listen, and says again that it is present.
    ///
    /// # Errors
    /// Why the connection is of no use to the client any more.
    pub(crate) async fn look_after(&self) -> Result<(), String> {
        // A call that is under way has the floor. The next look is soon.
        let Ok(mut state) = self.floor.0.try_lock() else { return Ok(()) };
        let ended = state.rooms.check(self.listener()).await;
        state.rooms.renew(self.listener()).await;
        for (place, why) in ended {
            self.withdraw(&mut state, &place, &why)?;
        }
        Ok(())
    }

    /// Takes a room out of every group. One that has none left ends, which the client is told.
    fn withdraw(&self, state: &mut State, place: &Place, why: &Problem) -> Result<(), String> {
        state.groups.values_mut().for_each(|places| places.retain(|kept| kept != place));
        let over: Vec<Group> = state.groups.extract_if(|_, places| places.is_empty()).map(|(group, _)| group).collect();
        for group in over {
            let (target, arguments) = group.farewell(why).ok_or_else(|| why.detail.clone())?;
            self.tell(target, arguments)?;
        }
        Ok(())
    }

    fn listener(&self) -> Listener<'_> {
        Listener { app: &self.app, caller: &self.caller, outlet: &self.outlet }
    }

    /// Bounds the time of what a call asks of the store, and says an error as clients are told it.
    async fn within<T>(&self, asked: impl Future<Output = CoreResult<T>>) -> Result<T, Refused> {
        let limit_ms = self.app.config.request_timeout_ms;
        let answered = tokio::time::timeout(Duration::from_millis(limit_ms), asked).await;
        answered.unwrap_or_else(|_| Err(timed_out(limit_ms))).map_err(|error| {
            crate::problem::log(&error);
            Refused { later: error.problem.retryable, why: error.problem.detail }
        })
    }
}

impl Rooms {
    /// Prepares subscriptions to the rooms of a group: to those that the caller may listen to, and at least to one. A room
    /// that it listens to already goes on, unless a position says from where it is to begin again.
    async fn admitted(
        &mut self,
        listener: Listener<'_>,
        entry: Entry,
        places: Vec<Place>,
    ) -> CoreResult<(Vec<Place>, Vec<(Place, Joining)>)> {
        let Entry { group, from, present, info } = entry;
        let begins_again = from.is_some() || matches!(group, Group::Room(..));
        let (mut admitted, mut joinings, mut refused) = (Vec::new(), Vec::new(), None);
        // The room in which the client shows comes last: nobody shows where joining failed.
        for (nth, place) in places.into_iter().enumerate().rev() {
            let is_first = nth == 0;
            if self.contains(&place) && !(is_first && begins_again) {
                admitted.push(place);
                continue;
            }
            let wish = Wish {
                place: place.clone(),
                from: from.clone().filter(|_| is_first),
                present: present && is_first,
                info: info.clone().filter(|_| is_first),
            };
            match self.prepare_in_any_case(listener, wish).await {
                Ok(joining) => {
                    admitted.push(place.clone());
                    joinings.push((place, joining));
                }
                Err(error) if error.problem.retryable => return Err(error),
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if admitted.is_empty() => Err(error),
            _ => Ok((admitted, joinings)),
        }
    }

    /// Prepares a subscription whose caller does not show where the room is too full for that.
    async fn prepare_in_any_case(&mut self, listener: Listener<'_>, wish: Wish) -> CoreResult<Joining> {
        let unseen = Wish { place: wish.place.clone(), from: wish.from.clone(), present: false, info: None };
        match self.prepare(listener, wish).await {
            Err(error) if error.code() == Code::EventRoomFull => self.prepare(listener, unseen).await,
            prepared => prepared,
        }
    }
}
