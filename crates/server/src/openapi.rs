//! The routes, and the document that describes them: an endpoint is listed here once and is then both served and
//! described.

use crate::access::{Access, Guard, Needs, audited, audited_in_server, guard};
use crate::app::App;
use crate::conversations::{self, legacy as chat, subjects};
use crate::documents;
use crate::events::{
    consumer_lag, dead, groups, health as events_health, legacy as observed, node, publish, read as read_page, rooms,
    set_transport, sse, streams, transport, work, ws,
};
use crate::gateway_keys;
use crate::identity::{challenge, keys, login, logout, password, recovery_codes, sessions, totp, users};
use crate::providers::{credential, pool, provider};
use crate::{audit, bridge, error_page, health, mail, metrics, presence, problem, signalr, store, whoami};
use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use http::header::CONTENT_TYPE;
use mainstay_core::Scope;
use mainstay_core::api::audit::AuditClass;
use mainstay_core::api::events::bridge::BRIDGE_KEY_HEADER;
use mainstay_core::api::{INSTANCE_HEADER, NAMESPACE_HEADER, Problem};
use std::sync::{Arc, OnceLock};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, PathItem, Ref,
    Required, ResponseBuilder, Type,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::{PathItemExt, routes};

/// The paths that need no credential (`/metrics` only where the server is configured so).
pub const OPEN_PATHS: [&str; 7] = [
    "/health",
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/v1/auth/challenge",
    "/v1/auth/login",
    "/v1/errors/{code}",
];

/// The name of the security scheme.
const SCHEME: &str = "bearer";
/// The name of the security scheme of the bridge, and what the paths of the bridge begin with.
const BRIDGE_SCHEME: &str = "bridge";
const BRIDGE_PATH: &str = "/internal/";

type Described = OpenApiRouter<Arc<App>>;

