//! Sending.

use super::{MAX_EXPIRY_MS, MINT_ATTEMPTS, MailService};
use crate::error::{Error, Result};
use crate::mail::REQUEST_MEMO_MS;
use crate::mail::parse::{self, Envelope};
use crate::mail::port::{Appended, RequestMemo};
use crate::mail::refusals::{duplicate_id, inbox_full, memo_mismatch, namespace_full, not_found, sent_and_gone};
use crate::{Caller, Scope};
use mainstay_api::ids::RequestId;
use mainstay_api::mail::{Content, FILE_TYPES, LATER_TYPES, Message, MessageTypes, SendMessage, Sent, TYPES};
use mainstay_api::{Code, MessageId, MessageType, Position, Timestamp};

impl MailService {
    /// Sends a message. With a request id, a repetition returns the first result.
    ///
    /// # Errors
    /// `mail.duplicate_id`, `mail.invalid_type`, `mail.inbox_full`, `request.id_reused`, or an invalid request.
    pub async fn send(&self, caller: &Caller, request: Option<RequestId>, send: SendMessage) -> Result<Sent> {
        caller.require(Scope::MailWrite)?;
        let from = caller.instance()?.clone();
        let recipients = parse::send_message(&send)?;
        self.check_type(&send.kind)?;
        let now = self.clock.now();
        let memo = match request {
            Some(id) => Some(RequestMemo {
                key: format!("{} {id}", caller.principal),
                fingerprint: parse::fingerprint(&send, &from)?,
                until: Timestamp::from_millis(now.as_millis() + REQUEST_MEMO_MS),
            }),
            None => None,
        };
        let (expires_at, thread) = match self.still_possible(caller, &send, now).await {
            Ok(possible) => possible,
            Err(error) => return self.repetition(caller, memo.as_ref(), now).await?.ok_or(error),
        };
        let given_id = send.id.clone();
        let mut content = Content {
            id: given_id.clone().unwrap_or_else(|| self.mint.message_id()),
            kind: send.kind,
            from,
            to: send.to,
            timestamp: now,
            subject: send.subject,
            body: send.body,
            thread,
            reply_to: send.reply_to,
            priority: send.priority,
            attachments: send.attachments,
            requires_ack: send.requires_ack,
            expires_at: send.expires_at,
        };
        for _ in 0..MINT_ATTEMPTS {
            let envelope = Envelope {
                namespace: caller.namespace.clone(),
                recipients: recipients.clone(),
                limits: self.rules.limits,
                expires_at,
                now,
            };
            let mut append = parse::append(&content, envelope)?;
            append.memo.clone_from(&memo);
            match self.store.append(append).await? {
                Appended::Stored { offset, epoch, delivered } => {
                    tracing::info!(
                        id = %content.id, kind = %content.kind, from = %content.from, delivered, "message stored"
                    );
                    return Ok(Sent {
                        message: fresh(content, Position { epoch, offset }, delivered),
                        replayed: false,
                    });
                }
                Appended::Replayed(id) => return self.replayed(caller, &id).await,
                Appended::DuplicateId if given_id.is_none() => content.id = self.mint.message_id(),
                Appended::DuplicateId => return Err(duplicate_id(&content.id)),
                Appended::MemoMismatch => return Err(memo_mismatch()),
                Appended::InboxFull(recipient) => return Err(inbox_full(&recipient, self.rules.limits.max_pending)),
                Appended::NamespaceFull => return Err(namespace_full(self.rules.limits.max_messages)),
            }
        }
        Err(Error::bug(format!("{MINT_ATTEMPTS} new ids in a row existed already")))
    }

    /// The types that a send accepts, the 26 of the original first.
    #[must_use]
    pub fn types(&self) -> MessageTypes {
        let extra = self.rules.extra_types.iter().map(MessageType::as_str);
        let mut types: Vec<String> = Vec::new();
        for kind in TYPES.into_iter().chain(LATER_TYPES).chain(FILE_TYPES).chain(extra) {
            if !types.iter().any(|known| known == kind) {
                types.push(kind.to_owned());
            }
        }
        MessageTypes { types }
    }

    /// What was possible when a message was first sent, and may not be when the send is repeated: an expiry in the
    /// future, and something to reply to.
    async fn still_possible(
        &self,
        caller: &Caller,
        send: &SendMessage,
        now: Timestamp,
    ) -> Result<(Timestamp, Option<MessageId>)> {
        Ok((self.expiry(send.expires_at, now)?, self.thread_of(caller, send, now).await?))
    }

    /// The first result of a send that cannot be done any more, where it was done.
    async fn repetition(&self, caller: &Caller, memo: Option<&RequestMemo>, now: Timestamp) -> Result<Option<Sent>> {
        let Some(memo) = memo else { return Ok(None) };
        match self.store.recall(&caller.namespace, memo, now).await? {
            Some(Appended::Replayed(id)) => self.replayed(caller, &id).await.map(Some),
            Some(Appended::MemoMismatch) => Err(memo_mismatch()),
            _ => Ok(None),
        }
    }

    async fn replayed(&self, caller: &Caller, id: &MessageId) -> Result<Sent> {
        match self.find(caller, id).await {
            Ok(message) => Ok(Sent { message, replayed: true }),
            Err(error) if error.code() == Code::MailNotFound => Err(sent_and_gone(id)),
            Err(error) => Err(error),
        }
    }

    async fn thread_of(&self, caller: &Caller, send: &SendMessage, now: Timestamp) -> Result<Option<MessageId>> {
        let (None, Some(parent)) = (&send.thread, &send.reply_to) else {
            return Ok(send.thread.clone());
        };
        let found = self.store.find(&caller.namespace, parent, None, now).await?;
        let (_, row) = found.ok_or_else(|| not_found(parent))?;
        Ok(parse::content(&row.document)?.thread.or_else(|| Some(parent.clone())))
    }

    fn check_type(&self, kind: &MessageType) -> Result<()> {
        let types = self.types().types;
        if types.iter().any(|known| known == kind.as_str()) {
            return Ok(());
        }
        let detail = format!("{kind} is not a message type of this server");
        let help = "Use one of the valid values, or add the type to MAINSTAY_MAIL_TYPES.";
        Err(Error::new(Code::MailInvalidType, detail, help).valid_values(types))
    }

    fn expiry(&self, asked: Option<Timestamp>, now: Timestamp) -> Result<Timestamp> {
        let Some(at) = asked else {
            return Ok(Timestamp::from_millis(now.as_millis() + self.rules.retention_ms));
        };
        if at <= now {
            return Err(Error::invalid(format!("expires_at: {at} is not in the future")));
        }
        if at.as_millis() > now.as_millis() + MAX_EXPIRY_MS {
            return Err(Error::invalid(format!("expires_at: {at} is more than ten years away")));
        }
        Ok(at)
    }
}

/// A message just stored, which nobody has read.
fn fresh(content: Content, position: Position, delivered: u32) -> Message {
    Message {
        content,
        position,
        acknowledged: false,
        delivery: mainstay_api::mail::Delivery { delivered, read: 0, acknowledged: 0 },
        receipt: None,
        receipts: None,
        settled: false,
    }
}
