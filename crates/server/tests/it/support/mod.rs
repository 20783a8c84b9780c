//! A site to call: the whole application on a real store.

pub mod hub;
pub mod sealing;
pub mod socket;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use mainstay_core::api::identity::{CreateKey, CreatedKey};
use mainstay_core::audit::AuditRules;
use mainstay_core::conversations::{ChatRules, ConversationRules, EchoAgent};
use mainstay_core::documents::DocumentRules;
use mainstay_core::events::Streams;
use mainstay_core::identity::IdentityRules;
use mainstay_core::mail::MailRules;
use mainstay_core::presence::PresenceRules;
use mainstay_core::providers::ProviderRules;
use mainstay_core::providers::credentials::{NoAuthorizer, TokenRules};
use mainstay_core::providers::keys::KeyRules;
use mainstay_core::{Caller, Clock, RandomMint, Stores, SystemClock};
use mainstay_gateway::UsualTimeouts;
use mainstay_gateway::serving::GatewayRules;
use mainstay_server::{GatewaySetup, InProcess, OwnerKey, ServerConfig, ServiceRules, Services, router_with_mcp};
use mainstay_testkit::fixtures::RedisServer;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The owner key of every site.
pub const KEY: &str = "the key of the owner";
/// Longest time that anything in a test may take; far above what it does take.
pub const SOON: Duration = Duration::from_secs(20);

pub struct Site {
    pub store: Kept,
    pub stores: Stores,
    pub services: Arc<Services>,
    pub router: Router,
    pub shutdown: CancellationToken,
}

/// Where a site keeps everything: a Redis of its own, or a file. Told apart where a test reaches into the store.
#[derive(Clone)]
pub enum Kept {
    Redis(Arc<RedisServer>),
    File(Arc<tempfile::TempDir>),
}

impl std::ops::Deref for Kept {
    type Target = RedisServer;

    fn deref(&self) -> &RedisServer {
        match self {
            Self::Redis(server) => server,
            Self::File(_) => panic!("this site is on a file"),
        }
    }
}

/// How a site differs from the usual one.
pub struct Setup {
    pub config: ServerConfig,
    pub identity: IdentityRules,
    pub presence: PresenceRules,
    pub streams: Arc<Streams>,
    pub clock: Arc<dyn Clock>,
    pub mcp: Option<Router>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            config: ServerConfig::new(OwnerKey::new(KEY)),
            identity: IdentityRules::default(),
            presence: PresenceRules::default(),
            streams: Arc::default(),
            clock: Arc::new(SystemClock),
            mcp: None,
        }
    }
}

impl Site {
    pub async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub async fn start_with(setup: Setup) -> Self {
        Self::on(Kept::Redis(Arc::new(RedisServer::start().await.unwrap())), setup).await
    }

    /// One on each kind of store.
    pub async fn each() -> [Self; 2] {
        [Self::start().await, Self::on_file(Setup::default()).await]
    }

    /// On a file.
    pub async fn on_file(setup: Setup) -> Self {
        Self::on(Kept::File(Arc::new(tempfile::tempdir().unwrap())), setup).await
    }

    /// Another node on the same store.
    pub async fn beside(&self) -> Self {
        self.beside_with(Setup::default()).await
    }

    /// Another one that differs from the usual.
    pub async fn beside_with(&self, setup: Setup) -> Self {
        Self::on(self.store.clone(), setup).await
    }

    async fn on(store: Kept, setup: Setup) -> Self {
        let stores = match &store {
            Kept::Redis(server) => {
                let options = mainstay_redis::RedisOptions::from_url(&server.url()).unwrap();
                mainstay_redis::open(options).await.unwrap()
            }
            Kept::File(folder) => {
                let url = format!("sqlite:{}", folder.path().join("mainstay.db").display());
                mainstay_sqlite::open(mainstay_sqlite::SqliteOptions::from_url(&url).unwrap()).await.unwrap()
            }
        };
        let (config, mcp) = (setup.config.clone(), setup.mcp.clone());
        let gateway = GatewaySetup {
            ring: setup.identity.ring.clone(),
            mint: Arc::new(RandomMint),
            rules: GatewayRules::default(),
            timeouts: UsualTimeouts::default(),
        };
        let services = Arc::new(Services::new(&stores, rules(setup)).open_gateway(&stores, gateway));
        let shutdown = CancellationToken::new();
        let router = router_with_mcp(Arc::clone(&services), &config, shutdown.clone(), mcp);
        Self { store, stores, services, router, shutdown }
    }

