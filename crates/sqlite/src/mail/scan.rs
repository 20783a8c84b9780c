//! The ways to walk through messages by time. Each follows an index, so that a page costs the same wherever it lies;
//! what an index does not decide is compared row by row.

use super::append::offset_of;
use super::page::MAX_EXAMINED;
use crate::errors::Outcome;
use mainstay_core::Error;
use mainstay_core::api::{InstanceId, MessageId, MessageType, Timestamp};
use mainstay_core::mail::{ListQuery, Place};
use rusqlite::Connection;

/// What a walk follows.
pub(super) enum Source<'a> {
    /// An inbox.
    Inbox(i64),
    /// What waits for an acknowledgement in an inbox.
    PendingOf(i64),
    /// The broadcasts of a namespace.
    Broadcasts(i64),
    /// What waits for anyone's acknowledgement in a namespace.
    Waiting(i64),
    /// A thread of a namespace.
    Thread(i64, &'a MessageId),
    /// A namespace.
    All(i64),
}

impl Source<'_> {
    fn key(&self) -> i64 {
        match self {
            Self::Inbox(key) | Self::PendingOf(key) | Self::Broadcasts(key) => *key,
            Self::Waiting(key) | Self::Thread(key, _) | Self::All(key) => *key,
        }
    }

    /// Whether it holds messages that wait for an acknowledgement of anyone beside others that do not.
    fn mixes_waiting(&self) -> bool {
        matches!(self, Self::Broadcasts(_) | Self::Thread(..))
    }

    fn thread(&self) -> Option<&str> {
        match self {
            Self::Thread(_, thread) => Some(thread.as_str()),
            _ => None,
        }
    }

    /// The table that gives the order, the index to follow, and the condition of that index.
    fn index(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Inbox(_) => (DELIVERIES, "deliveries_by_time", "place.inbox = ?1 AND place.kept = 1"),
            Self::PendingOf(_) => (DELIVERIES, "deliveries_pending", "place.inbox = ?1 AND place.pending = 1"),
            Self::Broadcasts(_) => (MESSAGES, "messages_broadcast", "place.namespace = ?1 AND place.broadcast = 1"),
            Self::Waiting(_) => (MESSAGES, "messages_waiting", "place.namespace = ?1 AND place.waiting = 1"),
            Self::Thread(..) => (MESSAGES, "messages_by_thread", "place.namespace = ?1 AND place.thread = ?6"),
            Self::All(_) => (MESSAGES, "messages_by_time", "place.namespace = ?1"),
        }
    }

    fn sql(&self, oldest_first: bool) -> String {
        let (from, index, condition) = self.index();
        let from = from.replace("{index}", index);
        // Every statement has the same parameters; the thread is absent where it is not what is followed.
        let thread = if self.thread().is_some() { "" } else { "AND ?6 IS NULL" };
        let direction = if oldest_first { "ASC" } else { "DESC" };
        format!(
            "SELECT message.offset, message.timestamp_ms, message.expires_ms, message.kind, message.sender,
                    message.thread, message.subject_folded, message.waiting
             FROM {from} WHERE {condition} {thread}
               AND (place.timestamp_ms, place.offset) > (?2, ?3)
               AND (place.timestamp_ms, place.offset) < (?4, ?5)
             ORDER BY place.timestamp_ms {direction}, place.offset {direction}"
        )
    }
}

const DELIVERIES: &str =
    "deliveries AS place INDEXED BY {index} CROSS JOIN messages AS message ON message.offset = place.offset";
const MESSAGES: &str =
    "messages AS place INDEXED BY {index} CROSS JOIN messages AS message ON message.offset = place.offset";

/// What the index does not decide.
struct Filter<'a> {
    query: &'a ListQuery,
    /// Only what waits for an acknowledgement of anyone.
    waiting: bool,
}

