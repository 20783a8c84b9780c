//! `mainstay conversation turn`.

use crate::cli::context::Context;
use crate::cli::span::Millis;
use crate::failure::Result;
use clap::{Args, Subcommand};
use mainstay_api::ConversationId;
use mainstay_api::conversations::{EndTurn, RenewTurn, TakeTurn, Turn};

/// Commands about the turn of a conversation.
#[derive(Debug, Subcommand)]
pub enum TurnCommand {
    /// Take the turn; prints its token. Until it ends nobody else can append.
    Take(Take),
    /// Prolong the turn; prints until when.
    Renew(Renew),
    /// End the turn.
    End(End),
}

/// Takes the turn.
#[derive(Debug, Args)]
pub struct Take {
    /// The conversation.
    id: ConversationId,
    /// How long it lasts unless it is renewed, 1s to 10m.
    #[arg(long = "for", value_name = "SPAN", default_value = "30s")]
    span: Millis,
    /// What one calls oneself, for those who find it taken.
    #[arg(long, value_name = "NAME")]
    holder: Option<String>,
}

/// Prolongs the turn.
#[derive(Debug, Args)]
pub struct Renew {
    /// The conversation.
    id: ConversationId,
    /// The token of the turn.
    turn: u64,
    /// How long it lasts from now on, 1s to 10m.
    #[arg(long = "for", value_name = "SPAN", default_value = "30s")]
    span: Millis,
}

/// Ends the turn.
#[derive(Debug, Args)]
pub struct End {
    /// The conversation.
    id: ConversationId,
    /// The token of the turn.
    turn: u64,
}

impl TurnCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client().await?;
        let conversations = client.conversations();
        match self {
            Self::Take(Take { id, span, holder }) => {
                let take = TakeTurn { holder, ttl_ms: Some(span.0.unsigned_abs()) };
                let turn = conversations.take_turn(&id, &take).await?;
                context.printer.data(&turn, || turn.turn.to_string())?;
                until(context, &turn);
                Ok(())
            }
            Self::Renew(Renew { id, turn, span }) => {
                let renew = RenewTurn { turn, ttl_ms: Some(span.0.unsigned_abs()) };
                let turn = conversations.renew_turn(&id, &renew).await?;
                context.printer.data(&turn, || turn.until.to_seconds_text())
            }
            Self::End(End { id, turn }) => {
                let ended = conversations.end_turn(&id, &EndTurn { turn }).await?;
                context.printer.data(&ended, || if ended.ended { "ended" } else { "had ended before" }.into())
            }
        }
    }
}

fn until(context: &Context<'_>, turn: &Turn) {
    if !context.printer.is_json() {
        context.printer.note(&format!("until {}", turn.until.to_seconds_text()));
    }
}
