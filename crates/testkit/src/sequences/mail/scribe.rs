//! From the operations of a sequence to requests, the same for every store.

use super::Profile;
use super::operation::{CHOICES, Draft, INSTANCES, Import, Inbox, Listing, Operation, Reading, State, To};
use crate::conformance::mail::desk::{Desk, MINUTE_MS, after, document, instance, kind, memo, message_id};
use mainstay_core::api::mail::{Ack, Receipt};
use mainstay_core::api::{InstanceId, MessageId, Offset, Timestamp};
use mainstay_core::mail::{Acknowledge, Append, ListQuery, MarkRead, Merge, Recipients, TailQuery};

const NAMES: [&str; INSTANCES as usize] = ["ada", "b:c", "{d}*", "é 🦀\n"];
/// A sender that takes no other part.
const OUTSIDER: &str = "lead";
const KINDS: [&str; CHOICES as usize] = ["GENERAL", "BLOCKING_ISSUE", "HEARTBEAT"];
const THREADS: [&str; CHOICES as usize] = ["t", "t:1", "T"];
const SUBJECTS: [&str; CHOICES as usize] = ["api is ready", "api", "100% *"];
/// A minute of the day, long before which no message of a sequence was sent.
const LONG_AGO_MINUTES: i64 = 10 * 24 * 60;

/// What a store is asked. The namespace in it is replaced by that of the side that plays it.
#[derive(Debug, Clone)]
pub(super) enum Request {
    Append(Append),
    Merge(Merge),
    Acknowledge(Acknowledge),
    MarkRead(MarkRead),
    Join { instance: InstanceId, now: Timestamp },
    Find { id: MessageId, viewer: Option<InstanceId>, now: Timestamp },
    List(ListQuery),
    Tail { query: TailQuery, from: Option<u8> },
    Numbers { instance: InstanceId, now: Timestamp },
    Purge { now: Timestamp, members_since: Timestamp },
}

/// Writes requests, and remembers what was written.
pub(super) struct Scribe {
    desk: Desk,
    profile: Profile,
    /// Every message that was sent or imported, stored or not.
    written: Vec<Append>,
}

impl Scribe {
    pub fn new(desk: Desk, profile: Profile) -> Self {
        Self { desk, profile, written: Vec::new() }
    }

    /// What comes before the first operation.
    pub fn prelude(&self) -> Vec<Request> {
        if self.profile.members_change() {
            return Vec::new();
        }
        NAMES.iter().map(|name| Request::Join { instance: instance(name), now: self.desk.now }).collect()
    }

    /// What comes after the last one: a look at everything.
    pub fn end(&self) -> Vec<Request> {
        let mut requests = Vec::new();
        for pending in [false, true] {
            let query = ListQuery { pending, receipts: true, ..self.desk.all() };
            requests.push(Request::List(query));
        }
        for name in NAMES {
            requests.push(Request::List(self.desk.inbox(name)));
            requests.push(Request::List(self.desk.pending(name)));
            for unread_only in [false, true] {
                let query = TailQuery { unread_only, ..self.desk.whole_inbox(name) };
                requests.push(Request::Tail { query, from: None });
            }
            requests.push(Request::Numbers { instance: instance(name), now: self.desk.now });
        }
        requests
    }

    /// The request of an operation; none where time passes alone.
    pub fn write(&mut self, operation: &Operation) -> Option<Request> {
        let (namespace, now) = (self.desk.namespace.clone(), self.desk.now);
        Some(match operation {
            Operation::Append(draft) => {
                let append = self.append(draft);
                self.written.push(append.clone());
                Request::Append(append)
            }
            Operation::Merge(import) => Request::Merge(self.merge(import)),
            Operation::Acknowledge { message, recipient, by } => {
                let comment = (by != recipient).then(|| format!("for {}", name(*recipient)));
                let ack = Ack { by: name(*by), at: now, comment };
                Request::Acknowledge(Acknowledge { namespace, id: id(*message), recipient: name(*recipient), ack })
            }
            Operation::MarkRead { recipient, messages } => {
                let ids = messages.iter().map(|message| id(*message)).collect();
                Request::MarkRead(MarkRead { namespace, recipient: name(*recipient), ids, now })
            }
            Operation::Join { instance } => Request::Join { instance: name(*instance), now },
            Operation::Find { message, viewer } => Request::Find { id: id(*message), viewer: viewer.map(name), now },
            Operation::List(listing) => Request::List(self.listing(listing)),
            Operation::Tail(reading) => Request::Tail { query: self.reading(reading), from: reading.from },
            Operation::Numbers { instance } => Request::Numbers { instance: name(*instance), now },
            Operation::Purge => Request::Purge { now, members_since: after(now, -LONG_AGO_MINUTES * MINUTE_MS) },
            Operation::Forget => Request::Purge { now, members_since: after(now, 1) },
            Operation::Wait { minutes } => {
                self.desk = self.desk.later(i64::from(*minutes) * MINUTE_MS);
                return None;
            }
        })
    }

