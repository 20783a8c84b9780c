//! Which way an event goes.

use super::counts::Counts;
use super::{EventTransport, RouterCounts, Sent};
use crate::{Client, ClientError, Result};
use mainstay_api::events::bridge::call_of;
use mainstay_api::events::{EventId, PublishEvent, RoomId, StreamName, TransportSettings};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// Sends each event over the bridge, to a stream, or both.
///
/// A room is on one side or the other, by its name, so that its events keep their order; a share of rooms that grows
/// takes rooms over, and gives none back. Who publishes events of a room one after the other keeps their order while the
/// settings change as well.
pub struct Router {
    bridge: Arc<dyn EventTransport>,
    streams: Arc<dyn EventTransport>,
    settings: RwLock<TransportSettings>,
    counts: Counts,
}

impl Router {
    /// A router between two ways, with the settings to start with.
    #[must_use]
    pub fn new(bridge: Arc<dyn EventTransport>, streams: Arc<dyn EventTransport>, settings: TransportSettings) -> Self {
        Self { bridge, streams, settings: RwLock::new(settings), counts: Counts::default() }
    }

    /// The settings as they are.
    #[must_use]
    pub fn settings(&self) -> TransportSettings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the settings; events that are published from now on follow them.
    pub fn set(&self, settings: TransportSettings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// What has been counted.
    #[must_use]
    pub fn counts(&self) -> RouterCounts {
        self.counts.read()
    }

    /// Publishes an event; it is stored when this returns. It gets an id where it has none. What the bridge has no call
    /// for always goes to its stream.
    ///
    /// # Errors
    /// Those of the way that it took. A publication that may have taken place is repeated with the same id.
    pub async fn publish(&self, stream: &StreamName, mut event: PublishEvent) -> Result<Sent> {
        let settings = self.settings();
        if event.id.is_none() {
            event.id = EventId::parse(uuid::Uuid::now_v7().to_string()).ok();
        }
        let Some(call) = call_of(stream, &event) else {
            return self.to_stream(stream, &event).await;
        };
        // Both ways put it into the same room, or it would be two events.
        event.room = call.room;
        if !goes_to_stream(&settings, &event.room) {
            return self.over_bridge(stream, &event).await;
        }
        if settings.dual_write {
            return self.both_ways(stream, &event, &settings).await;
        }
        match self.in_time(stream, &event, &settings).await {
            Err(error) if settings.fallback && error.is_retryable() => {
                self.counts.fell_back(&error);
                tracing::warn!(%error, %stream, "the stream failed; the event goes over the bridge");
                self.over_bridge(stream, &event).await
            }
            outcome => outcome,
        }
    }

    /// Follows what the store says, from now on until the value that this returns is dropped. While nobody has set
    /// anything there, the settings to start with hold; while the store cannot be asked, those that hold go on.
    #[must_use]
    pub fn follow(self: &Arc<Self>, client: Client, every: Duration) -> Following {
        let (router, start) = (Arc::clone(self), self.settings());
        Following(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every.max(Duration::from_millis(10)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let wanted = match client.events().transport().await {
                    Ok(choice) => choice.settings.unwrap_or(start),
                    Err(error) => {
                        tracing::debug!(%error, "the settings of the transport cannot be read");
                        continue;
                    }
                };
                if wanted != router.settings() {
                    tracing::info!(?wanted, "the transport of events changes");
                    router.set(wanted);
                }
            }
        }))
    }

    async fn both_ways(&self, stream: &StreamName, event: &PublishEvent, settings: &TransportSettings) -> Result<Sent> {
        let (streamed, bridged) = tokio::join!(self.in_time(stream, event, settings), self.over_bridge(stream, event));
        self.counts.wrote_both(streamed.is_ok(), bridged.is_ok());
        match (streamed, bridged) {
            (Ok(sent), Ok(other)) => Ok(Sent { duplicate: sent.duplicate && other.duplicate, ..sent }),
            (Ok(sent), Err(error)) => {
                tracing::warn!(%error, %stream, "the bridge did not take an event that the stream took");
                Ok(sent)
            }
            (Err(error), Ok(sent)) => {
                tracing::warn!(%error, %stream, "the stream did not take an event that the bridge took");
                Ok(sent)
            }
            (Err(error), Err(_)) => Err(error),
        }
    }

    /// To the stream, within the time for it.
    async fn in_time(&self, stream: &StreamName, event: &PublishEvent, settings: &TransportSettings) -> Result<Sent> {
        let after_ms = u64::from(settings.publish_timeout_ms);
        let sending = self.streams.send(stream, event);
        let outcome = tokio::time::timeout(Duration::from_millis(after_ms), sending)
            .await
            .unwrap_or(Err(ClientError::TimedOut { after_ms }));
        self.counts.streams.note(&outcome);
        outcome
    }

    async fn to_stream(&self, stream: &StreamName, event: &PublishEvent) -> Result<Sent> {
        let outcome = self.streams.send(stream, event).await;
        self.counts.streams.note(&outcome);
        outcome
    }

    async fn over_bridge(&self, stream: &StreamName, event: &PublishEvent) -> Result<Sent> {
        let outcome = self.bridge.send(stream, event).await;
        self.counts.bridge.note(&outcome);
        outcome
    }
}

