//! A client of the WebSocket, over a real listener.

use super::{KEY, SOON, Site};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Serves a site on a port of its own, for as long as the test lasts.
pub async fn listen(site: &Site) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(mainstay_server::serve(listener, site.router.clone(), site.shutdown.clone(), 5_000));
    address
}

pub struct Socket {
    pub stream: WebSocketStream<TcpStream>,
    /// What the server said first.
    pub welcome: Value,
}

impl Socket {
    pub async fn open(address: SocketAddr) -> Self {
        Self::open_with(address, KEY).await.unwrap()
    }

    /// The status where the server refuses.
    pub async fn open_with(address: SocketAddr, token: &str) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/v1/events/ws").into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let tcp = TcpStream::connect(address).await.unwrap();
        let stream = match client_async(request, tcp).await {
            Ok((stream, _)) => stream,
            Err(Error::Http(response)) => return Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        };
        let mut socket = Self { stream, welcome: Value::Null };
        socket.welcome = socket.expect("welcome").await;
        Ok(socket)
    }

    pub async fn say(&mut self, message: Value) {
        self.stream.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message, or the close frame.
    pub async fn next(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            match timeout(SOON, self.stream.next()).await.expect("in time") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(text.as_str()).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next message, with this `op`.
    pub async fn expect(&mut self, op: &str) -> Value {
        let message = self.next().await.expect("a message, not the end");
        assert_eq!(message["op"], op, "{message}");
        message
    }

    pub async fn subscribe(&mut self, room: &str, from: Option<&str>) -> Value {
        let mut request = json!({ "op": "subscribe", "id": 1, "stream": "chat", "room": room });
        if let Some(from) = from {
            request["from"] = from.into();
        }
        self.say(request).await;
        self.expect("subscribed").await
    }

    /// The numbers of the next events.
    pub async fn numbers(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            numbers.push(self.expect("event").await["payload"]["n"].as_u64().unwrap());
        }
        numbers
    }

    /// The code with which the server closes, whatever it says before.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.next().await {
                Ok(_) => {}
                Err(frame) => return frame.map_or(0, |frame| frame.code.into()),
            }
        }
    }
}
