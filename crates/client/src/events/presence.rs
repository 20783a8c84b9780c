//! Presence, live.

use super::follow::{Events, Follow, parse};
use crate::Result;
use crate::call::{Call, path};
use eventsource_stream::Event;
use mainstay_api::Problem;
use mainstay_api::presence::PresenceEvent;

/// What happens to the presence of a namespace.
#[derive(Debug, Clone)]
pub enum PresenceChange {
    /// An instance came, changed or left. After an interruption, those that are there come again.
    Event(Box<PresenceEvent>),
    /// Everyone who was there has been named; what follows is new.
    Ready,
    /// The stream is interrupted. It resumes by itself.
    Interrupted(Box<Problem>),
}

/// Live presence.
pub type PresenceChanges = Events<PresenceChange>;

pub(crate) struct FollowPresence;

impl Follow for FollowPresence {
    type Told = PresenceChange;

    fn request(&self) -> Result<Call> {
        Ok(Call::get(path(&["v1", "presence", "events"])))
    }

    fn interrupted(problem: Box<Problem>) -> PresenceChange {
        PresenceChange::Interrupted(problem)
    }

    fn take(&mut self, event: &Event) -> Result<Option<PresenceChange>> {
        Ok(Some(match event.event.as_str() {
            "ready" => PresenceChange::Ready,
            _ => PresenceChange::Event(Box::new(parse(event)?)),
        }))
    }
}
