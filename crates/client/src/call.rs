//! One call: the request, its repetitions, and the reading of the answer.

use crate::retry::Attempts;
use crate::transport::Transport;
use crate::{Body, Client, ClientError, Credential, Result};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full, Limited};
use mainstay_api::errors::{Applied, Problem};
use mainstay_api::events::bridge::BRIDGE_KEY_HEADER;
use mainstay_api::ids::RequestId;
use mainstay_api::{IDEMPOTENCY_KEY_HEADER, INSTANCE_HEADER, NAMESPACE_HEADER, REASON_HEADER, REQUEST_ID_HEADER};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tower::ServiceExt;

/// Largest answer that is read, in bytes: a page holds at most 4 MiB of messages and their receipts.
const MAX_ANSWER_BYTES: usize = 64 * 1_024 * 1_024;
/// What may stand as it is in a path segment or a header. Not the dot: `..` must not become a step up.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// A request, in a form that can be sent more than once.
pub(crate) struct Call {
    method: Method,
    path: String,
    body: Option<Bytes>,
    request_id: Option<RequestId>,
    accept: &'static str,
    /// Why the call is made, where it opens the data of another.
    reason: Option<String>,
    /// The key of the HTTP bridge, where this is a call of it.
    bridge_key: Option<Credential>,
    /// The version that is replaced, 0 where there is to be none.
    expected: Option<u64>,
    /// How long the server is asked to wait before it answers, in milliseconds.
    pub(crate) wait_ms: u64,
    /// Whether the call changes something on the server.
    writes: bool,
    /// Whether a failed attempt may be followed by another.
    repeatable: bool,
}

/// A path from its segments, each encoded.
pub(crate) fn path(segments: &[&str]) -> String {
    segments.iter().fold(String::new(), |path, segment| path + "/" + &escape(segment))
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

impl Call {
    /// A read.
    pub(crate) fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            request_id: None,
            accept: "application/json",
            reason: None,
            bridge_key: None,
            expected: None,
            wait_ms: 0,
            writes: false,
            repeatable: true,
        }
    }

    /// A write; `request_id` is made where the caller gives none.
    pub(crate) fn write(method: Method, path: String, request_id: Option<RequestId>) -> Result<Self> {
        let request_id = match request_id {
            Some(id) => id,
            None => RequestId::parse(uuid::Uuid::now_v7().to_string()).map_err(|e| unusable(&e))?,
        };
        Ok(Self { method, request_id: Some(request_id), writes: true, ..Self::get(path) })
    }

    /// Adds the fields of a flat structure as a query.
    pub(crate) fn query(mut self, fields: &impl Serialize) -> Result<Self> {
        let serde_json::Value::Object(fields) = serde_json::to_value(fields).map_err(|e| unusable(&e))? else {
            return Ok(self);
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields {
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => drop(query.append_pair(&name, &text)),
                other => drop(query.append_pair(&name, &other.to_string())),
            }
        }
        let query = query.finish();
        if !query.is_empty() {
            self.path = format!("{}?{query}", self.path);
        }
        Ok(self)
    }

    /// Adds a JSON body.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self> {
        self.body = Some(serde_json::to_vec(body).map_err(|e| unusable(&e))?.into());
        Ok(self)
    }

    /// Says why the call is made, for the record.
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// Names the version that is replaced, 0 where there is to be none; any where absent.
    pub(crate) fn expecting(mut self, version: Option<u64>) -> Self {
        self.expected = version;
        self
    }

    /// Makes it a call of the HTTP bridge, which has a key of its own.
    pub(crate) fn over_the_bridge(mut self, key: &Credential) -> Self {
        self.bridge_key = Some(key.clone());
        self
    }

    /// Says that this read changes what the next one returns: it has no request id to be recognised by, so that a
    /// repetition would lose what the first attempt took.
    pub(crate) fn taking(mut self) -> Self {
        self.writes = true;
        self.repeatable = false;
        self
    }

    /// Says that this write is to be made once: the server does not remember its request id, and what it shows or uses
    /// up cannot be had again.
    pub(crate) fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// Asks for a stream of events.
    pub(crate) fn events(mut self) -> Self {
        self.accept = "text/event-stream";
        self
    }
}

fn unusable(cause: &dyn std::fmt::Display) -> ClientError {
    ClientError::Unusable { detail: format!("the request cannot be written: {cause}"), help: "Correct its values." }
}

