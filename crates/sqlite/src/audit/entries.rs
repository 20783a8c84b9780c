//! Entries: adding, reading and removing them.

use super::chain;
use crate::errors::Outcome;
use mainstay_core::audit::{Append, Appended, Hash, Head, Order, PageQuery, Sealed, Trim, Trimmed};
use rusqlite::{Connection, OptionalExtension};

/// See [`mainstay_core::audit::AuditStore::append`].
pub(super) fn append(connection: &Connection, append: &Append) -> Outcome<Appended> {
    let Some(last) = append.entries.last() else { return Ok(Appended::Appended) };
    let found = chain::find(connection, &append.chain)?;
    let head = found.as_ref().map_or(Head::GENESIS, |chain| chain.state.head);
    if head != append.expected {
        // Where the answer to an earlier attempt was lost, the last entry stands already.
        let stands = match &found {
            Some(chain) => hash_at(connection, chain.id, last.seq)?.is_some_and(|hash| hash == last.hash.to_string()),
            None => false,
        };
        return Ok(if stands { Appended::Appended } else { Appended::Moved(head) });
    }
    let id = match found {
        Some(chain) => chain.id,
        None => chain::make(connection, &append.chain)?,
    };
    let sql = "INSERT INTO audit_entries (chain, seq, hash, body) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = connection.prepare_cached(sql)?;
    for entry in &append.entries {
        insert.execute((id, entry.seq, entry.hash.to_string(), &entry.body))?;
    }
    let sql = "UPDATE audit_chains SET seq = ?2, hash = ?3, count = count + ?4 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((id, last.seq, last.hash.to_string(), append.entries.len()))?;
    Ok(Appended::Appended)
}

/// See [`mainstay_core::audit::AuditStore::page`].
pub(super) fn page(connection: &Connection, query: &PageQuery) -> Outcome<Vec<Sealed>> {
    let Some(chain) = chain::find(connection, &query.chain)? else { return Ok(Vec::new()) };
    let (sql, from) = match query.order {
        Order::After(seq) => {
            ("SELECT seq, hash, body FROM audit_entries WHERE chain = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3", seq)
        }
        Order::Before(seq) => {
            ("SELECT seq, hash, body FROM audit_entries WHERE chain = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3", seq)
        }
    };
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((chain.id, from, query.limit))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        // What we would never have written is shown as it is: a verification has to see it.
        let hash = Hash::parse(&row.get::<_, String>(1)?).unwrap_or(Hash::GENESIS);
        entries.push(Sealed { seq: row.get::<_, i64>(0)?.try_into().unwrap_or(0), hash, body: row.get(2)? });
    }
    Ok(entries)
}

/// See [`mainstay_core::audit::AuditStore::trim`].
pub(super) fn trim(connection: &Connection, trim: &Trim) -> Outcome<Trimmed> {
    let Some(chain) = chain::find(connection, &trim.chain)? else { return Ok(Trimmed::Mismatch) };
    if trim.base.seq <= chain.state.base.seq {
        return Ok(Trimmed::Removed(0));
    }
    let hash = trim.base.hash.to_string();
    let holds = hash_at(connection, chain.id, trim.base.seq)?.is_some_and(|stored| stored == hash);
    if !holds || trim.base.seq >= chain.state.head.seq {
        return Ok(Trimmed::Mismatch);
    }
    let sql = "DELETE FROM audit_entries WHERE chain = ?1 AND seq <= ?2";
    let removed = connection.prepare_cached(sql)?.execute((chain.id, trim.base.seq))? as u64;
    let sql = "UPDATE audit_chains SET base_seq = ?2, base_hash = ?3, statement = ?4, count = count - ?5 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((chain.id, trim.base.seq, hash, &trim.statement, removed))?;
    Ok(Trimmed::Removed(removed))
}

fn hash_at(connection: &Connection, chain: i64, seq: u64) -> Outcome<Option<String>> {
    let sql = "SELECT hash FROM audit_entries WHERE chain = ?1 AND seq = ?2";
    Ok(connection.prepare_cached(sql)?.query_row((chain, seq), |row| row.get(0)).optional()?)
}
