//! `GET /v1/mail/inbox`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::live::{self, SAFETY_READ};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::mail::{Inbox, ReadInbox, Start};
use mainstay_core::{Caller, Result, Topic};
use mainstay_hub::Wake;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Reads the caller's inbox from a position, and may wait for mail.
///
/// An answer without messages says that the wait is over; go on from its `position`.
#[utoipa::path(get, path = "/v1/mail/inbox", operation_id = "read_inbox", tag = "mail",
    params(ReadInbox),
    responses((status = 200, description = "What the inbox holds after the position", body = Inbox))
)]
pub(crate) async fn inbox(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(read): Query<ReadInbox>,
) -> Result<Json<Inbox>, Failure> {
    let inbox = live::poll(&app, read.wait_ms, |wait_for| wait_for_mail(&app, &caller, read, wait_for));
    Ok(Json(inbox.await?))
}

/// Reads until there is mail, the time is over, or the server stops.
async fn wait_for_mail(app: &App, caller: &Caller, mut read: ReadInbox, wait: Duration) -> Result<Inbox> {
    let mail = &app.services.mail;
    if wait.is_zero() {
        return mail.inbox(caller, &read).await;
    }
    let topic = Topic::Mail(caller.namespace.clone(), caller.instance()?.clone());
    // Before the first read, so that what arrives between the read and the wait is heard.
    let mut watch = app.services.hub.watch(topic);
    let deadline = Instant::now() + wait;
    let mut gap = None;
    loop {
        let inbox = mail.inbox(caller, &read).await?;
        gap = gap.or(inbox.gap);
        let left = deadline.saturating_duration_since(Instant::now());
        if !inbox.messages.is_empty() || left.is_zero() || gap.is_some() {
            return Ok(Inbox { gap, ..inbox });
        }
        read.after = Start::After(inbox.position.clone());
        if inbox.more {
            continue;
        }
        let wake = app.shutdown.run_until_cancelled(watch.changed(left.min(SAFETY_READ))).await;
        if matches!(wake, None | Some(Wake::Closed)) {
            return Ok(inbox);
        }
    }
}
