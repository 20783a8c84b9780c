//! One attempt under a lease: ask the authorization server, and store what it gave.

use super::waiting::Waiting;
use super::{Refreshed, TokenService, Whose, count};
use crate::error::Result;
use crate::providers::credentials::authorizer::{RefreshRefusal, RefreshRequest};
use crate::providers::credentials::parse::Issued;
use crate::providers::credentials::port::{
    CredentialOutcome, CredentialRecord, FailRefresh, FinishRefresh, PutCredential, RefreshEnd,
};
use mainstay_api::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, timeout};

/// A lease lasts so many times the time-out of the call: a wait for a late writer, the call, another wait, and room for
/// the store.
pub(super) const LEASE_TIMES: u32 = 4;
/// Longest time that an authorization server is left alone because it asked for it.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// Pauses between offers to a store that is away.
const FIRST_OFFER: Duration = Duration::from_millis(100);
const LONGEST_OFFER: Duration = Duration::from_secs(5);

/// An attempt.
pub(super) struct Attempt {
    /// The credential, with the fence of this attempt.
    pub record: CredentialRecord,
    pub whose: Whose,
    pub request: RefreshRequest,
    /// When the lease was asked for, by the clock that never jumps.
    pub asked_at: Instant,
    pub lease: Duration,
    /// Keeps others of this node waiting until it is over.
    pub gate: Option<OwnedMutexGuard<()>>,
}

impl Attempt {
    /// Makes the attempt. Runs to its end whoever waits for it.
    pub async fn run(mut self, service: Arc<TokenService>) -> Result<Refreshed> {
        let _running = Arc::clone(&service.running).read_owned().await;
        let gate = self.gate.take();
        let outcome = self.ask(&service).await;
        drop(gate);
        if let Err(error) = &outcome {
            tracing::warn!(whose = %self.whose, %error, internal = error.internal, "a credential was not refreshed");
        }
        outcome
    }

    async fn ask(&self, service: &TokenService) -> Result<Refreshed> {
        let limit = self.request.client.timeout();
        // Who held the lease before may have been given a new token, and may yet store it: the old one is then not used twice.
        if self.record.refresh.in_doubt
            && let Some(newer) = self.late_writer(service).await?
        {
            self.end(service, RefreshEnd::Unused).await?;
            return self.adopt(service, &newer);
        }
        if self.lease.saturating_sub(self.asked_at.elapsed()) < limit {
            self.end(service, RefreshEnd::Unused).await?;
            return Ok(service.busy(None));
        }
        let answer = timeout(limit, service.parts.authorizer.refresh(&self.request)).await;
        match answer.unwrap_or_else(|_| Err(silent())) {
            Ok(issued) => self.store(service, &issued).await,
            Err(RefreshRefusal::InvalidGrant(reason)) => self.refused(service, reason).await,
            Err(RefreshRefusal::Transient { reason, retry_after, in_doubt }) => {
                let pause = self.pause(service).max(retry_after.unwrap_or_default().min(MAX_RETRY_AFTER));
                self.later(service, Failed { reason, pause, in_doubt }).await
            }
            Err(RefreshRefusal::Misconfigured(reason)) => {
                let failed =
                    Failed { reason: reason.clone(), pause: service.parts.rules.max_back_off, in_doubt: false };
                self.later(service, failed).await?;
                Ok(Refreshed::Refused(reason))
            }
        }
    }

