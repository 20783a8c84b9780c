//! Calls about the store, and about what a node keeps while it is away.

use crate::call::{Call, path};
use crate::{Client, Result};
use http::Method;
use mainstay_api::ids::RequestId;
use mainstay_api::store::{
    DiscardJournal, JournalDiscarded, JournalPage, JournalReplay, ListJournal, ReplayJournal, StoreStatus,
};

impl Client {
    /// How the store stands, and what waits for it.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub async fn store_status(&self) -> Result<StoreStatus> {
        self.call(Call::get(path(&["v1", "store", "status"]))).await
    }

    /// Writes that wait at the node for the store, and those that the store did not take.
    ///
    /// # Errors
    /// `auth.forbidden`; an invalid request.
    pub async fn store_journal(&self, list: &ListJournal) -> Result<JournalPage> {
        self.call(Call::get(path(&["v1", "store", "journal"])).query(list)?).await
    }

    /// Has what waits written to the store now.
    ///
    /// # Errors
    /// `auth.forbidden`; an invalid request where the store is not the one that was lost and that is not said.
    pub async fn replay_store_journal(
        &self,
        replay: &ReplayJournal,
        request: Option<RequestId>,
    ) -> Result<JournalReplay> {
        let path = path(&["v1", "store", "journal", "replay"]);
        self.call(Call::write(Method::POST, path, request)?.json(replay)?).await
    }

    /// Gives up writes that wait, or that the store did not take.
    ///
    /// # Errors
    /// `auth.forbidden`; an invalid request.
    pub async fn discard_store_journal(
        &self,
        which: &DiscardJournal,
        request: Option<RequestId>,
    ) -> Result<JournalDiscarded> {
        let path = path(&["v1", "store", "journal", "discard"]);
        self.call(Call::write(Method::POST, path, request)?.json(which)?).await
    }
}
