//! What waits for a connection, and how it is conflated.

use super::event::{Encode, LiveEvent, Notice};
use super::meter::Stamp;
use bytes::Bytes;
use mainstay_core::api::events::{EventType, RoomId, StreamName};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// A queue that is emptied keeps room for this many frames: connections are many, and mostly idle.
const KEPT_CAPACITY: usize = 8;

#[derive(Default)]
pub(super) struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
}

struct Frame {
    bytes: Bytes,
    of: Of,
}

/// What was taken from a queue.
pub(super) struct Taken {
    pub frames: Vec<Bytes>,
    /// Of those of them that are events.
    pub stamps: Vec<Stamp>,
}

/// What a frame is of.
pub(super) enum Of {
    /// Something that is never left out.
    Message,
    /// An event that is never left out.
    Kept(Stamp),
    /// Events that are never left out, in one frame.
    Joined(Arc<[Stamp]>),
    /// An event that a later one of its type may stand for.
    Event(Arc<LiveEvent>),
    /// How many events of a room were left out here. Boxed: it is rare, and would make every frame larger.
    Conflated(Box<(StreamName, RoomId, u64)>),
}

impl Queue {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn push(&mut self, bytes: Bytes, of: Of) {
        self.bytes += bytes.len();
        self.frames.push_back(Frame { bytes, of });
    }

    /// Takes frames from the front: at least one, and no more than fit.
    pub(super) fn take(&mut self, max_frames: usize, max_bytes: usize) -> Taken {
        let most = self.frames.len().min(max_frames);
        let (mut taken, mut stamps) = (Vec::with_capacity(most), Vec::with_capacity(most));
        let mut bytes = 0;
        while taken.len() < max_frames {
            let over = |next: &Frame| !taken.is_empty() && bytes + next.bytes.len() > max_bytes;
            if self.frames.front().is_none_or(over) {
                break;
            }
            let Some(frame) = self.frames.pop_front() else { break };
            bytes += frame.bytes.len();
            taken.push(frame.bytes);
            frame.of.stamp(&mut stamps);
        }
        self.bytes -= bytes;
        if self.frames.is_empty() && self.frames.capacity() > KEPT_CAPACITY {
            self.frames = VecDeque::new();
        }
        Taken { frames: taken, stamps }
    }

    /// Leaves out every event behind which another one of its room and type waits, and says so in its place. Returns how
    /// many were left out.
    pub(super) fn conflate(&mut self, encoder: &dyn Encode) -> u64 {
        let keep = self.last_of_each();
        let dropped = self.dropped_of_rooms(&keep);
        let mut told: HashSet<(StreamName, RoomId)> = HashSet::new();
        let mut total = 0;
        for (frame, keep) in std::mem::take(self).frames.into_iter().zip(keep) {
            if keep {
                self.push(frame.bytes, frame.of);
                continue;
            }
            let room = frame.of.room().expect("only what is of a room is left out");
            total += u64::from(matches!(frame.of, Of::Event(_)));
            if told.insert(room.clone()) {
                let count = dropped.get(&room).copied().unwrap_or_default();
                let (stream, room) = room;
                let notice = Notice::Conflated { stream: stream.clone(), room: room.clone(), dropped: count };
                if let Some(bytes) = encoder.notice(&notice) {
                    self.push(bytes, Of::Conflated(Box::new((stream, room, count))));
                }
            }
        }
        total
    }

    /// For each frame, whether it stays.
    fn last_of_each(&self) -> Vec<bool> {
        let mut seen: HashSet<(StreamName, RoomId, EventType)> = HashSet::new();
        let mut keep: Vec<bool> = self
            .frames
            .iter()
            .rev()
            .map(|frame| match &frame.of {
                Of::Message | Of::Kept(_) | Of::Joined(_) => true,
                Of::Event(event) => {
                    let event = &event.event;
                    seen.insert((event.stream.clone(), event.room.clone(), event.kind.clone()))
                }
                // Joined with what is left out now.
                Of::Conflated(_) => false,
            })
            .collect();
        keep.reverse();
        keep
    }

    fn dropped_of_rooms(&self, keep: &[bool]) -> HashMap<(StreamName, RoomId), u64> {
        let mut dropped = HashMap::new();
        for (frame, _) in self.frames.iter().zip(keep).filter(|(_, keep)| !**keep) {
            let count = match &frame.of {
                Of::Conflated(left_out) => left_out.2,
                _ => 1,
            };
            if let Some(room) = frame.of.room() {
                *dropped.entry(room).or_default() += count;
            }
        }
        dropped
    }
}

impl Of {
    fn stamp(&self, stamps: &mut Vec<Stamp>) {
        match self {
            Self::Kept(stamp) => stamps.push(*stamp),
            Self::Joined(several) => stamps.extend_from_slice(several),
            Self::Event(event) => stamps.push(event.stamp()),
            Self::Message | Self::Conflated(..) => {}
        }
    }

    fn room(&self) -> Option<(StreamName, RoomId)> {
        match self {
            Self::Message | Self::Kept(_) | Self::Joined(_) => None,
            Self::Event(event) => Some((event.event.stream.clone(), event.event.room.clone())),
            Self::Conflated(left_out) => Some((left_out.0.clone(), left_out.1.clone())),
        }
    }
}
