//! The tools of mail, one file each.

pub(super) mod ack;
pub(super) mod counts;
pub(super) mod inbox;
pub(super) mod list;
pub(super) mod mark_read;
pub(super) mod read;
pub(super) mod send;
pub(super) mod types;
pub(super) mod wait;

use rmcp::model::Tool;

/// The tools, in their order.
pub(super) fn tools() -> [Tool; 9] {
    [
        send::tool(),
        list::tool(),
        read::tool(),
        inbox::tool(),
        wait::tool(),
        ack::tool(),
        mark_read::tool(),
        counts::tool(),
        types::tool(),
    ]
}
