//! Refreshing tokens at any authorization server that speaks OAuth 2.0 (RFC 6749, section 6), or nearly.

mod answer;
mod question;

use answer::{Answered, read_answer};
use async_trait::async_trait;
use mainstay_core::Clock;
use mainstay_core::providers::credentials::{Authorizer, Issued, RefreshRefusal, RefreshRequest};
use question::question;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;

/// Longest answer of an authorization server, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1_024;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Asks authorization servers over HTTP. Impersonates nobody: who the client is, the settings of a provider say.
pub struct HttpAuthorizer {
    /// For servers elsewhere, by way of the proxy of the surroundings where there is one.
    away: OnceLock<Result<Client, String>>,
    /// For servers of this machine, which no proxy reaches.
    local: OnceLock<Result<Client, String>>,
    clock: Arc<dyn Clock>,
}

impl HttpAuthorizer {
    /// One that makes its clients with the first call: most commands make none.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { away: OnceLock::new(), local: OnceLock::new(), clock }
    }

    async fn ask(&self, url: Url, request: &RefreshRequest) -> Result<Response, RefreshRefusal> {
        let client = match crate::is_loopback(&url) {
            true => self.local.get_or_init(|| built(builder().no_proxy().tls_certs_only([]))),
            false => self.away.get_or_init(|| built(builder())),
        };
        let client = client.as_ref().map_err(|cause| RefreshRefusal::Misconfigured(cause.clone()))?;
        let request = question(client.post(url).timeout(request.client.timeout()), request);
        request.send().await.map_err(|cause| unreached(&cause))
    }
}

fn builder() -> ClientBuilder {
    // The first in the process decides; all of them are this one.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("mainstay/", env!("CARGO_PKG_VERSION")))
}

fn built(builder: ClientBuilder) -> Result<Client, String> {
    builder.build().map_err(|cause| format!("authorization servers cannot be reached safely: {cause}"))
}

#[async_trait]
impl Authorizer for HttpAuthorizer {
    async fn refresh(&self, request: &RefreshRequest) -> Result<Issued, RefreshRefusal> {
        let url = address(&request.client.token_url)?;
        let mut response = self.ask(url, request).await?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|value| answer::retry_after(value, self.clock.now()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| unreached(&cause))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(doubtful(format!("it answers with more than {MAX_ANSWER_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        read_answer(&Answered { status, retry_after, body: &body }, request)
    }
}

/// The address of a server. Refresh tokens leave this machine under TLS alone.
fn address(text: &str) -> Result<Url, RefreshRefusal> {
    let wrong = |rule: &str| RefreshRefusal::Misconfigured(format!("`oauth.token_url` {rule}"));
    let url = Url::parse(text).map_err(|_| wrong("is no URL"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if crate::is_loopback(&url) => Ok(url),
        _ => Err(wrong("is not https, nor on this machine")),
    }
}

/// A failure of the network. Where the connection was not made, nothing was sent.
fn unreached(cause: &reqwest::Error) -> RefreshRefusal {
    // The words of the library may name the address, never the body.
    let kind = match () {
        () if cause.is_connect() => "the authorization server cannot be reached",
        () if cause.is_timeout() => "the authorization server gave no answer in time",
        () => "the authorization server broke off",
    };
    RefreshRefusal::Transient { reason: kind.into(), retry_after: None, in_doubt: !cause.is_connect() }
}

fn doubtful(reason: String) -> RefreshRefusal {
    RefreshRefusal::Transient { reason, retry_after: None, in_doubt: true }
}
