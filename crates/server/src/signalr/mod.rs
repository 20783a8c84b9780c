//! The SignalR protocol at `/hubs/*`: negotiation, three transports, and the hubs behind them.

mod access_token;
mod connect;
mod connections;
mod delete;
mod held;
mod hubs;
mod negotiate;
mod polling;
mod relay;
mod rules;
mod send;
mod session;
mod sse;
mod websocket;

pub(crate) use access_token::from_query;
pub(crate) use connect::{__path_connect, connect};
pub(crate) use connections::Connections;
pub(crate) use delete::{__path_end, end};
pub(crate) use negotiate::{__path_negotiate, negotiate};
pub use rules::SignalrRules;
pub(crate) use send::{__path_send, send};

use crate::problem::Failure;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, EXPIRES, PRAGMA};
use http::{HeaderValue, StatusCode, Uri};
use hubs::HubKind;
use mainstay_core::Error;
use mainstay_core::api::Code;

/// The hub that a path names.
fn hub_of(name: &str) -> Result<HubKind, Failure> {
    HubKind::named(name).ok_or_else(|| {
        let known = HubKind::ALL.map(HubKind::name).join(", ");
        let name: String = name.chars().take(100).collect();
        Failure(Error::new(Code::NoSuchRoute, format!("there is no hub {name:?}"), format!("The hubs are {known}.")))
    })
}

/// The value of a parameter of a query, decoded. Names are taken in any case.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.into_owned())
}

/// No connection that the caller may use has this token. Whether there is one for others is not told.
fn unknown() -> Failure {
    Failure(Error::new(
        Code::ConnectionUnknown,
        "No Connection with that ID",
        "Negotiate again: the connection has ended, was never opened, or belongs to another credential.",
    ))
}

/// A request that does not fit the connection.
fn unfit(detail: &str) -> Failure {
    Failure(Error::invalid(detail))
}

/// Keeps answers out of every cache on the way.
fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"));
    response
}

/// An answer without a body.
fn empty(status: StatusCode) -> Response {
    uncached(status.into_response())
}
