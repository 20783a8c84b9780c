//! The answers of scripts, part by part.

use crate::connection::read;
use crate::keys;
use mainstay_core::api::{Epoch, MessageId};
use mainstay_core::{Error, Result};
use redis::Value;

/// The answer of a script that is an array.
pub(crate) struct Answer {
    parts: std::vec::IntoIter<Value>,
    what: &'static str,
}

impl Answer {
    /// Reads the answer of the script of this name.
    pub fn of(value: Value, what: &'static str) -> Result<Self> {
        Ok(Self { parts: read::<Vec<Value>>(value, what)?.into_iter(), what })
    }

    /// Whether there are no more parts.
    pub fn is_empty(&self) -> bool {
        self.parts.len() == 0
    }

    /// The next part.
    pub fn next<T: redis::FromRedisValue>(&mut self) -> Result<T> {
        let part = self.parts.next();
        read(part.ok_or_else(|| Error::inconsistent(format!("{} answered too little", self.what)))?, self.what)
    }

    /// The next part, an epoch.
    pub fn epoch(&mut self) -> Result<Epoch> {
        Epoch::parse(self.next::<String>()?).map_err(|e| Error::inconsistent(e.to_string()))
    }

    /// The next part, the encoded id of a message.
    pub fn id(&mut self) -> Result<MessageId> {
        let id = keys::decode(&self.next::<String>()?)?;
        MessageId::parse(id).map_err(|e| Error::inconsistent(e.to_string()))
    }

    /// The error for a word that this code does not know.
    pub fn unknown(&self, word: &str) -> Error {
        Error::inconsistent(format!("{} answered {word:?}", self.what))
    }
}
