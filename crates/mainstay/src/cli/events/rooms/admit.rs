//! `mainstay events rooms admit`.

use super::At;
use crate::cli::context::Context;
use crate::cli::span::Moment;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::events::{AdmitMember, MemberId};

/// Lets somebody into a room, in place of an earlier admission.
///
/// It counts in streams whose rooms are for their members alone (access = "members").
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay events rooms admit chat request:42 7 --until 8h")]
pub struct Admit {
    #[command(flatten)]
    at: At,
    /// Who: the id of a user, or a principal such as key:….
    member: MemberId,
    /// Until when: a span such as 8h or a time; without an end when absent.
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
}

impl Admit {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let admit = AdmitMember { until: self.until.map(|until| until.after(context.now())) };
        let room = (&self.at.stream, &self.at.room);
        let admitted = context.client().await?.room(room.0, room.1).admit(&self.member, &admit).await?;
        context.printer.data(&admitted, || {
            let until =
                admitted.until.map_or_else(|| "without an end".into(), |at| format!("until {}", at.to_seconds_text()));
            format!("admitted {} {until}", one_line(admitted.member.as_str()))
        })
    }
}
