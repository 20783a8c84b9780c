//! The operations of mail, drawn at random. Small numbers stand for names, messages and moments, so that a sequence
//! that fails can be shrunk and read.

use super::Profile;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::prop_oneof;
use proptest::strategy::Union;

/// How many instances take part.
pub(super) const INSTANCES: u8 = 4;
/// How many types, threads, subjects and request ids are in use.
pub(super) const CHOICES: u8 = 3;
/// How many ids messages have. An operation names the id itself and not the how-manieth message, so that it means the
/// same when others are taken out of the sequence.
const MESSAGES: u8 = 12;

/// One operation.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Append(Draft),
    Merge(Import),
    Acknowledge {
        message: u8,
        recipient: u8,
        by: u8,
    },
    MarkRead {
        recipient: u8,
        messages: Vec<u8>,
    },
    Join {
        instance: u8,
    },
    Find {
        message: u8,
        viewer: Option<u8>,
    },
    List(Listing),
    Tail(Reading),
    /// Counts, numbers and what was dropped, after a purge: what has expired may be counted before.
    Numbers {
        instance: u8,
    },
    Purge,
    /// A purge that forgets every member.
    Forget,
    Wait {
        minutes: u8,
    },
}

/// A message to send.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub message: u8,
    /// Beyond the instances: one that takes no other part.
    pub from: u8,
    pub to: To,
    pub kind: u8,
    pub thread: Option<u8>,
    pub subject: u8,
    pub requires_ack: bool,
    pub age_minutes: u8,
    pub expires_in_minutes: Option<u8>,
    /// Request id and fingerprint.
    pub memo: Option<(u8, bool)>,
}

#[derive(Debug, Clone)]
pub(crate) enum To {
    Named(Vec<u8>),
    Everyone,
}

/// A message to import: with news of its state where it was written before, else a new one.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub draft: Draft,
    /// Another document than the earlier message has.
    pub revised: bool,
    pub receipts: Vec<(u8, State)>,
    pub settled: bool,
    pub dry_run: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    Unread,
    Read,
    Acknowledged,
    /// An acknowledgement without a time of reading.
    AcknowledgedAlone,
}

#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub recipient: Option<Inbox>,
    pub sender: Option<u8>,
    pub kind: Option<u8>,
    pub thread: Option<u8>,
    pub pending: bool,
    /// Minutes before the present.
    pub since: Option<u8>,
    pub until: Option<u8>,
    pub subject: Option<u8>,
    pub oldest_first: bool,
    pub limit: u8,
    pub viewer: Option<u8>,
    pub receipts: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Inbox {
    Of(u8),
    Broadcasts,
}

#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub recipient: u8,
    /// From where an earlier reading ended.
    pub from: Option<u8>,
    pub unread_only: bool,
    pub kind: Option<u8>,
    pub sender: Option<u8>,
    pub limit: u8,
}

/// Draws an operation.
pub(crate) fn operation(profile: Profile) -> BoxedStrategy<Operation> {
    let of = || 0..INSTANCES;
    let mut drawn: Vec<(u32, BoxedStrategy<Operation>)> = vec![
        (10, draft(profile).prop_map(Operation::Append).boxed()),
        (8, acknowledge()),
        (
            3,
            (of(), vec(any::<u8>(), 1..4))
                .prop_map(|(recipient, messages)| Operation::MarkRead { recipient, messages })
                .boxed(),
        ),
        (2, (0..MESSAGES, option::of(of())).prop_map(|(message, viewer)| Operation::Find { message, viewer }).boxed()),
        (3, listing().prop_map(Operation::List).boxed()),
        (3, reading().prop_map(Operation::Tail).boxed()),
        (2, of().prop_map(|instance| Operation::Numbers { instance }).boxed()),
        (1, (0..15_u8).prop_map(|minutes| Operation::Wait { minutes }).boxed()),
    ];
    if profile.members_change() {
        drawn.push((3, of().prop_map(|instance| Operation::Join { instance }).boxed()));
        drawn.push((1, Just(Operation::Forget).boxed()));
    }
    if profile.expires() {
        drawn.push((2, Just(Operation::Purge).boxed()));
        drawn.push((2, (0..15_u8).prop_map(|minutes| Operation::Wait { minutes }).boxed()));
    }
    if profile.imports() {
        drawn.push((5, import(profile).prop_map(Operation::Merge).boxed()));
    }
    Union::new_weighted(drawn).boxed()
}

