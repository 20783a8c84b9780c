//! A stream ends with the credential that opened it: one that has expired, was revoked, or allows something else now.

use crate::app::App;
use crate::caller::{Credential, caller_of};
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use mainstay_core::Caller;
use mainstay_core::identity::Purpose;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// How long a stream goes on while its credential cannot be looked at, because the store or the issuer is away.
const MAX_UNCHECKED: Duration = Duration::from_secs(60);
/// The last event of a stream whose credential has ended.
const BYE: &str = "event: bye\ndata: {\"reason\":\"credential\"}\n\n";

/// Ends the answer, where it is a stream of events, when the credential of the request ends.
pub(crate) async fn while_it_stands(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let known = extensions.get::<Credential>().cloned().zip(extensions.get::<Caller>().cloned());
    let response = next.run(request).await;
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match known {
        Some((credential, caller)) if kind.is_some_and(|kind| kind.starts_with("text/event-stream")) => {
            response.map(|body| bound(body, Standing::new(app, credential, caller)))
        }
        _ => response,
    }
}

/// A credential that is looked at again and again.
pub(crate) struct Standing {
    app: Arc<App>,
    credential: Credential,
    caller: Arc<Caller>,
    /// When it was last seen to stand.
    checked: Instant,
}

impl Standing {
    /// How often it is looked at.
    pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(5);

    /// A credential that was good just now.
    pub(crate) fn new(app: Arc<App>, credential: Credential, caller: impl Into<Arc<Caller>>) -> Self {
        Self { app, credential, caller: caller.into(), checked: Instant::now() }
    }

    /// Whether the credential still allows what it allowed.
    pub(crate) async fn holds(&mut self) -> bool {
        let identified = match self.app.identify(self.credential.expose(), Purpose::Watch).await {
            Ok(identified) => identified,
            Err(error) if error.problem.retryable => return self.checked.elapsed() < MAX_UNCHECKED,
            Err(_) => return false,
        };
        self.checked = Instant::now();
        let now = caller_of(identified, self.caller.instance.clone(), Some(self.caller.namespace.clone()));
        now.is_ok_and(|now| now.principal == self.caller.principal && now.scopes == self.caller.scopes)
    }
}

struct Bound {
    frames: BodyDataStream,
    checks: Interval,
    standing: Standing,
    ended: bool,
}

fn bound(body: Body, standing: Standing) -> Body {
    let mut checks = tokio::time::interval_at(Instant::now() + Standing::CHECK_EVERY, Standing::CHECK_EVERY);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let bound = Bound { frames: body.into_data_stream(), checks, standing, ended: false };
    Body::from_stream(stream::unfold(bound, |mut bound| async move {
        let frame = bound.next().await?;
        Some((frame, bound))
    }))
}

impl Bound {
    async fn next(&mut self) -> Option<Result<Bytes, axum::Error>> {
        if self.ended {
            return None;
        }
        loop {
            tokio::select! {
                biased;
                _ = self.checks.tick() => {
                    if !self.standing.holds().await {
                        tracing::info!(principal = %self.standing.caller.principal, "a stream ended with its credential");
                        self.ended = true;
                        return Some(Ok(Bytes::from_static(BYE.as_bytes())));
                    }
                }
                frame = self.frames.next() => return frame,
            }
        }
    }
}
