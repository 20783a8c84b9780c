//! Everything of a user, out and away.

use super::{ConversationService, Whose, owner};
use crate::conversations::port::{From, ListQuery, Lookup, MessagesQuery, Owner};
use crate::conversations::{ERASE_STEP, parse};
use crate::error::{Error, Result};
use crate::{Caller, Scope};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use mainstay_api::conversations::{ErasedConversations, ExportLine, MAX_PAGE};
use mainstay_api::{Code, ConversationId, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Longest reason, in bytes.
const MAX_REASON_BYTES: usize = 1_000;
/// Most conversations that one erasure deletes, beyond what anybody may have: one that meets it is told to go on.
const MAX_ERASED: u64 = 1_000_000;
/// How often the list is looked at for what moved while it was read; one that still moves is being written to.
const MAX_ROUNDS: u32 = 8;

impl ConversationService {
    /// Exports one of the caller's conversations: the conversation, then its messages in their order.
    ///
    /// # Errors
    /// `conversations.not_found`. The stream ends with the first error; its lines come while it reads.
    pub async fn export(
        self: &Arc<Self>,
        caller: &Caller,
        id: &ConversationId,
    ) -> Result<BoxStream<'static, Result<ExportLine>>> {
        let at = self.own(caller, Scope::ConversationsRead, id)?;
        let mut record = self.found(&at).await?;
        self.note_use(&at, &mut record.summary).await;
        let conversation = parse::to_conversation(&at.owner, record)?;
        let first = stream::iter([Ok(ExportLine::Conversation(Box::new(conversation)))]);
        Ok(first.chain(Arc::clone(self).lines(at)).boxed())
    }

    /// Exports every conversation of a user with its messages. One that is deleted meanwhile is left out; one that
    /// begins meanwhile may be. This is no use of them: it prolongs no life.
    ///
    /// # Errors
    /// `auth.forbidden`, or a reason that is missing. The stream ends with the first error.
    pub async fn export_all(
        self: &Arc<Self>,
        caller: &Caller,
        whose: &Whose,
    ) -> Result<BoxStream<'static, Result<ExportLine>>> {
        let owner = accessed(caller, whose, Scope::ConversationsRead)?;
        let ids = self.ids(&owner).await?;
        let service = Arc::clone(self);
        let exports = stream::iter(ids).then(move |id| {
            let (service, at) = (Arc::clone(&service), Lookup { owner: owner.clone(), id, now: service.clock.now() });
            async move {
                let Some(record) = service.store.find(&at).await? else { return Ok(stream::empty().boxed()) };
                let conversation = parse::to_conversation(&at.owner, record)?;
                let first = stream::iter([Ok(ExportLine::Conversation(Box::new(conversation)))]);
                // One that is deleted between two pages ends there, and the others follow.
                let gone = |line: &Result<ExportLine>| {
                    let gone = line.as_ref().is_err_and(|error| error.code() == Code::ConversationNotFound);
                    futures::future::ready(!gone)
                };
                Ok::<_, Error>(first.chain(service.lines(at).take_while(gone)).boxed())
            }
        });
        Ok(exports.try_flatten().boxed())
    }

    /// Deletes every conversation of a user, with everything that is remembered of them.
    ///
    /// # Errors
    /// `auth.forbidden`, or a reason that is missing.
    pub async fn erase(&self, caller: &Caller, whose: &Whose) -> Result<ErasedConversations> {
        let owner = accessed(caller, whose, Scope::ConversationsWrite)?;
        let mut conversations = 0;
        while conversations < MAX_ERASED {
            match self.store.erase(&owner, ERASE_STEP).await? {
                0 => break,
                erased => conversations += u64::from(erased),
            }
        }
        tracing::info!(conversations, "conversations of a user erased");
        Ok(ErasedConversations { conversations })
    }

    /// The messages of a conversation as lines, read page by page.
    fn lines(self: Arc<Self>, at: Lookup) -> BoxStream<'static, Result<ExportLine>> {
        let pages = stream::try_unfold(Some(0), move |after| {
            let (service, at) = (Arc::clone(&self), at.clone());
            async move {
                let Some(after) = after else { return Ok(None) };
                let query = MessagesQuery { at: at.clone(), from: From::After(after), limit: MAX_PAGE };
                let page = service.page(query).await?;
                let next = page.rows.last().filter(|_| page.more).map(|row| row.seq);
                let line = |row| {
                    let message = Box::new(parse::to_message(row)?);
                    Ok(ExportLine::Message { conversation_id: at.id.clone(), message })
                };
                let lines: Vec<Result<ExportLine>> = page.rows.iter().map(line).collect();
                Ok::<_, Error>(Some((stream::iter(lines), next)))
            }
        });
        pages.try_flatten().boxed()
    }

    /// The ids of a user's conversations. What changes while the list is read moves to its front, behind the reader,
    /// so the front is read again until nothing is new.
    async fn ids(&self, owner: &Owner) -> Result<BTreeSet<ConversationId>> {
        let mut ids = BTreeSet::new();
        let mut unseen_since = Timestamp::from_millis(i64::MIN);
        for _ in 0..MAX_ROUNDS {
            let (began, before) = (self.clock.now(), ids.len());
            let mut after = None;
            loop {
                let query =
                    ListQuery { owner: owner.clone(), status: None, limit: MAX_PAGE, after, now: self.clock.now() };
                let page = self.store.list(query).await?;
                let enough = page.rows.iter().any(|row| row.updated_at < unseen_since);
                ids.extend(page.rows.into_iter().map(|row| row.id));
                after = page.next.filter(|_| !enough);
                if after.is_none() {
                    break;
                }
            }
            if ids.len() == before {
                break;
            }
            unseen_since = began;
        }
        Ok(ids)
    }
}

/// Whose conversations the caller may export or erase.
fn accessed(caller: &Caller, whose: &Whose, own: Scope) -> Result<Owner> {
    match whose {
        Whose::Own => {
            caller.require(own)?;
            Ok(owner(caller))
        }
        Whose::Other { subject, reason } => {
            caller.require_over(subject, Scope::ConversationsAdmin)?;
            if reason.trim().is_empty() {
                return Err(Error::invalid("reason: say why the conversations of another user are accessed"));
            }
            parse::bound("reason", reason.len(), MAX_REASON_BYTES)?;
            Ok(Owner { namespace: caller.namespace.clone(), subject: subject.clone() })
        }
    }
}
