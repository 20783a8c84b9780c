//! Calls about mail.

use crate::call::{Call, path};
use crate::events::{Follow, FollowInbox, InboxEvents};
use crate::{Client, Result};
use http::Method;
use mainstay_api::MessageId;
use mainstay_api::ids::RequestId;
use mainstay_api::mail::{
    AckMessage, Acknowledged, ImportMessages, ImportOutcomes, Inbox, InboxCounts, ListMessages, MailStats, MarkRead,
    MarkedRead, Message, MessageTypes, ReadInbox, SendMessage, Sent,
};
use mainstay_api::page::Page;

/// Calls about mail, see [`Client::mail`].
pub struct Mail<'a>(pub(crate) &'a Client);

impl Mail<'_> {
    /// Sends a message. With the same request id, a repetition returns the first result.
    ///
    /// # Errors
    /// `mail.duplicate_id`, `mail.invalid_type`, `mail.inbox_full`, `request.id_reused`, or an invalid request.
    pub async fn send(&self, message: &SendMessage, request_id: Option<RequestId>) -> Result<Sent> {
        let call = Call::write(Method::POST, path(&["v1", "mail", "messages"]), request_id)?.json(message)?;
        self.0.call(call).await
    }

    /// One page of the messages that pass a filter.
    ///
    /// # Errors
    /// `page.invalid_cursor`, or an invalid request.
    pub async fn list(&self, list: &ListMessages) -> Result<Page<Message>> {
        self.0.call(Call::get(path(&["v1", "mail", "messages"])).query(list)?).await
    }

    /// One message with the receipt of every recipient.
    ///
    /// # Errors
    /// `mail.not_found`.
    pub async fn message(&self, id: &MessageId) -> Result<Message> {
        self.0.call(Call::get(path(&["v1", "mail", "messages", id.as_str()]))).await
    }

    /// Acknowledges a message; the first acknowledgement stands.
    ///
    /// # Errors
    /// `mail.not_found`, `mail.not_a_recipient`.
    pub async fn acknowledge(&self, id: &MessageId, ack: &AckMessage) -> Result<Acknowledged> {
        let path = path(&["v1", "mail", "messages", id.as_str(), "ack"]);
        self.0.call(Call::write(Method::POST, path, None)?.json(ack)?).await
    }

    /// Marks messages as read by the caller.
    ///
    /// # Errors
    /// `auth.instance_missing`, or an invalid request.
    pub async fn mark_read(&self, mark: &MarkRead) -> Result<MarkedRead> {
        let call = Call::write(Method::POST, path(&["v1", "mail", "inbox", "read"]), None)?;
        self.0.call(call.json(mark)?).await
    }

    /// What the caller's inbox holds after a place, waiting for mail where the request asks to. With `mark_read`
    /// there is one attempt, whatever the options say: messages are marked before the answer is on its way, and a
    /// repetition would pass over those of an answer that was lost.
    ///
    /// # Errors
    /// `auth.instance_missing`, or an invalid request.
    pub async fn inbox(&self, read: &ReadInbox) -> Result<Inbox> {
        let mut call = Call::get(path(&["v1", "mail", "inbox"])).query(read)?;
        call.wait_ms = read.wait_ms.unwrap_or(0);
        self.0.call(if read.mark_read { call.taking() } else { call }).await
    }

    /// The caller's inbox from a place on, live. A lost connection is resumed where it broke, see
    /// [`InboxEvents`].
    #[must_use]
    pub fn inbox_events(&self, read: ReadInbox) -> InboxEvents {
        FollowInbox::new(read).events(self.0.clone())
    }

    /// How much mail the caller has.
    ///
    /// # Errors
    /// `auth.instance_missing`.
    pub async fn counts(&self) -> Result<InboxCounts> {
        self.0.call(Call::get(path(&["v1", "mail", "counts"]))).await
    }

    /// The mail of the namespace in numbers.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn stats(&self) -> Result<MailStats> {
        self.0.call(Call::get(path(&["v1", "mail", "stats"]))).await
    }

    /// The types that a message may have.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn types(&self) -> Result<MessageTypes> {
        self.0.call(Call::get(path(&["v1", "mail", "types"]))).await
    }

    /// Imports messages, ids and times kept. Repeating it changes nothing.
    ///
    /// # Errors
    /// An invalid request.
    pub async fn import(&self, messages: &ImportMessages) -> Result<ImportOutcomes> {
        self.0.call(Call::write(Method::POST, path(&["v1", "mail", "import"]), None)?.json(messages)?).await
    }
}
