//! The application: the state that handlers share, and the routes with their layers.

use crate::access::while_it_stands;
use crate::admission::Admission;
use crate::layers::{
    InProcess, admit, admit_live, caught, check_host, cross_origin, limit_body, limit_gateway_body, limit_time,
    observe, read_body,
};
use crate::live::Seats;
use crate::signalr::{self, Connections};
use crate::{Services, bridge, caller, config::ServerConfig, extract, gateway, openapi};
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state as layer};
use axum::{Extension, Router};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

/// What handlers share.
pub(crate) struct App {
    pub services: Arc<Services>,
    pub config: ServerConfig,
    pub admission: Admission,
    pub shutdown: CancellationToken,
    /// SignalR connections of this node.
    pub connections: Arc<Connections>,
    /// Live connections of each principal at this node.
    pub seats: Seats,
}

/// The whole application, for a listener or for calls within the process. Live streams and long polls end as soon as
/// `shutdown` is cancelled.
pub fn router(services: Arc<Services>, config: &ServerConfig, shutdown: CancellationToken) -> Router {
    router_with_mcp(services, config, shutdown, None)
}

/// The whole application with an MCP endpoint at `/mcp`, behind the same layers: its requests carry the
/// [`mainstay_core::Caller`] as an extension.
pub fn router_with_mcp(
    services: Arc<Services>,
    config: &ServerConfig,
    shutdown: CancellationToken,
    mcp: Option<Router>,
) -> Router {
    let admission = Admission::new(config.max_in_flight, config.max_live);
    let connections = Arc::new(Connections::new(&services));
    let app =
        Arc::new(App { services, config: config.clone(), admission, shutdown, connections, seats: Seats::default() });
    let mut routes = Router::new()
        .merge(brief(&app, openapi::guarded::routes(&app)))
        .merge(brief(&app, openapi::accounts::routes(&app)))
        .merge(brief_open(&app, openapi::entrance::routes(&app)))
        .merge(live(&app, openapi::live::routes(&app)))
        .merge(hubs(&app, openapi::hubs::routes(&app)))
        .merge(hubs(&app, openapi::sockets::routes(&app)))
        .merge(followed(&app, openapi::followed::routes(&app)))
        .merge(answering(&app, openapi::chats::routes(&app)))
        .merge(bridged(&app, openapi::bridged::routes(&app)))
        .merge(brief_open(&app, openapi::public::routes(&app)))
        .merge(openapi::health_checks::routes(&app));
    routes = routes.merge(match config.open_metrics {
        true => brief_open(&app, openapi::open_metrics(&app)),
        false => brief(&app, openapi::measurements::routes(&app)),
    });
    if app.services.gateway.is_some() {
        routes = routes.merge(passing(&app, gateway::routes()));
    }
    if let Some(mcp) = mcp {
        routes = routes.nest_service("/mcp", mounted(&app, mcp));
    }
    let mut routes = routes
        .fallback(extract::no_such_route)
        .method_not_allowed_fallback(extract::method_not_allowed)
        .layer(layer(Arc::clone(&app), check_host));
    if !config.allowed_origins.is_empty() {
        routes = routes.layer(cross_origin(&config.allowed_origins));
    }
    routes
        .layer(CatchPanicLayer::custom(caught))
        .layer(layer(Arc::clone(&app), observe))
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

/// The application for calls within the process, which name no host. Never serve it on a listener.
pub fn in_process(router: Router) -> Router {
    router.layer(Extension(InProcess))
}

/// Routes for callers that are answered as fast as the store allows. To recognise the caller is part of the answer: the
/// store, or an issuer, is waited for.
fn brief(app: &Arc<App>, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    let routes = routes.route_layer(layer(Arc::clone(app), limit_body));
    bounded(app, routes.route_layer(layer(Arc::clone(app), caller::authenticate)))
}

/// The same for the HTTP bridge, which has a key of its own.
fn bridged(app: &Arc<App>, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    let routes = routes.route_layer(layer(Arc::clone(app), limit_body));
    bounded(app, routes.route_layer(layer(Arc::clone(app), bridge::with_bridge_key)))
}

/// The same without a credential.
fn brief_open(app: &Arc<App>, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    bounded(app, routes.route_layer(layer(Arc::clone(app), limit_body)))
}

/// Bounds how many are answered at a time, and how long that takes.
fn bounded(app: &Arc<App>, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    routes.route_layer(layer(Arc::clone(app), limit_time)).route_layer(layer(Arc::clone(app), admit))
}

/// Routes for callers that wait: their handlers admit and bound them.
fn live(app: &Arc<App>, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    routes
        .route_layer(layer(Arc::clone(app), limit_body))
        .route_layer(layer(Arc::clone(app), while_it_stands))
        .route_layer(layer(Arc::clone(app), caller::authenticate_first))
}

/// As the live ones, where a browser, which can give a stream of events no header, may say its credential in the query.
fn followed(app: &Arc<App>, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    live(app, routes).route_layer(from_fn(signalr::from_query))
}

/// The hubs and sockets: their sessions look after the credential, and a browser may give it in the query.
fn hubs(app: &Arc<App>, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    routes
        .route_layer(layer(Arc::clone(app), limit_body))
        .route_layer(layer(Arc::clone(app), caller::authenticate_first))
        .route_layer(from_fn(signalr::from_query))
}

/// Routes for callers that wait for an agent: the agent's time is bounded by itself.
fn answering(app: &Arc<App>, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    routes
        .route_layer(layer(Arc::clone(app), read_body))
        .route_layer(layer(Arc::clone(app), limit_body))
        .route_layer(layer(Arc::clone(app), admit_live))
        .route_layer(layer(Arc::clone(app), caller::authenticate_first))
}

/// The gateway: whatever is wrong is said in the protocol of the client. Its handlers recognise who asks, and keep their
/// place for as long as their answer lasts.
fn passing(app: &Arc<App>, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    routes.route_layer(layer(Arc::clone(app), limit_gateway_body)).route_layer(from_fn(gateway::shaped))
}

/// The MCP endpoint: its answers may be streams, so only their number and the bodies are bounded here.
fn mounted(app: &Arc<App>, mcp: Router) -> Router {
    mcp.layer(layer(Arc::clone(app), read_body))
        .layer(layer(Arc::clone(app), limit_body))
        .layer(layer(Arc::clone(app), admit_live))
        .layer(layer(Arc::clone(app), while_it_stands))
        .layer(layer(Arc::clone(app), caller::authenticate_first))
}
