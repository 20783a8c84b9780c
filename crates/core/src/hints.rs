//! Wake-ups. A hint says "look again", never what there is to see: readers keep a position and read the store.

use futures::stream::BoxStream;
use mainstay_api::events::StreamName;
use mainstay_api::providers::PoolType;
use mainstay_api::{InstanceId, Namespace, Subject};

/// What a reader waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A change of a conversation of one user.
    Conversations(Namespace, Subject),
    /// Bytes for one end of a relayed connection, by the digest of its token.
    Connection(String),
    /// A change of a document of a namespace.
    Documents(Namespace),
    /// An event, a group or a room of a stream.
    Events(Namespace, StreamName),
    /// New mail in one inbox.
    Mail(Namespace, InstanceId),
    /// A change of a pool of providers: who is in it, how they do, or their credentials.
    Pool(Namespace, PoolType),
    /// A change of presence in a namespace.
    Presence(Namespace),
    /// Who is in the rooms of a stream, or may be.
    Rooms(Namespace, StreamName),
    /// How the publishers of a namespace choose their transport.
    Transport(Namespace),
}

/// A wake-up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Hint {
    /// Something may have changed under this topic.
    Topic(Topic),
    /// Anything may have changed: sent by stores that cannot tell topics apart, and after a lost connection.
    Everything,
}

/// A store that can wake its readers, in every process that uses it.
pub trait HintSource: Send + Sync {
    /// Hints from now on. A subscription that exists before a read misses no write after that read, except through
    /// a lost connection, after which `Hint::Everything` follows. Hints may be repeated or superfluous.
    ///
    /// The stream is bounded; where a reader is slow, hints collapse into `Hint::Everything`.
    fn subscribe(&self) -> BoxStream<'static, Hint>;
}
