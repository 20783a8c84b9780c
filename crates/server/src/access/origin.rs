//! Where a request comes from, for the log and the audit trail.

use crate::layers::InProcess;
use axum::extract::Request;
use http::HeaderMap;
use mainstay_core::api::CORRELATION_ID_HEADER;
use mainstay_core::audit::Record;
use std::net::{IpAddr, SocketAddr};

/// Longest correlation id taken from a caller, in bytes.
const MAX_ID_BYTES: usize = 128;
/// Most addresses of a forwarding header that are looked at.
const MAX_HOPS: usize = 16;

/// The other end of the connection that a request came on, as an extension of the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub SocketAddr);

/// Where a request comes from, as an extension of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The address of the client.
    pub from: Option<IpAddr>,
    /// Whether the call was made within the process.
    pub within: bool,
    /// The id of the request.
    pub request_id: String,
    /// What relates the request to others.
    pub correlation_id: Option<String>,
}

impl Origin {
    /// Where the request came from, in words.
    pub fn place(&self) -> Option<String> {
        let from = self.from.map(|from| from.to_string());
        from.or_else(|| self.within.then(|| "this process".to_owned()))
    }

    /// Writes into a record where the request came from.
    pub fn fill(&self, record: &mut Record) {
        record.from = self.place();
        record.request_id = (!self.request_id.is_empty()).then(|| self.request_id.clone());
        record.correlation_id.clone_from(&self.correlation_id);
    }
}

/// Reads where a request comes from. What a proxy says of its client counts only where the proxy is trusted.
pub(crate) fn origin(request: &Request, request_id: &str, trusted_proxies: &[IpAddr]) -> Origin {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical());
    Origin {
        from: peer.map(|peer| client_behind(peer, request.headers(), trusted_proxies)),
        within: request.extensions().get::<InProcess>().is_some(),
        request_id: request_id.to_owned(),
        correlation_id: correlation_id(request.headers()),
    }
}

/// The last address, seen from here, that is not of a trusted proxy.
fn client_behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let said = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let mut hops: Vec<&str> = said.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut client = peer;
    for _ in 0..MAX_HOPS {
        if !trusted.contains(&client) {
            break;
        }
        let Some(next) = hops.pop().and_then(|hop| hop.parse::<IpAddr>().ok()) else { break };
        client = next.to_canonical();
    }
    client
}

/// The correlation id that the caller gave, else the trace that the request belongs to (W3C Trace Context).
fn correlation_id(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let trace = || text("traceparent")?.split('-').nth(1).filter(|trace| trace.len() == 32);
    text(CORRELATION_ID_HEADER).filter(|id| is_fit(id)).or_else(|| trace().filter(|id| is_fit(id))).map(str::to_owned)
}

/// Whether an id of a caller is fit for a log.
pub(crate) fn is_fit(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_who_its_client_is() {
        let said: &[(_, HeaderValue)] =
            &[(http::HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static("9.9.9.9, 10.0.0.1"))];
        let headers: HeaderMap = said.iter().cloned().collect();
        assert_eq!(client_behind(ip("1.2.3.4"), &headers, &[]), ip("1.2.3.4"));
        assert_eq!(client_behind(ip("1.2.3.4"), &headers, &[ip("1.2.3.4")]), ip("10.0.0.1"));
        assert_eq!(client_behind(ip("1.2.3.4"), &headers, &[ip("1.2.3.4"), ip("10.0.0.1")]), ip("9.9.9.9"));
    }

    #[test]
    fn a_trace_stands_in_for_a_correlation_id() {
        let one = |name: &'static str, value: &'static str| {
            let header = (http::HeaderName::from_static(name), HeaderValue::from_static(value));
            correlation_id(&HeaderMap::from_iter([header]))
        };
        assert_eq!(one("x-correlation-id", "visit-7").as_deref(), Some("visit-7"));
        assert_eq!(one("x-correlation-id", "two words"), None);
        let trace = one("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        assert_eq!(trace.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    }
}