    /// Stores what the server gave. The old refresh token may be worth nothing by now: a store that is away is asked again
    /// and again, whether the lease has ended or not.
    async fn store(&self, service: &TokenService, issued: &Issued) -> Result<Refreshed> {
        let now = service.parts.clock.now();
        let finish = self.finish(service, issued, now)?;
        let started = Instant::now();
        let mut pause = FIRST_OFFER;
        let outcome = loop {
            match service.parts.store.finish_refresh(finish.clone()).await {
                Ok(outcome) => break outcome,
                Err(error) if started.elapsed() > service.parts.rules.keep_for => return Err(error),
                Err(error) => tracing::warn!(whose = %self.whose, %error, "a refreshed credential waits for the store"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_OFFER);
        };
        match outcome {
            CredentialOutcome::Stored(_) => {
                count(&service.counts.refreshed);
                tracing::info!(whose = %self.whose, "a credential was refreshed");
                self.newer(service).await?.map_or(Ok(Refreshed::NotFound), |newer| service.current(&self.whose, &newer))
            }
            CredentialOutcome::Conflict(other) => self.adopt(service, &other),
            CredentialOutcome::NotFound => Ok(Refreshed::NotFound),
        }
    }

    fn finish(&self, service: &TokenService, issued: &Issued, now: Timestamp) -> Result<FinishRefresh> {
        let text = service.opened(&self.whose, &self.record)?.renewed(issued, now)?;
        let (sealed, seal_key) = service.sealed(&self.whose, &text)?;
        let expires_at = issued.expires.map(|expires| expires.at(now));
        let ahead = self.request.client.ahead();
        let put = PutCredential {
            pool: self.whose.pool.clone(),
            provider: self.whose.provider.clone(),
            sealed,
            seal_key,
            expires_at,
            refresh_at: expires_at.map(|at| service.refresh_at(at, ahead, now)),
            expected: Some(self.record.version),
            now,
        };
        Ok(FinishRefresh { put, fence: self.record.refresh.fence })
    }

    /// The server does not take the refresh token: somebody else was given its successor, or it is dead.
    async fn refused(&self, service: &TokenService, reason: String) -> Result<Refreshed> {
        let newer = match self.newer(service).await? {
            None if self.record.refresh.in_doubt => self.late_writer(service).await?,
            newer => newer,
        };
        if let Some(newer) = newer {
            return self.adopt(service, &newer);
        }
        if self.end(service, RefreshEnd::Dead(reason.clone())).await? {
            count(&service.counts.died);
            tracing::error!(whose = %self.whose, reason, "a credential cannot be refreshed any more");
            return Ok(Refreshed::Dead(reason));
        }
        // Between the look and the end somebody wrote it, or took the lease.
        match self.newer(service).await? {
            Some(newer) => self.adopt(service, &newer),
            None => Ok(service.busy(None)),
        }
    }

    async fn later(&self, service: &TokenService, failed: Failed) -> Result<Refreshed> {
        let Failed { reason, pause, in_doubt } = failed;
        let at = service.parts.clock.now().after(pause);
        count(&service.counts.failed);
        tracing::warn!(whose = %self.whose, reason, until = %at, "a credential was not refreshed");
        self.end(service, RefreshEnd::Transient { until: at, in_doubt }).await?;
        Ok(Refreshed::Later { at, reason })
    }

    /// How long nobody tries after this failure: longer each time, and never the same for all.
    fn pause(&self, service: &TokenService) -> Duration {
        let rules = &service.parts.rules;
        let doubled = rules.first_back_off.saturating_mul(1 << self.record.refresh.failures.min(16));
        let whole = doubled.min(rules.max_back_off);
        whole / 2 + service.part_of(whole / 2)
    }

    async fn end(&self, service: &TokenService, end: RefreshEnd) -> Result<bool> {
        let fail = FailRefresh {
            pool: self.whose.pool.clone(),
            provider: self.whose.provider.clone(),
            version: self.record.version,
            fence: self.record.refresh.fence,
            end,
            now: service.parts.clock.now(),
        };
        service.parts.store.fail_refresh(fail).await
    }

    /// Waits once, as long as a call may take, for who held the lease before.
    async fn late_writer(&self, service: &TokenService) -> Result<Option<CredentialRecord>> {
        let until = Instant::now() + self.request.client.timeout();
        let mut waiting = Waiting::new(&*service.parts.hints, &self.whose);
        loop {
            let newer = self.newer(service).await?;
            if newer.is_some() || Instant::now() >= until {
                return Ok(newer);
            }
            waiting.woken(until).await;
        }
    }

    /// The credential, where it is newer than what this attempt began with.
    async fn newer(&self, service: &TokenService) -> Result<Option<CredentialRecord>> {
        let record = service.parts.store.credential(&self.whose.pool, &self.whose.provider).await?;
        Ok(record.filter(|record| record.version > self.record.version))
    }

    fn adopt(&self, service: &TokenService, newer: &CredentialRecord) -> Result<Refreshed> {
        count(&service.counts.adopted);
        tracing::info!(whose = %self.whose, "a newer credential was found and is used");
        service.current(&self.whose, newer)
    }
}

struct Failed {
    reason: String,
    pause: Duration,
    in_doubt: bool,
}

fn silent() -> RefreshRefusal {
    let reason = "the authorization server gave no answer in time".into();
    RefreshRefusal::Transient { reason, retry_after: None, in_doubt: true }
}
