//! `mainstay agent list`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::presence::{Instance, PresenceState};

/// Lists the instances that are there, or were not long ago.
#[derive(Debug, Args)]
pub struct List {
    /// Only those that are active.
    #[arg(long)]
    active: bool,
}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let mut presence = context.client().await?.presence().list().await?;
        if self.active {
            presence.instances.retain(|instance| instance.state == PresenceState::Active);
        }
        if presence.instances.is_empty() && !context.printer.is_json() {
            context.printer.note("nobody is there");
            return Ok(());
        }
        let head = ["INSTANCE", "STATE", "LAST BEAT", "ROLE", "HOST", "BRANCH", "WORK"];
        let rows = || presence.instances.iter().map(row).collect();
        context.printer.data(&presence, || context.printer.rows(&head, rows()))
    }
}

fn row(instance: &Instance) -> Vec<String> {
    let text = |value: &Option<String>| one_line(value.as_deref().unwrap_or("-"));
    vec![
        one_line(instance.instance.as_str()),
        state(instance.state).into(),
        instance.last_heartbeat.to_seconds_text(),
        text(&instance.details.role),
        text(&instance.details.host),
        text(&instance.details.branch),
        text(&instance.details.current_work),
    ]
}

/// The state, for people.
pub(super) fn state(state: PresenceState) -> &'static str {
    match state {
        PresenceState::Active => "active",
        PresenceState::Inactive => "inactive",
    }
}
