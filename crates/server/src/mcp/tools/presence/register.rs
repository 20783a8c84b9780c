//! `presence_register`.

use super::own;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::presence::{Instance, RegisterInstance};
use rmcp::model::Tool;

pub(in crate::mcp::tools) const NAME: &str = "presence_register";

pub(super) fn tool() -> Tool {
    schema::tool::<RegisterInstance, Instance>(Description {
        name: NAME,
        title: "Say that you are there",
        text: "Registers you under your instance name with what you are and what you work on. Call it at the start of \
               a session, and again when that changes; it replaces what you said before.",
        effect: Effect::Settles,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: RegisterInstance) -> Result<Instance> {
    backend.register(own(backend)?, given).await
}
