//! The rules of presence.

use super::port::{Beat, BeatOutcome, PresenceRow, PresenceStore, Register, RegisterOutcome};
use crate::error::{Error, Result};
use crate::{Caller, Clock, Scope};
use mainstay_api::presence::{
    Heartbeat, Instance, MAX_CAPABILITIES, MAX_FIELD_BYTES, Presence, PresenceChanged, PresenceEvent, PresenceState,
    RegisterInstance,
};
use mainstay_api::{Code, InstanceId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is configured about presence.
#[derive(Debug, Clone, Copy)]
pub struct PresenceRules {
    /// Silence after which an instance counts as inactive, in milliseconds.
    pub inactive_after_ms: i64,
    /// Silence after which it is forgotten, in milliseconds.
    pub gone_after_ms: i64,
    /// Most instances of a namespace.
    pub max_instances: u32,
}

impl Default for PresenceRules {
    /// 5 minutes, as the original; 24 hours; 10,000 instances.
    fn default() -> Self {
        Self { inactive_after_ms: 5 * 60 * 1_000, gone_after_ms: 24 * 60 * 60 * 1_000, max_instances: 10_000 }
    }
}

/// Presence: every operation, for every surface.
pub struct PresenceService {
    store: Arc<dyn PresenceStore>,
    clock: Arc<dyn Clock>,
    rules: PresenceRules,
}

impl PresenceService {
    /// Presence on a store.
    #[must_use]
    pub fn new(store: Arc<dyn PresenceStore>, clock: Arc<dyn Clock>, rules: PresenceRules) -> Self {
        Self { store, clock, rules }
    }

    /// Registers an instance: the caller's own, or any where the caller may act as any.
    ///
    /// # Errors
    /// `presence.full`, or fields that are too long.
    pub async fn register(
        &self,
        caller: &Caller,
        instance: &InstanceId,
        details: RegisterInstance,
    ) -> Result<Instance> {
        self.may_change(caller, instance)?;
        check(&details)?;
        let now = self.clock.now();
        let register = Register {
            namespace: caller.namespace.clone(),
            instance: instance.clone(),
            details: details.clone(),
            now,
            max_instances: self.rules.max_instances,
        };
        match self.store.register(register).await? {
            RegisterOutcome::Registered => {
                tracing::info!(%instance, "instance registered");
                let row = PresenceRow { instance: instance.clone(), details, registered_at: now, last_beat: now };
                Ok(self.instance(row, now))
            }
            RegisterOutcome::Full => Err(self.full()),
        }
    }

    /// Records a sign of life. An instance that is not registered is registered by it.
    ///
    /// # Errors
    /// `presence.full`, or a field that is too long.
    pub async fn heartbeat(
        &self,
        caller: &Caller,
        instance: &InstanceId,
        heartbeat: Heartbeat,
    ) -> Result<PresenceChanged> {
        self.may_change(caller, instance)?;
        field("current_work", heartbeat.current_work.as_deref())?;
        field("session_id", heartbeat.session_id.as_deref())?;
        let now = self.clock.now();
        let beat = Beat {
            namespace: caller.namespace.clone(),
            instance: instance.clone(),
            session_id: heartbeat.session_id,
            current_work: heartbeat.current_work,
            now,
            max_instances: self.rules.max_instances,
        };
        match self.store.beat(beat).await? {
            BeatOutcome::Beaten => Ok(PresenceChanged { changed: true, at: now }),
            BeatOutcome::Superseded => Ok(PresenceChanged { changed: false, at: now }),
            BeatOutcome::Full => Err(self.full()),
        }
    }

    /// Every instance that is not gone, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, caller: &Caller) -> Result<Presence> {
        caller.require(Scope::PresenceRead)?;
        let now = self.clock.now();
        let rows = self.store.list(&caller.namespace).await?;
        let kept = |row: &PresenceRow| silence_ms(row.last_beat, now) < self.rules.gone_after_ms;
        Ok(Presence { instances: rows.into_iter().filter(kept).map(|row| self.instance(row, now)).collect() })
    }

    /// One instance.
    ///
    /// # Errors
    /// `presence.not_found`.
    pub async fn read(&self, caller: &Caller, instance: &InstanceId) -> Result<Instance> {
        let all = self.list(caller).await?;
        all.instances.into_iter().find(|found| found.instance == *instance).ok_or_else(|| {
            Error::new(
                Code::PresenceNotFound,
                format!("no instance {:?} is registered in this namespace", instance.as_str()),
                "List the instances with `mainstay agent list`.",
            )
        })
    }

    /// Ends a registration.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn unregister(
        &self,
        caller: &Caller,
        instance: &InstanceId,
        session_id: Option<&str>,
    ) -> Result<PresenceChanged> {
        self.may_change(caller, instance)?;
        let changed = self.store.unregister(&caller.namespace, instance, session_id).await?;
        tracing::info!(%instance, changed, "instance unregistered");
        Ok(PresenceChanged { changed, at: self.clock.now() })
    }

    /// Forgets instances that are gone, at most `limit`; for the maintenance job.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self, limit: u32) -> Result<u32> {
        let before = Timestamp::from_millis(self.clock.now().as_millis() - self.rules.gone_after_ms);
        self.store.purge(before, limit).await
    }

    /// How long until the list changes by the passage of time alone, in milliseconds; `None` where it will not.
    #[must_use]
    pub fn next_change_ms(&self, presence: &Presence) -> Option<u64> {
        let now = self.clock.now();
        let due = |instance: &Instance| {
            let limit = match instance.state {
                PresenceState::Active => self.rules.inactive_after_ms,
                PresenceState::Inactive => self.rules.gone_after_ms,
            };
            u64::try_from(limit - silence_ms(instance.last_heartbeat, now)).unwrap_or(0)
        };
        presence.instances.iter().map(due).min()
    }

    fn instance(&self, row: PresenceRow, now: Timestamp) -> Instance {
        let silent = silence_ms(row.last_beat, now) >= self.rules.inactive_after_ms;
        Instance {
            instance: row.instance,
            state: if silent { PresenceState::Inactive } else { PresenceState::Active },
            registered_at: row.registered_at,
            last_heartbeat: row.last_beat,
            details: row.details,
        }
    }

    fn may_change(&self, caller: &Caller, instance: &InstanceId) -> Result<()> {
        caller.require(Scope::PresenceWrite)?;
        if instance.is_all() {
            return Err(Error::invalid("\"all\" addresses everyone and cannot be an instance itself"));
        }
        if caller.instance.as_ref() != Some(instance) {
            caller.require(Scope::ActAsAny)?;
        }
        Ok(())
    }

    fn full(&self) -> Error {
        Error::new(
            Code::PresenceFull,
            format!("the namespace has {} instances, as many as it may hold", self.rules.max_instances),
            "Unregister instances that are gone, or raise MAINSTAY_PRESENCE_MAX_INSTANCES.",
        )
    }
}

