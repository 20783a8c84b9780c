//! One small request, and what its answer shows.

use super::{CheckResult, Due};
use crate::Protocol;
use crate::serving::judging::{Evidence, Verdict, judge, unreached};
use crate::serving::{Gateway, Supply, Token};
use crate::upstream::{Call, Outgoing, Speaks, send};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use mainstay_core::Result;
use mainstay_core::providers::{Failure, Outcome};
use mainstay_core::text::cut;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

/// Longest answer to a check that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1_024 * 1_024;
/// Longest part of a complaint that the log shows, in bytes.
const MAX_SAID_BYTES: usize = 200;
/// Tokens that an answer may have: the least that every provider takes.
const MAX_TOKENS: u32 = 16;

/// What a check showed.
pub(super) struct Shown {
    pub outcome: Outcome,
    pub result: CheckResult,
}

impl Shown {
    const fn of(outcome: Outcome, result: CheckResult) -> Self {
        Self { outcome, result }
    }

    fn failed(failure: Failure) -> Self {
        let result = CheckResult::Failed(failure.class);
        Self::of(Outcome::Failed(failure), result)
    }

    const fn unsent() -> Self {
        Self::of(Outcome::Unsent, CheckResult::Unsent)
    }
}

impl Gateway {
    /// Asks a provider; once more with a new token where it refuses the one it was shown.
    pub(super) async fn asked_of(&self, due: &Due) -> Result<Shown> {
        let parts = &self.parts;
        let record = parts.store.provider(&due.pool, &due.provider, parts.clock.now()).await?;
        let Some(record) = record else { return Ok(Shown::unsent()) };
        let mut token = None;
        if due.target.key.is_none() && record.credential.is_some() {
            token = match parts.tokens.bearer(&due.pool, &due.provider, record.credential).await? {
                Supply::Token(token) => Some(token),
                Supply::None(why) => {
                    tracing::info!(pool = %due.pool.pool, provider = %due.provider, why, "there is no token for a check");
                    return Ok(Shown::unsent());
                }
            };
        }
        let shown = self.ask(due, token.as_ref()).await;
        let refused = matches!(&shown.outcome, Outcome::Failed(failure) if failure.needs_refresh);
        let Some(seen) = token.filter(|_| refused) else { return Ok(shown) };
        match parts.tokens.refresh(&due.pool, &due.provider, seen.version).await? {
            Supply::Token(newer) => Ok(self.ask(due, Some(&newer)).await),
            Supply::None(_) => Ok(shown),
        }
    }

    async fn ask(&self, due: &Due, token: Option<&Token>) -> Shown {
        let Some(outgoing) = self.worded_check(due, token).await else { return Shown::unsent() };
        let limit = due.check.timeout;
        match timeout(limit, self.heard_of(due, outgoing, token.is_some())).await {
            Ok(shown) => shown,
            Err(_) => Shown::failed(unreached(&format!("it gave no answer within {} ms", limit.as_millis()))),
        }
    }

    /// The request; nothing where settings do not say enough.
    async fn worded_check(&self, due: &Due, token: Option<&Token>) -> Option<Outgoing> {
        let (target, check) = (&due.target, &due.check);
        let (pool, provider) = (&due.pool.pool, &due.provider);
        let way = self.way(&due.pool, target).await.ok()?;
        let client = self.clients.of(&way);
        let client =
            client.inspect_err(|why| tracing::warn!(%pool, %provider, why, "a provider cannot be checked")).ok()?;
        let (method, address, body) = match (target.speaks, &check.model) {
            (Speaks::Anything, _) => (Method::GET, target.beneath(&check.path, None), Bytes::new()),
            (Speaks::Protocol(protocol), Some(model)) => {
                let there = target.model_map.get(model).unwrap_or(model);
                let address = target.address(protocol, Call::Generate { stream: false }, there);
                (Method::POST, address, words(protocol, there))
            }
            (Speaks::Protocol(_), None) => {
                tracing::warn!(%pool, %provider, "a provider cannot be checked: its settings name no model for it");
                return None;
            }
        };
        let mut headers = HeaderMap::new();
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        target.dress(&mut headers, token.map(|token| &token.text));
        Some(Outgoing {
            client,
            method,
            address,
            headers,
            body,
            first_byte_timeout: check.timeout,
            idle_timeout: check.timeout,
        })
    }

    async fn heard_of(&self, due: &Due, outgoing: Outgoing, refreshable: bool) -> Shown {
        let mut incoming = match send(outgoing).await {
            Ok(incoming) => incoming,
            Err(failed) => return Shown::failed(unreached(&failed.why)),
        };
        let body = match incoming.whole(MAX_ANSWER_BYTES).await {
            Ok(body) => body,
            Err(interrupted) => return Shown::failed(unreached(interrupted.why())),
        };
        let said = String::from_utf8_lossy(&body);
        let verdict = judge(&Evidence {
            status: incoming.status.as_u16(),
            headers: &incoming.headers,
            said: &said,
            refreshable,
            random: self.parts.mint.secret()[0],
            now: self.parts.clock.now(),
        });
        match verdict {
            Verdict::Failed(failure) => Shown::failed(failure),
            Verdict::Answered if incoming.status.is_success() => understood(due, &said),
            Verdict::Answered | Verdict::OfTheClient => unclear(due, incoming.status, &said),
        }
    }
}

/// Whether an answer is one: where the protocol is known, it is a JSON object.
fn understood(due: &Due, said: &str) -> Shown {
    let any = due.target.speaks == Speaks::Anything;
    match any || serde_json::from_str::<Map<String, Value>>(said).is_ok() {
        true => Shown::of(Outcome::Success, CheckResult::Healthy),
        false => Shown::failed(unreached("its answer cannot be understood")),
    }
}

fn unclear(due: &Due, status: StatusCode, said: &str) -> Shown {
    let (pool, provider, model) = (&due.pool.pool, &due.provider, &due.check.model);
    let (status, said) = (status.as_u16(), cut(said, MAX_SAID_BYTES));
    tracing::warn!(%pool, %provider, model, status, said, "a check says nothing of its provider: is it asked for the right model?");
    Shown::of(Outcome::Neutral, CheckResult::Unclear)
}

/// The smallest request that every upstream of a protocol answers.
fn words(protocol: Protocol, model: &str) -> Bytes {
    let turn = json!([{"role": "user", "content": "Hi"}]);
    let body = match protocol {
        // Some of its models refuse one spelling of a limit, and some the other.
        Protocol::OpenAi => json!({"model": model, "messages": turn}),
        Protocol::Responses => json!({"model": model, "input": "Hi", "max_output_tokens": MAX_TOKENS, "store": false}),
        Protocol::Anthropic => json!({"model": model, "messages": turn, "max_tokens": MAX_TOKENS}),
        Protocol::Gemini => json!({
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "generationConfig": {"maxOutputTokens": MAX_TOKENS},
        }),
    };
    body.to_string().into()
}
