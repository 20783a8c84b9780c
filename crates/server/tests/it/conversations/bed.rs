//! Servers to call as different users, and an agent that answers when it is told to.

use crate::support::{KEY, Reply, SOON, Setup, rules};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mainstay_core::api::conversations::{NewMessage, Role as Speaker};
use mainstay_core::api::{Realm, TenantId};
use mainstay_core::conversations::{Agent, AgentError, EchoAgent, Prompt};
use mainstay_core::{Clock, Role, Stores, SystemClock};
use mainstay_server::identity::tokens::{IssuerConfig, KeyOrigin, TenantRule, Tenants, TokenVerifier};
use mainstay_server::{InProcess, OwnerKey, ServerConfig, ServiceRules, Services, router};
use mainstay_testkit::fixtures::RedisServer;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const SECRET: &str = "a secret of the tests, long enough for HS256";
const ISSUER: &str = "https://issuer.example/team";
const AUDIENCE: &str = "api://mainstay";

/// A store with a server on it.
pub struct Bed {
    pub node: Node,
    pub stores: Stores,
    pub redis: Option<RedisServer>,
    #[expect(dead_code, reason = "held, never looked at")]
    folder: Option<tempfile::TempDir>,
}

/// A server.
#[derive(Clone)]
pub struct Node {
    router: Router,
    pub shutdown: CancellationToken,
}

impl Bed {
    /// One on each kind of store.
    pub async fn each() -> [Self; 2] {
        Self::each_with(&(Arc::new(EchoAgent) as Arc<dyn Agent>)).await
    }

    /// The same with an agent.
    pub async fn each_with(agent: &Arc<dyn Agent>) -> [Self; 2] {
        [Self::redis(Arc::clone(agent)).await, Self::sqlite(Arc::clone(agent)).await]
    }

    pub async fn redis(agent: Arc<dyn Agent>) -> Self {
        let server = RedisServer::start().await.unwrap();
        let mut options = mainstay_redis::RedisOptions::from_url(&server.url()).unwrap();
        options.response_timeout_ms = 1_000;
        let stores = mainstay_redis::open(options).await.unwrap();
        Self { node: Node::new(&stores, agent), stores, redis: Some(server), folder: None }
    }

    pub async fn sqlite(agent: Arc<dyn Agent>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("mainstay.db").display());
        let stores = mainstay_sqlite::open(mainstay_sqlite::SqliteOptions::from_url(&url).unwrap()).await.unwrap();
        Self { node: Node::new(&stores, agent), stores, redis: None, folder: Some(folder) }
    }

    /// Another server on the same store.
    pub fn beside(&self, agent: Arc<dyn Agent>) -> Node {
        Node::new(&self.stores, agent)
    }

    pub fn user(&self, name: &str) -> User {
        self.node.user(name)
    }
}

impl Node {
    fn new(stores: &Stores, agent: Arc<dyn Agent>) -> Self {
        let rules = ServiceRules { agent, ..rules(Setup::default()) };
        let services = Arc::new(Services::new(stores, rules));
        let verifier = TokenVerifier::new(vec![issuer()], Arc::new(SystemClock)).unwrap();
        let config = ServerConfig { tokens: Some(Arc::new(verifier)), ..ServerConfig::new(OwnerKey::new(KEY)) };
        let shutdown = CancellationToken::new();
        Self { router: router(services, &config, shutdown.clone()), shutdown }
    }

    /// A member of the tenant acme.
    pub fn user(&self, name: &str) -> User {
        self.bearer(&token("acme", name, "member"))
    }

    pub fn bearer(&self, credential: &str) -> User {
        User { node: self.clone(), credential: credential.to_owned() }
    }
}

