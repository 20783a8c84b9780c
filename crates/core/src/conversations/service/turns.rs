//! The exclusive right to write.

use super::ConversationService;
use crate::conversations::parse;
use crate::conversations::port::{Lookup, Renew, Take, Taken, TurnKept};
use crate::conversations::refusals::{not_found, turn_busy, turn_lost};
use crate::error::{Error, Result};
use crate::{Caller, Scope};
use mainstay_api::ConversationId;
use mainstay_api::conversations::{
    DEFAULT_LEASE_MS, EndTurn, EndedTurn, MAX_LEASE_MS, MAX_REFERENCE_BYTES, MIN_LEASE_MS, RenewTurn, TakeTurn, Turn,
};
use mainstay_api::ids::RequestId;

impl ConversationService {
    /// Takes the turn of one of the caller's conversations. With a request id, a repetition returns the same turn while
    /// it is running.
    ///
    /// # Errors
    /// `conversations.not_found`, `conversations.turn_busy`, or an invalid request.
    pub async fn take_turn(
        &self,
        caller: &Caller,
        request: Option<RequestId>,
        id: &ConversationId,
        take: TakeTurn,
    ) -> Result<Turn> {
        let at = self.own(caller, Scope::ConversationsWrite, id)?;
        parse::bound("holder", take.holder.as_ref().map_or(0, String::len), MAX_REFERENCE_BYTES)?;
        let ttl_ms = lease(take.ttl_ms)?;
        let key = request.map(|request| format!("{} {request}", caller.principal));
        self.take(Take { at, holder: take.holder, ttl_ms, key }).await
    }

    /// Prolongs a turn.
    ///
    /// # Errors
    /// `conversations.not_found`, `conversations.turn_lost`, or an invalid request.
    pub async fn renew_turn(&self, caller: &Caller, id: &ConversationId, renew: RenewTurn) -> Result<Turn> {
        let at = self.own(caller, Scope::ConversationsWrite, id)?;
        self.renew(Renew { at, fence: renew.turn, ttl_ms: lease(renew.ttl_ms)? }).await
    }

    /// Ends a turn. Messages that wait for it have failed.
    ///
    /// # Errors
    /// `conversations.not_found`.
    pub async fn end_turn(&self, caller: &Caller, id: &ConversationId, end: EndTurn) -> Result<EndedTurn> {
        let at = self.own(caller, Scope::ConversationsWrite, id)?;
        match self.store.end_turn(&at, end.turn).await? {
            TurnKept::Until(_) => Ok(EndedTurn { ended: true }),
            TurnKept::Lost => Ok(EndedTurn { ended: false }),
            TurnKept::NotFound => Err(not_found(id)),
        }
    }

    pub(in crate::conversations) async fn take(&self, take: Take) -> Result<Turn> {
        let Lookup { id, now, .. } = take.at.clone();
        match self.store.take_turn(take).await? {
            Taken::Taken { fence, until } => Ok(Turn { conversation_id: id, turn: fence, until }),
            Taken::Busy { until } => Err(turn_busy(until, now)),
            Taken::NotFound => Err(not_found(&id)),
        }
    }

    pub(in crate::conversations) async fn renew(&self, renew: Renew) -> Result<Turn> {
        let (id, fence) = (renew.at.id.clone(), renew.fence);
        match self.store.renew_turn(renew).await? {
            TurnKept::Until(until) => Ok(Turn { conversation_id: id, turn: fence, until }),
            TurnKept::Lost => Err(turn_lost()),
            TurnKept::NotFound => Err(not_found(&id)),
        }
    }
}

fn lease(ttl_ms: Option<u64>) -> Result<u64> {
    match ttl_ms.unwrap_or(DEFAULT_LEASE_MS) {
        ttl_ms if (MIN_LEASE_MS..=MAX_LEASE_MS).contains(&ttl_ms) => Ok(ttl_ms),
        ttl_ms => Err(Error::invalid(format!("ttlMs: {ttl_ms}; give {MIN_LEASE_MS} to {MAX_LEASE_MS}"))),
    }
}