impl Filter<'_> {
    fn accepts(&self, row: &rusqlite::Row<'_>) -> Outcome<bool> {
        let query = self.query;
        let matches = |column: usize, wanted: Option<&str>| -> Outcome<bool> {
            Ok(wanted.is_none() || row.get_ref(column)?.as_str_or_null().map_err(mismatch)? == wanted)
        };
        if row.get::<_, i64>(2)? <= query.now.as_millis() || (self.waiting && !row.get::<_, bool>(7)?) {
            return Ok(false);
        }
        if !matches(3, query.kind.as_ref().map(MessageType::as_str))?
            || !matches(4, query.sender.as_ref().map(InstanceId::as_str))?
            || !matches(5, query.thread.as_ref().map(MessageId::as_str))?
        {
            return Ok(false);
        }
        let Some(text) = &query.subject_folded else { return Ok(true) };
        Ok(row.get_ref(6)?.as_str().map_err(mismatch)?.contains(text.as_str()))
    }
}

fn mismatch(error: rusqlite::types::FromSqlError) -> Error {
    Error::inconsistent(format!("a column of messages: {error}"))
}

/// How a walk ended.
pub(super) enum End {
    /// There was no more.
    Exhausted,
    /// Before a message that matches.
    Stopped,
    /// It had examined as much as it may; here.
    Tired(Place),
}

/// Walks in the order of a query, from where its last page ended, and hands over each message that matches,
/// until one is not taken.
pub(super) fn walk(
    connection: &Connection,
    source: &Source<'_>,
    query: &ListQuery,
    mut visit: impl FnMut(Place) -> Outcome<bool>,
) -> Outcome<End> {
    let filter = Filter { query, waiting: query.pending && source.mixes_waiting() };
    let (low, high) = bounds(query);
    let mut statement = connection.prepare_cached(&source.sql(query.oldest_first))?;
    let mut rows = statement.query((source.key(), low.0, low.1, high.0, high.1, source.thread()))?;
    let mut last = None;
    for _ in 0..MAX_EXAMINED {
        let Some(row) = rows.next()? else { return Ok(End::Exhausted) };
        let place = Place { timestamp: Timestamp::from_millis(row.get(1)?), offset: offset_of(row.get(0)?)? };
        if filter.accepts(row)? && !visit(place)? {
            return Ok(End::Stopped);
        }
        last = Some(place);
    }
    Ok(last.map_or(End::Exhausted, End::Tired))
}

/// Between which places, both excluded, the query looks: time in milliseconds, then offset. No offset is 0.
fn bounds(query: &ListQuery) -> ((i64, i64), (i64, i64)) {
    let mut low = query.since.map_or((i64::MIN, 0), |since| (since.as_millis(), 0));
    let mut high = query.until.map_or((i64::MAX, 0), |until| (until.as_millis(), 0));
    if let Some(after) = query.after {
        let after = (after.timestamp.as_millis(), i64::try_from(after.offset.0).unwrap_or(i64::MAX));
        if query.oldest_first {
            low = low.max(after);
        } else {
            high = high.min(after);
        }
    }
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::open_memory;
    use crate::schema;

    #[test]
    fn every_listing_follows_an_index_from_its_place_and_sorts_nothing() {
        let connection = open_memory(schema::STORE).unwrap();
        let thread = MessageId::parse("msg-1").unwrap();
        let sources = [
            Source::Inbox(1),
            Source::PendingOf(1),
            Source::Broadcasts(1),
            Source::Waiting(1),
            Source::Thread(1, &thread),
            Source::All(1),
        ];
        for (source, oldest_first) in sources.iter().flat_map(|source| [(source, false), (source, true)]) {
            let sql = format!("EXPLAIN QUERY PLAN {}", source.sql(oldest_first));
            let mut statement = connection.prepare(&sql).unwrap();
            let rows = statement.query_map((1, 0, 0, 9, 9, source.thread()), |row| row.get::<_, String>(3)).unwrap();
            let plan: Vec<String> = rows.collect::<Result<_, _>>().unwrap();
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{sql}\n{plan:#?}");
            let from_place = plan[0].contains("(timestamp_ms,offset)>") || plan[0].contains("timestamp_ms>");
            assert!(from_place, "{sql}\n{plan:#?}");
        }
    }
}
