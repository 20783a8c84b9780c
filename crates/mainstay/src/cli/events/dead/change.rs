//! `mainstay events dead revive` and `mainstay events dead forget`.

use super::super::group_of;
use super::Of;
use crate::cli::context::Context;
use crate::failure::{FAILED, Failure, Result};
use clap::Args;
use mainstay_api::events::{EventToken, ListDead, MAX_WORK};
use mainstay_client::GroupClient;
use serde::Serialize;

/// Names the events by their tokens, or all of them.
#[derive(Debug, Args)]
pub struct Change {
    #[command(flatten)]
    of: Of,
    /// The events, as `mainstay events dead list` names them.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    tokens: Vec<EventToken>,
    /// All that are dead now.
    #[arg(long)]
    all: bool,
}

/// What is done to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// They are brought back.
    Revive,
    /// They are forgotten.
    Forget,
}

/// What became of them.
#[derive(Debug, Default, Serialize)]
struct Changed {
    changed: Vec<EventToken>,
    not_dead: Vec<EventToken>,
}

impl Change {
    /// Runs the command. Exit status 1 where one that was named is not among the dead.
    pub async fn run(self, context: &Context<'_>, what: What) -> Result {
        let named = group_of(self.of.group, context)?;
        let group = context.client().await?.group(&self.of.stream, &named);
        let changed = if self.all { all(&group, what).await? } else { each(&group, what, &self.tokens).await? };
        let done = if what == What::Revive { "revived" } else { "forgot" };
        context.printer.data(&changed, || {
            let lines = changed.changed.iter().map(|token| format!("{done} {token}"));
            lines
                .chain(changed.not_dead.iter().map(|token| format!("{token} was not dead")))
                .collect::<Vec<_>>()
                .join("\n")
        })?;
        if self.all || changed.not_dead.is_empty() { Ok(()) } else { Err(Failure::Status(FAILED)) }
    }
}

async fn each(group: &GroupClient<'_>, what: What, tokens: &[EventToken]) -> Result<Changed> {
    let mut changed = Changed::default();
    for token in tokens {
        let answer = match what {
            What::Revive => group.revive(*token).await?,
            What::Forget => group.forget(*token).await?,
        };
        if answer.changed { changed.changed.push(*token) } else { changed.not_dead.push(*token) }
    }
    Ok(changed)
}

/// Page by page, each behind the one before: what dies again meanwhile is left.
async fn all(group: &GroupClient<'_>, what: What) -> Result<Changed> {
    let (mut all, mut cursor) = (Changed::default(), None);
    loop {
        let page = group.dead(&ListDead { limit: Some(MAX_WORK), cursor }).await?;
        let tokens: Vec<EventToken> = page.items.iter().map(|dead| dead.token).collect();
        let changed = each(group, what, &tokens).await?;
        all.changed.extend(changed.changed);
        all.not_dead.extend(changed.not_dead);
        cursor = tokens.last().copied();
        if page.next.is_none() || cursor.is_none() {
            return Ok(all);
        }
    }
}
