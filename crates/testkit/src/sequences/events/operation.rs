//! What may happen to a log and its groups.

use super::EventProfile;
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::{GroupStart, Trimming};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::prop_oneof;

/// The names of groups. The first one is always there.
pub(super) const GROUPS: [&str; 3] = ["always", "B", "c_3"];
pub(super) const CONSUMERS: [&str; 2] = ["ada", "b:{d}* é\n"];
/// Ids of events: few, so that many are repeats.
const IDS: u8 = 40;

/// One operation. Numbers stand for names; a place is the how-many-eth event that was ever published.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Publish { ids: Vec<u8>, trimming: Trimming },
    Read { after: Option<u8>, limit: u32 },
    Purge { up_to: u8, trimming: Trimming },
    Create { group: usize, start: GroupStart },
    CreateBehind { group: usize, place: u8 },
    Remove { group: usize },
    Take { by: By, limit: u32, idle: bool, max_deliveries: u32 },
    Keep { by: By, places: Vec<u8> },
    Acknowledge { group: usize, places: Vec<u8> },
    Release { by: By, place: u8, later: bool },
    Bury { by: By, place: u8, reason: bool },
    Dead { group: usize, after: u8, limit: u32 },
    Revive { group: usize, place: u8 },
    Forget { group: usize, place: u8 },
}

/// A consumer of a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub group: usize,
    pub consumer: usize,
}

/// Draws an operation.
pub(crate) fn operation(profile: EventProfile) -> BoxedStrategy<Operation> {
    let trimming =
        || proptest::bool::weighted(0.3).prop_map(|refuse| [Trimming::Count, Trimming::Refuse][usize::from(refuse)]);
    let log = prop_oneof![
        8 => (vec(0..IDS, 1..=3), trimming()).prop_map(|(ids, trimming)| Operation::Publish { ids, trimming }),
        4 => (option::of(any::<u8>()), 1..5_u32).prop_map(|(after, limit)| Operation::Read { after, limit }),
        1 => (any::<u8>(), trimming()).prop_map(|(up_to, trimming)| Operation::Purge { up_to, trimming }),
    ];
    match profile {
        EventProfile::Log => log.boxed(),
        EventProfile::Groups => prop_oneof![1 => log, 2 => of_groups()].boxed(),
    }
}

fn of_groups() -> BoxedStrategy<Operation> {
    let group = || prop_oneof![3 => Just(0), 2 => 1..GROUPS.len()];
    let by = move || (group(), 0..CONSUMERS.len()).prop_map(|(group, consumer)| By { group, consumer });
    let start =
        prop_oneof![Just(GroupStart::Oldest), Just(GroupStart::New), Just(GroupStart::After(EventOffset::ZERO))];
    let places = || vec(any::<u8>(), 1..=3);
    prop_oneof![
        2 => (1..GROUPS.len(), start).prop_map(|(group, start)| Operation::Create { group, start }),
        1 => (1..GROUPS.len(), any::<u8>()).prop_map(|(group, place)| Operation::CreateBehind { group, place }),
        1 => (1..GROUPS.len()).prop_map(|group| Operation::Remove { group }),
        10 => (by(), 1..5_u32, any::<bool>(), 1..4_u32).prop_map(|(by, limit, idle, max_deliveries)| {
            Operation::Take { by, limit, idle, max_deliveries }
        }),
        3 => (by(), places()).prop_map(|(by, places)| Operation::Keep { by, places }),
        8 => (group(), places()).prop_map(|(group, places)| Operation::Acknowledge { group, places }),
        5 => (by(), any::<u8>(), any::<bool>()).prop_map(|(by, place, later)| Operation::Release { by, place, later }),
        5 => (by(), any::<u8>(), any::<bool>()).prop_map(|(by, place, reason)| Operation::Bury { by, place, reason }),
        2 => (group(), any::<u8>(), 1..3_u32).prop_map(|(group, after, limit)| Operation::Dead { group, after, limit }),
        5 => (group(), any::<u8>()).prop_map(|(group, place)| Operation::Revive { group, place }),
        1 => (group(), any::<u8>()).prop_map(|(group, place)| Operation::Forget { group, place }),
    ]
    .boxed()
}
