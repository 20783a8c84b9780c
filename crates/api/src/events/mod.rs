//! Events: published once to a stream, delivered live to who is in the room, and worked on by consumer groups.

pub mod bridge;
mod event;
mod groups;
pub mod legacy;
mod live;
mod names;
mod node;
mod observe;
mod position;
mod publish;
mod reading;
mod rooms;
mod transport;
mod workers;

pub use event::{Event, EventMetadata};
pub use groups::{
    ConsumerGroup, CreateGroup, GroupConsumer, GroupCreated, GroupFrom, GroupList, GroupRemoved, MAX_GROUPS,
};
pub use live::{FollowRoom, LiveMessage, LiveOp, LiveRequest, MAX_LIVE_BATCH, live_schema};
pub use names::{ConsumerName, EventId, EventType, GroupName, MemberId, RoomId, StreamName};
pub use node::{FollowedLog, LiveNode};
pub use observe::{ConsumerLag, EventsHealth, GroupLag, LAG_DEGRADED, LAG_UNHEALTHY, Standing, StreamHealth};
pub use position::{EventOffset, EventPosition, EventToken};
pub use publish::{PublishEvent, PublishEvents, PublishedEvent, PublishedEvents};
pub use reading::{DEFAULT_EVENTS_PAGE, EventPage, PartitionState, ReadEvents, StreamList, StreamState};
pub use rooms::{
    AdmitMember, DEFAULT_ROOM_PAGE, ListMembers, MAX_ROOM_INFO_BYTES, MAX_ROOM_PAGE, MemberDismissed, PresentMember,
    RoomMember, RoomPresence,
};
pub use transport::{
    ChangeTransport, MAX_PUBLISH_TIMEOUT_MS, MIN_PUBLISH_TIMEOUT_MS, TransportChoice, TransportSettings,
};
pub use workers::{
    AcknowledgeWork, AcknowledgedWork, BuryWork, DEFAULT_DEAD_PAGE, DEFAULT_DELIVERIES, DEFAULT_IDLE_MS, DEFAULT_WORK,
    DeadChanged, DeadWork, KeepWork, KeptWork, ListDead, MAX_DELIVERIES, MAX_IDLE_MS, MAX_REASON_BYTES, MAX_WORK,
    MAX_WORK_WAIT_MS, MIN_IDLE_MS, ReleaseWork, TakeWork, TakenWork, WorkBuried, WorkEvent, WorkReleased,
};

use serde::{Deserialize, Serialize};

/// Largest payload of an event, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1_024;
/// Largest metadata of an event, in bytes.
pub const MAX_METADATA_BYTES: usize = 4 * 1_024;
/// Most events of one publication.
pub const MAX_PUBLISH: usize = 100;
/// Most events on one page.
pub const MAX_EVENTS_PAGE: u32 = 1_000;

/// Why a position could not be continued without loss. What was missed must be fetched from where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventGap {
    /// Events after the position have been trimmed, or may have been.
    Trimmed,
    /// The stream was emptied, replaced or divided anew since.
    NewEpoch,
}
