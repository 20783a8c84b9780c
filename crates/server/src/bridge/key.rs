//! The key of the bridge: those who call it know no other credential.

use crate::access::Origin;
use crate::app::App;
use crate::extract::header_text;
use crate::problem::Failure;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use mainstay_core::api::events::bridge::BRIDGE_KEY_HEADER;
use mainstay_core::api::{Code, KeyId, NAMESPACE_HEADER, Namespace, Subject};
use mainstay_core::{Caller, Error, Grant, Grants, Principal, Result, Scope, Scopes};
use std::sync::Arc;

/// The name of who calls the bridge, in the trail and as the source of events. No key that is made has it.
const NAME: &str = "bridge";

/// Lets a request pass only with the key of the bridge. Without a configured key nobody has it.
pub(crate) async fn with_bridge_key(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if let Err(error) = check(&app, &request) {
        let origin = request.extensions().get::<Origin>().cloned().unwrap_or_default();
        app.services.refused(None, &origin, error.code()).await;
        return Err(Failure(error));
    }
    request.extensions_mut().insert(caller()?);
    Ok(next.run(request).await)
}

fn check(app: &App, request: &Request) -> Result<()> {
    let mut offered = request.headers().get_all(BRIDGE_KEY_HEADER).iter();
    let Some(first) = offered.next() else {
        return Err(Error::new(
            Code::CredentialMissing,
            format!("the request has no header {BRIDGE_KEY_HEADER}"),
            "Send the key of the bridge (MAINSTAY_BRIDGE_KEY) in it.",
        ));
    };
    let Some(key) = &app.config.bridge_key else {
        return Err(Error::new(
            Code::Forbidden,
            "this server has no key of the bridge, so that nobody may call it",
            "Set MAINSTAY_BRIDGE_KEY on the server, or publish with POST /v1/events/{stream}.",
        ));
    };
    let matches = first.to_str().is_ok_and(|offered| key.matches(offered)) && offered.next().is_none();
    if !matches {
        let help = "Send the value of MAINSTAY_BRIDGE_KEY.";
        return Err(Error::new(Code::Forbidden, "the key of the bridge is another one", help));
    }
    in_its_namespace(request)
}

/// Refuses a call for another namespace: its event would stand where nobody looks for it.
fn in_its_namespace(request: &Request) -> Result<()> {
    let named = header_text(request.headers(), NAMESPACE_HEADER)?;
    if named.is_none_or(|named| named == Namespace::default().as_str()) {
        return Ok(());
    }
    Err(Error::new(
        Code::Forbidden,
        "the bridge publishes in the default namespace alone",
        "Leave the header Mainstay-Namespace out, or publish with POST /v1/events/{stream}.",
    ))
}

/// Who calls: a service that may publish in the default namespace and see who is there. The routes of the bridge are all
/// that it can reach.
fn caller() -> Result<Caller> {
    let scopes: Scopes = [Scope::EventsRead, Scope::EventsWrite].into_iter().collect();
    let id = KeyId::parse(NAME).map_err(|broken| Error::bug(broken.to_string()))?;
    Ok(Caller {
        principal: Principal::Key(id),
        subject: Subject::local(NAME),
        instance: None,
        namespace: Namespace::default(),
        scopes,
        grants: Grants::new(vec![Grant { namespace: Some(Namespace::default()), scopes }]),
        session: None,
    })
}
