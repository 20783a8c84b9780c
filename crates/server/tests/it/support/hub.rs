//! Clients of the hubs: the requests of one, and one that listens.

use super::{Call, KEY, Reply, SOON, Site};
use axum::body::Body;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};

pub const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";

/// A connection, from its client's side.
pub struct Client<'a> {
    pub site: &'a Site,
    pub path: String,
    pub key: String,
}

impl<'a> Client<'a> {
    pub async fn negotiate(site: &'a Site, hub: &str, key: &str) -> Self {
        let answer =
            site.call(Call::new(Method::POST, &negotiation(hub, "?negotiateVersion=1")).with(key)).await.ok().await;
        let token = answer["connectionToken"].as_str().unwrap();
        Self { site, path: format!("/hubs/{hub}?id={token}"), key: key.to_owned() }
    }

    /// A connection over long polls, after its first poll and its handshake.
    pub async fn polling(site: &'a Site, hub: &str) -> Self {
        let client = Self::negotiate(site, hub, KEY).await;
        let first = client.get().await;
        assert_eq!((first.status, first.text().await), (StatusCode::OK, String::new()));
        assert_eq!(client.post(HANDSHAKE).await.status, StatusCode::OK);
        assert_eq!(client.poll().await, ["{}"]);
        client
    }

    fn call(&self, method: Method) -> Call {
        Call::new(method, &self.path).with(&self.key)
    }

    pub async fn get(&self) -> Reply {
        self.site.call(self.call(Method::GET)).await
    }

    pub async fn stream(&self) -> Reply {
        self.site.call(self.call(Method::GET).header("accept", "text/event-stream")).await
    }

    pub async fn post(&self, body: &str) -> Reply {
        self.site.call(self.call(Method::POST).body(body.to_owned())).await
    }

    pub async fn delete(&self) -> Reply {
        self.site.call(self.call(Method::DELETE)).await
    }

    /// The records that one poll brings.
    pub async fn poll(&self) -> Vec<String> {
        let reply = tokio::time::timeout(SOON, self.get()).await.unwrap();
        assert_eq!(reply.status, StatusCode::OK);
        reply.text().await.split_terminator('\u{1e}').map(str::to_owned).collect()
    }

    /// The last message, of any number of polls.
    pub async fn farewell(&self) -> Value {
        loop {
            let reply = tokio::time::timeout(SOON, self.get()).await.unwrap();
            assert_eq!(reply.status, StatusCode::OK);
            let text = reply.text().await;
            let last = text.split_terminator('\u{1e}').next_back().map(|last| serde_json::from_str(last).unwrap());
            if let Some(Value::Object(last)) = last.filter(|last: &Value| last["type"] == 7) {
                return last.into();
            }
        }
    }
}

pub fn negotiation(hub: &str, query: &str) -> String {
    format!("/hubs/{hub}/negotiate{query}")
}

pub fn record(message: Value) -> String {
    format!("{message}\u{1e}")
}

/// A client over server-sent events, with its handshake behind it.
pub struct Listener<'a> {
    client: Client<'a>,
    body: Body,
    text: String,
    calls: u64,
}

impl<'a> Listener<'a> {
    pub async fn open(site: &'a Site, hub: &str) -> Self {
        Self::open_with(site, hub, KEY).await
    }

    pub async fn open_with(site: &'a Site, hub: &str, key: &str) -> Self {
        Self::open_at(Client::negotiate(site, hub, key).await).await
    }

    pub async fn open_at(client: Client<'a>) -> Self {
        let mut listener = Self::begin(client).await;
        listener.greet().await;
        listener
    }

    /// Opens the stream, before the handshake.
    pub async fn begin(client: Client<'a>) -> Self {
        let body = client.stream().await.body;
        Self { client, body, text: String::new(), calls: 0 }
    }

    pub async fn greet(&mut self) {
        assert_eq!(self.client.post(HANDSHAKE).await.status, StatusCode::OK);
        assert_eq!(self.message().await, Some(json!({})));
    }

    /// The next message but pings; nothing where the stream ended.
    pub async fn message(&mut self) -> Option<Value> {
        tokio::time::timeout(SOON, self.next_message()).await.expect("a message in time")
    }

    async fn next_message(&mut self) -> Option<Value> {
        loop {
            if let Some((record, rest)) = self.text.split_once("\r\n\r\n") {
                let record = record.strip_prefix("data: ").map(|record| record.trim_end_matches('\u{1e}').to_owned());
                self.text = rest.to_owned();
                let message: Option<Value> = record.map(|record| serde_json::from_str(&record).unwrap());
                match message {
                    Some(message) if message["type"] != 6 => return Some(message),
                    _ => continue,
                }
            }
            let data = self.body.frame().await?.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// What the server says next: a method of the client, and its arguments.
    pub async fn hear(&mut self) -> (String, Value) {
        let message = self.message().await.expect("a call, not the end");
        assert_eq!(message["type"], 1, "{message}");
        (message["target"].as_str().unwrap().to_owned(), message["arguments"].clone())
    }

    /// The arguments with which the server calls this method next.
    pub async fn expect(&mut self, target: &str) -> Value {
        let (told, arguments) = self.hear().await;
        assert_eq!(told, target, "{arguments}");
        arguments
    }

    /// Calls a method. What the server says before it answers is for whoever waits for it.
    pub async fn send(&mut self, target: &str, arguments: Value) {
        let call = json!({ "type": 1, "target": target, "arguments": arguments });
        assert_eq!(self.client.post(&record(call)).await.status, StatusCode::OK);
    }

    /// Calls a method and returns the answer, which is the next message.
    pub async fn invoke(&mut self, target: &str, arguments: Value) -> Value {
        self.calls += 1;
        let id = self.calls.to_string();
        let call = json!({ "type": 1, "invocationId": id, "target": target, "arguments": arguments });
        assert_eq!(self.client.post(&record(call)).await.status, StatusCode::OK);
        let answer = self.message().await.expect("an answer, not the end");
        assert_eq!((&answer["type"], &answer["invocationId"]), (&json!(3), &json!(id)), "{answer}");
        answer
    }

    /// Calls a method after whose effect the client is told something: that comes before the answer.
    pub async fn effect(&mut self, target: &str, arguments: Value, told: &str) -> Value {
        self.calls += 1;
        let id = self.calls.to_string();
        let call = json!({ "type": 1, "invocationId": id, "target": target, "arguments": arguments });
        assert_eq!(self.client.post(&record(call)).await.status, StatusCode::OK);
        let told = self.expect(told).await;
        let answer = self.message().await.expect("an answer, not the end");
        assert_eq!((&answer["type"], answer.get("error")), (&json!(3), None), "{answer}");
        told
    }

    /// The last message, whatever comes before it.
    pub async fn farewell(&mut self) -> Value {
        loop {
            let message = self.message().await.expect("a farewell, not the end");
            if message["type"] == 7 {
                return message;
            }
        }
    }
}
