//! Events: logs that are published to, rooms that they are about, groups that work on them.

mod connections;
mod groups;
mod port;
mod rooms;
mod streams;

pub use connections::{ClaimOutcome, ConnectionRecord, ConnectionStore, Direction, Relayed};
pub use groups::{
    Bury, CONSUMER_FORGOTTEN_AFTER, COUNTED_LAG, DeadEvent, GroupKey, GroupOutcome, GroupStart, GroupState, GroupStore,
    MAX_DEAD, Release, TakeEvents, TakeOutcome, Taken, TakenEvent,
};
pub use port::{
    EventStore, LogName, LogPage, LogState, NewEvent, Placed, Publish, PublishOutcome, Published, ReadLog, StoredEvent,
    Tail,
};
pub use rooms::{EnterOutcome, Membership, Occupant, RoomKey, RoomStore, TransportOutcome, TransportRecord};
pub use streams::{MAX_PARTITIONS, MAX_STREAMS, Overflow, RoomAccess, StreamOptions, Streams, Trimming};
