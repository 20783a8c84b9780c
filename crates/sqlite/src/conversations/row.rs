//! Owners and conversations as they are stored.

use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use bytes::Bytes;
use mainstay_core::api::conversations::{Retention, RetentionMode, Status};
use mainstay_core::api::{ConversationId, Timestamp};
use mainstay_core::conversations::{Lifetime, Lookup, Owner, Record, Summary, TurnRow};
use mainstay_core::{Error, Topic};
use rusqlite::{Connection, OptionalExtension, Row};

/// The columns of [`Stored`], in its order.
pub(super) const COLUMNS: &str = "number, id, status, version, messages, bytes, created_ms, updated_ms, accessed_ms, \
     expires_ms, sliding, ttl_ms, pinned, fence, turn_until_ms, turn_holder, turn_key, head";

/// A conversation without its documents, and what only the store knows of it.
pub(super) struct Stored {
    pub number: i64,
    pub summary: Summary,
    /// The fencing token given last.
    pub fence: u64,
    /// The key that the running turn was taken with.
    pub key: Option<String>,
}

impl Stored {
    /// Reads the [`COLUMNS`] of a row.
    pub(super) fn read(row: &Row<'_>, now: Timestamp) -> Outcome<Self> {
        let time = |column| Ok::<_, rusqlite::Error>(Timestamp::from_millis(row.get(column)?));
        let (fence, until) = (row.get(13)?, time(14)?);
        let holder: Option<String> = row.get(15)?;
        let status: String = row.get(2)?;
        let mode = if row.get(10)? { RetentionMode::Sliding } else { RetentionMode::Fixed };
        let summary = Summary {
            id: ConversationId::parse(row.get::<_, String>(1)?).map_err(|e| Error::inconsistent(e.to_string()))?,
            status: Status::find(&status).ok_or_else(|| Error::inconsistent(format!("the status {status:?}")))?,
            version: row.get(3)?,
            messages: row.get(4)?,
            bytes: row.get(5)?,
            created_at: time(6)?,
            updated_at: time(7)?,
            accessed_at: time(8)?,
            expires_at: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_millis),
            lifetime: Lifetime { retention: Retention { mode, ttl_ms: row.get(11)? }, pinned: row.get(12)? },
            turn: (until > now).then_some(TurnRow { fence, holder, until }),
            head: row.get::<_, Vec<u8>>(17)?.into(),
        };
        Ok(Self { number: row.get(0)?, summary, fence, key: row.get(16)? })
    }

    /// When the conversation ends after it was used at this moment, as its column holds it.
    pub(super) fn ends_ms(&self, now: Timestamp) -> Option<i64> {
        self.summary.lifetime.after_use(now, self.summary.expires_at).map(Timestamp::as_millis)
    }
}

/// The number of an owner, where it is known.
pub(super) fn owner(connection: &Connection, owner: &Owner) -> Outcome<Option<i64>> {
    let Some(namespace) = names::namespace(connection, &owner.namespace)? else { return Ok(None) };
    let sql = "SELECT id FROM conversation_owners WHERE namespace = ?1 AND realm = ?2 AND tenant = ?3 AND user = ?4";
    let subject = &owner.subject;
    let parts = (namespace, subject.realm.as_str(), subject.tenant.as_str(), subject.user.as_str());
    Ok(connection.prepare_cached(sql)?.query_row(parts, |row| row.get(0)).optional()?)
}

/// The number of an owner; a new one where it is not known.
pub(super) fn intern_owner(connection: &Connection, of: &Owner) -> Outcome<i64> {
    if let Some(id) = owner(connection, of)? {
        return Ok(id);
    }
    let namespace = names::intern_namespace(connection, &of.namespace)?;
    let subject = &of.subject;
    let parts = (namespace, subject.realm.as_str(), subject.tenant.as_str(), subject.user.as_str());
    let sql = "INSERT INTO conversation_owners (namespace, realm, tenant, user) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute(parts)?;
    Ok(connection.last_insert_rowid())
}

/// A conversation of an owner, dead or alive.
pub(super) fn of_owner(
    connection: &Connection,
    owner: i64,
    id: &ConversationId,
    now: Timestamp,
) -> Outcome<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM conversations WHERE owner = ?1 AND id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((owner, id.as_str()))?;
    rows.next()?.map(|row| Stored::read(row, now)).transpose()
}

/// A conversation whose life has not ended.
pub(super) fn alive(connection: &Connection, owner: i64, at: &Lookup) -> Outcome<Option<Stored>> {
    let found = of_owner(connection, owner, &at.id, at.now)?;
    Ok(found.filter(|stored| stored.summary.expires_at.is_none_or(|end| end > at.now)))
}

/// A conversation whose life has not ended, by its owner.
pub(super) fn find(connection: &Connection, at: &Lookup) -> Outcome<Option<Stored>> {
    match owner(connection, &at.owner)? {
        Some(owner) => alive(connection, owner, at),
        None => Ok(None),
    }
}

/// See [`mainstay_core::conversations::ConversationStore::find`].
pub(super) fn record(connection: &Connection, at: &Lookup) -> Outcome<Option<Record>> {
    let Some(stored) = find(connection, at)? else { return Ok(None) };
    let sql = "SELECT body, workflow FROM conversations WHERE number = ?1";
    let read = |row: &Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?));
    let (body, workflow) = connection.prepare_cached(sql)?.query_row([stored.number], read)?;
    Ok(Some(Record { summary: stored.summary, body: body.into(), workflow: workflow.map(Bytes::from) }))
}

/// Wakes the readers of an owner's conversations.
pub(super) fn wake(wakes: &mut Wakes, owner: &Owner) {
    wakes.topic(Topic::Conversations(owner.namespace.clone(), owner.subject.clone()));
}
