//! `GET /v1/gateway/usage`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::problem::{self, Failure};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::stream;
use http::header::CONTENT_TYPE;
use mainstay_core::api::gateway::{GatewayUsage, ListGatewayUsage, MAX_USAGE_ROWS, UsageFormat};
use mainstay_core::api::page::Page;
use mainstay_core::{Caller, Result};
use std::sync::Arc;

/// Lists what was used in the namespace of the call, by day, key, pool, provider and model: a page as JSON, or all of it as CSV.
///
/// The answer as CSV ends early, without the end of its body, where the store fails on the way.
#[utoipa::path(get, path = "/v1/gateway/usage", operation_id = "list_gateway_usage", tag = "gateway",
    params(ListGatewayUsage),
    responses((status = 200, description = "A page of usage", content(
        (Page<GatewayUsage> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn usage(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Query(list): Query<ListGatewayUsage>,
) -> Result<Response, Failure> {
    if list.format != Some(UsageFormat::Csv) {
        return Ok(Json(app.services.gateway_keys.usage(&caller, list).await?).into_response());
    }
    let permit = app.admission.live()?;
    let list = ListGatewayUsage { limit: Some(MAX_USAGE_ROWS), ..list };
    let (first, rest) = lines(&app, &caller, list).await?;
    let after = stream::try_unfold(rest, move |rest| {
        let (app, caller) = (Arc::clone(&app), caller.clone());
        // The stream counts among the live ones for as long as it is read.
        let _held = &permit;
        async move {
            let Some(list) = rest else { return Ok(None) };
            let lines = lines(&app, &caller, list).await;
            lines.map(Some).inspect_err(problem::log)
        }
    });
    let lines = futures::StreamExt::chain(stream::iter([Ok(GatewayUsage::CSV_HEAD.to_owned()), Ok(first)]), after);
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], Body::from_stream(lines)).into_response())
}

/// The lines of a page, and what reads the next one.
async fn lines(app: &App, caller: &Caller, list: ListGatewayUsage) -> Result<(String, Option<ListGatewayUsage>)> {
    let page = app.services.gateway_keys.usage(caller, list.clone()).await?;
    let next = page.next.map(|cursor| ListGatewayUsage { cursor: Some(cursor), ..list });
    Ok((page.items.iter().map(GatewayUsage::csv_line).collect(), next))
}
