//! Whether a caller may still be subscribed to a room: asked at the beginning, and again when that may have changed.

use crate::Services;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{RoomId, StreamName};
use mainstay_core::events::RoomAccess;
use mainstay_core::{Caller, Result, Topic};
use mainstay_hub::{Wake, Watch};
use std::time::Duration;

/// A caller's admission to a room.
pub(crate) struct Membership {
    stream: StreamName,
    room: RoomId,
    /// Until when, where that is known.
    until: Option<Timestamp>,
    /// Hears of members who come and go, where only members are admitted.
    watch: Option<Watch>,
    /// Whether to ask again, because the last answer was none.
    unsure: bool,
}

impl Membership {
    /// Asks whether the caller may subscribe.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.room_forbidden`, `auth.forbidden`.
    pub(crate) async fn ask(services: &Services, caller: &Caller, room: (StreamName, RoomId)) -> Result<Self> {
        let (stream, room) = room;
        let members_only = services.events.stream(&stream)?.access == RoomAccess::Members;
        let topic = Topic::Rooms(caller.namespace.clone(), stream.clone());
        // Before the question, so that no change falls between.
        let watch = members_only.then(|| services.hub.watch(topic));
        let admitted = services.events.admit(caller, &stream, &room).await?;
        Ok(Self { stream, room, until: admitted.until, watch, unsure: false })
    }

    /// Asks again, where the answer may be another by now.
    ///
    /// # Errors
    /// Why the caller may not any more.
    pub(crate) async fn check(&mut self, services: &Services, caller: &Caller) -> Result<()> {
        let changed = match &mut self.watch {
            Some(watch) => watch.changed(Duration::ZERO).await == Wake::Changed,
            None => false,
        };
        if !changed && !self.unsure && self.until.is_none() {
            return Ok(());
        }
        match services.events.admit(caller, &self.stream, &self.room).await {
            Ok(admitted) => {
                self.until = admitted.until;
                self.unsure = false;
                Ok(())
            }
            // The store is away: a subscription outlives that as the credential does.
            Err(error) if error.problem.retryable => {
                self.unsure = true;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
