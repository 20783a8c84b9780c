//! `GET /hubs/{hub}`: a transport of a connection.

use super::connections::{Named, Place, key_of, random};
use super::session::{Opening, Session};
use super::{hub_of, hubs::HubKind, parameter, polling, relay, sse, unfit, unknown, websocket};
use crate::app::App;
use crate::caller::{Authenticated, Credential};
use crate::live::socket::Upgrade;
use crate::problem::Failure;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, UPGRADE};
use http::request::Parts;
use mainstay_core::api::Code;
use mainstay_core::{Caller, Error};
use mainstay_signalr::negotiate::Transport;
use std::sync::Arc;

/// Longest name of a session at a desktop, in bytes.
const MAX_DESKTOP_BYTES: usize = 200;

/// Opens a transport of a connection: a WebSocket, server-sent events, or one long poll.
///
/// `id` is the token that the negotiation gave. A WebSocket without one is a new connection. Browsers, which can give a
/// WebSocket no header, say their credential as `access_token`.
#[utoipa::path(get, path = "/hubs/{hub}", operation_id = "connect_hub", tag = "hubs",
    params(("hub" = String, Path, description = "The hub"),
        ("id" = Option<String>, Query, description = "The token of the connection"),
        ("sessionId" = Option<String>, Query, description = "The session at a desktop that shows as present"),
        ("access_token" = Option<String>, Query, description = "The credential, where no header can be given")),
    responses((status = 101, description = "A WebSocket"),
        (status = 200, description = "Events, or what has arrived for a poll"),
        (status = 204, description = "The connection has ended, or a newer poll took over"))
)]
pub(crate) async fn connect(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Extension(credential): Extension<Credential>,
    Path(hub): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let (mut parts, _) = request.into_parts();
    let hub = hub_of(&hub)?;
    let transport = transport_of(&parts);
    let token = parameter(&parts.uri, "id").filter(|token| !token.is_empty());
    // A request that can become no socket opens no session.
    let upgrade = match transport {
        Transport::WebSockets => Some(Upgrade::of(&mut parts)?),
        _ => None,
    };
    let desktop = desktop_of(&parts)?;
    let asker = Asker { app, caller, credential, hub, transport, desktop };
    let (session, is_new) = match asker.session(token).await? {
        Reached::Here(session, is_new) => (session, is_new),
        Reached::Elsewhere(key) => return relay::poll(&asker.app, &key).await,
    };
    match transport {
        Transport::WebSockets => {
            let message_bytes = asker.app.config.signalr.limits.message_bytes;
            // Refused before, where there is none.
            let upgrade = upgrade.ok_or_else(|| unfit("the request asks for no socket"))?;
            let opening = websocket::Opening { upgrade, session, message_bytes };
            Ok(websocket::open(opening, &asker.app.services.sockets))
        }
        Transport::ServerSentEvents => sse::open(session).await,
        Transport::LongPolling if is_new => polling::begin(&session).await,
        Transport::LongPolling => {
            Ok(polling::poll(&session, asker.app.config.signalr.poll_timeout).await.into_response())
        }
    }
    .map(IntoResponse::into_response)
}

/// Which transport a request opens.
fn transport_of(parts: &Parts) -> Transport {
    let said = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if said(UPGRADE).eq_ignore_ascii_case("websocket") {
        Transport::WebSockets
    } else if said(ACCEPT).split([',', ';']).any(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream")) {
        Transport::ServerSentEvents
    } else {
        Transport::LongPolling
    }
}

/// The session at a desktop that a connection says it is of.
fn desktop_of(parts: &Parts) -> Result<Option<String>, Failure> {
    let desktop = parameter(&parts.uri, "sessionId").filter(|desktop| !desktop.is_empty());
    match desktop.as_ref().is_some_and(|desktop| desktop.len() > MAX_DESKTOP_BYTES || desktop.contains('\0')) {
        true => Err(unfit(&format!("query: sessionId has at most {MAX_DESKTOP_BYTES} bytes"))),
        false => Ok(desktop),
    }
}

/// Who wants to open what.
struct Asker {
    app: Arc<App>,
    caller: Caller,
    credential: Credential,
    hub: HubKind,
    transport: Transport,
    desktop: Option<String>,
}

/// Where a request ends up.
enum Reached {
    /// At a session of this node; and whether it was opened for it.
    Here(Arc<Session>, bool),
    /// At another node, by the digest of the token.
    Elsewhere(String),
}

impl Asker {
    /// The session of a token, opened where this is its first request.
    async fn session(&self, token: Option<String>) -> Result<Reached, Failure> {
        let Some(token) = token else {
            // Only a WebSocket is a connection by itself: the others have more requests, which must be told apart.
            return match self.transport {
                Transport::WebSockets => self.open(random(), random(), false),
                _ => Err(unfit("query: Connection ID required")),
            };
        };
        let key = key_of(&token);
        let named = Named { key: &key, hub: self.hub, caller: &self.caller };
        match self.app.connections.claim(named).await? {
            Place::Here(session) => Ok(Reached::Here(self.again(session)?, false)),
            Place::Ready { id, stateful } => self.open(id, key, stateful),
            Place::Elsewhere if self.transport == Transport::LongPolling => Ok(Reached::Elsewhere(key)),
            // Its messages are in the memory of the other node: the client begins anew, and continues its rooms.
            Place::Elsewhere | Place::Unknown => Err(unknown()),
        }
    }

    /// Another request of a session that is there.
    fn again(&self, session: Arc<Session>) -> Result<Arc<Session>, Failure> {
        if session.transport != self.transport {
            return Err(unfit("Cannot change transports mid-connection"));
        }
        // A poll takes over from the one before it; so does the socket of a client that can continue a connection, which
        // may know before the server does that the old one is cut.
        let takes_over = session.transport == Transport::LongPolling || session.stateful;
        if !takes_over && session.is_attached() {
            return Err(Failure(Error::new(
                Code::ConnectionInUse,
                "the connection is open already",
                "Negotiate another one: each has one socket or one stream of events.",
            )));
        }
        Ok(session)
    }

    fn open(&self, id: String, key: String, stateful: bool) -> Result<Reached, Failure> {
        let seat = self.app.seats.take(&self.caller, self.app.config.live.max_per_principal)?;
        let permit = self.app.admission.live()?;
        let opening = Opening {
            id,
            hub: self.hub,
            caller: self.caller.clone(),
            credential: self.credential.clone(),
            transport: self.transport,
            stateful: stateful && self.transport == Transport::WebSockets,
            desktop: self.desktop.clone(),
            counted: (permit, seat),
        };
        let (session, is_new) = self.app.connections.open(&self.app, key, opening);
        let session = if is_new { session } else { self.again(session)? };
        Ok(Reached::Here(session, is_new))
    }
}