    fn append(&self, draft: &Draft) -> Append {
        let id = id(draft.message);
        let now = self.desk.now;
        let recipients = match &draft.to {
            To::Everyone => Recipients::Everyone,
            To::Named(numbers) => Recipients::Named(each_once(numbers)),
        };
        let letter = self.desk.letter(id.as_str(), &[]);
        Append {
            from: if draft.from < INSTANCES { name(draft.from) } else { instance(OUTSIDER) },
            kind: kind(KINDS[usize::from(draft.kind)]),
            thread: draft.thread.map(|number| message_id(THREADS[usize::from(number)])),
            subject_folded: SUBJECTS[usize::from(draft.subject)].into(),
            requires_ack: draft.requires_ack,
            timestamp: after(now, -i64::from(draft.age_minutes) * MINUTE_MS),
            expires_at: match draft.expires_in_minutes {
                Some(minutes) => after(now, i64::from(minutes) * MINUTE_MS),
                None => letter.expires_at,
            },
            // The number makes every document another one, also under an id that was written before.
            document: document(id.as_str(), self.written.len().to_string().as_bytes()),
            recipients,
            memo: draft.memo.and_then(|(key, other)| memo(&format!("key:{key}"), if other { "b" } else { "a" }, now)),
            ..letter
        }
    }

    fn merge(&mut self, import: &Import) -> Merge {
        let append = self.earlier(import).unwrap_or_else(|| {
            let append = self.append(&import.draft);
            let requires_ack = append.requires_ack && self.profile.imports_ask();
            let append = Append { requires_ack, memo: None, ..append };
            self.written.push(append.clone());
            append
        });
        // Nobody receives a broadcast of its own, so nobody has a receipt of one.
        let may = |receipt: &Receipt| append.recipients != Recipients::Everyone || receipt.recipient != append.from;
        let mut receipts: Vec<Receipt> = Vec::new();
        for (number, state) in &import.receipts {
            let receipt = self.receipt(*number, *state);
            if may(&receipt) && receipts.iter().all(|other| other.recipient != receipt.recipient) {
                receipts.push(receipt);
            }
        }
        Merge { append, receipts, settled: import.settled, dry_run: import.dry_run }
    }

    /// A message as it was first written, or with another document.
    fn earlier(&self, import: &Import) -> Option<Append> {
        let earlier = self.written.iter().find(|written| written.id == id(import.draft.message))?.clone();
        let document = if import.revised { document(earlier.id.as_str(), b"revised") } else { earlier.document };
        let expires_at = earlier.expires_at.max(after(self.desk.now, MINUTE_MS));
        let requires_ack = earlier.requires_ack && self.profile.imports_ask();
        Some(Append { document, expires_at, requires_ack, memo: None, now: self.desk.now, ..earlier })
    }

    fn receipt(&self, number: u8, state: State) -> Receipt {
        let recipient = name(number);
        let at = after(self.desk.now, -MINUTE_MS);
        let ack = Some(Ack { by: recipient.clone(), at, comment: Some("imported".into()) });
        match state {
            State::Unread => Receipt { recipient, read_at: None, ack: None },
            State::Read => Receipt { recipient, read_at: Some(at), ack: None },
            State::Acknowledged => Receipt { recipient, read_at: Some(after(at, -MINUTE_MS)), ack },
            State::AcknowledgedAlone => Receipt { recipient, read_at: None, ack },
        }
    }

    fn listing(&self, listing: &Listing) -> ListQuery {
        let minutes_ago = |minutes: u8| after(self.desk.now, -i64::from(minutes) * MINUTE_MS);
        ListQuery {
            recipient: listing.recipient.map(|inbox| match inbox {
                Inbox::Of(number) => name(number),
                Inbox::Broadcasts => InstanceId::all(),
            }),
            sender: listing.sender.map(name),
            kind: listing.kind.map(|number| kind(KINDS[usize::from(number)])),
            thread: listing.thread.map(|number| message_id(THREADS[usize::from(number)])),
            pending: listing.pending,
            since: listing.since.map(minutes_ago),
            until: listing.until.map(minutes_ago),
            subject_folded: listing.subject.map(|number| SUBJECTS[usize::from(number)].into()),
            oldest_first: listing.oldest_first,
            limit: u32::from(listing.limit),
            viewer: listing.viewer.map(name),
            receipts: listing.receipts,
            ..self.desk.all()
        }
    }

    fn reading(&self, reading: &Reading) -> TailQuery {
        TailQuery {
            after: Offset(0),
            unread_only: reading.unread_only,
            kind: reading.kind.map(|number| kind(KINDS[usize::from(number)])),
            sender: reading.sender.map(name),
            limit: u32::from(reading.limit),
            ..self.desk.whole_inbox(NAMES[usize::from(reading.recipient)])
        }
    }
}

fn name(number: u8) -> InstanceId {
    instance(NAMES[usize::from(number)])
}

fn id(number: u8) -> MessageId {
    message_id(&format!("m{number}"))
}

fn each_once(numbers: &[u8]) -> Vec<InstanceId> {
    let mut names: Vec<InstanceId> = Vec::new();
    for number in numbers {
        if !names.contains(&name(*number)) {
            names.push(name(*number));
        }
    }
    names
}
