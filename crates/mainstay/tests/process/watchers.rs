//! Live clients that come back from their positions whenever they lose their connection, and what each has seen.

use crate::bed::{OWNER_KEY, eventually};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Pause before another attempt to connect.
const PAUSE: Duration = Duration::from_millis(50);

/// What a client was told of a room, in its order.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The number and the position of each event.
    pub events: Vec<(u64, String)>,
    /// Why something is missing, with how many events had been seen before.
    pub gaps: Vec<(usize, String)>,
    /// From where to go on.
    position: Option<String>,
}

impl Seen {
    pub fn numbers(&self) -> Vec<u64> {
        self.events.iter().map(|(number, _)| *number).collect()
    }
}

#[derive(Default)]
struct State {
    rooms: BTreeMap<String, Seen>,
    /// How often it has had a connection with all of its subscriptions.
    arrivals: usize,
    /// The codes with which servers closed its connections.
    closed: Vec<u16>,
}

/// A client that is there until it is dropped.
pub struct Watcher {
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watcher {
    /// Subscribes to rooms of `chat` at the first of these ports, and at the next one whenever it loses its connection.
    pub async fn start(ports: &[u16], rooms: &[&str]) -> Self {
        let state =
            State { rooms: rooms.iter().map(|room| ((*room).into(), Seen::default())).collect(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let task = tokio::spawn(watch(ports.to_vec(), Arc::clone(&state)));
        let watcher = Self { state, task };
        watcher.arrived(1).await;
        watcher
    }

    /// Waits until it has come so often.
    pub async fn arrived(&self, times: usize) {
        eventually("a live client to arrive", || {
            let arrivals = self.state.lock().unwrap().arrivals;
            if arrivals >= times { Ok(()) } else { Err(format!("{arrivals} of {times} times")) }
        })
        .await;
    }

    pub fn seen(&self, room: &str) -> Seen {
        self.state.lock().unwrap().rooms[room].clone()
    }

    pub fn closed(&self) -> Vec<u16> {
        self.state.lock().unwrap().closed.clone()
    }

    /// Waits until it has seen this number in a room, and takes what it has seen there.
    pub async fn until(&self, room: &str, number: u64) -> Seen {
        eventually("the last event to arrive", || {
            let seen = self.seen(room);
            if seen.events.last().is_some_and(|(last, _)| *last == number) {
                Ok(seen)
            } else {
                Err(format!("{:?}", seen.events.last()))
            }
        })
        .await
    }
}

async fn watch(ports: Vec<u16>, state: Arc<Mutex<State>>) {
    for port in ports.iter().cycle() {
        if let Ok(socket) = open(*port).await {
            let code = listen(socket, &state).await;
            state.lock().unwrap().closed.extend(code);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A socket of a server, past its handshake.
pub async fn open(port: u16) -> Result<WebSocketStream<TcpStream>, Error> {
    let mut request = format!("ws://127.0.0.1:{port}/v1/events/ws").into_client_request()?;
    let credential = format!("Bearer {OWNER_KEY}").parse().unwrap();
    request.headers_mut().insert("authorization", credential);
    let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
    Ok(client_async(request, tcp).await?.0)
}

/// Subscribes, and notes what is said, until the connection ends; the code with which it was closed.
async fn listen(mut socket: WebSocketStream<TcpStream>, state: &Mutex<State>) -> Option<u16> {
    let wishes: Vec<Value> = {
        let state = state.lock().unwrap();
        let wish = |(room, seen): (&String, &Seen)| {
            let mut wish = json!({ "op": "subscribe", "stream": "chat", "room": room });
            wish["from"] = seen.position.clone().into();
            wish
        };
        state.rooms.iter().map(wish).collect()
    };
    socket.send(Message::text(Value::from(wishes.clone()).to_string())).await.ok()?;
    let mut missing = wishes.len();
    loop {
        let message = match socket.next().await? {
            Ok(Message::Text(text)) => serde_json::from_str::<Value>(text.as_str()).unwrap(),
            Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
            Ok(_) => continue,
            Err(_) => return None,
        };
        let mut state = state.lock().unwrap();
        if message["op"] == "subscribed" {
            missing -= 1;
            state.arrivals += usize::from(missing == 0);
        }
        note(&mut state, &message);
    }
}

fn note(state: &mut State, message: &Value) {
    let Some(seen) = message["room"].as_str().and_then(|room| state.rooms.get_mut(room)) else {
        assert!(matches!(message["op"].as_str(), Some("welcome")), "{message}");
        return;
    };
    let position = message["position"].as_str().unwrap().to_owned();
    match message["op"].as_str().unwrap() {
        "event" => seen.events.push((message["payload"]["n"].as_u64().unwrap(), position.clone())),
        "subscribed" | "gap" => {
            if let Some(gap) = message["gap"].as_str() {
                seen.gaps.push((seen.events.len(), gap.to_owned()));
            }
        }
        "position" => {}
        other => panic!("{other}: {message}"),
    }
    seen.position = Some(position);
}
