//! Refusals of events.

use super::groups::GroupKey;
use super::streams::Streams;
use crate::error::Error;
use mainstay_api::Code;
use mainstay_api::events::StreamName;

pub(super) fn unknown_stream(name: &StreamName, streams: &Streams) -> Error {
    let known = streams.iter().map(|(name, _)| name.to_string()).collect();
    Error::new(
        Code::EventStreamUnknown,
        format!("there is no stream {:?}", name.as_str()),
        "Name one of the streams that exist, or add a table [streams.<name>] to the settings of every node.",
    )
    .valid_values(known)
}

pub(super) fn backlog(stream: &StreamName, group: &str) -> Error {
    Error::new(
        Code::EventBacklog,
        format!("the stream {stream} is full of events that the consumer group {group:?} has not read"),
        "Wait until the group has caught up, add consumers to it, or remove it where nobody needs it any more.",
    )
    .retry_after_ms(1_000)
}

pub(super) fn unknown_group(key: &GroupKey) -> Error {
    let (group, stream, partition) = (&key.group, &key.log.stream, key.log.partition);
    Error::new(
        Code::EventGroupUnknown,
        format!("there is no consumer group {group} on partition {partition} of the stream {stream}"),
        format!("Make it with `mainstay events groups create {stream} {group}`, or name one that exists."),
    )
}

pub(super) fn too_many_groups(stream: &StreamName) -> Error {
    Error::new(
        Code::EventGroupsFull,
        format!("the stream {stream} has as many consumer groups as it may"),
        "Remove groups that nobody consumes any more.",
    )
}
