//! Appending messages, and reading them.

use super::{ConversationService, page_limit};
use crate::conversations::parse;
use crate::conversations::port::{Append, Appended, From, Lookup, MessagesPage, MessagesQuery, Written};
use crate::conversations::refusals::{conflict, full, memo_mismatch, not_found, turn_busy, turn_lost};
use crate::error::{Error, Result};
use crate::{Caller, Scope};
use bytes::Bytes;
use mainstay_api::ConversationId;
use mainstay_api::conversations::{
    AppendMessages, AppendedMessages, MAX_APPEND, MAX_PAGE, Message, MessagePage, NewMessage, ReadMessages,
};
use mainstay_api::ids::RequestId;

impl ConversationService {
    /// Appends messages to one of the caller's conversations, all of them or none. With a request id, a repetition
    /// returns the first result.
    ///
    /// # Errors
    /// `conversations.not_found`, `.version_conflict`, `.turn_busy`, `.turn_lost`, `.full`, `request.id_reused`, or an
    /// invalid request.
    pub async fn append(
        &self,
        caller: &Caller,
        request: Option<RequestId>,
        id: &ConversationId,
        append: AppendMessages,
    ) -> Result<AppendedMessages> {
        let at = self.own(caller, Scope::ConversationsWrite, id)?;
        let memo = self.memo(caller, request, &("append", id, &append))?;
        if append.messages.is_empty() {
            return Err(Error::invalid(format!("messages: none; give 1 to {MAX_APPEND}")));
        }
        let (messages, documents) = self.documents(append.messages)?;
        let append = Append {
            at: at.clone(),
            documents,
            pending: false,
            expected_version: append.expected_version,
            fence: append.turn,
            settle: None,
            workflow: None,
            release: false,
            limits: self.rules.limits,
            memo,
        };
        match self.store.append(append).await? {
            Appended::Stored { written, expires_at } => {
                tracing::info!(%id, first_seq = written.first_seq, last_seq = written.last_seq, "messages stored");
                Ok(AppendedMessages {
                    conversation_id: id.clone(),
                    messages: placed(messages, written, &at),
                    version: written.version,
                    expires_at,
                    replayed: false,
                })
            }
            Appended::Replayed(written) => self.replayed(&at, written).await,
            refused => Err(self.refusal(&at, refused)),
        }
    }

    /// Reads messages of one of the caller's conversations, oldest first: the newest where the request does not say.
    ///
    /// # Errors
    /// `conversations.not_found`, or an invalid request.
    pub async fn messages(&self, caller: &Caller, id: &ConversationId, read: ReadMessages) -> Result<MessagePage> {
        let (at, mut page) = self.seen(caller, id, read).await?;
        self.note_use(&at, &mut page.summary).await;
        to_page(at.id, &page)
    }

    /// Reads messages as [`ConversationService::messages`] does, but as no use: the conversation lives no longer for it.
    /// For what reads again by itself.
    ///
    /// # Errors
    /// `conversations.not_found`, or an invalid request.
    pub async fn look(&self, caller: &Caller, id: &ConversationId, read: ReadMessages) -> Result<MessagePage> {
        let (at, page) = self.seen(caller, id, read).await?;
        to_page(at.id, &page)
    }

    async fn seen(&self, caller: &Caller, id: &ConversationId, read: ReadMessages) -> Result<(Lookup, MessagesPage)> {
        let at = self.own(caller, Scope::ConversationsRead, id)?;
        let from = match (read.after, read.before) {
            (None, None) => From::Before(u64::MAX),
            (Some(after), None) => From::After(after),
            (None, Some(before)) => From::Before(before),
            (Some(_), Some(_)) => return Err(Error::invalid("after, before: give one of them, or none")),
        };
        let page = self.page(MessagesQuery { at: at.clone(), from, limit: page_limit(read.limit)? }).await?;
        Ok((at, page))
    }

    /// A page of messages, whoever's they are.
    pub(in crate::conversations) async fn page(&self, query: MessagesQuery) -> Result<MessagesPage> {
        let id = query.at.id.clone();
        self.store.messages(query).await?.ok_or_else(|| not_found(&id))
    }

    /// Checks messages, gives them ids, and the form in which they are kept.
    pub(in crate::conversations) fn documents(
        &self,
        messages: Vec<NewMessage>,
    ) -> Result<(Vec<NewMessage>, Vec<Bytes>)> {
        if messages.len() > MAX_APPEND {
            return Err(Error::invalid(format!("messages: {}, at most {MAX_APPEND} at a time", messages.len())));
        }
        let checked = messages.into_iter().map(|message| parse::message(message, || self.mint.chat_message_id()));
        let messages = checked.collect::<Result<Vec<_>>>()?;
        let documents = messages.iter().map(parse::to_bytes).collect::<Result<Vec<_>>>()?;
        for document in &documents {
            parse::bound("messages", document.len(), self.rules.max_message_bytes)?;
        }
        Ok((messages, documents))
    }

    /// Why an append was refused.
    pub(in crate::conversations) fn refusal(&self, at: &Lookup, refused: Appended) -> Error {
        match refused {
            Appended::NotFound => not_found(&at.id),
            Appended::MemoMismatch => memo_mismatch(),
            Appended::Conflict { current } => conflict(current),
            Appended::TurnBusy { until } => turn_busy(until, at.now),
            Appended::TurnLost => turn_lost(),
            Appended::Full(which) => full(which, self.rules.limits),
            Appended::Stored { .. } | Appended::Replayed(_) => Error::bug("an append that stands was refused"),
        }
    }

    /// The first result of an append.
    async fn replayed(&self, at: &Lookup, written: Written) -> Result<AppendedMessages> {
        let (expires_at, messages) = self.between(at, written.first_seq - 1, written.last_seq).await?;
        Ok(AppendedMessages {
            conversation_id: at.id.clone(),
            messages,
            version: written.version,
            expires_at,
            replayed: true,
        })
    }

    /// The messages that follow a place, up to another; few, but they may be too large for one page.
    async fn between(
        &self,
        at: &Lookup,
        mut after: u64,
        last: u64,
    ) -> Result<(Option<mainstay_api::Timestamp>, Vec<Message>)> {
        let mut messages = Vec::new();
        loop {
            let limit = u32::try_from(last.saturating_sub(after)).unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
            let page = self.page(MessagesQuery { at: at.clone(), from: From::After(after), limit }).await?;
            for row in page.rows.iter().filter(|row| row.seq <= last) {
                messages.push(parse::to_message(row)?);
            }
            match page.rows.last() {
                Some(row) if row.seq < last => after = row.seq,
                _ => return Ok((page.summary.expires_at, messages)),
            }
        }
    }
}

fn to_page(id: ConversationId, page: &MessagesPage) -> Result<MessagePage> {
    Ok(MessagePage {
        conversation_id: id,
        messages: page.rows.iter().map(parse::to_message).collect::<Result<_>>()?,
        more: page.more,
        version: page.summary.version,
        message_count: page.summary.messages,
        expires_at: page.summary.expires_at,
    })
}

/// Messages as they were just stored.
pub(in crate::conversations) fn placed(messages: Vec<NewMessage>, written: Written, at: &Lookup) -> Vec<Message> {
    let places = written.first_seq..;
    let message = |(content, seq)| Message { content, seq, at: at.now, turn: written.fence, state: None };
    messages.into_iter().zip(places).map(message).collect()
}