fn issuer() -> IssuerConfig {
    let tenants = ["acme", "globex"].map(|tenant| TenantId::parse(tenant).unwrap());
    let usual = IssuerConfig::new(Realm::parse("team").unwrap(), KeyOrigin::Secret(SECRET.into()));
    let mut access = usual.access.clone();
    access.roles_claim = Some("roles".into());
    access.roles = Role::ALL.into_iter().map(|role| (role.as_str().to_owned(), role)).collect();
    IssuerConfig {
        issuer: Some(ISSUER.into()),
        audience: vec![AUDIENCE.into()],
        tenant: TenantRule::Claim { claim: "tid".into(), allowed: Tenants::Only(tenants.into()) },
        access,
        ..usual
    }
}

/// A token of a user, for an hour.
pub fn token(tenant: &str, user: &str, role: &str) -> String {
    let now_s = SystemClock.now().as_millis() / 1_000;
    token_until(tenant, user, (role, now_s + 3_600))
}

/// A token of a user with a role, until this second.
pub fn token_until(tenant: &str, user: &str, (role, until_s): (&str, i64)) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": user, "tid": tenant, "roles": [role], "exp": until_s,
    });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
}

/// Somebody who calls.
#[derive(Clone)]
pub struct User {
    node: Node,
    credential: String,
}

impl User {
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.call_with(&[], method, (path, body)).await
    }

    pub async fn call_with(
        &self,
        headers: &[(&str, &str)],
        method: Method,
        (path, body): (&str, Option<Value>),
    ) -> Reply {
        let mut builder = Request::builder()
            .method(method)
            .uri(path)
            .extension(InProcess)
            .header("authorization", format!("Bearer {}", self.credential));
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self.node.router.clone().oneshot(builder.body(body).unwrap());
        let response = tokio::time::timeout(SOON, answer).await.expect("an answer in time").unwrap();
        let (parts, body) = response.into_parts();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.call(Method::DELETE, path, None).await
    }

    /// Begins a conversation and returns its id.
    pub async fn begin(&self) -> String {
        let created = self.post("/v1/conversations", json!({})).await.ok().await;
        created["conversation"]["id"].as_str().unwrap().to_owned()
    }

    /// Appends texts of the user.
    pub async fn say(&self, id: &str, texts: &[&str]) -> Value {
        let messages: Vec<Value> = texts.iter().map(|text| json!({ "role": "user", "text": text })).collect();
        self.post(&format!("/v1/conversations/{id}/messages"), json!({ "messages": messages })).await.ok().await
    }

    /// The messages of a conversation.
    pub async fn messages(&self, id: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/conversations/{id}/messages")).await.ok().await;
        page["messages"].as_array().unwrap().clone()
    }

    /// Says something to the agent by the route of the original.
    pub async fn chat(&self, id: &str, text: &str) -> Reply {
        self.post("/api/chat/send", json!({ "conversationId": id, "text": text })).await
    }
}

/// An agent that answers as often as it is let, with what it was told, or fails.
pub struct GatedAgent {
    gate: Semaphore,
    pub asked: Semaphore,
    failure: Mutex<Option<AgentError>>,
}

impl GatedAgent {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { gate: Semaphore::new(0), asked: Semaphore::new(0), failure: Mutex::default() })
    }

    /// Lets this many answers out.
    pub fn let_answer(&self, answers: usize) {
        self.gate.add_permits(answers);
    }

    /// Waits until a question arrived.
    pub async fn question(&self) {
        tokio::time::timeout(SOON, self.asked.acquire()).await.expect("a question in time").unwrap().forget();
    }

    /// Fails with this from now on.
    pub fn fail(&self, error: Option<AgentError>) {
        *self.failure.lock().unwrap() = error;
    }
}

#[async_trait]
impl Agent for GatedAgent {
    async fn answer(&self, prompt: Prompt) -> Result<Vec<NewMessage>, AgentError> {
        self.asked.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        if let Some(error) = self.failure.lock().unwrap().clone() {
            return Err(error);
        }
        let said: Vec<String> = prompt.history.into_iter().filter_map(|message| message.content.text).collect();
        Ok(vec![NewMessage::text(Speaker::Assistant, said.join("|"))])
    }
}
