//! Lists of conversations.

use super::row::{self, COLUMNS, Stored};
use crate::errors::Outcome;
use mainstay_core::conversations::{ListPage, ListQuery, MAX_PAGE_BYTES, Place};
use rusqlite::Connection;

/// Most conversations that one call examines.
const MAX_EXAMINED: u32 = 5_000;

/// See [`mainstay_core::conversations::ConversationStore::list`].
pub(super) fn list(connection: &Connection, query: &ListQuery) -> Outcome<ListPage> {
    let mut page = ListPage { rows: Vec::new(), next: None };
    let Some(owner) = row::owner(connection, &query.owner)? else { return Ok(page) };
    let (before_ms, before_id) = match &query.after {
        Some(place) => (place.updated_at.as_millis(), place.id.as_str()),
        None => (i64::MAX, ""),
    };
    let mut statement = connection.prepare_cached(&sql())?;
    let mut rows = statement.query((owner, before_ms, before_id))?;
    let (mut last, mut bytes) = (None, 0);
    for _ in 0..MAX_EXAMINED {
        let Some(row) = rows.next()? else { return Ok(page) };
        let summary = Stored::read(row, query.now)?.summary;
        let place = Place { updated_at: summary.updated_at, id: summary.id.clone() };
        let alive = summary.expires_at.is_none_or(|end| end > query.now);
        if alive && query.status.is_none_or(|status| status == summary.status) {
            bytes += summary.head.len();
            if page.rows.len() >= query.limit as usize || (bytes > MAX_PAGE_BYTES && !page.rows.is_empty()) {
                page.next = last;
                return Ok(page);
            }
            page.rows.push(summary);
        }
        last = Some(place);
    }
    page.next = last;
    Ok(page)
}

fn sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM conversations INDEXED BY conversations_by_change
         WHERE owner = ?1 AND (updated_ms, id) < (?2, ?3)
         ORDER BY updated_ms DESC, id DESC"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::open_memory;
    use crate::schema;

    #[test]
    fn a_list_follows_the_index_from_its_place_and_sorts_nothing() {
        let connection = open_memory(schema::STORE).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", sql())).unwrap();
        let rows = statement.query_map((1, 9, ""), |row| row.get::<_, String>(3)).unwrap();
        let plan: Vec<String> = rows.collect::<Result<_, _>>().unwrap();
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:#?}");
        assert!(plan[0].contains("(updated_ms,id)<"), "{plan:#?}");
    }
}