fn acknowledge() -> BoxedStrategy<Operation> {
    let drawn = (0..MESSAGES, 0..INSTANCES, 0..INSTANCES);
    drawn.prop_map(|(message, recipient, by)| Operation::Acknowledge { message, recipient, by }).boxed()
}

fn draft(profile: Profile) -> BoxedStrategy<Draft> {
    let named = vec(0..INSTANCES, 1..4).prop_map(To::Named);
    let to = prop_oneof![3 => named, 1 => Just(To::Everyone)];
    let age = if profile.times_vary() { (0..5_u8).boxed() } else { Just(0).boxed() };
    let expires = if profile.expires() { option::of(1..30_u8).boxed() } else { Just(None).boxed() };
    let memo = prop_oneof![3 => Just(None), 1 => (0..CHOICES, any::<bool>()).prop_map(Some)];
    let drawn = (
        0..MESSAGES,
        0..=INSTANCES,
        to,
        0..CHOICES,
        option::of(0..CHOICES),
        0..CHOICES,
        any::<bool>(),
        age,
        expires,
        memo,
    );
    let map = |(message, from, to, kind, thread, subject, requires_ack, age_minutes, expires_in_minutes, memo)| Draft {
        message,
        from,
        to,
        kind,
        thread,
        subject,
        requires_ack,
        age_minutes,
        expires_in_minutes,
        memo,
    };
    drawn.prop_map(map).boxed()
}

fn import(profile: Profile) -> BoxedStrategy<Import> {
    let state =
        prop_oneof![Just(State::Unread), Just(State::Read), Just(State::Acknowledged), Just(State::AcknowledgedAlone),];
    let rarely = || prop_oneof![5 => Just(false), 1 => Just(true)];
    let drawn = (draft(profile), rarely(), vec((0..INSTANCES, state), 0..4), rarely(), rarely());
    let map = |(draft, revised, receipts, settled, dry_run)| Import { draft, revised, receipts, settled, dry_run };
    drawn.prop_map(map).boxed()
}

fn listing() -> BoxedStrategy<Listing> {
    let inbox = prop_oneof![4 => (0..INSTANCES).prop_map(Inbox::Of), 1 => Just(Inbox::Broadcasts)];
    let rarely = |values: std::ops::Range<u8>| prop_oneof![4 => Just(None), 1 => values.prop_map(Some)];
    let filters = (option::of(inbox), rarely(0..INSTANCES), rarely(0..CHOICES), rarely(0..CHOICES), any::<bool>());
    let ranges = (rarely(0..60), rarely(0..60), rarely(0..CHOICES));
    let shape = (any::<bool>(), 1..6_u8, option::of(0..INSTANCES), any::<bool>());
    let map = |(
        (recipient, sender, kind, thread, pending),
        (since, until, subject),
        (oldest_first, limit, viewer, receipts),
    )| Listing {
        recipient,
        sender,
        kind,
        thread,
        pending,
        since,
        until,
        subject,
        oldest_first,
        limit,
        viewer,
        receipts,
    };
    (filters, ranges, shape).prop_map(map).boxed()
}

fn reading() -> BoxedStrategy<Reading> {
    let rarely = |values: std::ops::Range<u8>| prop_oneof![4 => Just(None), 1 => values.prop_map(Some)];
    let drawn =
        (0..INSTANCES, option::of(any::<u8>()), any::<bool>(), rarely(0..CHOICES), rarely(0..INSTANCES), 1..6_u8);
    let map = |(recipient, from, unread_only, kind, sender, limit)| Reading {
        recipient,
        from,
        unread_only,
        kind,
        sender,
        limit,
    };
    drawn.prop_map(map).boxed()
}