/// Makes of one list of endpoints a router that serves them, and on request the same router with its description. The
/// description costs more than all else that a command does before its call, and only one endpoint shows it. Each
/// endpoint says here what its caller needs.
macro_rules! endpoints {
    ($(#[$doc:meta])* $group:ident { $($($module:ident)::+ => $handler:ident [$needs:expr];)+ }) => {
        $(#[$doc])*
        pub(crate) mod $group {
            use super::*;

            /// Serves them.
            pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
                Router::new()
                    $(.merge(utoipa_axum::paste! {
                        served::<$($module)::+::[<__path_ $handler>], _, _>($($module)::+::$handler, app, $needs.into())
                    }))+
            }

            /// Serves and describes them.
            pub(crate) fn described() -> Described {
                OpenApiRouter::default()$(.routes(routes!($($module)::+::$handler)))+
            }

            /// What each of them needs.
            pub(crate) fn needs() -> Vec<(Vec<utoipa::openapi::HttpMethod>, String, Access)> {
                vec![$(utoipa_axum::paste! {
                    said::<$($module)::+::[<__path_ $handler>]>($needs.into())
                }),+]
            }
        }
    };
}

endpoints! {
    /// Endpoints that need a credential and answer as fast as the store allows.
    guarded {
        audit::list => list [audited(Scope::AuditRead, AuditClass::Read, "audit.list", "audit_entries")];
        audit::chains => chains [Scope::AuditRead];
        audit::stored => stored [audited(Scope::AuditRead, AuditClass::Export, "audit.read_stored", "audit_entries")];
        audit::verify => verify [audited(Scope::AuditRead, AuditClass::Read, "audit.verify", "audit_entries")];
        audit::key => key [Scope::AuditRead];
        audit::checkpoint => checkpoint [audited(Scope::AuditAdmin, AuditClass::Write, "audit.checkpoint", "checkpoint")];
        audit::trim => trim [audited(Scope::AuditAdmin, AuditClass::Delete, "audit.trim", "audit_entries")];
        conversations::create => create [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.create", "conversation")];
        conversations::list => list [audited(Scope::ConversationsRead, AuditClass::Read, "conversations.list", "conversation")];
        conversations::erase => erase [audited(Scope::ConversationsWrite, AuditClass::Delete, "conversations.erase", "conversation")];
        conversations::read => read [audited(Scope::ConversationsRead, AuditClass::Read, "conversations.read", "conversation")];
        conversations::patch => patch [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.patch", "conversation")];
        conversations::delete => delete [audited(Scope::ConversationsWrite, AuditClass::Delete, "conversations.delete", "conversation")];
        conversations::append => append [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.append", "conversation")];
        conversations::messages => messages [audited(Scope::ConversationsRead, AuditClass::Read, "conversations.messages", "conversation")];
        conversations::take_turn => take_turn [Scope::ConversationsWrite];
        conversations::renew_turn => renew_turn [Scope::ConversationsWrite];
        conversations::end_turn => end_turn [Scope::ConversationsWrite];
        conversations::fork => fork [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.fork", "conversation")];
        subjects::erase => erase [audited(Scope::ConversationsAdmin, AuditClass::BreakGlass, "conversations.erase_of", "subject")];
        chat::start => start [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.create", "conversation")];
        chat::list_conversations => list_conversations [audited(Scope::ConversationsRead, AuditClass::Read, "conversations.list", "conversation")];
        chat::status => status [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.patch", "conversation")];
        documents::collections => collections [Scope::DocumentsRead];
        documents::list => list [Scope::DocumentsRead];
        documents::read => read [Scope::DocumentsRead];
        documents::reveal => reveal [audited(Scope::DocumentsSecrets, AuditClass::Read, "documents.reveal", "document")];
        documents::put => put [audited(Scope::DocumentsWrite, AuditClass::Write, "documents.put", "document")];
        documents::patch => patch [audited(Scope::DocumentsWrite, AuditClass::Write, "documents.patch", "document")];
        documents::delete => delete [audited(Scope::DocumentsWrite, AuditClass::Delete, "documents.delete", "document")];
        documents::history => history [Scope::DocumentsRead];
        documents::roll_back => roll_back [audited(Scope::DocumentsWrite, AuditClass::Write, "documents.roll_back", "document")];
        documents::transact => transact [audited(Scope::DocumentsWrite, AuditClass::Write, "documents.transact", "document")];
        publish => publish [Scope::EventsWrite];
        read_page => read [Scope::EventsRead];
        streams => streams [Scope::EventsRead];
        consumer_lag => consumer_lag [Scope::EventsRead];
        events_health => health [Scope::EventsRead];
        node => node [Scope::EventsRead];
        observed::consumer_lag => consumer_lag [Scope::EventsRead];
        observed::streams => streams [Scope::EventsRead];
        observed::health => health [Scope::EventsRead];
        gateway_keys::create => create [audited(Scope::GatewayAdmin, AuditClass::Privilege, "gateway.keys.create", "gateway_key")];
        gateway_keys::list => list [audited(Scope::GatewayAdmin, AuditClass::Read, "gateway.keys.list", "gateway_key")];
        gateway_keys::import => import [audited(Scope::GatewayAdmin, AuditClass::Privilege, "gateway.keys.import", "gateway_key")];
        gateway_keys::export => export [audited(Scope::GatewayAdmin, AuditClass::Export, "gateway.keys.export", "gateway_key")];
        gateway_keys::read => read [audited(Scope::GatewayAdmin, AuditClass::Read, "gateway.keys.read", "gateway_key")];
        gateway_keys::change => change [audited(Scope::GatewayAdmin, AuditClass::Privilege, "gateway.keys.change", "gateway_key")];
        gateway_keys::remove => remove [audited(Scope::GatewayAdmin, AuditClass::Delete, "gateway.keys.remove", "gateway_key")];
        gateway_keys::usage => usage [audited(Scope::GatewayAdmin, AuditClass::Read, "gateway.usage", "gateway_usage")];
        groups::list => list [Scope::EventsRead];
        groups::create => create [audited(Scope::EventsAdmin, AuditClass::Write, "events.groups.create", "group")];
        groups::remove => remove [audited(Scope::EventsAdmin, AuditClass::Delete, "events.groups.remove", "group")];
        work::keep => keep [Scope::EventsConsume];
        work::acknowledge => acknowledge [Scope::EventsConsume];
        work::release => release [Scope::EventsConsume];
        work::bury => bury [Scope::EventsConsume];
        dead::list => list [Scope::EventsConsume];
        dead::revive => revive [audited(Scope::EventsAdmin, AuditClass::Write, "events.dead.revive", "event")];
        dead::forget => forget [audited(Scope::EventsAdmin, AuditClass::Delete, "events.dead.forget", "event")];
        transport => transport [Scope::EventsWrite];
        rooms::present => present [Scope::EventsRead];
        rooms::members => members [Scope::EventsRead];
        rooms::admit => admit [audited(Scope::EventsAdmin, AuditClass::Privilege, "events.rooms.admit", "membership")];
        rooms::dismiss => dismiss [audited(Scope::EventsAdmin, AuditClass::Privilege, "events.rooms.dismiss", "membership")];
        set_transport => set_transport [audited(Scope::EventsAdmin, AuditClass::Write, "events.transport", "transport")];
        mail::send => send [Scope::MailWrite];
        mail::list => list [Scope::MailRead];
        mail::read => read [Scope::MailRead];
        mail::ack => ack [Scope::MailWrite];
        mail::mark_read => mark_read [Scope::MailWrite];
        mail::counts => counts [Scope::MailRead];
        mail::stats => stats [Scope::MailRead];
        mail::types => types [Scope::MailRead];
        mail::import => import [audited(Scope::MailAdmin, AuditClass::Write, "mail.import", "mail")];
        presence::list => list [Scope::PresenceRead];
        presence::read => read [Scope::PresenceRead];
        presence::register => register [Scope::PresenceWrite];
        presence::unregister => unregister [Scope::PresenceWrite];
        presence::heartbeat => heartbeat [Scope::PresenceWrite];
        store => status [Scope::StoreRead];
        store::journal => list [Scope::StoreRead];
        store::journal => replay [audited_in_server(Scope::StoreAdmin, AuditClass::Write, "store.journal.replay", "journal")];
        store::journal => discard [audited_in_server(Scope::StoreAdmin, AuditClass::Delete, "store.journal.discard", "journal")];
        store::legacy => redis_status [Scope::StoreRead];
        store::legacy => storage_status [Scope::StoreRead];
        credential => put [audited(Scope::ProvidersWrite, AuditClass::Privilege, "providers.credential.put", "credential")];
        credential => read [audited(Scope::ProvidersRead, AuditClass::Read, "providers.credential.read", "credential")];
        credential => reveal [audited(Scope::ProvidersSecrets, AuditClass::Read, "providers.credential.reveal", "credential")];
        credential => remove [audited(Scope::ProvidersWrite, AuditClass::Delete, "providers.credential.remove", "credential")];
        pool => list [Scope::ProvidersRead];
        pool => read [Scope::ProvidersRead];
        pool => put [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.pool.put", "pool")];
        pool => patch [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.pool.patch", "pool")];
        pool => remove [audited(Scope::ProvidersWrite, AuditClass::Delete, "providers.pool.remove", "pool")];
        pool => add [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.add", "provider")];
        pool => reset [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.pool.reset", "pool")];
        provider => read [Scope::ProvidersRead];
        provider => reveal [audited(Scope::ProvidersSecrets, AuditClass::Read, "providers.reveal", "provider")];
        provider => put [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.put", "provider")];
        provider => patch [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.patch", "provider")];
        provider => remove [audited(Scope::ProvidersWrite, AuditClass::Delete, "providers.remove", "provider")];
        provider => enable [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.enable", "provider")];
        provider => disable [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.disable", "provider")];
        provider => reset [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.reset", "provider")];
        provider => breaker [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.breaker", "provider")];
        whoami => whoami [Needs::Caller];
    }
}

endpoints! {
    /// Endpoints that need a credential and may wait or stream.
    live {
        audit::export => export [audited(Scope::AuditRead, AuditClass::Export, "audit.export", "audit_entries")];
        conversations::events => events [audited(Scope::ConversationsRead, AuditClass::Read, "conversations.follow", "conversation")];
        conversations::export => export [audited(Scope::ConversationsRead, AuditClass::Export, "conversations.export", "conversation")];
        conversations::export_all => export_all [audited(Scope::ConversationsRead, AuditClass::Export, "conversations.export_all", "conversation")];
        subjects::export => export [audited(Scope::ConversationsAdmin, AuditClass::BreakGlass, "conversations.export_of", "subject")];
        documents::changes => changes [Scope::DocumentsRead];
        documents::watch => watch [Scope::DocumentsRead];
        mail::inbox => inbox [Scope::MailRead];
        mail::events => events [Scope::MailRead];
        presence::events => events [Scope::PresenceRead];
        work::take => take [Scope::EventsConsume];
        credential => refresh [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.credential.refresh", "credential")];
    }
}

endpoints! {
    /// The hubs of SignalR clients.
    hubs {
        signalr => connect [Scope::EventsRead];
        signalr => end [Scope::EventsRead];
        signalr => negotiate [Scope::EventsRead];
        signalr => send [Scope::EventsRead];
    }
}

endpoints! {
    /// The sockets of live clients.
    sockets {
        ws => ws [Scope::EventsRead];
    }
}

endpoints! {
    /// Rooms that are followed as streams of events.
    followed {
        sse => live [Scope::EventsRead];
    }
}

endpoints! {
    /// Where one gets a credential.
    entrance {
        login => login [own(Needs::Nothing, AuditClass::Login, "auth.login")];
        challenge => answer [own(Needs::Nothing, AuditClass::Login, "auth.challenge")];
    }
}

endpoints! {
    /// One's own account; and users and API keys, for whoever administers them.
    accounts {
        logout => logout [own(Needs::Caller, AuditClass::Login, "auth.logout")];
        password => change [own(Needs::Caller, AuditClass::Privilege, "auth.password.change")];
        totp::begin => begin [own(Needs::Caller, AuditClass::Privilege, "auth.totp.enrol")];
        totp::confirm => confirm [own(Needs::Caller, AuditClass::Privilege, "auth.totp.confirm")];
        totp::remove => remove [own(Needs::Caller, AuditClass::Privilege, "auth.totp.remove")];
        recovery_codes => renew [own(Needs::Caller, AuditClass::Privilege, "auth.recovery_codes.renew")];
        sessions::list => list [Needs::Caller];
        sessions::end => end [audited_in_server(Needs::Caller, AuditClass::Delete, "sessions.end", "session")];
        sessions::end_all => end_all [own(Needs::Caller, AuditClass::Delete, "sessions.end_all")];
        users::add => add [administered(AuditClass::Privilege, "users.add", "user")];
        users::list => list [administered(AuditClass::Read, "users.list", "user")];
        users::read => read [administered(AuditClass::Read, "users.read", "user")];
        users::change => change [administered(AuditClass::Privilege, "users.change", "user")];
        users::remove => remove [administered(AuditClass::Delete, "users.remove", "user")];
        users::set_password => set_password [administered(AuditClass::Privilege, "users.set_password", "user")];
        users::sessions => sessions [administered(AuditClass::Read, "users.sessions.list", "user")];
        users::end_sessions => end_sessions [administered(AuditClass::Delete, "users.sessions.end", "user")];
        users::reset_totp => reset_totp [administered(AuditClass::Privilege, "users.totp.reset", "user")];
        keys::create => create [administered(AuditClass::Privilege, "keys.create", "key")];
        keys::list => list [administered(AuditClass::Read, "keys.list", "key")];
        keys::read => read [administered(AuditClass::Read, "keys.read", "key")];
        keys::revoke => revoke [administered(AuditClass::Delete, "keys.revoke", "key")];
    }
}

endpoints! {
    /// Endpoints that need a credential and answer when an agent has: its time has a bound of its own.
    chats {
        conversations::send => send [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.send", "conversation")];
        chat::send => send [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.send", "conversation")];
        chat::card_action => card_action [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.send", "conversation")];
    }
}

endpoints! {
    /// The HTTP bridge, for whoever has its key.
    bridged {
        bridge::call => call [Needs::Caller];
        bridge::online => online [Needs::Caller];
        bridge::stats => stats [Needs::Caller];
    }
}

endpoints! {
    /// Documentation, for anybody.
    public {
        crate::openapi => read [Needs::Nothing];
        error_page => read [Needs::Nothing];
    }
}

endpoints! {
    /// Health checks, for anybody.
    health_checks {
        health => health [Needs::Nothing];
        health => live [Needs::Nothing];
        health => ready [Needs::Nothing];
    }
}

endpoints! {
    /// The metrics, where they need a credential.
    measurements {
        metrics => read [Scope::MetricsRead];
    }
}

/// What somebody does to the own account.
fn own(needs: Needs, class: AuditClass, action: &'static str) -> Access {
    audited_in_server(needs, class, action, "account")
}

/// What is done to users and keys by whoever may administer them.
fn administered(class: AuditClass, action: &'static str, resource: &'static str) -> Access {
    audited_in_server(Scope::IdentityAdmin, class, action, resource)
}

/// The metrics, where they need no credential.
pub(crate) fn open_metrics(app: &Arc<App>) -> Router<Arc<App>> {
    served::<metrics::__path_read, _, _>(metrics::read, app, Needs::Nothing.into())
}

/// One endpoint at the path and the method that its description gives, behind the check of what it needs.
fn served<P, H, T>(handler: H, app: &Arc<App>, access: Access) -> Router<Arc<App>>
where
    P: utoipa::Path,
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    let methods = P::methods().into_iter();
    let on = methods.fold(MethodRouter::new(), |on, method| on.on(method.to_method_filter(), handler.clone()));
    Router::new().route(&P::path(), on.route_layer(from_fn_with_state(Guard { app: Arc::clone(app), access }, guard)))
}

fn said<P: utoipa::Path>(access: Access) -> (Vec<utoipa::openapi::HttpMethod>, String, Access) {
    (P::methods(), P::path(), access)
}

/// What every route needs, as `METHOD path` and the scope, `caller` or `nothing`.
#[must_use]
pub fn route_needs() -> Vec<(String, String)> {
    let groups = [
        guarded::needs(),
        accounts::needs(),
        entrance::needs(),
        hubs::needs(),
        sockets::needs(),
        followed::needs(),
        live::needs(),
        chats::needs(),
        bridged::needs(),
        public::needs(),
        health_checks::needs(),
        measurements::needs(),
    ];
    let each = |(methods, path, access): (Vec<utoipa::openapi::HttpMethod>, String, Access)| {
        let needs = match access.needs {
            Needs::Scope(scope) => scope.as_str(),
            Needs::Caller => "caller",
            Needs::Nothing => "nothing",
        };
        methods.into_iter().map(move |method| {
            let method = serde_json::to_value(&method).ok().and_then(|name| name.as_str().map(str::to_uppercase));
            (format!("{} {path}", method.unwrap_or_default()), needs.to_owned())
        })
    };
    groups.into_iter().flatten().flat_map(each).collect()
}

/// Describes the HTTP API in OpenAPI 3.1.
#[must_use]
pub fn openapi() -> OpenApi {
    let routes = guarded::described()
        .merge(accounts::described())
        .merge(entrance::described())
        .merge(live::described())
        .merge(hubs::described())
        .merge(sockets::described())
        .merge(followed::described())
        .merge(chats::described())
        .merge(bridged::described())
        .merge(public::described())
        .merge(health_checks::described())
        .merge(measurements::described());
    let described = routes.into_openapi();
    let mut components = described.components.unwrap_or_default();
    add_common(&mut components);
    let mut paths = described.paths;
    for (path, item) in &mut paths.paths {
        let entry = match path.as_str() {
            open if OPEN_PATHS.contains(&open) => Entry::Open,
            bridge if bridge.starts_with(BRIDGE_PATH) => Entry::Bridge,
            _ => Entry::Caller,
        };
        operations(item).for_each(|operation| complete(operation, entry));
    }
    let info = InfoBuilder::new()
        .title("Mainstay")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("The durable backbone for teams of agents: mail, presence, conversations, and live events."))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

fn add_common(components: &mut Components) {
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    let mut scheme = Http::new(HttpAuthScheme::Bearer);
    scheme.description =
        Some("The owner key, an API key, the token of a session, or a JWT of a trusted issuer.".into());
    components.security_schemes.insert(SCHEME.into(), SecurityScheme::Http(scheme).into());
    let key = ApiKeyValue::with_description(BRIDGE_KEY_HEADER, "The key of the HTTP bridge.");
    components.security_schemes.insert(BRIDGE_SCHEME.into(), SecurityScheme::ApiKey(ApiKey::Header(key)).into());
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

/// What lets a request in.
#[derive(Clone, Copy)]
enum Entry {
    /// Nothing is needed.
    Open,
    /// The key of the bridge.
    Bridge,
    /// The credential of a caller.
    Caller,
}

/// Adds what every operation shares: the problem answer, and for callers the credential and the headers.
fn complete(operation: &mut Operation, entry: Entry) {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    let answer = ResponseBuilder::new()
        .description("A problem document (RFC 9457); `code` says which one, `help` what to do.")
        .content(problem::PROBLEM_JSON, problem)
        .build();
    operation.responses.responses.insert("default".into(), answer.into());
    operation.security = Some(vec![match entry {
        Entry::Open => SecurityRequirement::default(),
        Entry::Bridge => SecurityRequirement::new(BRIDGE_SCHEME, Vec::<String>::new()),
        Entry::Caller => SecurityRequirement::new(SCHEME, Vec::<String>::new()),
    }]);
    if !matches!(entry, Entry::Caller) {
        return;
    }
    let parameters = operation.parameters.get_or_insert_default();
    parameters.push(header(INSTANCE_HEADER, "The instance that the call speaks for, percent-encoded UTF-8.").into());
    parameters.push(header(NAMESPACE_HEADER, "The namespace, percent-encoded UTF-8; `default` when absent.").into());
}

fn header(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// Reads this document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "read_openapi", tag = "server", responses(
    (status = 200, description = "The OpenAPI document of this server", body = serde_json::Value)
))]
async fn read() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let text = DOCUMENT.get_or_init(|| openapi().to_json().unwrap_or_default());
    ([(CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}
