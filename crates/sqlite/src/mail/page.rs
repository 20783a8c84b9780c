//! A page that is being filled, within its bounds.

use mainstay_core::mail::{MAX_PAGE_BYTES, Row};

/// Most deliveries or messages that one call examines. Reading that many takes some tens of milliseconds; a reader
/// goes on from where the page ended.
pub(super) const MAX_EXAMINED: u32 = 20_000;

/// The rows of a page so far.
pub(super) struct Filling {
    rows: Vec<Row>,
    limit: usize,
    bytes: usize,
}

impl Filling {
    /// An empty page for at most `limit` rows.
    pub(super) fn new(limit: u32) -> Self {
        Self { rows: Vec::new(), limit: usize::try_from(limit).unwrap_or(usize::MAX), bytes: 0 }
    }

    /// Whether the page has as many rows as were asked for.
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= self.limit
    }

    /// Adds a row. Returns whether there was room for its bytes; there always is for the first.
    pub(super) fn push(&mut self, row: Row) -> bool {
        self.bytes += row.document.len();
        if self.bytes > MAX_PAGE_BYTES && !self.rows.is_empty() {
            return false;
        }
        self.rows.push(row);
        true
    }

    /// The rows.
    pub(super) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}
