//! Calls about consumer groups, and those of the consumers in them.

use crate::call::{Call, path};
use crate::{Client, Result};
use http::Method;
use mainstay_api::events::{
    AcknowledgeWork, AcknowledgedWork, BuryWork, CreateGroup, DeadChanged, DeadWork, EventToken, GroupCreated,
    GroupName, GroupRemoved, KeepWork, KeptWork, ListDead, ReleaseWork, StreamName, TakeWork, TakenWork, WorkBuried,
    WorkReleased,
};
use mainstay_api::page::Page;

/// Calls about a consumer group, see [`Client::group`].
pub struct GroupClient<'a> {
    client: &'a Client,
    stream: &'a StreamName,
    group: &'a GroupName,
}

impl Client {
    /// Calls about a consumer group of a stream.
    #[must_use]
    pub fn group<'a>(&'a self, stream: &'a StreamName, group: &'a GroupName) -> GroupClient<'a> {
        GroupClient { client: self, stream, group }
    }
}

impl GroupClient<'_> {
    /// Makes the group; one that is there is unchanged.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.too_many_groups`.
    pub async fn create(&self, create: &CreateGroup) -> Result<GroupCreated> {
        self.client.call(Call::write(Method::PUT, self.path(&[]), None)?.json(create)?).await
    }

    /// Removes the group, with what its consumers hold and with its dead.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn remove(&self) -> Result<GroupRemoved> {
        self.client.call(Call::write(Method::DELETE, self.path(&[]), None)?).await
    }

    /// Takes events, waiting for them where the request asks to. There is one attempt, whatever the options say: what an
    /// answer that was lost took comes back by its idleness, and a repetition would take more.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.group_not_found`.
    pub async fn take(&self, take: &TakeWork) -> Result<TakenWork> {
        let mut call = Call::write(Method::POST, self.path(&["take"]), None)?.json(take)?.once();
        call.wait_ms = take.wait_ms.unwrap_or(0);
        self.client.call(call).await
    }

    /// Says that a consumer still works on events; returns those that are still its own.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn keep(&self, keep: &KeepWork) -> Result<KeptWork> {
        self.post("keep", keep).await
    }

    /// Acknowledges events. Doing it twice is doing it once.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn acknowledge(&self, done: &AcknowledgeWork) -> Result<AcknowledgedWork> {
        self.post("acknowledge", done).await
    }

    /// Gives an event back, to be delivered again.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn release(&self, release: &ReleaseWork) -> Result<WorkReleased> {
        self.post("release", release).await
    }

    /// Puts an event among the dead.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn bury(&self, bury: &BuryWork) -> Result<WorkBuried> {
        self.post("bury", bury).await
    }

    /// A page of the dead.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.group_not_found`.
    pub async fn dead(&self, list: &ListDead) -> Result<Page<DeadWork>> {
        self.client.call(Call::get(self.path(&["dead"])).query(list)?).await
    }

    /// Brings a dead event back.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn revive(&self, token: EventToken) -> Result<DeadChanged> {
        let path = self.path(&["dead", &token.to_string(), "revive"]);
        self.client.call(Call::write(Method::POST, path, None)?).await
    }

    /// Forgets a dead event.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn forget(&self, token: EventToken) -> Result<DeadChanged> {
        let path = self.path(&["dead", &token.to_string()]);
        self.client.call(Call::write(Method::DELETE, path, None)?).await
    }

    async fn post<T: serde::de::DeserializeOwned>(&self, verb: &str, body: &impl serde::Serialize) -> Result<T> {
        self.client.call(Call::write(Method::POST, self.path(&[verb]), None)?.json(body)?).await
    }

    fn path(&self, rest: &[&str]) -> String {
        path(&[&["v1", "events", self.stream.as_str(), "groups", self.group.as_str()], rest].concat())
    }
}
