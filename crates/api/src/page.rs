//! Pages and cursors.

use serde::{Deserialize, Serialize};

/// One page of a listing. `next` continues where the page ends; it is absent on the last page. A page may hold
/// fewer items than asked for, even none, and still have a `next`: the store examined as much as one call may.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Page<T> {
    /// The items, in the order of the listing.
    pub items: Vec<T>,
    /// The cursor of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
