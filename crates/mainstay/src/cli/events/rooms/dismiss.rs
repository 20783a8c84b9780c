//! `mainstay events rooms dismiss`.

use super::At;
use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::events::MemberId;

/// Ends a membership, and the live subscriptions that stand on it.
#[derive(Debug, Args)]
pub struct Dismiss {
    #[command(flatten)]
    at: At,
    /// Who.
    member: MemberId,
}

impl Dismiss {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let dismissed = context.client().await?.room(&self.at.stream, &self.at.room).dismiss(&self.member).await?;
        let member = one_line(self.member.as_str());
        context.printer.data(&dismissed, || match dismissed.changed {
            true => format!("dismissed {member}"),
            false => format!("{member} was no member"),
        })
    }
}
