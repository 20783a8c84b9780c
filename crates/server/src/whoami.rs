//! `GET /v1/whoami`.

use crate::caller::Authenticated;
use axum::Json;
use mainstay_core::Caller;
use mainstay_core::api::identity::WhoAmI;

/// Says who the caller is.
#[utoipa::path(get, path = "/v1/whoami", operation_id = "whoami", tag = "identity", responses(
    (status = 200, description = "The caller, as the server sees it", body = WhoAmI)
))]
pub(crate) async fn whoami(Authenticated(caller): Authenticated) -> Json<WhoAmI> {
    Json(who(&caller))
}

/// What a caller is told of itself.
pub(crate) fn who(caller: &Caller) -> WhoAmI {
    WhoAmI {
        principal: caller.principal.to_string(),
        subject: caller.subject.clone(),
        instance: caller.instance.clone(),
        namespace: caller.namespace.clone(),
        scopes: caller.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
    }
}
