//! One user: a connection, what it hears, and how it comes back.

use super::ear::{Ear, Heard};
use super::meter::Meter;
use super::plan::{Plan, WARM_UP};
use super::typing::Typist;
use crate::failure::{Failure, Result};
use mainstay_api::events::{LiveOp, LiveRequest};
use mainstay_api::{Code, Problem};
use mainstay_client::{Client, LiveSocket, SocketEnd};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a user tries to come back.
const PATIENCE: Duration = Duration::from_secs(15);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// What users share.
pub(super) struct Course {
    pub plan: Arc<Plan>,
    pub clients: Arc<[Client]>,
    /// When publishing begins.
    pub start: Instant,
    /// How long deliveries took.
    pub deliveries: Meter,
    /// How many events were heard, each once by each user.
    pub heard: AtomicU64,
    /// Nodes that users have been connected to.
    pub nodes: Mutex<BTreeSet<String>>,
    /// Tells users to go.
    pub over: CancellationToken,
}

/// A user who is subscribed to a room.
pub(super) struct User {
    number: u32,
    ear: Ear,
    socket: LiveSocket,
    node: String,
}

/// What a user has seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub room: u32,
    pub number: u32,
    pub ear: Ear,
    /// How often it came back.
    pub reconnects: u64,
    /// Why it left before the end.
    pub left: Option<Box<Problem>>,
    /// How often it said that it types, or not any more.
    pub strokes: u64,
}

impl User {
    /// Connects a user and subscribes it to its room.
    pub(super) async fn connect(plan: &Plan, clients: &[Client], number: u32) -> Result<Self> {
        let client = &clients[plan.node_of(number, clients.len())];
        let mut ear = Ear::default();
        let (socket, node) = enter(plan, client, number, &mut ear).await?;
        Ok(Self { number, ear, socket, node })
    }

    /// Listens until everything is over.
    pub(super) async fn listen(self, course: Arc<Course>) -> Seen {
        let Self { number, ear, mut socket, node } = self;
        let plan = &course.plan;
        let room = plan.room_of(number);
        // The first user of each room types, where that is measured.
        let mut typist = (plan.typing && number < plan.rooms).then(|| Typist::new(plan, course.start));
        let mut seen = Seen { room, number, ear, reconnects: 0, left: None, strokes: 0 };
        course.met(node);
        loop {
            let ended = tokio::select! {
                said = socket.next() => match said {
                    Ok(message) => match course.take(&mut seen.ear, &message) {
                        Some(problem) => {
                            seen.left = Some(problem);
                            break;
                        }
                        None => continue,
                    },
                    Err(end) => end,
                },
                types = stroke(&mut typist) => match say_typing(plan, room, &mut socket, types).await {
                    Ok(()) => continue,
                    Err(end) => end,
                },
                () = course.over.cancelled() => {
                    socket.close().await;
                    break;
                }
            };
            match come_back(&course, number, &mut seen, ended).await {
                Ok(again) => socket = again,
                Err(problem) => {
                    seen.left = Some(problem);
                    break;
                }
            }
        }
        seen.strokes = typist.map_or(0, |typist| typist.sent);
        seen
    }
}

impl Course {
    /// Takes a message; what the server refuses, if that is what it says.
    fn take(&self, ear: &mut Ear, message: &[u8]) -> Option<Box<Problem>> {
        match ear.hear(message) {
            Heard::Event(from_us) => {
                let now_us = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.heard.fetch_add(1, Relaxed);
                let warm_up_us = WARM_UP.as_micros() as u64;
                if from_us >= warm_up_us {
                    self.deliveries.record(now_us.saturating_sub(from_us), now_us - warm_up_us);
                }
                None
            }
            Heard::Refused(problem) => Some(problem),
            Heard::Welcome(node) => {
                self.met(node);
                None
            }
            Heard::Subscribed | Heard::Other => None,
        }
    }

    fn met(&self, node: String) {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).insert(node);
    }
}

async fn stroke(typist: &mut Option<Typist>) -> bool {
    match typist {
        Some(typist) => typist.next().await,
        None => std::future::pending().await,
    }
}

async fn say_typing(plan: &Plan, room: u32, socket: &mut LiveSocket, types: bool) -> Result<(), SocketEnd> {
    let Ok(room) = plan.room(room) else { return Ok(()) };
    let mut said = LiveRequest::about(LiveOp::Typing, plan.stream.clone(), room);
    said.is_typing = Some(types);
    socket.say(&said).await
}

/// Connects again after an end, to the next node and from the position that was reached.
async fn come_back(
    course: &Course,
    number: u32,
    seen: &mut Seen,
    ended: SocketEnd,
) -> Result<LiveSocket, Box<Problem>> {
    let began = Instant::now();
    let mut node = course.plan.node_of(number, course.clients.len());
    let mut last = left(&ended);
    while ended.comes_back() && began.elapsed() < PATIENCE && !course.over.is_cancelled() {
        node += 1;
        let client = &course.clients[node % course.clients.len()];
        match enter(&course.plan, client, number, &mut seen.ear).await {
            Ok((socket, node)) => {
                seen.reconnects += 1;
                course.met(node);
                return Ok(socket);
            }
            Err(Failure::Problem(problem)) => last = problem,
            Err(_) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(last)
}

/// Opens a socket and subscribes to the room of a user, behind what it has heard. The node that it met.
async fn enter(plan: &Plan, client: &Client, number: u32, ear: &mut Ear) -> Result<(LiveSocket, String)> {
    let mut socket = client.events().open_socket().await?;
    let mut subscribe = LiveRequest::about(LiveOp::Subscribe, plan.stream.clone(), plan.room(plan.room_of(number))?);
    subscribe.from.clone_from(&ear.position);
    socket.say(&subscribe).await.map_err(|end| Failure::Problem(left(&end)))?;
    let mut met = String::new();
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await;
        let message = message.unwrap_or_else(|_| {
            Err(SocketEnd { code: None, detail: "the server does not answer a subscription".into() })
        });
        match ear.hear(&message.map_err(|end| Failure::Problem(left(&end)))?) {
            Heard::Welcome(node) => met = node,
            Heard::Subscribed => return Ok((socket, met)),
            Heard::Refused(problem) => return Err(Failure::Problem(problem)),
            Heard::Event(_) | Heard::Other => {}
        }
    }
}

fn left(end: &SocketEnd) -> Box<Problem> {
    let code = end.code.map_or(String::new(), |code| format!(" ({code})"));
    let detail = format!("a user lost its connection{code}: {}", end.detail);
    Box::new(Problem::new(Code::Unreachable, detail, "See what the log of the server says of it."))
}