    /// Calls as an instance, with the owner key, within the process.
    pub async fn call(&self, call: Call) -> Reply {
        self.send(call.request()).await
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

/// The rules of the services of a site.
pub fn rules(setup: Setup) -> ServiceRules {
    let ring = setup.identity.ring.clone();
    ServiceRules {
        outage: None,
        audit: AuditRules::default(),
        notary: None,
        agent: Arc::new(EchoAgent),
        chat: ChatRules::default(),
        conversations: ConversationRules::default(),
        documents: DocumentRules { ring: setup.identity.ring.clone(), ..DocumentRules::default() },
        gateway_keys: KeyRules { ring: setup.identity.ring.clone(), ..KeyRules::default() },
        providers: ProviderRules { ring: setup.identity.ring.clone(), ..ProviderRules::default() },
        identity: setup.identity,
        mail: MailRules::default(),
        presence: setup.presence,
        rooms: mainstay_core::events::RoomRules::default(),
        streams: setup.streams,
        tokens: TokenRules { ring, ..TokenRules::default() },
        authorizer: Arc::new(NoAuthorizer),
        clock: setup.clock,
        mint: Arc::new(RandomMint),
    }
}

impl Site {
    /// A new API key with these scopes, valid everywhere.
    pub async fn key(&self, scopes: &[&str]) -> CreatedKey {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let create = CreateKey { name: "test".into(), scopes, ..CreateKey::default() };
        self.services.identity.create_key(&Caller::owner(), create).await.unwrap()
    }
}

/// A request to make.
pub struct Call {
    builder: http::request::Builder,
    body: Body,
}

impl Call {
    /// A call with the owner key.
    pub fn new(method: Method, path: &str) -> Self {
        Self::anonymous(method, path).header("authorization", &format!("Bearer {KEY}"))
    }

    /// A call without a credential.
    pub fn anonymous(method: Method, path: &str) -> Self {
        let builder = Request::builder().method(method).uri(path).extension(InProcess);
        Self { builder, body: Body::empty() }
    }

    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn post(path: &str, body: Value) -> Self {
        Self { body: Body::from(body.to_string()), ..Self::new(Method::POST, path) }
    }

    /// With another credential than the owner key.
    pub fn with(self, token: &str) -> Self {
        let builder = http::request::Builder::new();
        let mut parts = self.builder.body(()).unwrap().into_parts().0;
        parts.headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        let mut builder = builder.method(parts.method).uri(parts.uri);
        *builder.headers_mut().unwrap() = parts.headers;
        *builder.extensions_mut().unwrap() = parts.extensions;
        Self { builder, body: self.body }
    }

    pub fn r#as(self, instance: &str) -> Self {
        self.header("mainstay-instance", instance)
    }

    pub fn header(self, name: &str, value: &str) -> Self {
        Self { builder: self.builder.header(name, value), ..self }
    }

    pub fn body(self, body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub fn request(self) -> Request<Body> {
        self.builder.body(self.body).unwrap()
    }
}

/// What came back.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
}

impl Reply {
    pub async fn text(self) -> String {
        let bytes = tokio::time::timeout(SOON, self.body.collect()).await.unwrap().unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    pub async fn json(self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The document, after a check of the status.
    pub async fn ok(self) -> Value {
        let status = self.status;
        let text = self.text().await;
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The problem document, after a check of its code, status and media type.
    pub async fn problem(self, code: &str) -> Value {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let (status, id) = (self.status.as_u16(), self.headers["x-request-id"].clone());
        let problem = self.json().await;
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["request_id"], id.to_str().unwrap(), "{problem}");
        problem
    }

    /// The events of a stream.
    pub fn events(self) -> Events {
        assert_eq!(self.status, StatusCode::OK);
        assert_eq!(self.headers["content-type"], "text/event-stream");
        Events { body: self.body, text: String::new() }
    }
}

/// A stream of server-sent events.
pub struct Events {
    body: Body,
    text: String,
}

/// One event.
#[derive(Debug)]
pub struct Told {
    pub kind: String,
    pub id: Option<String>,
    pub data: Value,
}

impl Events {
    /// The next event; `None` where the stream ended.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let told = parse(event);
                self.text = rest.to_owned();
                match told {
                    Some(told) => return Some(told),
                    None => continue,
                }
            }
            let frame = tokio::time::timeout(SOON, self.body.frame()).await.expect("an event in time")?;
            let data = frame.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The next id that comes without an event.
    pub async fn next_id(&mut self) -> String {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let id = event.strip_prefix("id: ").filter(|id| !id.contains('\n')).map(str::to_owned);
                self.text = rest.to_owned();
                if let Some(id) = id {
                    return id;
                }
            }
            let frame = tokio::time::timeout(SOON, self.body.frame()).await.expect("in time").expect("no end");
            self.text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
    }

    /// The next event, of this kind.
    pub async fn expect(&mut self, kind: &str) -> Told {
        let told = self.next().await.expect("an event, not the end");
        assert_eq!(told.kind, kind, "{told:?}");
        told
    }
}

fn parse(event: &str) -> Option<Told> {
    let field = |name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(|value| value.trim().to_owned())
    };
    let data = serde_json::from_str(&field("data")?).unwrap();
    Some(Told { kind: field("event").unwrap_or_default(), id: field("id"), data })
}

/// A message for these recipients.
pub fn message(to: &[&str], subject: &str) -> Value {
    serde_json::json!({ "to": to, "subject": subject, "requires_ack": true })
}

/// A path with something in place of each parameter.
pub fn filled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}
