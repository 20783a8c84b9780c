//! The adapter over streamable HTTP: one endpoint, no state. Every request makes its handler anew from the caller that
//! the authentication before it found.

mod refusal;
mod stream;

use super::McpParts;
use super::handler::Handler;
use super::subscriptions::Push;
use crate::access::Origin;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::HOST;
use http::{HeaderValue, StatusCode};
use mainstay_core::Caller;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

const SESSION: &str = "mcp-session-id";
const METHOD: &str = "mcp-method";

/// The bounds of the endpoint.
#[derive(Debug, Clone, Copy)]
pub struct HttpOptions {
    /// Largest body of a request, in bytes.
    pub max_body_bytes: usize,
    /// Most calls that wait, and streams, at a time.
    pub max_waits: usize,
    /// Silence after which a stream says that it lives, so that proxies keep it, in milliseconds.
    pub keep_alive_ms: u64,
}

impl Default for HttpOptions {
    /// 4 MiB (the largest message body, escaped, and some room), 1,024 waits, 15 seconds.
    fn default() -> Self {
        Self { max_body_bytes: 4 * 1_024 * 1_024, max_waits: 1_024, keep_alive_ms: 15_000 }
    }
}

#[derive(Clone)]
struct Endpoint {
    parts: McpParts,
    config: StreamableHttpServerConfig,
    sessions: Arc<NeverSessionManager>,
    waits: Arc<Semaphore>,
    keep_alive: Duration,
    stopping: CancellationToken,
}

/// The endpoint, to be nested at `/mcp` behind layers that check `Host` and `Origin`, authenticate, and leave the
/// [`Caller`] in the request's extensions. What waits ends as soon as `shutdown` is cancelled.
pub fn http_router(parts: McpParts, options: HttpOptions, shutdown: CancellationToken) -> Router {
    let keep_alive = Duration::from_millis(options.keep_alive_ms.max(1));
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts()
        .with_max_request_body_bytes(options.max_body_bytes)
        .with_sse_keep_alive(Some(keep_alive));
    let endpoint = Endpoint {
        parts,
        config,
        sessions: Arc::default(),
        waits: Arc::new(Semaphore::new(options.max_waits.min(Semaphore::MAX_PERMITS))),
        keep_alive,
        stopping: shutdown,
    };
    Router::new().route("/", post(answer).get(stream::open).fallback(refusal::method)).with_state(endpoint)
}

impl Endpoint {
    /// A handler for the caller of a request.
    fn handler(&self, caller: &Caller, origin: Origin) -> Handler {
        Handler {
            backend: self.parts.backend_from(caller.clone(), origin),
            version: self.parts.version.clone(),
            push: Push::Stream,
            waits: Arc::clone(&self.waits),
            stopping: self.stopping.clone(),
        }
    }
}

async fn answer(State(endpoint): State<Endpoint>, mut request: Request) -> Response {
    let Some(caller) = request.extensions().get::<Caller>() else {
        return refusal::no_caller().into_response();
    };
    let origin = request.extensions().get::<Origin>().cloned().unwrap_or_default();
    let handler = endpoint.handler(caller, origin);
    let begins = !request.headers().contains_key(SESSION) && !request.headers().contains_key(METHOD);
    let service: StreamableHttpService<Handler, NeverSessionManager> =
        StreamableHttpService::new(move || Ok(handler.clone()), endpoint.sessions, endpoint.config);
    // Checked before, where there is one: calls within the process have none, and HTTP/2 says it elsewhere.
    request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("localhost"));
    let mut response = service.handle(request).await.map(Body::new);
    if begins && response.status() == StatusCode::OK {
        // Some clients of earlier protocols open the stream only if they were given a session. It names nothing, and
        // no request looks it up.
        response.headers_mut().insert(SESSION, HeaderValue::from_static("stateless"));
    }
    refusal::explained(response).await
}
