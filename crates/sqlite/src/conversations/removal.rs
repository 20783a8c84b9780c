//! Deleting: one conversation, all of an owner, what has expired.

use super::row;
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use mainstay_core::api::Timestamp;
use mainstay_core::conversations::{Lookup, Owner};
use rusqlite::Connection;

/// Most messages and remembered requests that one step deletes, so that the writes that wait behind it do not wait for
/// long.
const MAX_STEP_ROWS: u32 = 10_000;

/// What a step of removing did.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Conversations that are gone.
    pub removed: u32,
    /// Whether it ended before everything that it was to remove was gone.
    pub unfinished: bool,
}

/// See [`mainstay_core::conversations::ConversationStore::delete`].
pub(super) fn delete(connection: &Connection, at: &Lookup, wakes: &mut Wakes) -> Outcome<bool> {
    let Some(stored) = row::find(connection, at)? else { return Ok(false) };
    remove(connection, stored.number)?;
    row::wake(wakes, &at.owner);
    Ok(true)
}

/// One step of [`mainstay_core::conversations::ConversationStore::erase`]: `None` where it must be asked again.
pub(super) fn erase(connection: &Connection, of: &Owner, limit: u32, wakes: &mut Wakes) -> Outcome<Option<u32>> {
    let Some(owner) = row::owner(connection, of)? else { return Ok(Some(0)) };
    let sql = "SELECT number FROM conversations WHERE owner = ?1 LIMIT ?2";
    let numbers = numbers(connection, sql, (owner, limit))?;
    row::wake(wakes, of);
    if !numbers.is_empty() {
        let step = remove_some(connection, &numbers)?;
        return Ok((step.removed > 0).then_some(step.removed));
    }
    let sql = "DELETE FROM conversation_requests WHERE owner = ?1 AND key IN
                   (SELECT key FROM conversation_requests WHERE owner = ?1 LIMIT ?2)";
    if connection.prepare_cached(sql)?.execute((owner, MAX_STEP_ROWS))? == MAX_STEP_ROWS as usize {
        return Ok(None);
    }
    connection.prepare_cached("DELETE FROM conversation_owners WHERE id = ?1")?.execute([owner])?;
    Ok(Some(0))
}

/// See [`mainstay_core::conversations::ConversationStore::purge`].
pub(super) fn purge(connection: &Connection, now: Timestamp, limit: u32) -> Outcome<u32> {
    let sql = "SELECT number FROM conversations WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2";
    let numbers = numbers(connection, sql, (now.as_millis(), limit))?;
    let step = remove_some(connection, &numbers)?;
    let sql = "DELETE FROM conversation_requests WHERE (owner, key) IN
                   (SELECT owner, key FROM conversation_requests WHERE until_ms <= ?1 LIMIT ?2)";
    connection.prepare_cached(sql)?.execute((now.as_millis(), limit))?;
    connection.prepare_cached(include_str!("removal_owners.sql"))?.execute([limit])?;
    Ok(if step.unfinished { limit } else { step.removed })
}

/// Removes expired conversations of an owner, at most `limit` and as far as one step goes.
pub(super) fn expired_of(connection: &Connection, owner: i64, now: Timestamp, limit: u32) -> Outcome<Step> {
    let sql = "SELECT number FROM conversations WHERE owner = ?1 AND expires_ms <= ?2 LIMIT ?3";
    remove_some(connection, &numbers(connection, sql, (owner, now.as_millis(), limit))?)
}

/// Removes conversations as far as one step goes. One that is removed in part is over for everyone, and removed first
/// by the next purge.
pub(super) fn remove_some(connection: &Connection, numbers: &[i64]) -> Outcome<Step> {
    let (mut room, mut removed) = (MAX_STEP_ROWS, 0);
    for number in numbers {
        for sql in [include_str!("removal_messages.sql"), include_str!("removal_requests.sql")] {
            let rows = connection.prepare_cached(sql)?.execute((number, room))?;
            room = room.saturating_sub(u32::try_from(rows).unwrap_or(u32::MAX));
        }
        if room == 0 {
            let sql = "UPDATE conversations SET expires_ms = 0 WHERE number = ?1";
            connection.prepare_cached(sql)?.execute([number])?;
            return Ok(Step { removed, unfinished: true });
        }
        connection.prepare_cached("DELETE FROM conversations WHERE number = ?1")?.execute([number])?;
        removed += 1;
    }
    Ok(Step { removed, unfinished: false })
}

