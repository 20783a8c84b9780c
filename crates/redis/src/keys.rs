//! Names of keys. Every segment that comes from outside is percent-encoded, so that no id reaches into another's key
//! or steers a slot.

use mainstay_core::api::{InstanceId, Namespace};
use mainstay_core::conversations::Owner;
use mainstay_core::events::{LogName, StreamOptions, Streams};
use mainstay_core::{Error, Result, api::Code};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything is encoded but letters, digits and these.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The keys under one prefix.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys under a prefix. Braces would steer slots and are refused.
    pub fn new(prefix: &str) -> Result<Self> {
        if prefix.len() > 200 || prefix.contains(['{', '}', '\0', '\n']) {
            return Err(Error::new(
                Code::SettingInvalid,
                "the key prefix has braces or control characters, or is longer than 200 bytes",
                "Choose a short prefix such as `mainstay:`.",
            ));
        }
        Ok(Self { prefix: prefix.to_owned() })
    }

    /// The key that stands for identity.
    pub fn identity(&self) -> String {
        format!("{}meta", self.identity_base())
    }

    /// What every key of identity begins with.
    pub fn identity_base(&self) -> String {
        format!("{}{{identity}}:", self.prefix)
    }

    /// The key that stands for the mail of a namespace; the others of the aggregate share its base.
    pub fn mail(&self, namespace: &str) -> String {
        format!("{}{{mail.{namespace}}}:meta", self.prefix)
    }

    /// The key that stands for the documents of a namespace.
    pub fn documents(&self, namespace: &str) -> String {
        format!("{}{{documents.{namespace}}}:meta", self.prefix)
    }

    /// The set of namespaces with documents, for maintenance.
    pub fn namespaces_with_documents(&self) -> String {
        format!("{}documents", self.prefix)
    }

    /// The key that stands for the presence of a namespace.
    pub fn presence(&self, namespace: &str) -> String {
        format!("{}{{presence.{namespace}}}:meta", self.prefix)
    }

    /// The key that stands for how the publishers of a namespace choose their transport.
    pub fn transport(&self, namespace: &str) -> String {
        format!("{}{{transport.{namespace}}}:meta", self.prefix)
    }

    /// The key that stands for a chain of the audit trail.
    pub fn audit(&self, chain: &str) -> String {
        format!("{}{{audit.{chain}}}:meta", self.prefix)
    }

    /// The set of the chains of the audit trail.
    pub fn audit_chains(&self) -> String {
        format!("{}audit-chains", self.prefix)
    }

    /// The key that stands for the conversations of an owner. The parts are told apart by what no part holds once it is
    /// encoded, so that no owner can name the keys of another.
    pub fn conversations(&self, owner: &Owner) -> String {
        let subject = &owner.subject;
        let parts = [owner.namespace.as_str(), subject.realm.as_str(), subject.tenant.as_str(), subject.user.as_str()];
        format!("{}{{conv:{}}}:meta", self.prefix, parts.map(encode).join(":"))
    }

    /// The stream that is a log. In the namespace `default` it is the one that other backends know.
    pub fn stream(&self, streams: &Streams, log: &LogName) -> String {
        let mut key = match streams.get(&log.stream) {
            Some(options) => options.redis_key.clone(),
            None => StreamOptions::usual(&log.stream).redis_key,
        };
        if log.namespace != Namespace::default() {
            key = format!("{key}@{}", encode(log.namespace.as_str()));
        }
        if log.partition > 0 { format!("{key}:{}", log.partition) } else { key }
    }

    /// The key that stands for what is kept beside a stream, in the same slot as the stream itself.
    pub fn beside_stream(&self, stream: &str) -> String {
        format!("{}{{{stream}}}:meta", self.prefix)
    }

    /// The key that stands for the rooms of a stream in a namespace, both encoded.
    pub fn rooms(&self, namespace: &str, stream: &str) -> String {
        format!("{}{{rooms:{namespace}:{stream}}}:meta", self.prefix)
    }

    /// The set of streams whose rooms are in use, each as `<namespace>:<stream>`, for maintenance.
    pub fn streams_with_rooms(&self) -> String {
        format!("{}rooms", self.prefix)
    }

    /// The key that stands for a connection that spans requests, by the digest of its token.
    pub fn connection(&self, token: &str) -> String {
        format!("{}{{conn:{}}}:meta", self.prefix, encode(token))
    }

    /// The key that stands for a gateway key, by the digest of its secret.
    pub fn gateway_key(&self, digest: &str) -> String {
        format!("{}{{gwkey:{}}}:meta", self.prefix, encode(digest))
    }

    /// What was settled with a gateway key and usage may not count yet.
    pub fn gateway_unposted(&self, digest: &str) -> String {
        format!("{}{{gwkey:{}}}:unposted", self.prefix, encode(digest))
    }

    /// A key of the index of the gateway keys of an encoded namespace.
    pub fn gateway_index(&self, namespace: &str, name: &str) -> String {
        format!("{}{{gwkeys:{namespace}}}:{name}", self.prefix)
    }

    /// A key of the usage of an encoded namespace on a day.
    pub fn gateway_usage(&self, namespace: &str, day: &str, name: &str) -> String {
        format!("{}{{gwuse:{namespace}:{day}}}:{name}", self.prefix)
    }

    /// The set of namespaces with gateway keys.
    pub fn gateway_namespaces(&self) -> String {
        format!("{}gateway-namespaces", self.prefix)
    }

    /// The set of days with usage, each as `<namespace>:<day>`, for maintenance.
    pub fn gateway_usage_days(&self) -> String {
        format!("{}gateway-usage", self.prefix)
    }

    /// The key that stands for a pool of providers in a namespace, both encoded, which have no colon then.
    pub fn pool(&self, namespace: &str, pool: &str) -> String {
        format!("{}{{pool:{namespace}:{pool}}}:meta", self.prefix)
    }

    /// The set of the pools of all namespaces, each as `<namespace>:<pool>`, for lists: whether one is there, it says itself.
    pub fn pools(&self) -> String {
        format!("{}pools", self.prefix)
    }

    /// The set of pools with credentials, each as `<namespace>:<pool>`.
    pub fn pools_with_credentials(&self) -> String {
        format!("{}credentials", self.prefix)
    }

    /// The set of namespaces in use, for maintenance.
    pub fn namespaces(&self) -> String {
        format!("{}namespaces", self.prefix)
    }

    /// The channel of the wake-ups.
    pub fn channel(&self) -> String {
        format!("{}wake", self.prefix)
    }
}

/// A text as a segment of a key.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// The text that a segment stands for.
pub(crate) fn decode(segment: &str) -> Result<String> {
    let decoded = percent_decode_str(segment).decode_utf8();
    decoded.map(String::from).map_err(|_| Error::inconsistent(format!("the key segment {segment:?} is not UTF-8")))
}

/// The instance that a segment stands for.
pub(crate) fn instance(segment: &str) -> Result<InstanceId> {
    InstanceId::parse(decode(segment)?).map_err(|e| Error::inconsistent(format!("stored {e}")))
}

/// The namespace that a segment stands for.
pub(crate) fn namespace(segment: &str) -> Result<Namespace> {
    Namespace::parse(decode(segment)?).map_err(|e| Error::inconsistent(format!("stored {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_segment_can_leave_its_place() {
        let keys = Keys::new("mainstay:").unwrap();
        for hostile in ["a:b", "{x}", "}", "*", "a b", "line\nbreak", "日本語", "%7D"] {
            let encoded = encode(hostile);
            assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.%".contains(&b)), "{encoded}");
            assert_eq!(decode(&encoded).unwrap(), hostile);
            assert_eq!(keys.mail(&encoded).matches(['{', '}']).count(), 2);
        }
    }
}
