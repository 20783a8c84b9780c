//! The tools of presence, one file each.

pub(super) mod heartbeat;
pub(super) mod list;
pub(super) mod register;
pub(super) mod unregister;

use crate::mcp::{Backend, Result};
use mainstay_api::{Code, InstanceId, Problem};
use rmcp::model::Tool;

/// The tools, in their order.
pub(super) fn tools() -> [Tool; 4] {
    [list::tool(), register::tool(), heartbeat::tool(), unregister::tool()]
}

/// The caller's own instance.
///
/// # Errors
/// `auth.instance_missing`.
fn own(backend: &dyn Backend) -> Result<&InstanceId> {
    backend.instance().ok_or_else(|| {
        let detail = "this call needs to know which instance it speaks for";
        Box::new(Problem::new(Code::InstanceUnknown, detail, ""))
    })
}
