//! check-messages.sh.

use super::arguments::{self, Asked, Check, Family, Window};
use super::{Script, Stage, call_failed, identity, invalid_type, not_opened, text, usage_error};
use crate::cli::context::Context;
use crate::failure::Result;
use mainstay_api::legacy::LegacyMessage;
use mainstay_api::mail::{ListMessages, MAX_PAGE, Message};
use mainstay_api::{InstanceId, MessageType, Timestamp};
use mainstay_client::{Client, ClientError};

/// Messages shown at most, as in the originals.
const LIMIT: usize = 100;
/// Pages looked through at most for messages that match.
const MAX_PAGES: usize = 100;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Runs the script.
pub async fn run(context: &Context<'_>, stage: Stage, script: &Script) -> Result {
    let check = match arguments::check(&script.arguments) {
        Ok(Asked::Run(check)) => check,
        Ok(Asked::Help) => return context.printer.verbatim(&text::check_usage(&script.name)),
        Err(error) => return usage_error(context, &error, &text::check_usage(&script.name)),
    };
    let me = identity::find(context);
    let list = match query(stage, &check, &me.instance, context.now()) {
        Ok(list) => list,
        Err(error) => return usage_error(context, &error, &text::check_usage(&script.name)),
    };
    let known = me.known.then(|| me.instance.as_str().to_owned());
    let client = context.client_as(me.instance).await.map_err(|failure| not_opened(context, failure))?;
    // The last scripts knew their types; a misspelt one is no empty inbox. The first only compared texts.
    if let (Stage::D, Some(kind)) = (stage, &check.kind) {
        let types = client.mail().types().await.map_err(|error| call_failed(context, &error.problem()))?.types;
        if !types.contains(kind) {
            return invalid_type(context, client, kind).await;
        }
    }
    let found = find(client, list, stage, &check).await.map_err(|error| call_failed(context, &error.problem()))?;

    let mut shown = text::check_header(stage, known.as_deref(), &check);
    if found.is_empty() {
        shown.push_str(text::check_empty(stage, &check));
        return context.printer.verbatim(&shown);
    }
    for message in &found {
        shown.push_str(&text::shown(&LegacyMessage::of(message)));
    }
    shown.push_str(&text::check_footer(stage, &script.name, found.len(), &check));
    context.printer.verbatim(&shown)
}

/// The last scripts show one's own inbox, acknowledged or not; the first showed what of the last day waits for an
/// acknowledgement, and with `--pending` that of everyone.
fn query(stage: Stage, check: &Check, me: &InstanceId, now: Timestamp) -> Result<ListMessages, String> {
    let everyone = check.all || (stage == Stage::A && check.pending);
    let window = match (check.window, stage) {
        (Some(window), _) => Some(window),
        (None, Stage::A) if !check.all && !check.pending => Some(Window::Day),
        (None, _) => None,
    };
    let days = window.map(|window| if window == Window::Day { 1 } else { 7 });
    let parsed = |what: &str, error: mainstay_api::InvalidText| format!("Error: {what}: {error}");
    Ok(ListMessages {
        recipient: (!everyone).then(|| me.clone()),
        sender: check.from.clone().map(InstanceId::parse).transpose().map_err(|e| parsed("--from", e))?,
        kind: check.kind.clone().map(MessageType::parse).transpose().map_err(|e| parsed("--type", e))?,
        pending: check.pending,
        since: days.map(|days| Timestamp::from_millis(now.as_millis() - days * DAY_MS)),
        // The acknowledgement of somebody else is known only with every receipt.
        receipts: true,
        limit: Some(if check.family.is_some() { MAX_PAGE } else { 100 }),
        ..ListMessages::default()
    })
}

async fn find(
    client: &Client,
    mut list: ListMessages,
    stage: Stage,
    check: &Check,
) -> Result<Vec<Message>, ClientError> {
    let wanted = |message: &Message| {
        let kind = message.content.kind.as_str();
        let in_family = match check.family {
            None => true,
            Some(Family::Reviews) => matches!(kind, "READY_FOR_REVIEW" | "REVIEW_COMPLETE" | "REVIEW_FAILED"),
            Some(Family::Contracts) => kind.starts_with("CONTRACT_"),
        };
        in_family && (stage == Stage::D || check.all || !message.acknowledged)
    };
    let mut found = Vec::new();
    for _ in 0..MAX_PAGES {
        let page = client.mail().list(&list).await?;
        found.extend(page.items.into_iter().filter(&wanted));
        match page.next {
            Some(next) if found.len() < LIMIT => list.cursor = Some(next),
            _ => break,
        }
    }
    found.truncate(LIMIT);
    Ok(found)
}
