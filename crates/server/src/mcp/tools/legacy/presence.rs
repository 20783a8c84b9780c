//! `coord_get_presence`, `coord_register_presence`, `coord_deregister_presence` and `coord_heartbeat`. Any role may be
//! named, as in the original, by a caller that may act as any instance.

use super::reply::{Failure, Reply};
use crate::mcp::Backend;
use crate::mcp::tools::Nothing;
use mainstay_api::presence::{Heartbeat, Instance, RegisterInstance};
use mainstay_api::{Code, InstanceId, Timestamp};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

/// Silence after which the original called an instance stale, in seconds.
const STALE_AFTER_SECONDS: i64 = 300;

#[derive(Debug, Serialize)]
pub(super) struct Instances {
    success: bool,
    #[serde(serialize_with = "by_name")]
    instances: Vec<Seen>,
}

#[derive(Debug, Serialize)]
struct Seen {
    instance_id: String,
    /// Whether it is registered: in the original a stale instance stayed active until it left.
    active: bool,
    last_heartbeat: String,
    session_id: Option<String>,
    stale: bool,
    seconds_since_heartbeat: i64,
}

fn by_name<S: Serializer>(instances: &[Seen], to: S) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(instances.len()))?;
    for instance in instances {
        map.serialize_entry(&instance.instance_id, instance)?;
    }
    map.end()
}

impl Seen {
    fn of(instance: Instance, now: Timestamp) -> Self {
        let silence_ms = now.as_millis().saturating_sub(instance.last_heartbeat.as_millis());
        let seconds = (silence_ms / 1_000).max(0);
        Self {
            instance_id: instance.instance.to_string(),
            active: true,
            last_heartbeat: instance.last_heartbeat.to_seconds_text(),
            session_id: instance.details.session_id,
            stale: seconds >= STALE_AFTER_SECONDS,
            seconds_since_heartbeat: seconds,
        }
    }
}

pub(super) async fn list(backend: &dyn Backend, _: Nothing) -> Reply<Instances> {
    let presence = backend.presence().await?;
    let now = backend.now();
    let instances = presence.instances.into_iter().map(|instance| Seen::of(instance, now)).collect();
    Ok(Instances { success: true, instances })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Registration {
    role: String,
    worktree_path: Option<String>,
    session_id: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Registered {
    success: bool,
    role: String,
    registered_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    worktree_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
}

pub(super) async fn register(backend: &dyn Backend, given: Registration) -> Reply<Registered> {
    let instance = instance(&given.role)?;
    let worktree_path = given.worktree_path.filter(|path| !path.is_empty());
    let session_id = given.session_id.filter(|id| !id.is_empty());
    let details = RegisterInstance {
        repository: worktree_path.clone(),
        session_id: session_id.clone(),
        ..RegisterInstance::default()
    };
    let registered = backend.register(&instance, details).await?;
    let registered_at = registered.registered_at.to_seconds_text();
    Ok(Registered { success: true, role: given.role, registered_at, worktree_path, session_id })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Role {
    role: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Deregistered {
    success: bool,
    role: String,
}

/// Ends a registration; one that does not exist has ended, too.
pub(super) async fn deregister(backend: &dyn Backend, given: Role) -> Reply<Deregistered> {
    backend.unregister(&instance(&given.role)?, None).await?;
    Ok(Deregistered { success: true, role: given.role })
}

#[derive(Debug, Serialize)]
pub(super) struct Beaten {
    success: bool,
    role: String,
    last_heartbeat: String,
}

/// Records a sign of life, which also registers: in the original an instance that only beat stayed inactive.
pub(super) async fn heartbeat(backend: &dyn Backend, given: Role) -> Reply<Beaten> {
    let beaten = backend.heartbeat(&instance(&given.role)?, Heartbeat::default()).await?;
    Ok(Beaten { success: true, role: given.role, last_heartbeat: beaten.at.to_seconds_text() })
}

fn instance(role: &str) -> Reply<InstanceId> {
    InstanceId::parse(role).map_err(|broken| Failure::new(Code::InvalidRequest, format!("role: {broken}")))
}
