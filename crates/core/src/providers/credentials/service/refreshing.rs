//! One refresh, whoever asks: the first to hold the lease asks the authorization server, all others wait for its answer.

use super::attempt::{Attempt, LEASE_TIMES};
use super::waiting::Waiting;
use super::{Refreshed, TokenService, Whose, count};
use crate::error::{Error, Result};
use crate::providers::credentials::authorizer::RefreshRequest;
use crate::providers::credentials::port::{BeginRefresh, Begun, CredentialRecord};
use mainstay_api::{Code, Timestamp};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// A wish for something newer.
struct Wish<'a> {
    whose: &'a Whose,
    seen: u64,
    forced: bool,
}

/// What one look at a credential led to.
enum Looked {
    /// It is over.
    Done(Refreshed),
    /// Another holds the lease.
    Held(Timestamp),
    /// This node asks the server.
    Running(JoinHandle<Result<Refreshed>>),
}

impl TokenService {
    /// Refreshes a credential where it still has the version that was seen; of any number of callers on any number of nodes
    /// one asks the authorization server. The others wait for it, up to their bound.
    ///
    /// # Errors
    /// Those of the store; `secrets.key_missing`, `secrets.unreadable`.
    pub async fn refresh(self: &Arc<Self>, whose: &Whose, seen: u64) -> Result<Refreshed> {
        self.fulfil(&Wish { whose, seen, forced: false }).await
    }

    /// The same, whether it failed a while ago, or is dead, or not.
    pub(super) async fn force_refresh(self: &Arc<Self>, whose: &Whose, seen: u64) -> Result<Refreshed> {
        self.fulfil(&Wish { whose, seen, forced: true }).await
    }

    async fn fulfil(self: &Arc<Self>, wish: &Wish<'_>) -> Result<Refreshed> {
        let deadline = Instant::now() + self.parts.rules.wait;
        let gate = self.gates.of(wish.whose);
        let Ok(guard) = timeout_at(deadline, gate.lock_owned()).await else { return Ok(self.busy(None)) };
        let mut gate = Some(guard);
        let mut waiting: Option<Waiting> = None;
        loop {
            match self.look(wish, &mut gate).await? {
                Looked::Done(outcome) => return Ok(outcome),
                // The task goes on where the caller does not: what the server gave must not be lost.
                Looked::Running(task) => return self.follow(task, deadline).await,
                Looked::Held(until) if Instant::now() >= deadline => return Ok(self.busy(Some(until))),
                Looked::Held(until) => match &mut waiting {
                    Some(waiting) => waiting.woken(deadline.min(self.instant_of(until))).await,
                    // What came before the subscription is seen by the next look.
                    None => waiting = Some(Waiting::new(&*self.parts.hints, wish.whose)),
                },
            }
        }
    }

    /// Looks at the credential, and begins to refresh it where that is this node's to do.
    async fn look(self: &Arc<Self>, wish: &Wish<'_>, gate: &mut Option<OwnedMutexGuard<()>>) -> Result<Looked> {
        let Whose { pool, provider } = wish.whose;
        let Some(record) = self.parts.store.credential(pool, provider).await? else {
            return Ok(Looked::Done(Refreshed::NotFound));
        };
        if record.version > wish.seen {
            return self.adopted(wish.whose, &record);
        }
        let now = self.parts.clock.now();
        if let Some(until) = record.refresh.held_until.filter(|until| *until > now) {
            return Ok(Looked::Held(until));
        }
        let request = match self.request(wish.whose, &record).await {
            Ok(request) => request,
            Err(refused) => return refused.map(Looked::Done),
        };
        let asked_at = Instant::now();
        let lease = request.client.timeout() * LEASE_TIMES;
        let begin = BeginRefresh {
            pool: pool.clone(),
            provider: provider.clone(),
            seen: record.version,
            holder: format!("{}/{}", self.parts.node, self.attempts.fetch_add(1, Ordering::Relaxed)),
            until: now.after(lease),
            forced: wish.forced,
            now,
        };
        Ok(match self.parts.store.begin_refresh(begin).await? {
            Begun::Granted(record) => {
                let whose = wish.whose.clone();
                let attempt = Attempt { record: *record, whose, request, asked_at, lease, gate: gate.take() };
                Looked::Running(tokio::spawn(attempt.run(Arc::clone(self))))
            }
            Begun::Held(until) => Looked::Held(until),
            Begun::Newer(record) => self.adopted(wish.whose, &record)?,
            Begun::Waiting(at) => Looked::Done(Refreshed::Later { at, reason: "it failed a while ago".into() }),
            Begun::Dead(reason) => Looked::Done(Refreshed::Dead(reason)),
            Begun::NotFound => Looked::Done(Refreshed::NotFound),
        })
    }

    /// What to ask the server; or why there is nothing to ask.
    async fn request(&self, whose: &Whose, record: &CredentialRecord) -> Result<RefreshRequest, Result<Refreshed>> {
        let refused = |reason: &str| Ok(Refreshed::Refused(reason.to_owned()));
        let text = self.opened(whose, record).map_err(Err)?;
        let refresh_token = text.refresh_token().ok_or_else(|| refused("it has no refresh token"))?;
        let client = match self.client(whose, &text).await {
            Ok(client) => client.ok_or_else(|| refused("nothing says how: there are no `oauth` settings"))?,
            Err(error) => return Err(unreadable(error)),
        };
        let client = client.completed(&text).map_err(unreadable)?;
        Ok(RefreshRequest { client, refresh_token })
    }

    fn adopted(&self, whose: &Whose, record: &CredentialRecord) -> Result<Looked> {
        count(&self.counts.adopted);
        self.current(whose, record).map(Looked::Done)
    }

    async fn follow(&self, task: JoinHandle<Result<Refreshed>>, deadline: Instant) -> Result<Refreshed> {
        match timeout_at(deadline, task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(cause)) => Err(Error::bug(format!("a refresh ended early: {cause}"))),
            Err(_) => Ok(self.busy(None)),
        }
    }

    /// Somebody is at it and was not done in time.
    pub(super) fn busy(&self, until: Option<Timestamp>) -> Refreshed {
        let at = until.unwrap_or_else(|| self.parts.clock.now().after(self.parts.rules.first_back_off));
        Refreshed::Later { at, reason: "somebody is refreshing it".into() }
    }

    fn instant_of(&self, at: Timestamp) -> Instant {
        let left = at.as_millis().saturating_sub(self.parts.clock.now().as_millis()).max(1);
        Instant::now() + std::time::Duration::from_millis(left.unsigned_abs())
    }
}

/// Settings that are wrong are an answer, a store that is away is an error.
fn unreadable(error: Error) -> Result<Refreshed> {
    if error.code() == Code::InvalidRequest { Ok(Refreshed::Refused(error.problem.detail)) } else { Err(error) }
}
