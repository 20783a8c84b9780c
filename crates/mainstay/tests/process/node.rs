//! A running `mainstay serve`.

use crate::bed::{Bed, Follower, OWNER_KEY, eventually};
use mainstay_api::{InstanceId, Namespace};
use mainstay_client::{Client, ClientOptions, Credential};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest answer to a plain request, and longest time that it may take: a call is bounded by the time-outs of
/// connecting to the store and of its answer, twice where the store is asked twice.
const MAX_ANSWER_BYTES: u64 = 1_024 * 1_024;
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A server on a loopback port.
pub struct Node {
    pub process: Follower,
    pub port: u16,
    namespace: Namespace,
}

/// The answer to a plain request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|broken| panic!("{broken}: {self:?}"))
    }
}

impl Node {
    /// Starts a server on a port, or on a free one for 0, and waits until it listens.
    pub async fn start(bed: &Bed, name: &str, port: u16) -> Self {
        let listen = format!("127.0.0.1:{port}");
        let command = bed.command(&["serve", "--listen", &listen]);
        let mut process = bed.start(name, command);
        let port = eventually("the server to listen", || {
            let said = process.errors();
            if let Ok(Some(status)) = process.running.child().try_wait() {
                panic!("the server ended with {status}: {said}");
            }
            let address = said.lines().find_map(|line| line.trim().strip_prefix("address    http://127.0.0.1:"));
            address.and_then(|port| port.parse().ok()).ok_or(said)
        })
        .await;
        Self { process, port, namespace: Namespace::default() }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same server, with clients in a namespace of their own.
    pub fn isolated(self, namespace: &str) -> Self {
        Self { namespace: Namespace::parse(namespace).unwrap(), ..self }
    }

    /// Ends the server with SIGKILL.
    pub fn kill(self) -> u16 {
        drop(self.process);
        self.port
    }

    /// A client that repeats a call for as long as given.
    pub fn client(&self, instance: &str, retry_for_ms: u64) -> Client {
        let options = ClientOptions {
            credential: Some(Credential::new(OWNER_KEY)),
            instance: Some(InstanceId::parse(instance).unwrap()),
            namespace: Some(self.namespace.clone()),
            retry_for_ms,
            ..ClientOptions::default()
        };
        Client::connect(&self.url(), options).unwrap()
    }

    /// A plain GET with the owner key, speaking for `me`.
    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "").await
    }

    /// A plain request with the owner key, speaking for `me`.
    pub async fn request(&self, method: &str, path: &str, body: &str) -> Answer {
        let length = body.len();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {OWNER_KEY}\r\n\
             mainstay-instance: me\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        );
        self.raw(text.as_bytes()).await
    }

    /// Sends bytes as they are, and reads until the server closes the connection.
    pub async fn raw(&self, bytes: &[u8]) -> Answer {
        let exchange = async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
            // A server that has read enough may close before everything is sent; its answer counts.
            let _ = stream.write_all(bytes).await;
            let mut answer = Vec::new();
            let _ = stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        let text = tokio::time::timeout(ANSWER_WITHIN, exchange).await.expect("an answer in bounded time");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }
}
