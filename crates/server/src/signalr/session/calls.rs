//! The calls of one client: one after the other, as it made them; what they stream goes on beside them.

use super::Peer;
use crate::signalr::hubs;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt, StreamExt, stream};
use mainstay_signalr::{Completion, Invocation, Message, Outcome, Value};
use serde::de::DeserializeOwned;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Items of an upload that may wait for the method that takes them, as upstream.
const UPLOAD_ITEMS: usize = 10;

/// What a method is called with.
pub(crate) struct Call {
    /// The name of the method in small letters: case does not matter.
    pub method: String,
    /// Its name as the client wrote it.
    pub target: String,
    pub arguments: Vec<Value>,
    /// Streams that the client uploads.
    pub uploads: Vec<Upload>,
    /// Whether the client wants a stream.
    pub wants_stream: bool,
}

/// The items that a client uploads; an error where the client ends them with one.
pub(crate) type Upload = mpsc::Receiver<Result<Value, String>>;

/// What a method answers.
pub(crate) enum Reply {
    Void,
    Value(Value),
    Stream(BoxStream<'static, Result<Value, String>>),
}

impl Call {
    /// An argument that must be there.
    pub(crate) fn argument<T: DeserializeOwned>(&self, at: usize) -> Result<T, String> {
        let missing = || format!("'{}' needs more than {} arguments", self.target, self.arguments.len());
        let value = self.arguments.get(at).ok_or_else(missing)?;
        value.read().map_err(|cause| format!("argument {} of '{}' does not fit: {cause}", at + 1, self.target))
    }

    /// An argument that may be absent, or null.
    pub(crate) fn optional<T: DeserializeOwned>(&self, at: usize) -> Result<Option<T>, String> {
        if at < self.arguments.len() { self.argument(at) } else { Ok(None) }
    }

    /// The only stream that the client uploads.
    pub(crate) fn upload(&mut self) -> Result<Upload, String> {
        match (self.uploads.pop(), self.uploads.is_empty()) {
            (Some(upload), true) => Ok(upload),
            _ => Err(format!("'{}' takes one stream", self.target)),
        }
    }
}

/// The calls of one client.
pub(super) struct Calls {
    peer: Arc<Peer>,
    max: usize,
    waiting: VecDeque<Waiting>,
    running: Option<Running>,
    downloads: SelectAll<BoxStream<'static, Message>>,
    /// Ends a download.
    cancels: HashMap<String, CancellationToken>,
    uploads: HashMap<String, mpsc::Sender<Result<Value, String>>>,
    /// An item that waits until the method has taken those before it. Nothing more is read of the client meanwhile.
    held: Option<BoxFuture<'static, ()>>,
}

struct Waiting {
    invocation_id: Option<String>,
    call: Call,
    /// The ids of its uploads, which end with it.
    streams: Vec<String>,
}

struct Running {
    /// Whether it is the arrival of the client, and not a call.
    arrival: bool,
    invocation_id: Option<String>,
    wants_stream: bool,
    streams: Vec<String>,
    future: BoxFuture<'static, Result<Reply, String>>,
}

impl Calls {
    /// The calls of a client, of which so many may wait and so many stream. The hub hears first that it is there.
    pub(super) fn new(peer: Arc<Peer>, max: usize) -> Self {
        let future = hubs::connected(Arc::clone(&peer)).map(|arrived| arrived.map(|()| Reply::Void)).boxed();
        let running = Running { arrival: true, invocation_id: None, wants_stream: false, streams: Vec::new(), future };
        Self {
            peer,
            max,
            waiting: VecDeque::new(),
            running: Some(running),
            downloads: SelectAll::new(),
            cancels: HashMap::new(),
            uploads: HashMap::new(),
            held: None,
        }
    }

    /// Whether more of the client may be read.
    pub(super) fn accepts(&self) -> bool {
        self.waiting.len() < self.max && self.held.is_none()
    }

