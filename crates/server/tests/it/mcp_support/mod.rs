//! An MCP endpoint to talk to: the whole application on a real store, over HTTP and over streams.

use crate::support::{KEY, Reply, SOON, Setup, rules};
use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use mainstay_core::api::InstanceId;
use mainstay_core::mail::MailRules;
use mainstay_core::{Caller, SystemClock};
use mainstay_server::mcp::{HttpOptions, McpParts, StdioError, StdioOptions, http_router, serve_streams};
use mainstay_server::{InProcess, OwnerKey, ServerConfig, ServiceRules, Services, router_with_mcp};
use mainstay_testkit::fixtures::RedisServer;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The protocol without state.
pub const MODERN: &str = "2026-07-28";
/// The last protocol that begins with `initialize`.
pub const LEGACY: &str = "2025-11-25";

pub struct Site {
    pub parts: McpParts,
    pub router: Router,
    pub shutdown: CancellationToken,
    /// Ended when the last node on it is dropped.
    pub store: Arc<RedisServer>,
}

impl Site {
    pub async fn start() -> Self {
        Self::start_with(MailRules::default(), HttpOptions::default()).await
    }

    pub async fn start_with(mail: MailRules, options: HttpOptions) -> Self {
        Self::on(Arc::new(RedisServer::start().await.unwrap()), mail, options).await
    }

    /// Another node on the same store.
    pub async fn beside(&self) -> Self {
        Self::on(Arc::clone(&self.store), MailRules::default(), HttpOptions::default()).await
    }

    async fn on(store: Arc<RedisServer>, mail: MailRules, options: HttpOptions) -> Self {
        let redis = mainstay_redis::RedisOptions::from_url(&store.url()).unwrap();
        let stores = mainstay_redis::open(redis).await.unwrap();
        let rules = ServiceRules { mail, ..rules(Setup::default()) };
        let services = Arc::new(Services::new(&stores, rules));
        let clock = Arc::new(SystemClock);
        let parts = McpParts { services: Arc::clone(&services), clock, version: "0.0.0-test".into() };
        let shutdown = CancellationToken::new();
        let mcp = http_router(parts.clone(), options, shutdown.clone());
        let config = ServerConfig::new(OwnerKey::new(KEY));
        let router = router_with_mcp(services, &config, shutdown.clone(), Some(mcp));
        Self { parts, router, shutdown, store }
    }

    /// A client of the current protocol over HTTP.
    pub fn modern(&self, instance: &str) -> Http {
        Http { router: self.router.clone(), instance: Some(instance.into()), version: MODERN }
    }

    /// A client of an earlier protocol over HTTP.
    pub fn legacy(&self, instance: &str) -> Http {
        Http { router: self.router.clone(), instance: Some(instance.into()), version: LEGACY }
    }

    /// A client over a pair of streams.
    pub fn stdio(&self, instance: &str) -> Stdio {
        Stdio::connect(&self.parts, caller(Some(instance)))
    }
}

/// The owner, speaking for an instance.
pub fn caller(instance: Option<&str>) -> Caller {
    Caller { instance: instance.map(|name| InstanceId::parse(name).unwrap()), ..Caller::owner() }
}

/// Adds what the stateless protocol wants with every request.
pub fn with_meta(mut params: Value, version: &str) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    });
    params
}

/// A client over HTTP: no request knows of another.
#[derive(Clone)]
pub struct Http {
    pub router: Router,
    pub instance: Option<String>,
    pub version: &'static str,
}

impl Http {
    /// A request with the headers that the version wants.
    pub fn request(&self, message: &Value) -> Request<Body> {
        let method = message["method"].as_str().unwrap_or_default();
        let mut builder = self.get("POST").header("content-type", "application/json");
        if self.version == MODERN {
            builder = builder.header("mcp-method", method);
            let name = message["params"]["name"].as_str().or_else(|| message["params"]["uri"].as_str());
            if let Some(name) = name {
                builder = builder.header("mcp-name", name);
            }
        }
        builder.body(Body::from(message.to_string())).unwrap()
    }

    /// A request without a body.
    pub fn get(&self, method: &str) -> http::request::Builder {
        let mut builder = Request::builder()
            .method(method)
            .uri("/mcp")
            .extension(InProcess)
            .header("authorization", format!("Bearer {KEY}"))
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", self.version);
        if let Some(instance) = &self.instance {
            builder = builder.header("mainstay-instance", instance);
        }
        builder
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = tokio::time::timeout(SOON, self.router.clone().oneshot(request)).await.unwrap().unwrap();
        let (parts, body) = response.into_parts();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// The message of a request.
    pub fn message(&self, method: &str, params: Value) -> Value {
        let params = if self.version == MODERN { with_meta(params, MODERN) } else { params };
        json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    }

    /// The whole answer to a request.
    pub async fn ask(&self, method: &str, params: Value) -> Value {
        let answer = self.send(self.request(&self.message(method, params))).await.json().await;
        assert_eq!(answer["id"], 7, "{answer}");
        answer
    }

    /// The result of a request.
    pub async fn result(&self, method: &str, params: Value) -> Value {
        result_of(self.ask(method, params).await)
    }

    /// The result of a tool.
    pub async fn tool(&self, name: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({"name": name, "arguments": arguments})).await
    }

