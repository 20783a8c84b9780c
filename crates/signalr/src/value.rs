//! What a call carries: an argument, an item, a result.

use crate::{Unrepresentable, transcode};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// A value in the form in which it was written. Clones share the bytes.
///
/// Within its own protocol it is passed on untouched, so that binary data and 64-bit integers stay what they are. In
/// the other protocol binary data is base64, and a timestamp is text as of RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    form: Form,
    bytes: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    MessagePack,
}

impl Value {
    /// The absence of a value.
    #[must_use]
    pub fn null() -> Self {
        Self::json(Bytes::from_static(b"null"))
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// Where the value has no form in JSON, such as a map whose keys are not text.
    pub fn write(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::json(serde_json::to_vec(value)?.into()))
    }

    /// A value that is JSON already.
    #[must_use]
    pub fn raw(text: &RawValue) -> Self {
        Self::json(Bytes::copy_from_slice(text.get().as_bytes()))
    }

    /// Reads the value as a type of ours.
    ///
    /// # Errors
    /// Where it has another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        let text = self.to_json().map_err(|cause| cause.to_string())?;
        serde_json::from_slice(&text).map_err(|cause| cause.to_string())
    }

    /// The value as JSON text.
    ///
    /// # Errors
    /// Where it holds what JSON cannot: a number that is none, a key that is not text, an unknown extension.
    pub fn to_json(&self) -> Result<Bytes, Unrepresentable> {
        match self.form {
            Form::Json => Ok(self.bytes.clone()),
            Form::MessagePack => transcode::to_json(&self.bytes),
        }
    }

    /// The value as MessagePack.
    ///
    /// # Errors
    /// Where it is nested too deeply to be converted.
    pub fn to_messagepack(&self) -> Result<Bytes, Unrepresentable> {
        match self.form {
            Form::Json => transcode::to_messagepack(&self.bytes),
            Form::MessagePack => Ok(self.bytes.clone()),
        }
    }

    /// Bytes that are known to be JSON text.
    pub(crate) fn json(bytes: Bytes) -> Self {
        Self { form: Form::Json, bytes }
    }

    /// Bytes that are known to be one MessagePack value.
    pub(crate) fn messagepack(bytes: Bytes) -> Self {
        Self { form: Form::MessagePack, bytes }
    }
}