    /// Takes a call.
    pub(super) fn invoke(&mut self, invocation: Invocation, wants_stream: bool) {
        let Invocation { invocation_id, target, arguments, stream_ids, .. } = invocation;
        self.uploads.retain(|_, sender| !sender.is_closed());
        if let Some(cause) = self.refusal(invocation_id.as_deref(), &stream_ids, wants_stream) {
            return self.complete(invocation_id, Outcome::Error(cause));
        }
        let mut uploads = Vec::with_capacity(stream_ids.len());
        for id in &stream_ids {
            let (sender, upload) = mpsc::channel(UPLOAD_ITEMS);
            self.uploads.insert(id.clone(), sender);
            uploads.push(upload);
        }
        let method = target.to_lowercase();
        let call = Call { method, target, arguments, uploads, wants_stream };
        self.waiting.push_back(Waiting { invocation_id, call, streams: stream_ids });
    }

    /// Why a call is not even begun.
    fn refusal(&self, id: Option<&str>, stream_ids: &[String], wants_stream: bool) -> Option<String> {
        if id.is_some_and(|id| wants_stream && self.cancels.contains_key(id)) {
            return Some("the invocation id is that of a stream that is open".into());
        }
        if self.uploads.len() + stream_ids.len() > self.max || (wants_stream && self.cancels.len() >= self.max) {
            return Some(format!("a client may have {} streams at a time", self.max));
        }
        let taken = stream_ids.iter().any(|id| self.uploads.contains_key(id));
        taken.then(|| "a stream id is that of a stream that is open".into())
    }

    /// Takes an item of an upload. One that nobody waits for any more is dropped.
    pub(super) fn item(&mut self, stream_id: &str, item: Value) {
        self.upload(stream_id, Ok(item));
    }

    /// Takes the end of an upload, or the result of a call of the server.
    pub(super) fn completed(&mut self, completion: Completion) {
        let Completion { invocation_id, outcome, .. } = completion;
        if !self.uploads.contains_key(&invocation_id) {
            self.peer.answered(&invocation_id, outcome);
            return;
        }
        if let Outcome::Error(error) = outcome {
            self.upload(&invocation_id, Err(error));
        }
        self.uploads.remove(&invocation_id);
    }

