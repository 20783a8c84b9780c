//! What people set back, or set by hand.

use super::{InPool, ProviderService, named};
use crate::error::{Error, Result};
use crate::providers::choosing::Transition;
use crate::providers::port::{ResetProviders, StandBreaker};
use crate::providers::records::BreakerState;
use crate::providers::refusals::{no_pool, no_provider};
use crate::{Caller, Scope};
use mainstay_api::providers::{
    self as wire, BreakerAction, MAX_REASON_BYTES, PoolType, Provider, ProviderId, ProvidersReset, SetBreaker,
};

impl ProviderService {
    /// Sets counters or health back, of one provider or of all in the pool, in one step.
    ///
    /// # Errors
    /// `providers.not_found`.
    pub async fn reset(
        &self,
        caller: &Caller,
        (pool, provider): (PoolType, Option<ProviderId>),
        reset: wire::ResetProviders,
    ) -> Result<ProvidersReset> {
        caller.require(Scope::ProvidersWrite)?;
        let pool = named(caller, pool);
        let both = !reset.counters && !reset.health;
        let now = self.clock.now();
        let before = if reset.health || both { self.store.pool(&pool, now).await? } else { None };
        let count = self
            .store
            .reset(ResetProviders {
                pool: pool.clone(),
                provider: provider.clone(),
                counters: reset.counters || both,
                health: reset.health || both,
                now,
            })
            .await?;
        let reason = format!("set back by {}", caller.principal);
        for one in before.into_iter().flat_map(|pool| pool.providers) {
            let is_meant = provider.as_ref().is_none_or(|provider| *provider == one.id);
            if is_meant && matches!(one.breaker.state, BreakerState::Open | BreakerState::HalfOpen) {
                let (from, to, reason) = (one.breaker.state, BreakerState::Closed, reason.clone());
                self.circuits.changed(&pool, &Transition { provider: one.id, from, to, reason }, now);
            }
        }
        match provider {
            Some(provider) if count == 0 => Err(no_provider(&pool, &provider)),
            None if count == 0 && self.store.pool(&pool, self.clock.now()).await?.is_none() => Err(no_pool(&pool)),
            _ => {
                tracing::info!(pool = %pool.pool, count, by = %caller.principal, "providers were set back");
                Ok(ProvidersReset { providers: count })
            }
        }
    }

    /// Forces the circuit of a provider open, or closes it.
    ///
    /// # Errors
    /// `providers.not_found`, `request.invalid`.
    pub async fn set_breaker(&self, caller: &Caller, which: InPool, set: SetBreaker) -> Result<Provider> {
        caller.require(Scope::ProvidersWrite)?;
        let (pool, provider) = (named(caller, which.pool), which.provider);
        let reason = set.reason.filter(|reason| !reason.trim().is_empty());
        let reason = reason.unwrap_or_else(|| format!("set by {}", caller.principal));
        if reason.len() > MAX_REASON_BYTES {
            return Err(Error::invalid(format!("reason: it has more than {MAX_REASON_BYTES} bytes")));
        }
        let state = match set.action {
            BreakerAction::Open => BreakerState::ForcedOpen,
            BreakerAction::Close => BreakerState::Closed,
        };
        let now = self.clock.now();
        let told = reason.clone();
        let stand = StandBreaker { pool: pool.clone(), provider: provider.clone(), state, reason, now };
        let was = self.store.stand(stand).await?.ok_or_else(|| no_provider(&pool, &provider))?;
        tracing::info!(pool = %pool.pool, %provider, by = %caller.principal, "a circuit was set by hand");
        if was != state {
            let transition = Transition { provider: provider.clone(), from: was, to: state, reason: told };
            self.circuits.changed(&pool, &transition, now);
        }
        let found = self.store.provider(&pool, &provider, self.clock.now()).await?;
        self.to_provider(&pool, found.ok_or_else(|| no_provider(&pool, &provider))?, false)
    }
}
