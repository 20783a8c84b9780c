//! The tools of pools of providers, one file each.

pub(super) mod breaker;
pub(super) mod get;
pub(super) mod list;
pub(super) mod patch;
pub(super) mod reset;
mod view;

use rmcp::model::Tool;

/// The tools, in their order.
pub(super) fn tools() -> [Tool; 5] {
    [list::tool(), get::tool(), patch::tool(), reset::tool(), breaker::tool()]
}