impl Client {
    /// Makes a call and reads the answer, with repetitions as the options allow.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let retry_for_ms = if call.repeatable { self.inner.options.retry_for_ms } else { 0 };
        let mut attempts = Attempts::within(retry_for_ms);
        // What a refusal says of its own attempt says nothing of those before it.
        let mut maybe_applied = false;
        loop {
            // Boxed, so that the future of a command stays small and shallow.
            let error = match Box::pin(self.attempt(&call)).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            maybe_applied |= call.writes && error.applied() == Applied::Unknown;
            let Some(pause) = attempts.pause_after(&error) else {
                return Err(if maybe_applied { error.maybe_applied() } else { error });
            };
            tracing::debug!(%error, pause_ms = pause.as_millis(), "call failed, repeating");
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let after_ms = self.inner.options.response_timeout_ms.saturating_add(call.wait_ms);
        let answer = async {
            let (status, body) = self.exchange(call).await?;
            // An answer without content is one of nothing, which JSON spells `null`.
            let body = if status == StatusCode::NO_CONTENT { Bytes::from_static(b"null") } else { body };
            serde_json::from_slice(&body)
                .map_err(|cause| ClientError::Protocol { detail: cause.to_string(), status: status.as_u16() })
        };
        tokio::time::timeout(Duration::from_millis(after_ms), answer)
            .await
            .unwrap_or(Err(ClientError::TimedOut { after_ms }))
    }

    async fn exchange(&self, call: &Call) -> Result<(StatusCode, Bytes)> {
        let response = self.send(call).await?;
        let status = response.status();
        let headers = response.headers().clone();
        let body = read(response.into_body()).await?;
        if status.is_success() { Ok((status, body)) } else { Err(refusal(status, &headers, &body)) }
    }

    /// Opens a stream: one attempt, bounded in time up to the head of the answer.
    pub(crate) async fn open(&self, call: &Call) -> Result<Body> {
        let after_ms = self.inner.options.response_timeout_ms;
        let head = async {
            let response = self.send(call).await?;
            if response.status().is_success() {
                return Ok(response.into_body());
            }
            Err(self.refused(response).await)
        };
        tokio::time::timeout(Duration::from_millis(after_ms), head)
            .await
            .unwrap_or(Err(ClientError::TimedOut { after_ms }))
    }

