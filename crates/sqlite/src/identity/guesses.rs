//! What is counted against guessing: attempts at accounts, answers to challenges. And the end of what has ended.

use super::sessions;
use super::users::user_id;
use crate::errors::Outcome;
use mainstay_core::api::Timestamp;
use mainstay_core::identity::{ChallengeRow, Guess, GuessRule};
use rusqlite::{Connection, OptionalExtension, Row};

/// See [`mainstay_core::identity::IdentityStore::guess`].
pub(super) fn guess(connection: &Connection, account: &str, rule: GuessRule, now: Timestamp) -> Outcome<Guess> {
    let now_ms = now.as_millis();
    let sql = "SELECT count, locked_until_ms FROM guesses WHERE account = ?1 AND forget_ms > ?2";
    let known: Option<(u32, i64)> = connection
        .prepare_cached(sql)?
        .query_row((account, now_ms), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (count, locked_until_ms) = known.unwrap_or((0, now_ms));
    if locked_until_ms > now_ms {
        return Ok(Guess::Locked(Timestamp::from_millis(locked_until_ms)));
    }
    let count = count.saturating_add(1);
    let lock_ms = match count.checked_sub(rule.free) {
        Some(over) => rule.first_lock_ms.saturating_mul(1 << over.min(30)).min(rule.max_lock_ms),
        None => 0,
    };
    let sql = "INSERT INTO guesses (account, count, locked_until_ms, forget_ms) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (account) DO UPDATE
               SET count = excluded.count, locked_until_ms = excluded.locked_until_ms, forget_ms = excluded.forget_ms";
    connection.prepare_cached(sql)?.execute((
        account,
        count,
        now_ms.saturating_add(lock_ms),
        now_ms.saturating_add(rule.memory_ms),
    ))?;
    Ok(Guess::Allowed)
}

/// See [`mainstay_core::identity::IdentityStore::forgive`].
pub(super) fn forgive(connection: &Connection, account: &str) -> Outcome<()> {
    connection.prepare_cached("DELETE FROM guesses WHERE account = ?1")?.execute([account])?;
    Ok(())
}

/// See [`mainstay_core::identity::IdentityStore::put_challenge`].
pub(super) fn put_challenge(connection: &Connection, challenge: &str, row: &ChallengeRow) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO challenges (challenge, user, account, answers, expires_ms)
               VALUES (?1, ?2, ?3, 0, ?4)";
    let expires_ms = row.expires_at.as_millis();
    connection.prepare_cached(sql)?.execute((challenge, row.user.as_str(), &row.account, expires_ms))?;
    Ok(())
}

/// See [`mainstay_core::identity::IdentityStore::answer`].
pub(super) fn answer(
    connection: &Connection,
    challenge: &str,
    max_answers: u32,
    now: Timestamp,
) -> Outcome<Option<ChallengeRow>> {
    let sql = "UPDATE challenges SET answers = answers + 1
               WHERE challenge = ?1 AND expires_ms > ?2 AND answers < ?3
               RETURNING user, account, expires_ms";
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?));
    let counted = connection.prepare_cached(sql)?.query_row((challenge, now.as_millis(), max_answers), read);
    let Some((user, account, expires_ms)) = counted.optional()? else { return Ok(None) };
    Ok(Some(ChallengeRow { user: user_id(user)?, account, expires_at: Timestamp::from_millis(expires_ms) }))
}

/// See [`mainstay_core::identity::IdentityStore::end_challenge`].
pub(super) fn end_challenge(connection: &Connection, challenge: &str) -> Outcome<bool> {
    Ok(connection.prepare_cached("DELETE FROM challenges WHERE challenge = ?1")?.execute([challenge])? > 0)
}

/// See [`mainstay_core::identity::IdentityStore::purge`].
pub(super) fn purge(connection: &Connection, now: Timestamp, limit: u32) -> Outcome<u32> {
    let statements = [
        "DELETE FROM challenges WHERE challenge IN
         (SELECT challenge FROM challenges WHERE expires_ms <= ?1 LIMIT ?2)",
        "DELETE FROM guesses WHERE account IN (SELECT account FROM guesses WHERE forget_ms <= ?1 LIMIT ?2)",
        "DELETE FROM api_keys WHERE id IN
         (SELECT id FROM api_keys WHERE expires_ms IS NOT NULL AND expires_ms <= ?1 LIMIT ?2)",
    ];
    for sql in statements {
        connection.prepare_cached(sql)?.execute((now.as_millis(), limit))?;
    }
    sessions::purge(connection, now, limit)
}
