//! Who a script speaks for: the settings, else the identity file of the original, else `unknown` with its warning.

use super::Stage;
use crate::cli::context::Context;
use crate::failure::Result;
use mainstay_api::InstanceId;
use serde::Deserialize;

/// The identity file of the original.
const FILE: &str = ".claude/instance-identity.json";

#[derive(Deserialize)]
struct IdentityFile {
    instance_id: String,
}

/// An identity, and whether it is known.
pub struct Identity {
    /// The instance; `unknown` where none is known.
    pub instance: InstanceId,
    /// Whether it is known.
    pub known: bool,
}

/// Finds out who the script speaks for.
pub fn find(context: &Context<'_>) -> Identity {
    let from_file = || {
        let text = std::fs::read(FILE).ok()?;
        let file: IdentityFile = serde_json::from_slice(&text).ok()?;
        InstanceId::parse(file.instance_id).ok()
    };
    match context.settings.instance.clone().or_else(from_file) {
        Some(instance) => Identity { known: instance.as_str() != "unknown", instance },
        None => Identity { instance: unknown(), known: false },
    }
}

/// Says on stdout, as the originals do, that nobody knows who is calling.
pub fn warn(context: &Context<'_>, stage: Stage, identity: &Identity) -> Result {
    if identity.known {
        return Ok(());
    }
    context.printer.verbatim(match stage {
        Stage::A => "Warning: CLAUDE_INSTANCE_ID not set. Run 'source scripts/cli-identity.sh <ui|agent>' first.\n",
        Stage::D => "Warning: Identity file not found at .claude/instance-identity.json\n",
    })
}

fn unknown() -> InstanceId {
    InstanceId::parse("unknown").unwrap_or_else(|_| InstanceId::all())
}
