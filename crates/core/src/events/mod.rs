//! Events: logs that are published to, rooms that they are about, groups that work on them.

mod access;
mod connections;
mod groups;
mod observe;
mod occupancy;
mod port;
mod refusals;
mod rooms;
mod service;
mod standing;
mod streams;
mod transport;
mod waiting;
mod workers;

pub use access::{Admitted, member_of};
pub use connections::{
    Claim, ClaimOutcome, ConnectionRecord, ConnectionStore, Direction, Receive, Relay, RelayOutcome, Relayed,
};
pub use groups::{
    Bury, CONSUMER_FORGOTTEN_AFTER, DELIVERED_TOO_OFTEN, DeadEvent, GroupKey, GroupOutcome, GroupStart, GroupState,
    GroupStore, MAX_DEAD, MAX_TAKE_BYTES, Release, TakeEvents, TakeOutcome, Taken, TakenEvent,
};
pub use observe::{EventObserver, Survey};
pub use occupancy::{Arrival, RoomParts, RoomRules, RoomService};
pub use port::{
    EventStore, LogName, LogPage, LogState, MAX_PAGE_BYTES, NewEvent, Placed, Publish, PublishOutcome, Published,
    PurgeLog, Purged, ReadLog, StoredEvent, Tail,
};
pub use rooms::{Admit, Enter, EnterOutcome, Membership, Occupant, RoomKey, RoomStore};
pub use service::{EventParts, EventService, PublishReport};
pub use streams::{
    GATEWAY_STREAM, MAX_PARTITIONS, MAX_STREAMS, Overflow, RoomAccess, StreamOptions, Streams, Trimming,
};
pub use transport::{SetTransport, TransportOutcome, TransportRecord, TransportStore};
pub use waiting::wait_by_hints;
pub use workers::{WorkPlace, WorkerParts, WorkerService};