    fn upload(&mut self, stream_id: &str, item: Result<Value, String>) {
        let Some(sender) = self.uploads.get(stream_id) else { return };
        match sender.try_send(item) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Closed(_)) => drop(self.uploads.remove(stream_id)),
            Err(mpsc::error::TrySendError::Full(item)) => {
                let sender = sender.clone();
                self.held = Some(async move { drop(sender.send(item).await) }.boxed());
            }
        }
    }

    /// Ends a download, or a call that was to become one.
    pub(super) fn cancel(&mut self, invocation_id: &str) {
        if let Some(cancel) = self.cancels.get(invocation_id) {
            return cancel.cancel();
        }
        let of = |id: &Option<String>| id.as_deref() == Some(invocation_id);
        if let Some(at) = self.waiting.iter().position(|waiting| of(&waiting.invocation_id)) {
            self.waiting.remove(at);
        } else if self.running.as_ref().is_some_and(|running| of(&running.invocation_id)) {
            let streams = self.running.take().map(|running| running.streams).unwrap_or_default();
            streams.iter().for_each(|id| drop(self.uploads.remove(id)));
        } else {
            return;
        }
        self.complete(Some(invocation_id.to_owned()), Outcome::Error("the call was cancelled".into()));
    }

    /// Goes on with whatever can go on, by one step. Waits for ever where nothing can.
    ///
    /// # Errors
    /// Where the hub refuses the client.
    pub(super) async fn step(&mut self) -> Result<(), String> {
        if self.running.is_none() {
            self.begin_next();
        }
        let outlet = &self.peer.outlet;
        let downloads = &mut self.downloads;
        tokio::select! {
            result = run(&mut self.running) => {
                let Some(running) = self.running.take() else { return Ok(()) };
                return self.returned(running, result);
            }
            () = run_held(&mut self.held) => self.held = None,
            message = async { outlet.roomy().await; downloads.next().await }, if !downloads.is_empty() => {
                if let Some(message) = message {
                    self.streamed(message);
                }
            }
        }
        Ok(())
    }

    fn begin_next(&mut self) {
        let Some(Waiting { invocation_id, call, streams }) = self.waiting.pop_front() else { return };
        let wants_stream = call.wants_stream;
        let future = hubs::invoke(Arc::clone(&self.peer), call).boxed();
        self.running = Some(Running { arrival: false, invocation_id, wants_stream, streams, future });
    }

    fn returned(&mut self, running: Running, result: Result<Reply, String>) -> Result<(), String> {
        let Running { arrival, invocation_id, wants_stream, streams, .. } = running;
        let streamed = matches!(result, Ok(Reply::Stream(_)));
        if !streamed {
            streams.iter().for_each(|id| drop(self.uploads.remove(id)));
        }
        match (result, wants_stream) {
            (Ok(Reply::Stream(items)), true) => {
                if let Some(id) = invocation_id {
                    let cancel = CancellationToken::new();
                    self.cancels.insert(id.clone(), cancel.clone());
                    self.downloads.push(download(id, items, cancel));
                }
            }
            (Ok(Reply::Void), false) => self.complete(invocation_id, Outcome::Void),
            (Ok(Reply::Value(value)), false) => self.complete(invocation_id, Outcome::Value(value)),
            (Ok(Reply::Stream(_)), false) => {
                let cause = "The client attempted to invoke a streaming method with a non-streaming invocation.";
                self.complete(invocation_id, Outcome::Error(cause.into()));
            }
            (Ok(_), true) => {
                let cause = "The client attempted to invoke a non-streaming method with a streaming invocation.";
                self.complete(invocation_id, Outcome::Error(cause.into()));
            }
            (Err(cause), _) if arrival => return Err(cause),
            (Err(cause), _) => self.complete(invocation_id, Outcome::Error(cause)),
        }
        Ok(())
    }

    fn streamed(&mut self, message: Message) {
        match message {
            // One that is not there any more has ended already, with an error.
            Message::Completion(Completion { invocation_id, outcome, .. })
                if self.cancels.remove(&invocation_id).is_some() =>
            {
                self.complete(Some(invocation_id), outcome);
            }
            Message::StreamItem { ref invocation_id, .. } if self.cancels.contains_key(invocation_id) => {
                let Err(cause) = self.peer.send(&message) else { return };
                let cancelled = self.cancels.remove(invocation_id);
                cancelled.iter().for_each(CancellationToken::cancel);
                self.complete(Some(invocation_id.clone()), Outcome::Error(cause));
            }
            _ => {}
        }
    }

    /// Answers a call, where an answer is wanted.
    fn complete(&self, invocation_id: Option<String>, outcome: Outcome) {
        let Some(id) = invocation_id else {
            if let Outcome::Error(cause) = outcome {
                tracing::debug!(cause, "a call that wants no answer failed");
            }
            return;
        };
        if let Err(cause) = self.peer.send(&Message::completion(id.clone(), outcome)) {
            drop(self.peer.send(&Message::completion(id, Outcome::Error(cause))));
        }
    }
}

async fn run(running: &mut Option<Running>) -> Result<Reply, String> {
    match running {
        Some(running) => (&mut running.future).await,
        None => std::future::pending().await,
    }
}

async fn run_held(held: &mut Option<BoxFuture<'static, ()>>) {
    match held {
        Some(held) => held.await,
        None => std::future::pending().await,
    }
}

/// The messages of a download: its items, and then its end, of whatever kind.
fn download(
    id: String,
    items: BoxStream<'static, Result<Value, String>>,
    cancel: CancellationToken,
) -> BoxStream<'static, Message> {
    let state = Some((id, items, cancel));
    stream::unfold(state, |state| async move {
        let (id, mut items, cancel) = state?;
        let item = cancel.run_until_cancelled(items.next()).await.flatten();
        Some(match item {
            Some(Ok(value)) => (Message::item(id.clone(), value), Some((id, items, cancel))),
            Some(Err(cause)) => (Message::completion(id, Outcome::Error(cause)), None),
            None => (Message::completion(id, Outcome::Void), None),
        })
    })
    .boxed()
}
