//! Making, removing and listing groups.

use super::{WorkPlace, WorkerService};
use crate::error::{Error, Result};
use crate::events::groups::{GroupOutcome, GroupStart};
use crate::events::refusals::too_many_groups;
use crate::events::standing::{groups_of, logs};
use crate::{Caller, Scope};
use mainstay_api::events::{
    CreateGroup, EventPosition, GroupCreated, GroupFrom, GroupList, GroupRemoved, MAX_GROUPS, StreamName,
};

impl WorkerService {
    /// Makes a group on every partition of a stream. One that is there is unchanged, and added where a partition lacks it.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.too_many_groups`, `request.invalid` for a position that is none of the stream.
    pub async fn create(&self, caller: &Caller, place: WorkPlace<'_>, create: CreateGroup) -> Result<GroupCreated> {
        caller.require(Scope::EventsAdmin)?;
        let keys = self.keys(caller, place)?;
        let start = match create.from {
            GroupFrom::Oldest => GroupStart::Oldest,
            GroupFrom::New => GroupStart::New,
            GroupFrom::After(position) => {
                let [only] = keys.as_slice() else {
                    return Err(Error::invalid(
                        "from: a position is of one partition, and the stream has several; say oldest or new",
                    ));
                };
                self.behind(&only.log, position).await?
            }
        };
        let mut created = false;
        for (nth, key) in keys.iter().enumerate() {
            let made = self.groups.create_group(key, start, MAX_GROUPS).await;
            // What was made in other partitions before stays; doing it again goes on.
            match made.map_err(|error| if nth == 0 { error } else { error.maybe_applied() })? {
                GroupOutcome::Created => created = true,
                GroupOutcome::Exists => {}
                GroupOutcome::TooMany => return Err(too_many_groups(place.stream)),
            }
        }
        Ok(GroupCreated { created })
    }

    /// Removes a group, with what its consumers hold and with its dead.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn remove(&self, caller: &Caller, place: WorkPlace<'_>) -> Result<GroupRemoved> {
        caller.require(Scope::EventsAdmin)?;
        let mut removed = false;
        for (nth, key) in self.keys(caller, place)?.iter().enumerate() {
            let gone = self.groups.remove_group(key).await;
            removed |= gone.map_err(|error| if nth == 0 { error } else { error.maybe_applied() })?;
        }
        Ok(GroupRemoved { removed })
    }

    /// The groups of a stream, by name, and how each stands.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn list(&self, caller: &Caller, stream: &StreamName) -> Result<GroupList> {
        caller.require(Scope::EventsRead)?;
        let logs = logs(&caller.namespace, stream, self.streams.require(stream)?);
        Ok(GroupList { groups: groups_of(self.groups.as_ref(), logs, self.clock.now()).await? })
    }

    /// A start behind a position, where it is one of the log as it is now.
    async fn behind(&self, log: &crate::events::LogName, position: EventPosition) -> Result<GroupStart> {
        let state = self.events.state(log).await?;
        if state.epoch != position.epoch || position.offset > state.last {
            return Err(Error::invalid(format!(
                "from: {position} is no position of the stream as it is now, which ends at {}",
                EventPosition { epoch: state.epoch, offset: state.last }
            )));
        }
        Ok(GroupStart::After(position.offset))
    }
}