    /// The structured content of a tool that succeeded.
    pub async fn done(&self, name: &str, arguments: Value) -> Value {
        done(self.tool(name, arguments).await)
    }

    /// Opens a stream: a listening POST, or a GET.
    pub async fn stream(&self, request: Request<Body>) -> Events {
        let reply = self.send(request).await;
        assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.headers);
        assert_eq!(reply.headers["content-type"], "text/event-stream");
        Events { body: reply.body, text: String::new() }
    }
}

pub fn result_of(answer: Value) -> Value {
    assert!(answer.get("error").is_none(), "{answer}");
    answer["result"].clone()
}

pub fn done(result: Value) -> Value {
    assert_eq!(result["isError"], false, "{result}");
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"], "text and structured content say the same");
    text
}

/// The JSON in the text of a `coord_*` answer that succeeded.
pub fn told(result: &Value) -> Value {
    assert!(result.get("isError").is_none(), "{result}");
    serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap()
}

/// A stream of JSON-RPC messages as server-sent events.
pub struct Events {
    body: Body,
    text: String,
}

impl Events {
    /// The next message; `None` where the stream ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data:")).map(str::trim).map(str::to_owned);
                self.text = rest.to_owned();
                if let Some(data) = data.filter(|data| !data.is_empty()) {
                    return Some(serde_json::from_str(&data).unwrap());
                }
            }
            let frame = tokio::time::timeout(SOON, self.body.frame()).await.expect("an event in time")?;
            let data = frame.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The URI of the next notification that a resource changed.
    pub async fn updated(&mut self) -> String {
        uri_of(&self.next().await.expect("a notification, not the end"))
    }
}

/// The URI of a notification that a resource changed.
pub fn uri_of(notification: &Value) -> String {
    assert_eq!(notification["method"], "notifications/resources/updated", "{notification}");
    notification["params"]["uri"].as_str().unwrap().to_owned()
}

/// A client over a pair of streams.
pub struct Stdio {
    lines: tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: WriteHalf<DuplexStream>,
    pub server: JoinHandle<Result<(), StdioError>>,
    next_id: u64,
}

impl Stdio {
    pub fn connect(parts: &McpParts, caller: Caller) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (read, write) = tokio::io::split(theirs);
        let options = StdioOptions {
            backend: parts.backend(caller),
            version: parts.version.clone(),
            shutdown: CancellationToken::new(),
        };
        let server = tokio::spawn(serve_streams(read, write, options));
        let (read, write) = tokio::io::split(ours);
        Self { lines: BufReader::new(read).lines(), write, server, next_id: 1 }
    }

    /// Begins as a client of an earlier protocol does.
    pub async fn initialize(&mut self, version: &str) -> Value {
        let params = json!({
            "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}
        });
        let result = self.result("initialize", params).await;
        self.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        result
    }

    pub async fn write(&mut self, message: &Value) {
        self.write_text(&format!("{message}\n")).await;
    }

    pub async fn write_text(&mut self, text: &str) {
        self.write.write_all(text.as_bytes()).await.unwrap();
        self.write.flush().await.unwrap();
    }

    /// The next message of the server; `None` where it closed its end.
    pub async fn read(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(SOON, self.lines.next_line()).await.expect("a line in time").unwrap()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// Asks, and returns the whole answer; notifications before it are passed over.
    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        loop {
            let answer = self.read().await.expect("an answer, not the end");
            if answer["id"] == id {
                return answer;
            }
        }
    }

    pub async fn result(&mut self, method: &str, params: Value) -> Value {
        result_of(self.ask(method, params).await)
    }

    pub async fn tool(&mut self, name: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({"name": name, "arguments": arguments})).await
    }

    /// Closes the client's end; the server's answers can still be read.
    pub async fn hang_up(&mut self) {
        self.write.shutdown().await.unwrap();
    }

    /// Closes the client's end, and waits until the server has ended.
    pub async fn close(mut self) {
        self.hang_up().await;
        tokio::time::timeout(SOON, self.server).await.expect("the server ends").unwrap().unwrap();
    }
}
