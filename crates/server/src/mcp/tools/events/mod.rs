//! The tools of events, one file each.

pub(super) mod publish;
pub(super) mod read;
pub(super) mod streams;

use rmcp::model::Tool;

/// The tools, in their order.
pub(super) fn tools() -> [Tool; 3] {
    [publish::tool(), read::tool(), streams::tool()]
}
