//! One connection, from its welcome to its end.

use super::encoder::{SocketFrames, message};
use super::ending::Ending;
use crate::access::Standing;
use crate::app::App;
use crate::caller::Credential;
use crate::live::socket::{self, Heard, Reader, Socket, WriteHalf};
use crate::live::{Listener, Rooms, Seat};
use crate::metrics::Carrier;
use mainstay_core::api::events::LiveMessage;
use mainstay_core::{Caller, Error, Mint, RandomMint};
use mainstay_hub::live::{Closed, Outlet, OutletParts};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// How long the last frames may take, and the client to close the socket after that.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a connection is opened with.
pub(crate) struct Opening {
    pub app: Arc<App>,
    pub caller: Caller,
    pub credential: Credential,
    /// Counts it at the node.
    pub permit: OwnedSemaphorePermit,
    /// Counts it for its principal.
    pub seat: Seat,
}

/// The state of a connection.
pub(super) struct Session {
    pub(super) app: Arc<App>,
    pub(super) caller: Arc<Caller>,
    pub(super) outlet: Outlet,
    pub(super) rooms: Rooms,
    standing: Standing,
    /// When something was last heard of the client.
    heard: Instant,
    /// When the server last gave a sign of life.
    alive: Instant,
}

/// Serves a connection until it ends.
pub(crate) async fn serve(socket: Socket, opening: Opening) {
    let Opening { app, caller, credential, permit, seat } = opening;
    let (rules, caller) = (app.config.live.clone(), Arc::new(caller));
    let connection = RandomMint.event_id().to_string();
    let meter = app.services.metrics.delivery.meter(Carrier::WebSocket);
    let parts = OutletParts { connection, encoder: Arc::new(SocketFrames), limit_bytes: rules.queue_bytes, meter };
    let (outlet, mut drain) = app.services.live.outlet(parts);
    let replies = outlet.clone();
    let reply = Box::new(move |frames| replies.push(frames));
    let (mut reader, mut write) = socket.split(reply, rules.max_message_bytes).await;
    let standing = Standing::new(Arc::clone(&app), credential, Arc::clone(&caller));
    let (heard, alive) = (Instant::now(), Instant::now());
    let mut session = Session { app, caller, outlet, rooms: Rooms::default(), standing, heard, alive };
    session.welcome();
    let ending = {
        let writing = socket::write_all(&mut write, &mut drain);
        let talking = session.run(&mut reader);
        tokio::pin!(writing, talking);
        let ended = tokio::select! {
            closed = &mut writing => Err(closed),
            ending = &mut talking => Ok(ending),
        };
        match ended {
            Err(Some(closed)) => Ending::of(closed),
            Err(None) => Ending::Cut,
            Ok(ending) => {
                // What has been put into the queue is still written.
                let _in_time = tokio::time::timeout(FAREWELL, writing).await;
                ending
            }
        }
    };
    Box::pin(part(session, ending, (reader, write))).await;
    drop((permit, seat));
}

/// Says why the socket ends, and leaves the rooms.
async fn part(mut session: Session, ending: Ending, (mut reader, mut write): (Reader, WriteHalf)) {
    tracing::debug!(connection = session.outlet.connection(), ?ending, "a socket has ended");
    let farewell = async {
        let Some((code, reason)) = ending.told() else { return };
        if socket::hang_up(&mut write, socket::close(code, reason)).await.is_ok() {
            reader.ended().await;
        }
    };
    // What the client has not read would be lost if the socket were cut at once.
    let _in_time = tokio::time::timeout(FAREWELL, farewell).await;
    let Session { app, caller, outlet, rooms, .. } = &mut session;
    rooms.leave_all(Listener { app, caller, outlet }).await;
}

impl Session {
    fn welcome(&self) {
        let rules = &self.app.config.live;
        self.say(&LiveMessage::Welcome {
            connection: self.outlet.connection().to_owned(),
            node: self.app.services.node.clone(),
            keep_alive_ms: millis(rules.keep_alive),
            idle_ms: millis(rules.idle_timeout),
            max_subscriptions: rules.max_subscriptions,
            max_message_bytes: rules.max_message_bytes,
        });
    }

    /// Puts a message into the queue.
    pub(super) fn say(&self, said: &LiveMessage) {
        if let Some(frame) = message(said) {
            self.outlet.push(frame);
        }
    }

    /// Hears the client, and looks after the connection; then nothing more goes into the queue.
    async fn run(&mut self, reader: &mut Reader) -> Ending {
        let ending = self.talk(reader).await;
        self.outlet.close(Closed::Ended);
        ending
    }

    async fn talk(&mut self, reader: &mut Reader) -> Ending {
        let mut checks = ticks(self.tick());
        let shutdown = self.app.shutdown.clone();
        loop {
            tokio::select! {
                heard = reader.next() => {
                    self.heard = Instant::now();
                    match heard {
                        // Boxed, as what is rare: its state is not to be a part of every idle connection.
                        Heard::Text(text) => Box::pin(self.hear(text.as_str())).await,
                        Heard::Alive => {}
                        Heard::Binary(_) => return Ending::invalid("messages are text"),
                        Heard::TooLarge => return Ending::too_large(self.app.config.live.max_message_bytes),
                        Heard::Invalid(cause) => return Ending::invalid(&cause),
                        Heard::Gone => return Ending::Gone,
                    }
                }
                _ = checks.tick() => {
                    if let Some(ending) = Box::pin(self.look_after()).await {
                        return ending;
                    }
                }
                () = shutdown.cancelled() => return Ending::stopping(),
            }
        }
    }

    /// How often the connection is looked after.
    fn tick(&self) -> Duration {
        let rules = &self.app.config.live;
        Standing::CHECK_EVERY.min(rules.keep_alive).min(rules.idle_timeout / 2).max(Duration::from_millis(10))
    }

    async fn look_after(&mut self) -> Option<Ending> {
        let rules = &self.app.config.live;
        if self.heard.elapsed() > rules.idle_timeout {
            return Some(Ending::silent());
        }
        if self.alive.elapsed() >= rules.keep_alive {
            self.alive = Instant::now();
            for ((stream, room), position) in self.rooms.positions() {
                self.say(&LiveMessage::Position { stream, room, position });
            }
            self.outlet.push(socket::ping());
        }
        if !self.standing.holds().await {
            tracing::info!(principal = %self.caller.principal, "a socket ended with its credential");
            return Some(Ending::credential());
        }
        let (rooms, listener) = self.rooms();
        let ended = rooms.check(listener).await;
        rooms.renew(listener).await;
        for ((stream, room), problem) in ended {
            self.say(&LiveMessage::Unsubscribed { id: None, stream, room, problem: Some(problem) });
        }
        None
    }

    /// Its rooms, and who listens to them.
    pub(super) fn rooms(&mut self) -> (&mut Rooms, Listener<'_>) {
        let Self { app, caller, outlet, rooms, .. } = self;
        (rooms, Listener { app, caller, outlet })
    }

    /// Says that a request was refused.
    pub(super) fn refuse(&self, id: Option<u64>, error: &Error) {
        crate::problem::log(error);
        self.say(&LiveMessage::Problem { id, problem: error.problem.clone() });
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
