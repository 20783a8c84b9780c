//! `GET /health`, `/health/live` and `/health/ready`.

use crate::app::App;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use mainstay_core::api::health::{Health, HealthStatus, StoreHealth};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest time that a store may take to say that it is there.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// When to ask again after an answer that was no, in seconds.
const RETRY_AFTER_S: &str = "1";

/// Says whether the server can do its work, and with which store.
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "server", responses(
    (status = 200, description = "It can", body = Health),
    (status = 503, description = "The store is away, or the server is stopping", body = Health)
))]
pub(crate) async fn health(State(app): State<Arc<App>>) -> Response {
    readiness(&app).await
}

/// Says whether the process runs; does not ask the store, so that a store that is away restarts no server.
#[utoipa::path(get, path = "/health/live", operation_id = "health_live", tag = "server", responses(
    (status = 200, description = "It runs", body = Health)
))]
pub(crate) async fn live(State(app): State<Arc<App>>) -> Response {
    let health = Health { status: HealthStatus::Ok, version: app.config.version.clone(), store: None };
    axum::Json(health).into_response()
}

/// Says whether requests should be sent here.
#[utoipa::path(get, path = "/health/ready", operation_id = "health_ready", tag = "server", responses(
    (status = 200, description = "They should", body = Health),
    (status = 503, description = "The store is away, or the server is stopping", body = Health)
))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    readiness(&app).await
}

async fn readiness(app: &App) -> Response {
    let latency_ms = ask_store(app).await;
    let info = &app.services.info;
    let store = StoreHealth {
        kind: info.kind.to_owned(),
        reachable: latency_ms.is_some(),
        latency_ms,
        durable: info.durable,
        shared: info.shared,
        warnings: info.warnings.clone(),
    };
    let ready = latency_ms.is_some() && !app.shutdown.is_cancelled();
    let status = if ready { HealthStatus::Ok } else { HealthStatus::Unavailable };
    let health = axum::Json(Health { status, version: app.config.version.clone(), store: Some(store) });
    if ready {
        return health.into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY_AFTER_S)], health).into_response()
}

/// One bounded round trip to the store: its time in milliseconds, or `None` where it did not answer.
pub(crate) async fn ask_store(app: &App) -> Option<f64> {
    let started = Instant::now();
    let answer = tokio::time::timeout(PING_TIMEOUT, app.services.probe.ping()).await;
    let reachable = match answer {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, internal = error.internal, "the store is away");
            false
        }
        Err(_) => {
            tracing::warn!(timeout_ms = PING_TIMEOUT.as_millis(), "the store does not answer");
            false
        }
    };
    app.services.metrics.store_up(reachable);
    reachable.then(|| started.elapsed().as_secs_f64() * 1_000.0)
}
