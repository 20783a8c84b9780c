//! The layer around every handler: what the route needs is checked there, what is to be recorded is recorded there, and
//! nowhere else.

use super::audited::{Act, Audited, Ended, record_of};
use super::{Access, Needs, Origin};
use crate::app::App;
use crate::caller::missing;
use crate::extract::header_text;
use crate::problem::{self, Failure};
use axum::RequestExt;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::header::LOCATION;
use mainstay_core::api::REASON_HEADER;
use mainstay_core::api::audit::AuditClass;
use mainstay_core::{Caller, Error};
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// What a route is served with.
#[derive(Clone)]
pub(crate) struct Guard {
    pub app: Arc<App>,
    pub access: Access,
}

/// Who it turned out to be, as an extension of the answer to a call that began without a credential.
#[derive(Debug, Clone)]
pub(crate) struct Recognised(pub Caller);

/// What was acted on, as an extension of the answer, where it stands neither in the path nor in `Location`.
#[derive(Debug, Clone)]
pub(crate) struct Resource(pub String);

/// Lets a call reach its handler only with what the route needs, and its answer leave only when it is recorded.
pub(crate) async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Result<Response, Failure> {
    let Guard { app, access } = guard;
    let caller = request.extensions().get::<Caller>().cloned();
    let origin = request.extensions().get::<Origin>().cloned().unwrap_or_default();
    if access.needs != Needs::Nothing {
        let caller = caller.as_ref().ok_or_else(|| Failure(missing()))?;
        if let Err(error) = access.needs.check(caller) {
            app.services.refused(Some(caller), &origin, error.code()).await;
            return Err(Failure(error));
        }
    }
    let Some(audited) = access.audit else {
        let response = next.run(request).await;
        if let Some(error) = problem::error_of(&response).filter(|error| error.problem.status == 403) {
            app.services.refused(caller.as_ref(), &origin, error.code()).await;
        }
        return Ok(response);
    };
    let mut record = record_of(audited, caller.as_ref(), &origin);
    record.reason = reason(&request, audited)?;
    if let Some(resource) = &mut record.resource {
        resource.id = named(&mut request).await;
    }
    let mut act = Act::begin(&app.services, audited, record).await?;
    let response = next.run(request).await;
    if let Some(Recognised(caller)) = response.extensions().get() {
        act.by(caller);
    }
    let ended = ended(&response);
    if caller.is_none() && ended.is_refused() && app.services.refusals.strangers.admit().is_none() {
        // A stranger who was told no, one time too many: counted, and not written for ever.
        return Ok(response);
    }
    act.end(ended).await?;
    Ok(response)
}

/// Why the call is made. Whoever opens the data of another has to say.
fn reason(request: &Request, audited: Audited) -> Result<Option<String>, Failure> {
    let reason = header_text(request.headers(), REASON_HEADER)?.filter(|reason| !reason.trim().is_empty());
    if reason.is_none() && audited.class == AuditClass::BreakGlass {
        return Err(Failure(Error::invalid(format!(
            "header {REASON_HEADER}: it is missing; say why the data of another is accessed, which is recorded"
        ))));
    }
    Ok(reason)
}

/// What the path names: the values of its parameters, decoded.
async fn named(request: &mut Request) -> Option<String> {
    let parameters = request.extract_parts::<RawPathParams>().await.ok()?;
    let values: Vec<&str> = parameters.iter().map(|(_, value)| value).collect();
    (!values.is_empty()).then(|| values.join("/"))
}

fn ended(response: &Response) -> Ended {
    let said = response.extensions().get::<Resource>().map(|Resource(id)| id.clone());
    let made = response.headers().get(LOCATION).filter(|_| response.status() == StatusCode::CREATED);
    let made = made.and_then(|value| value.to_str().ok()).and_then(|location| location.rsplit('/').next());
    Ended {
        status: response.status(),
        code: problem::error_of(response).map(|error| error.code()),
        resource_id: said.or_else(|| made.map(|id| percent_decode_str(id).decode_utf8_lossy().into_owned())),
    }
}