    /// Gives the answer of an endpoint that says how it is with its status, such as the health checks.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let after_ms = self.inner.options.response_timeout_ms;
        let answer = async {
            let response = self.send(call).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = read(response.into_body()).await?;
            serde_json::from_slice(&body).map_err(|_| refusal(status, &headers, &body))
        };
        tokio::time::timeout(Duration::from_millis(after_ms), answer)
            .await
            .unwrap_or(Err(ClientError::TimedOut { after_ms }))
    }

    async fn send(&self, call: &Call) -> Result<Response<Body>> {
        let request = self.request(call)?;
        self.exchange_over(self.inner.transport.clone(), call, request).await
    }

    /// Sends a request over a transport.
    pub(crate) async fn exchange_over(
        &self,
        transport: Transport,
        call: &Call,
        request: Request<Body>,
    ) -> Result<Response<Body>> {
        // Boxed, so that the compiler need not prove `Send` of the whole stack again in every caller.
        let exchange: BoxFuture<'static, _> = transport.oneshot(request).boxed();
        match exchange.await {
            Ok(response) => Ok(response),
            Err(cause) => Err(self.connection_error(call, &*cause)),
        }
    }

    /// The error in an answer that is none of the expected ones.
    pub(crate) async fn refused(&self, response: Response<Body>) -> ClientError {
        let (status, headers) = (response.status(), response.headers().clone());
        match read(response.into_body()).await {
            Ok(body) => refusal(status, &headers, &body),
            Err(error) => error,
        }
    }

    pub(crate) fn request(&self, call: &Call) -> Result<Request<Body>> {
        let body = match &call.body {
            Some(bytes) => Full::new(bytes.clone()).map_err(|never| match never {}).boxed_unsync(),
            None => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        };
        let mut request = Request::builder()
            .method(&call.method)
            .uri(format!("{}{}", self.inner.base, call.path))
            .body(body)
            .map_err(|e| unusable(&e))?;
        self.fill(request.headers_mut(), call)?;
        Ok(request)
    }

    fn fill(&self, headers: &mut HeaderMap, call: &Call) -> Result<()> {
        headers.insert(ACCEPT, HeaderValue::from_static(call.accept));
        if call.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let options = &self.inner.options;
        if let Some(credential) = &options.credential {
            let mut value = HeaderValue::from_str(&credential.bearer()).map_err(|_| ClientError::Unusable {
                detail: "the credential holds characters that no credential has".into(),
                help: "Check MAINSTAY_OWNER_KEY, or the file that holds the owner key.",
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if let Some(key) = &call.bridge_key {
            let mut value = HeaderValue::from_str(key.text()).map_err(|_| ClientError::Unusable {
                detail: "the key of the bridge holds characters that no key has".into(),
                help: "Check MAINSTAY_BRIDGE_KEY, or SIGNALR_INTERNAL_API_KEY.",
            })?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(BRIDGE_KEY_HEADER), value);
        }
        if let Some(instance) = &options.instance {
            put(headers, INSTANCE_HEADER, &escape(instance.as_str()))?;
        }
        if let Some(namespace) = &options.namespace {
            put(headers, NAMESPACE_HEADER, &escape(namespace.as_str()))?;
        }
        match call.expected {
            Some(0) => drop(headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"))),
            Some(version) => put(headers, "if-match", &format!("\"{version}\""))?,
            None => {}
        }
        if let Some(reason) = &call.reason {
            put(headers, REASON_HEADER, &escape(reason))?;
        }
        if let Some(id) = &call.request_id {
            // What the server would decode or take for its own quotes is encoded too, or two ids could become one.
            let plain = id.as_str().bytes().all(|b| b.is_ascii_graphic() && b != b'%' && b != b'"');
            let value = if plain { id.as_str().to_owned() } else { escape(id.as_str()) };
            put(headers, IDEMPOTENCY_KEY_HEADER, &value)?;
        }
        Ok(())
    }

    fn connection_error(&self, call: &Call, cause: &(dyn std::error::Error + Send + Sync + 'static)) -> ClientError {
        let connecting =
            cause.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect());
        let server = if self.inner.base.is_empty() { "the server in this process" } else { &self.inner.base };
        ClientError::Connection {
            detail: format!("{} {server}", if connecting { "cannot connect to" } else { "lost the connection to" }),
            cause: innermost(cause),
            applied: if connecting || !call.writes { Applied::No } else { Applied::Unknown },
        }
    }
}

/// The cause that says most: transports wrap theirs in general words.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<()> {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).map_err(|e| unusable(&e))?);
    Ok(())
}

async fn read(body: Body) -> Result<Bytes> {
    let collected: BoxFuture<'static, _> = Limited::new(body, MAX_ANSWER_BYTES).collect().boxed();
    match collected.await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(cause) => Err(ClientError::Connection {
            detail: "the answer broke off".into(),
            cause: innermost(&*cause),
            applied: Applied::Unknown,
        }),
    }
}

/// The error in an answer: the problem it carries, or what can be said of one without.
fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ClientError {
    let Ok(mut problem) = serde_json::from_slice::<Problem>(body) else {
        let detail = format!("HTTP {status}");
        return ClientError::Protocol { detail, status: status.as_u16() };
    };
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if problem.retry_after_ms.is_none() {
        let seconds = text(RETRY_AFTER).and_then(|value| value.parse::<u64>().ok());
        problem.retry_after_ms = seconds.map(|seconds| seconds.saturating_mul(1_000));
    }
    if problem.request_id.is_none() {
        problem.request_id = text(HeaderName::from_static(REQUEST_ID_HEADER)).map(str::to_owned);
    }
    ClientError::Problem(Box::new(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_can_leave_its_segment_of_the_path() {
        assert_eq!(path(&["v1", "mail", "../a/b?c#d"]), "/v1/mail/%2E%2E%2Fa%2Fb%3Fc%23d");
        assert_eq!(path(&["é\n"]), "/%C3%A9%0A");
    }

    #[test]
    fn an_error_page_of_a_proxy_is_told_apart_from_a_problem() {
        let error = refusal(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>");
        assert!(error.is_retryable());
        assert_eq!(error.problem().code.as_str(), "server.unreachable");
        assert!(!refusal(StatusCode::NOT_FOUND, &HeaderMap::new(), b"<html>").is_retryable());
    }
}
