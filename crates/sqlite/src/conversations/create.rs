//! Beginning conversations, empty or with the messages of another.

use super::requests::{self, Remember};
use super::{removal, row};
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use mainstay_core::api::conversations::RetentionMode;
use mainstay_core::conversations::{Create, Created, Fork, Forked, Lookup};
use rusqlite::{Connection, named_params};

/// Most expired conversations of an owner that are removed to make room for one.
const MAX_REMOVED_FOR_ROOM: u32 = 16;

/// What a conversation begins with.
#[derive(Clone, Copy, Default)]
struct Inherited {
    messages: u64,
    bytes: u64,
    fence: u64,
}

/// One step of [`mainstay_core::conversations::ConversationStore::create`]: `None` where it made room for one and must be
/// asked again.
pub(super) fn create(connection: &Connection, create: &Create, wakes: &mut Wakes) -> Outcome<Option<Created>> {
    let owner = row::intern_owner(connection, &create.at.owner)?;
    let Some(allowed) = may_create(connection, owner, create)? else { return Ok(None) };
    if allowed == Created::Created {
        insert(connection, owner, create, Inherited::default())?;
        row::wake(wakes, &create.at.owner);
    }
    Ok(Some(allowed))
}

/// One step of [`mainstay_core::conversations::ConversationStore::fork`]: `None` as of [`create`].
pub(super) fn fork(connection: &Connection, fork: &Fork, wakes: &mut Wakes) -> Outcome<Option<Forked>> {
    let create = &fork.create;
    let owner = row::intern_owner(connection, &create.at.owner)?;
    let Some(allowed) = may_create(connection, owner, create)? else { return Ok(None) };
    if allowed != Created::Created {
        return Ok(Some(Forked::Created(allowed)));
    }
    let from = Lookup { id: fork.source.clone(), ..create.at.clone() };
    let source = row::alive(connection, owner, &from)?.filter(|source| source.summary.messages >= fork.up_to);
    let Some(source) = source else { return Ok(Some(Forked::NoSource)) };
    let sql = "SELECT coalesce(sum(length(document)), 0) FROM conversation_messages
               WHERE conversation = ?1 AND seq <= ?2";
    let bytes = connection.prepare_cached(sql)?.query_row((source.number, fork.up_to), |row| row.get(0))?;
    let inherited = Inherited { messages: fork.up_to, bytes, fence: source.fence };
    let number = insert(connection, owner, create, inherited)?;
    connection.prepare_cached(include_str!("create_copy.sql"))?.execute((number, source.number, fork.up_to))?;
    row::wake(wakes, &create.at.owner);
    Ok(Some(Forked::Created(Created::Created)))
}

/// What the request id, the id and the bound say; `None` where what has expired is removed in more steps.
fn may_create(connection: &Connection, owner: i64, create: &Create) -> Outcome<Option<Created>> {
    let now = create.at.now;
    if let Some(memo) = &create.memo
        && let Some(memory) = requests::find(connection, owner, &memo.key, now)?
    {
        let same = memory.fingerprint == memo.fingerprint;
        return Ok(Some(if same { Created::Replayed(memory.id) } else { Created::MemoMismatch }));
    }
    if let Some(stored) = row::of_owner(connection, owner, &create.at.id, now)? {
        if stored.summary.expires_at.is_none_or(|end| end > now) {
            return Ok(Some(Created::Exists));
        }
        if removal::remove_some(connection, &[stored.number])?.unfinished {
            return Ok(None);
        }
    }
    let is_full = || Outcome::Ok(count(connection, owner)? >= create.max_conversations);
    if !is_full()? {
        return Ok(Some(Created::Created));
    }
    let step = removal::expired_of(connection, owner, now, MAX_REMOVED_FOR_ROOM)?;
    Ok(match (is_full()?, step.unfinished) {
        (false, _) => Some(Created::Created),
        (true, true) => None,
        (true, false) => Some(Created::TooMany),
    })
}

fn count(connection: &Connection, owner: i64) -> Outcome<u32> {
    let sql = "SELECT conversations FROM conversation_owners WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([owner], |row| row.get(0))?)
}

fn insert(connection: &Connection, owner: i64, create: &Create, inherited: Inherited) -> Outcome<i64> {
    let (at, lifetime) = (&create.at, create.lifetime);
    connection.prepare_cached(include_str!("create_insert.sql"))?.execute(named_params! {
        ":owner": owner,
        ":id": at.id.as_str(),
        ":status": create.status.as_str(),
        ":messages": inherited.messages,
        ":bytes": inherited.bytes,
        ":fence": inherited.fence,
        ":now_ms": at.now.as_millis(),
        ":expires_ms": lifetime.end(at.now).map(mainstay_core::api::Timestamp::as_millis),
        ":sliding": lifetime.retention.mode == RetentionMode::Sliding,
        ":ttl_ms": lifetime.retention.ttl_ms,
        ":pinned": lifetime.pinned,
        ":head": create.head.as_ref(),
        ":workflow": create.workflow.as_deref(),
        ":body": create.body.as_ref(),
    })?;
    let conversation = connection.last_insert_rowid();
    if let Some(memo) = &create.memo {
        requests::remember(connection, &Remember { owner, memo, conversation, id: &at.id, written: None })?;
    }
    Ok(conversation)
}
