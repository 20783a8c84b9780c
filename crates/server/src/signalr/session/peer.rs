//! The client, as the methods of a hub see it.

use crate::app::App;
use crate::signalr::hubs::{Floor, HubKind};
use bytes::Bytes;
use mainstay_core::Caller;
use mainstay_hub::live::Outlet;
use mainstay_signalr::{Headers, Invocation, Message, Outcome, Protocol, Unrepresentable, Value};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Calls of the server that wait for their result, for one client.
const MAX_ASKED: usize = 32;

/// A client that is connected to a hub.
pub(crate) struct Peer {
    pub(crate) app: Arc<App>,
    pub(crate) caller: Caller,
    /// The public id of the connection.
    pub(crate) id: String,
    pub(crate) hub: HubKind,
    /// The session at a desktop that the connection says it is of.
    pub(crate) desktop: Option<String>,
    pub(crate) protocol: Protocol,
    pub(crate) outlet: Outlet,
    pub(crate) floor: Floor,
    asked: Mutex<HashMap<String, oneshot::Sender<Result<Value, String>>>>,
    next_id: AtomicU64,
}

/// What a peer is made of.
pub(crate) struct Known {
    pub app: Arc<App>,
    pub caller: Caller,
    pub id: String,
    pub hub: HubKind,
    pub desktop: Option<String>,
    pub protocol: Protocol,
    pub outlet: Outlet,
}

impl Peer {
    pub(crate) fn new(known: Known) -> Self {
        let Known { app, caller, id, hub, desktop, protocol, outlet } = known;
        let (floor, asked, next_id) = (Floor::default(), Mutex::default(), AtomicU64::new(1));
        Self { app, caller, id, hub, desktop, protocol, outlet, floor, asked, next_id }
    }

    /// Calls a method of the client, and wants no answer.
    pub(crate) fn tell(&self, target: &str, arguments: Vec<Value>) -> Result<(), String> {
        self.send(&Message::Invocation(Invocation::send(target, arguments)))
    }

    /// Calls a method of the client and waits for its result, at most for the time of the rules.
    pub(crate) async fn ask(&self, target: &str, arguments: Vec<Value>, within: Duration) -> Result<Value, String> {
        let id = format!("{}-{}", self.id, self.next_id.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = oneshot::channel();
        {
            let mut asked = self.asked();
            if asked.len() >= MAX_ASKED {
                return Err("the client has too many calls to answer already".into());
            }
            asked.insert(id.clone(), answer);
        }
        let call = Invocation {
            headers: Headers::new(),
            invocation_id: Some(id.clone()),
            ..Invocation::send(target, arguments)
        };
        let told = self.send(&Message::Invocation(call));
        let result = match told {
            Ok(()) => tokio::time::timeout(within.min(self.app.config.signalr.result_timeout), answered).await,
            Err(cause) => {
                self.asked().remove(&id);
                return Err(cause);
            }
        };
        self.asked().remove(&id);
        match result {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err("the client is gone".into()),
            Err(_) => Err("the client did not answer in time".into()),
        }
    }

    /// The client answers a call; whether there was such a call.
    pub(super) fn answered(&self, invocation_id: &str, outcome: Outcome) -> bool {
        let Some(waiting) = self.asked().remove(invocation_id) else {
            return false;
        };
        let result = match outcome {
            Outcome::Value(value) => Ok(value),
            Outcome::Void => Ok(Value::null()),
            Outcome::Error(error) => Err(error),
        };
        // Whoever asked may have given up meanwhile.
        let _gone = waiting.send(result);
        true
    }

    /// Sends a message. A value that has no form in the client's protocol is an error of whoever sends it.
    pub(super) fn send(&self, message: &Message) -> Result<(), String> {
        let frame: Result<Bytes, Unrepresentable> = self.protocol.encode(message);
        self.outlet.push(frame.map_err(|cause| format!("the value cannot be sent: {cause}"))?);
        Ok(())
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Result<Value, String>>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