/// What changed between two lists, for the live stream. A beat alone is no change.
#[must_use]
pub fn changes(before: &Presence, after: &Presence) -> Vec<PresenceEvent> {
    let index = |presence: &Presence| -> BTreeMap<InstanceId, Instance> {
        presence.instances.iter().map(|instance| (instance.instance.clone(), instance.clone())).collect()
    };
    let (before, after) = (index(before), index(after));
    let mut events = Vec::new();
    for (name, now) in &after {
        match before.get(name) {
            None if now.state == PresenceState::Inactive => events.push(PresenceEvent::Inactive(now.clone())),
            None => events.push(PresenceEvent::Joined(now.clone())),
            Some(was) if was.state != now.state => events.push(match now.state {
                PresenceState::Active => PresenceEvent::Joined(now.clone()),
                PresenceState::Inactive => PresenceEvent::Inactive(now.clone()),
            }),
            Some(was) if was.details != now.details || was.registered_at != now.registered_at => {
                events.push(PresenceEvent::Updated(now.clone()));
            }
            Some(_) => {}
        }
    }
    let left = before.keys().filter(|name| !after.contains_key(*name));
    events.extend(left.map(|name| PresenceEvent::Left { instance: name.clone() }));
    events
}

fn silence_ms(last_beat: Timestamp, now: Timestamp) -> i64 {
    now.as_millis().saturating_sub(last_beat.as_millis())
}

fn check(details: &RegisterInstance) -> Result<()> {
    field("role", details.role.as_deref())?;
    field("host", details.host.as_deref())?;
    field("repository", details.repository.as_deref())?;
    field("branch", details.branch.as_deref())?;
    field("current_work", details.current_work.as_deref())?;
    field("session_id", details.session_id.as_deref())?;
    for capability in &details.capabilities {
        field("capabilities", Some(capability))?;
    }
    if details.capabilities.len() > MAX_CAPABILITIES {
        let count = details.capabilities.len();
        return Err(Error::invalid(format!("capabilities: {count}, at most {MAX_CAPABILITIES} are allowed")));
    }
    Ok(())
}

fn field(name: &str, value: Option<&str>) -> Result<()> {
    match value {
        Some(text) if text.len() > MAX_FIELD_BYTES => Err(Error::new(
            Code::TooLarge,
            format!("{name}: {} bytes, at most {MAX_FIELD_BYTES} are allowed", text.len()),
            "Say it in fewer words.",
        )),
        _ => Ok(()),
    }
}
