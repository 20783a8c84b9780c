//! Calls about presence.

use crate::call::{Call, path};
use crate::events::{Follow, FollowPresence, PresenceChanges};
use crate::{Client, Result};
use http::Method;
use mainstay_api::InstanceId;
use mainstay_api::presence::{Heartbeat, Instance, Presence, PresenceChanged, RegisterInstance, UnregisterInstance};

/// Calls about presence, see [`Client::presence`].
pub struct PresenceClient<'a>(pub(crate) &'a Client);

impl PresenceClient<'_> {
    /// Every instance of the namespace, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self) -> Result<Presence> {
        self.0.call(Call::get(path(&["v1", "presence"]))).await
    }

    /// One instance.
    ///
    /// # Errors
    /// `presence.not_found`.
    pub async fn instance(&self, instance: &InstanceId) -> Result<Instance> {
        self.0.call(Call::get(path(&["v1", "presence", instance.as_str()]))).await
    }

    /// Registers an instance, or replaces what is registered under its name.
    ///
    /// # Errors
    /// `presence.full`, or fields that are too long.
    pub async fn register(&self, instance: &InstanceId, details: &RegisterInstance) -> Result<Instance> {
        let path = path(&["v1", "presence", instance.as_str()]);
        self.0.call(Call::write(Method::PUT, path, None)?.json(details)?).await
    }

    /// Says that an instance is alive.
    ///
    /// # Errors
    /// `presence.full`, or a field that is too long.
    pub async fn heartbeat(&self, instance: &InstanceId, heartbeat: &Heartbeat) -> Result<PresenceChanged> {
        let path = path(&["v1", "presence", instance.as_str(), "heartbeat"]);
        self.0.call(Call::write(Method::POST, path, None)?.json(heartbeat)?).await
    }

    /// Ends a registration, where `unregister` names no run, or the one that holds the name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn unregister(&self, instance: &InstanceId, unregister: &UnregisterInstance) -> Result<PresenceChanged> {
        let path = path(&["v1", "presence", instance.as_str()]);
        self.0.call(Call::write(Method::DELETE, path, None)?.query(unregister)?).await
    }

    /// Changes of presence, live; first the instances that are there.
    #[must_use]
    pub fn events(&self) -> PresenceChanges {
        FollowPresence.events(self.0.clone())
    }
}
