//! Resources: mailboxes, messages and presence as JSON.

use super::backend::{Backend, Watched};
use super::guidance;
use super::view::{FullMessage, Summary};
use mainstay_api::mail::{InboxCounts, ListMessages, ReadInbox};
use mainstay_api::{Code, InstanceId, MessageId, Problem};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde::Serialize;
use serde_json::json;

/// The caller's own mailbox, whatever the caller's name.
pub(super) const OWN_MAILBOX: &str = "mailbox://me";
/// Who is there.
pub(super) const PRESENCE: &str = "presence://instances";
const MAILBOX: &str = "mailbox://";
const MESSAGE: &str = "mail://message/";
const JSON: &str = "application/json";
/// Messages that a mailbox shows.
const SHOWN: u32 = 20;
/// What a name keeps in a URI: the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a URI names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    OwnMailbox,
    Mailbox(InstanceId),
    Message(MessageId),
    Presence,
}

impl Named {
    /// Reads a URI, in the eyes of a caller. `None` where it names nothing.
    pub(super) fn parse(uri: &str, me: Option<&InstanceId>) -> Option<Self> {
        if uri == PRESENCE {
            return Some(Self::Presence);
        }
        if let Some(id) = uri.strip_prefix(MESSAGE) {
            return MessageId::parse(decoded(id)?).ok().map(Self::Message);
        }
        if uri == OWN_MAILBOX {
            return Some(Self::OwnMailbox);
        }
        let name = InstanceId::parse(decoded(uri.strip_prefix(MAILBOX)?)?).ok()?;
        Some(if me == Some(&name) { Self::OwnMailbox } else { Self::Mailbox(name) })
    }

    /// What a client that subscribes to it watches; `None` where it cannot be subscribed to.
    pub(super) fn watched(&self, me: Option<&InstanceId>) -> Option<Watched> {
        match self {
            Self::OwnMailbox => me.map(|_| Watched::Mailbox),
            Self::Presence => Some(Watched::Presence),
            Self::Mailbox(_) | Self::Message(_) => None,
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// The URI of an instance's mailbox.
pub(super) fn mailbox_uri(instance: &InstanceId) -> String {
    format!("{MAILBOX}{}", utf8_percent_encode(instance.as_str(), ENCODED))
}

/// The resources, in their order.
pub(super) fn list(me: Option<&InstanceId>) -> Vec<Resource> {
    let mut resources = Vec::new();
    if let Some(name) = me {
        resources.push(
            Resource::new(OWN_MAILBOX, "mailbox")
                .with_title("Your mailbox")
                .with_description(format!("Unread mail of {name} and its counts. Subscribe to be told of new mail."))
                .with_mime_type(JSON),
        );
    }
    resources.push(
        Resource::new(PRESENCE, "presence")
            .with_title("Who is there")
            .with_description("The instances of the team. Subscribe to be told when one comes, goes or changes.")
            .with_mime_type(JSON),
    );
    resources
}

/// The templates, in their order.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new("mailbox://{instance}", "mailbox")
            .with_title("A mailbox")
            .with_description("Of yourself: unread mail and counts. Of another: what waits for its acknowledgement.")
            .with_mime_type(JSON),
        ResourceTemplate::new("mail://message/{id}", "message")
            .with_title("A message")
            .with_description("One message in full; reading it here does not mark it as read.")
            .with_mime_type(JSON),
    ]
}

#[derive(Serialize)]
struct OwnMailbox<'a> {
    instance: &'a InstanceId,
    counts: InboxCounts,
    unread: Vec<Summary>,
    more: bool,
}

#[derive(Serialize)]
struct Mailbox<'a> {
    instance: &'a InstanceId,
    pending: Vec<Summary>,
    more: bool,
}

/// Reads a resource.
///
/// # Errors
/// A URI that names nothing, or the problem that the read met.
pub(super) async fn read(backend: &dyn Backend, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let named = Named::parse(uri, backend.instance()).ok_or_else(|| not_found(uri, "There is no such resource."))?;
    let text = match content(backend, named).await {
        Ok(text) => text,
        Err(problem) if problem.code == Code::MailNotFound => return Err(not_found(uri, &guidance::text(&problem))),
        Err(problem) => {
            if problem.status == 403 {
                backend.refused(problem.code).await;
            }
            return Err(guidance::protocol(&problem));
        }
    };
    Ok(ReadResourceResult::new(vec![ResourceContents::text(text, uri).with_mime_type(JSON)]))
}

async fn content(backend: &dyn Backend, named: Named) -> super::Result<String> {
    match named {
        Named::OwnMailbox => own_mailbox(backend).await,
        Named::Mailbox(name) => {
            let recipient = Some(name.clone());
            let list = ListMessages { recipient, pending: true, limit: Some(SHOWN), ..ListMessages::default() };
            let page = backend.list(list).await?;
            let more = page.next.is_some();
            json_text(&Mailbox { instance: &name, pending: Summary::all(page.items), more })
        }
        Named::Message(id) => json_text(&FullMessage::of(backend.read(&id).await?)),
        Named::Presence => json_text(&backend.presence().await?),
    }
}

async fn own_mailbox(backend: &dyn Backend) -> super::Result<String> {
    let counts = backend.counts().await?;
    let inbox = backend.inbox(ReadInbox { limit: Some(SHOWN), ..ReadInbox::default() }).await?;
    let missing = || Box::new(Problem::new(Code::InstanceUnknown, "this mailbox belongs to no instance", ""));
    let instance = backend.instance().ok_or_else(missing)?;
    json_text(&OwnMailbox { instance, counts, unread: Summary::all(inbox.messages), more: inbox.more })
}

fn json_text<T: Serialize>(value: &T) -> super::Result<String> {
    serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "a resource is not JSON");
        Box::new(Problem::new(Code::Internal, "the server failed", "Report it; the log has the cause."))
    })
}

/// The error for a URI that names nothing that there is.
pub(super) fn not_found(uri: &str, message: &str) -> ErrorData {
    ErrorData::resource_not_found(message.to_owned(), Some(json!({"uri": uri})))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> InstanceId {
        InstanceId::parse(text).unwrap()
    }

    #[test]
    fn a_mailbox_of_any_name_has_a_uri_that_leads_back_to_it() {
        for text in ["backend", "a/b:c", "日本 語", "me?x#y", "%41"] {
            let uri = mailbox_uri(&name(text));
            assert_eq!(Named::parse(&uri, None), Some(Named::Mailbox(name(text))), "{uri}");
            assert_eq!(Named::parse(&uri, Some(&name(text))), Some(Named::OwnMailbox), "{uri}");
        }
    }

    #[test]
    fn what_names_nothing_is_nothing() {
        for uri in ["", "mailbox://", "mail://message/", "presence://", "mailbox://%FF", "https://example.org"] {
            assert_eq!(Named::parse(uri, None), None, "{uri}");
        }
    }

    #[test]
    fn only_the_own_mailbox_and_presence_are_watched() {
        let me = name("backend");
        let watched = |uri: &str| Named::parse(uri, Some(&me)).and_then(|named| named.watched(Some(&me)));
        assert_eq!(watched("mailbox://me"), Some(Watched::Mailbox));
        assert_eq!(watched("mailbox://backend"), Some(Watched::Mailbox));
        assert_eq!(watched("presence://instances"), Some(Watched::Presence));
        assert_eq!(watched("mailbox://frontend"), None);
        assert_eq!(watched("mail://message/msg-1"), None);
        assert_eq!(Named::OwnMailbox.watched(None), None);
    }
}
