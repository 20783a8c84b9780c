//! Which names the server answers to, and which web pages may call it. Keeps a page that a browser visits from
//! reaching a server on the same machine through a name of its own (DNS rebinding).

use crate::app::App;
use crate::problem::Failure;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use mainstay_core::api::Code;
use mainstay_core::{Error, Result};
use std::net::IpAddr;
use std::sync::Arc;

/// Marks a request made within the process, as an extension of the request: it came over no network, so it names no
/// host.
#[derive(Debug, Clone, Copy)]
pub struct InProcess;

/// Refuses requests for hosts and from origins that are not allowed. The health checks are exempt: whoever probes a
/// container names it by an address that nobody knows beforehand, and they tell nothing worth hiding.
pub(crate) async fn check_host(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Failure> {
    let health = request.extensions().get::<MatchedPath>().is_some_and(|path| path.as_str().starts_with("/health"));
    if !health {
        app.check_host(&request)?;
    }
    Ok(next.run(request).await)
}

impl App {
    fn check_host(&self, request: &Request) -> Result<()> {
        let host = authority(request);
        match &host {
            Some(host) if !self.is_allowed(host) => return Err(host_error(host.as_str())),
            Some(_) => {}
            None if request.extensions().get::<InProcess>().is_some() => {}
            None => return Err(host_error("")),
        }
        let mut origins = request.headers().get_all(ORIGIN).iter();
        match origins.find(|origin| !self.is_allowed_origin(origin.as_bytes(), host.as_ref())) {
            Some(origin) => Err(origin_error(&String::from_utf8_lossy(origin.as_bytes()))),
            None => Ok(()),
        }
    }

    fn is_allowed(&self, host: &Authority) -> bool {
        is_loopback(host.host())
            || self.config.allowed_hosts.iter().any(|allowed| {
                allowed == "*"
                    || allowed.eq_ignore_ascii_case(host.as_str())
                    || allowed.eq_ignore_ascii_case(host.host())
            })
    }

    /// Whether a page of this origin may call: one of the server's own, or one that is configured.
    fn is_allowed_origin(&self, origin: &[u8], host: Option<&Authority>) -> bool {
        let Ok(origin) = std::str::from_utf8(origin) else {
            return false;
        };
        let own = |host: &Authority| {
            let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host.as_str()))
        };
        host.is_some_and(own) || self.config.allowed_origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }
}

/// The host that a request names: in its target with HTTP/2, in the Host header with HTTP/1. Two that differ, or one
/// that cannot be read, count as none that is allowed.
fn authority(request: &Request) -> Option<Authority> {
    let mut named = request.headers().get_all(HOST).iter().map(|value| value.as_bytes());
    let target = request.uri().authority();
    let first = match (target, named.next()) {
        (Some(target), None) => return Some(target.clone()),
        (None, None) => return None,
        (_, Some(first)) => Authority::try_from(first).ok(),
    };
    let agree = named.next().is_none() && target.is_none_or(|target| Some(target) == first.as_ref());
    // A name that no list can hold stands for what is contradictory or broken.
    first.filter(|_| agree).or_else(|| Some(Authority::from_static("invalid.")))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn host_error(host: &str) -> Error {
    let host: String = host.chars().take(200).collect();
    Error::new(
        Code::HostNotAllowed,
        format!("this server does not answer to the host {host:?}"),
        "Call it by a loopback name, or add the name to MAINSTAY_ALLOWED_HOSTS.",
    )
}

fn origin_error(origin: &str) -> Error {
    let origin: String = origin.chars().take(200).collect();
    Error::new(
        Code::HostNotAllowed,
        format!("pages of the origin {origin:?} may not call this server"),
        "Add the origin to MAINSTAY_ALLOWED_ORIGINS if it is yours.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", "0.0.0.0", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
