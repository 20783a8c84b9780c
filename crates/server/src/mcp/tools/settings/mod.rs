//! The tools of settings and other documents, one file each.

pub(super) mod get;
pub(super) mod list;
pub(super) mod set;
mod view;

use rmcp::model::Tool;

/// The tools, in their order.
pub(super) fn tools() -> [Tool; 3] {
    [get::tool(), list::tool(), set::tool()]
}
