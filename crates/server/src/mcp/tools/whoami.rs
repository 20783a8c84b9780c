//! `whoami`.

use super::Nothing;
use super::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::identity::WhoAmI;
use rmcp::model::Tool;

pub(super) const NAME: &str = "whoami";

pub(super) fn tool() -> Tool {
    schema::tool::<Nothing, WhoAmI>(Description {
        name: NAME,
        title: "Who am I",
        text: "Tells which instance you are, in which namespace, and what you may do. Your instance is the sender of \
               what you send and the owner of the inbox you read.",
        effect: Effect::Reads,
    })
}

pub(super) async fn call(backend: &dyn Backend, _: Nothing) -> Result<WhoAmI> {
    backend.whoami().await
}
