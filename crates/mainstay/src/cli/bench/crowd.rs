//! A whole run: everybody connects, the events are published, and everything is waited for.

use super::meter::{Meter, Percentiles};
use super::plan::Plan;
use super::publishing::{Published, Publisher};
use super::user::{Course, Seen, User};
use crate::failure::{Failure, Result};
use futures::stream::{self, StreamExt, TryStreamExt};
use mainstay_client::{Client, ClientError};
use mainstay_core::Error;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Users who connect at a time.
const CONNECTING: usize = 50;
/// Time between the last connection and the first event.
const LEAD: Duration = Duration::from_millis(100);
/// How long nothing may come in before what is missing counts as lost.
const SILENCE: Duration = Duration::from_secs(10);
/// How long is listened on when everything is there: what comes twice comes late.
const AFTERMATH: Duration = Duration::from_millis(500);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// What was seen in a run.
pub(super) struct Outcome {
    pub seen: Vec<Seen>,
    /// By room.
    pub published: Vec<Published>,
    pub calls: Percentiles,
    pub course: Arc<Course>,
}

/// Runs a plan on some nodes.
///
/// # Errors
/// Where users cannot connect, or publishing is refused.
pub(super) async fn run(plan: Arc<Plan>, clients: Arc<[Client]>) -> Result<Outcome> {
    let users: Vec<User> = stream::iter(0..plan.users)
        .map(|number| User::connect(&plan, &clients, number))
        .buffer_unordered(CONNECTING)
        .try_collect()
        .await?;
    let course = Arc::new(Course {
        plan: Arc::clone(&plan),
        clients: Arc::clone(&clients),
        start: Instant::now() + LEAD,
        deliveries: Meter::new(),
        heard: AtomicU64::new(0),
        nodes: Mutex::default(),
        over: CancellationToken::new(),
    });
    let mut listening = JoinSet::new();
    for user in users {
        listening.spawn(user.listen(Arc::clone(&course)));
    }
    let calls = Arc::new(Meter::new());
    let published = publish(&course, &calls).await;
    if let Ok(published) = &published {
        tokio::time::sleep_until(course.start + super::plan::WARM_UP + plan.duration).await;
        heard_all(&course, published).await;
    }
    course.over.cancel();
    let mut seen = Vec::with_capacity(plan.users as usize);
    while let Some(one) = listening.join_next().await {
        seen.push(one.map_err(|cause| Error::bug(cause.to_string()))?);
    }
    Ok(Outcome { seen, published: published?, calls: calls.percentiles(), course })
}

/// Publishes the events of all rooms.
async fn publish(course: &Course, calls: &Arc<Meter>) -> Result<Vec<Published>> {
    let rooms = (0..course.plan.rooms).map(|room| Publisher {
        plan: Arc::clone(&course.plan),
        room,
        clients: Arc::clone(&course.clients),
        start: course.start,
        calls: Arc::clone(calls),
    });
    let publishing = futures::future::try_join_all(rooms.map(|publisher| tokio::spawn(publisher.run())));
    let published = publishing.await.map_err(|cause| Error::bug(cause.to_string()))?;
    published.into_iter().collect::<Result<_, ClientError>>().map_err(Failure::from)
}

/// Waits until everybody has heard everything, or nothing comes in any more.
async fn heard_all(course: &Course, published: &[Published]) {
    let plan = &course.plan;
    let certain = |user: u32| published.get(plan.room_of(user) as usize).map_or(0, Published::certain);
    let expected: u64 = (0..plan.users).map(certain).sum();
    let mut heard = course.heard.load(Relaxed);
    let mut moved = Instant::now();
    while heard < expected && moved.elapsed() < SILENCE {
        tokio::time::sleep(LOOK).await;
        let now = course.heard.load(Relaxed);
        if now > heard {
            (heard, moved) = (now, Instant::now());
        }
    }
    tokio::time::sleep(AFTERMATH).await;
}

impl Outcome {
    /// How many nodes users were connected to.
    pub(super) fn nodes(&self) -> usize {
        self.course.nodes.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
