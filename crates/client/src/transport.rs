//! The Tower service under a client: connections to a server, or its router in this process.

use crate::{ClientError, ClientOptions, Inner, Result};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::sync::Arc;
use std::time::Duration;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

/// Any error, as Tower passes it on.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// The body of requests and answers.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

pub(crate) type Transport = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// How long an unused connection is kept, in milliseconds: less than the idle time-outs of common proxies.
const POOL_IDLE_MS: u64 = 50_000;
/// Interval of TCP keepalive probes, in milliseconds: a half-open connection is found before a person gives up.
const KEEPALIVE_MS: u64 = 15_000;

/// Gives every service the same form.
pub(crate) fn boxed<S, B>(service: S) -> Transport
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let service = service
        .map_response(|response: Response<B>| response.map(|body| body.map_err(Into::into).boxed_unsync()))
        .map_err(Into::into);
    BoxCloneSyncService::new(service)
}

/// A transport over the network, and what to put before every path.
pub(crate) fn network(url: &str, options: &ClientOptions) -> Result<(Transport, String)> {
    let base = base(url)?;
    let tcp = tcp(options);
    // The roots of trust take milliseconds to load: only where they are needed.
    let transport = if base.starts_with("https:") { boxed(pool(tls(tcp, true)?)) } else { boxed(pool(tcp)) };
    Ok((transport, base))
}

/// The transport of requests that become sockets: over HTTP/1.1, of which a server with TLS must be told.
pub(crate) fn sockets(client: &Inner) -> Result<Transport> {
    if client.base.is_empty() {
        return Err(ClientError::Unusable {
            detail: "a socket needs a server over the network".into(),
            help: "Name a server with --url, or MAINSTAY_URL.",
        });
    }
    if !client.base.starts_with("https:") {
        return Ok(client.transport.clone());
    }
    if let Some(known) = client.sockets.get() {
        return Ok(known.clone());
    }
    let transport = boxed(pool(tls(tcp(&client.options), false)?));
    Ok(client.sockets.get_or_init(|| transport).clone())
}

fn tcp(options: &ClientOptions) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(Duration::from_millis(KEEPALIVE_MS)));
    tcp.set_connect_timeout(Some(Duration::from_millis(options.connect_timeout_ms)));
    tcp.enforce_http(false);
    tcp
}

fn pool<C>(connector: C) -> hyper_util::client::legacy::Client<C, Body>
where
    C: hyper_util::client::legacy::connect::Connect + Clone,
{
    hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_millis(POOL_IDLE_MS))
        // A repetition is decided in one place, where the request id is known.
        .retry_canceled_requests(false)
        .build(connector)
}

fn tls(tcp: HttpConnector, http2: bool) -> Result<HttpsConnector<HttpConnector>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider).map_err(|cause| {
        ClientError::Unusable {
            detail: format!("the certificates that this machine trusts cannot be loaded: {cause}"),
            help: "Install the ca-certificates package, or set SSL_CERT_FILE.",
        }
    })?;
    let builder = builder.https_only().enable_http1();
    Ok(if http2 { builder.enable_http2().wrap_connector(tcp) } else { builder.wrap_connector(tcp) })
}

fn base(url: &str) -> Result<String> {
    let refuse = |detail: String| ClientError::Unusable {
        detail,
        help: "Set MAINSTAY_URL to the address of a server, such as http://127.0.0.1:7717.",
    };
    let parsed = url::Url::parse(url).map_err(|cause| refuse(format!("{url:?} is not a URL: {cause}")))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host().is_none() {
        return Err(refuse(format!("{url:?} is not an http or https address")));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(refuse("the address holds a user name or password, which a server does not read".into()));
    }
    let base = format!("{}{}", parsed.origin().ascii_serialization(), parsed.path().trim_end_matches('/'));
    base.parse::<Uri>().map_err(|cause| refuse(format!("{url:?} is not a URL: {cause}")))?;
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_kept_and_a_trailing_slash_is_not() {
        assert_eq!(base("http://127.0.0.1:7717/").unwrap(), "http://127.0.0.1:7717");
        assert_eq!(base("https://example.org/mainstay/").unwrap(), "https://example.org/mainstay");
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused_without_repeating_a_password() {
        for bad in ["localhost:7717", "redis://localhost", "http://", "nonsense"] {
            assert!(base(bad).is_err(), "{bad}");
        }
        let error = base("http://me:secret@localhost").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
