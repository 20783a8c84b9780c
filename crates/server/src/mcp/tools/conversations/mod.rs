//! The tools of conversations, one file each.

pub(super) mod append;
pub(super) mod chat;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod fork;
pub(super) mod list;
pub(super) mod messages;
pub(super) mod show;
mod view;

use rmcp::model::Tool;

/// The tools, in their order.
pub(super) fn tools() -> [Tool; 8] {
    [
        create::tool(),
        list::tool(),
        show::tool(),
        messages::tool(),
        append::tool(),
        fork::tool(),
        delete::tool(),
        chat::tool(),
    ]
}