/// Removes a conversation with its messages and what is remembered of appends to it.
fn remove(connection: &Connection, number: i64) -> Outcome<()> {
    for sql in [
        "DELETE FROM conversation_messages WHERE conversation = ?1",
        "DELETE FROM conversation_requests WHERE conversation = ?1 AND first_seq IS NOT NULL",
        "DELETE FROM conversations WHERE number = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([number])?;
    }
    Ok(())
}

fn numbers(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Outcome<Vec<i64>> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map(parameters, |row| row.get(0))?.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::open_memory;
    use crate::schema;
    use mainstay_core::api::{ConversationId, Namespace, Subject};

    const LONG: u32 = 2 * MAX_STEP_ROWS + 1;

    /// An owner with one long conversation, which ends at 5.
    fn long(connection: &Connection) -> Owner {
        let owner = Owner { namespace: Namespace::default(), subject: Subject::local("ada") };
        let number = row::intern_owner(connection, &owner).unwrap();
        let begin =
            "INSERT INTO conversations (number, owner, id, status, version, messages, bytes, created_ms, updated_ms,
                         accessed_ms, expires_ms, sliding, ttl_ms, pinned, fence, head, body)
                     VALUES (1, ?1, 'c', 'active', 1, ?2, 0, 1, 1, 1, 5, 1, 4, 0, 0, x'', x'')";
        connection.execute(begin, (number, LONG)).unwrap();
        let fill = "WITH RECURSIVE seqs(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM seqs WHERE seq < ?1)
                    INSERT INTO conversation_messages (conversation, seq, at_ms, document) SELECT 1, seq, 1, x'' FROM seqs";
        connection.execute(fill, [LONG]).unwrap();
        owner
    }

    fn left(connection: &Connection) -> u32 {
        connection.query_row("SELECT count(*) FROM conversation_messages", (), |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_purge_that_ends_at_its_bound_says_that_there_is_more() {
        let connection = open_memory(schema::STORE).unwrap();
        long(&connection);
        for rest in [MAX_STEP_ROWS + 1, 1] {
            assert_eq!(purge(&connection, Timestamp::from_millis(5), 7).unwrap(), 7);
            assert_eq!(left(&connection), rest);
        }
        assert_eq!(purge(&connection, Timestamp::from_millis(5), 7).unwrap(), 1);
        assert_eq!(left(&connection), 0);
    }

    #[test]
    fn an_erasure_takes_a_long_conversation_in_steps_and_nobody_sees_what_is_left_between() {
        let connection = open_memory(schema::STORE).unwrap();
        let owner = long(&connection);
        let at =
            Lookup { owner: owner.clone(), id: ConversationId::parse("c").unwrap(), now: Timestamp::from_millis(2) };
        assert!(row::find(&connection, &at).unwrap().is_some());
        for rest in [MAX_STEP_ROWS + 1, 1] {
            assert_eq!(erase(&connection, &owner, 50, &mut Wakes::default()).unwrap(), None);
            assert_eq!(left(&connection), rest);
            assert!(row::find(&connection, &at).unwrap().is_none());
        }
        assert_eq!(erase(&connection, &owner, 50, &mut Wakes::default()).unwrap(), Some(1));
        assert_eq!(erase(&connection, &owner, 50, &mut Wakes::default()).unwrap(), Some(0));
    }

    #[test]
    fn room_for_a_conversation_is_made_in_steps() {
        let connection = open_memory(schema::STORE).unwrap();
        long(&connection);
        let room = |_| expired_of(&connection, 1, Timestamp::from_millis(5), 16).unwrap();
        let steps: Vec<Step> = (0..3).map(room).collect();
        let (more, done) = (|| Step { removed: 0, unfinished: true }, Step { removed: 1, unfinished: false });
        assert_eq!(steps, [more(), more(), done]);
        assert_eq!(left(&connection), 0);
    }
}
