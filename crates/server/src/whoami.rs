//! `GET /v1/whoami`.

use crate::caller::Authenticated;
use axum::Json;
use mainstay_core::Scope;
use mainstay_core::api::identity::WhoAmI;

/// Says who the caller is.
#[utoipa::path(get, path = "/v1/whoami", operation_id = "whoami", tag = "identity", responses(
    (status = 200, description = "The caller, as the server sees it", body = WhoAmI)
))]
pub(crate) async fn whoami(Authenticated(caller): Authenticated) -> Json<WhoAmI> {
    let held = Scope::ALL.into_iter().filter(|scope| caller.scopes.contains(*scope));
    let scopes = held.map(|scope| scope.as_str().to_owned()).collect();
    Json(WhoAmI { principal: caller.principal, instance: caller.instance, namespace: caller.namespace, scopes })
}
