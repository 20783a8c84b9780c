//! Publishing on behalf of every surface: each event is counted once, whatever became of it.

use crate::metrics::{Metrics, PublishStatus, Transport};
use mainstay_core::api::events::{EventType, PublishEvents, PublishedEvents, StreamName};
use mainstay_core::api::ids::RequestId;
use mainstay_core::events::EventService;
use mainstay_core::{Caller, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::time::Instant;

/// Where events go, and how they came.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub stream: &'a StreamName,
    pub from: Transport,
    pub request: Option<&'a RequestId>,
}

/// Publishes and counts. Clones share it.
#[derive(Clone)]
pub(crate) struct Publisher {
    events: Arc<EventService>,
    metrics: Arc<Metrics>,
    published: Arc<AtomicU64>,
}

impl Publisher {
    pub(crate) fn new(events: Arc<EventService>, metrics: Arc<Metrics>) -> Self {
        Self { events, metrics, published: Arc::default() }
    }

    /// How many events were stored, each once.
    pub(crate) fn published(&self) -> u64 {
        self.published.load(Relaxed)
    }

    /// Counts an event that is not published, because a later one stands for it.
    pub(super) fn coalesced(&self, kind: &EventType) {
        self.metrics.events.coalesced(kind, 1);
    }

    /// See [`EventService::publish`].
    pub(crate) async fn publish(
        &self,
        caller: &Caller,
        way: Way<'_>,
        publish: PublishEvents,
    ) -> Result<PublishedEvents> {
        let kinds: Vec<EventType> = publish.events.iter().map(|event| event.kind.clone()).collect();
        let began = Instant::now();
        let outcome = self.events.publish(caller, way.stream, way.request, publish).await;
        let (took, metrics) = (began.elapsed(), &self.metrics.events);
        for (at, kind) in kinds.iter().enumerate() {
            let status = match &outcome {
                Ok(report) if report.published.events[at].duplicate => PublishStatus::Duplicate,
                Ok(_) => PublishStatus::Success,
                Err(_) => PublishStatus::Failure,
            };
            metrics.published(way.from, kind, status, took);
        }
        let report = outcome?;
        let fresh = report.published.events.iter().filter(|event| !event.duplicate).count();
        self.published.fetch_add(fresh as u64, Relaxed);
        if report.trimmed_unread > 0 {
            metrics.trimmed_unread(way.stream, report.trimmed_unread);
        }
        Ok(report.published)
    }
}