/// A router that follows the settings in the store, for as long as this lives.
#[derive(Debug)]
pub struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whether the events of a room go to a stream, in every process alike.
fn goes_to_stream(settings: &TransportSettings, room: &RoomId) -> bool {
    settings.use_streams && room.spread() % 100 < u64::from(settings.percentage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use mainstay_api::{Code, Problem};
    use serde_json::json;
    use std::sync::Mutex;

    /// How a way behaves.
    #[derive(Clone, Copy, PartialEq)]
    enum Mood {
        Takes,
        Hangs,
        Fails(Code),
    }

    struct Way {
        mood: Mutex<Mood>,
        took: Mutex<Vec<(String, String)>>,
    }

    impl Way {
        fn new() -> Arc<Self> {
            Arc::new(Self { mood: Mutex::new(Mood::Takes), took: Mutex::default() })
        }

        fn is(&self, mood: Mood) {
            *self.mood.lock().unwrap() = mood;
        }

        fn ids(&self) -> Vec<String> {
            self.took.lock().unwrap().iter().map(|(id, _)| id.clone()).collect()
        }
    }

    impl EventTransport for Way {
        fn send<'a>(&'a self, _stream: &'a StreamName, event: &'a PublishEvent) -> BoxFuture<'a, Result<Sent>> {
            async move {
                let mood = *self.mood.lock().unwrap();
                match mood {
                    Mood::Takes => {
                        let id = event.id.as_ref().unwrap().to_string();
                        self.took.lock().unwrap().push((id, event.room.to_string()));
                        Ok(Sent { position: None, duplicate: false })
                    }
                    Mood::Hangs => std::future::pending().await,
                    Mood::Fails(code) => Err(ClientError::Problem(Box::new(Problem::new(code, "", "")))),
                }
            }
            .boxed()
        }
    }

    fn chat() -> StreamName {
        StreamName::parse("chat").unwrap()
    }

    fn event(id: &str, room: &str) -> PublishEvent {
        let event = json!({ "id": id, "type": "chat_message", "room": room, "payload": {} });
        serde_json::from_value(event).unwrap()
    }

    fn on() -> TransportSettings {
        TransportSettings { use_streams: true, percentage: 100, ..TransportSettings::default() }
    }

    fn between(settings: TransportSettings) -> (Arc<Way>, Arc<Way>, Router) {
        let (bridge, streams) = (Way::new(), Way::new());
        let router = Router::new(bridge.clone(), streams.clone(), settings);
        (bridge, streams, router)
    }

    #[tokio::test]
    async fn a_room_is_on_one_side_and_a_share_that_grows_gives_none_back() {
        let mut before = std::collections::BTreeSet::new();
        for percentage in [0, 25, 50, 100] {
            let (bridge, streams, router) = between(TransportSettings { percentage, ..on() });
            for n in 0..200 {
                for turn in ["a", "b"] {
                    router.publish(&chat(), event(&format!("{turn}{n}"), &format!("request:{n}"))).await.unwrap();
                }
            }
            let rooms: std::collections::BTreeSet<_> =
                streams.took.lock().unwrap().iter().map(|(_, room)| room.clone()).collect();
            assert_eq!(streams.ids().len(), rooms.len() * 2, "both events of a room go the same way");
            assert_eq!(streams.ids().len() + bridge.ids().len(), 400);
            assert!(before.is_subset(&rooms), "at {percentage} %");
            let share = rooms.len() * 100 / 200;
            assert!(share.abs_diff(percentage.into()) < 12, "{share} % of rooms at {percentage} %");
            before = rooms;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_does_not_answer_in_time_is_passed_by_with_the_same_id() {
        let (bridge, streams, router) = between(on());
        streams.is(Mood::Hangs);
        router.publish(&chat(), event("e1", "request:1")).await.unwrap();
        assert_eq!((bridge.ids(), router.counts().fallbacks.timeout), (vec!["e1".to_owned()], 1));
        streams.is(Mood::Fails(Code::StoreUnavailable));
        router.publish(&chat(), event("e2", "request:1")).await.unwrap();
        assert_eq!((bridge.ids().len(), router.counts().fallbacks.store_error), (2, 1));
        let counts = router.counts();
        assert_eq!((counts.streams.failed, counts.bridge.sent), (2, 2), "each event once on each way that it took");
    }

    #[tokio::test]
    async fn what_is_refused_for_good_is_not_tried_elsewhere() {
        let (bridge, streams, router) = between(on());
        streams.is(Mood::Fails(Code::InvalidRequest));
        assert!(router.publish(&chat(), event("e1", "request:1")).await.is_err());
        streams.is(Mood::Fails(Code::StoreUnavailable));
        router.set(TransportSettings { fallback: false, ..on() });
        assert!(router.publish(&chat(), event("e2", "request:1")).await.is_err());
        assert!(bridge.ids().is_empty());
    }

    #[tokio::test]
    async fn what_goes_both_ways_has_one_id_and_one_room_and_stands_where_either_took_it() {
        let (bridge, streams, router) = between(TransportSettings { dual_write: true, ..on() });
        router.publish(&chat(), PublishEvent { id: None, ..event("x", "42") }).await.unwrap();
        assert_eq!(*bridge.took.lock().unwrap(), *streams.took.lock().unwrap());
        assert_eq!(bridge.took.lock().unwrap()[0].1, "request:42");
        bridge.is(Mood::Fails(Code::StoreUnavailable));
        router.publish(&chat(), event("e2", "request:1")).await.unwrap();
        streams.is(Mood::Fails(Code::StoreUnavailable));
        assert!(router.publish(&chat(), event("e3", "request:1")).await.is_err());
        bridge.is(Mood::Takes);
        router.publish(&chat(), event("e4", "request:1")).await.unwrap();
        let writes = router.counts().dual_writes;
        assert_eq!((writes.both, writes.stream_only, writes.neither, writes.bridge_only), (1, 1, 1, 1));
    }

    #[tokio::test]
    async fn what_the_bridge_has_no_call_for_goes_to_its_stream_in_any_case() {
        let (bridge, streams, router) = between(TransportSettings::default());
        router.publish(&chat(), PublishEvent { kind: "own_type".parse().unwrap(), ..event("e1", "a") }).await.unwrap();
        router.publish(&chat(), event("e2", "a")).await.unwrap();
        assert_eq!((streams.ids(), bridge.ids()), (vec!["e1".to_owned()], vec!["e2".to_owned()]));
    }
}
