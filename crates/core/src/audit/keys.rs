//! The key that signs what is said of chains, and what is signed with it.

use super::hash::Hash;
use crate::error::{Error, Result};
use crate::text::{from_hex, hex};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use mainstay_api::Code;
use mainstay_api::audit::AuditKey;
use serde::{Deserialize, Serialize};

/// Hexadecimal digits of the SHA-256 of a public key that make its id.
const ID_DIGITS: usize = 16;

/// What signs: an Ed25519 key.
pub struct Signer {
    key: SigningKey,
    id: String,
}

impl Signer {
    /// A key from its secret: 64 small hexadecimal digits.
    ///
    /// # Errors
    /// `audit.key_invalid`, which never shows the secret.
    pub fn from_secret(secret: &str) -> Result<Self> {
        let bytes = from_hex(secret.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key = SigningKey::from_bytes(&bytes.ok_or_else(|| invalid("the key of the audit trail"))?);
        let id = PublicKey(key.verifying_key()).id();
        Ok(Self { key, id })
    }

    /// What others need to check the signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }

    /// Signs a statement.
    ///
    /// # Errors
    /// None that can be expected: every statement has a JSON form.
    pub fn sign<T: Statement>(&self, statement: T) -> Result<Signed<T>> {
        let signature = self.key.sign(&bytes_of(&statement)?);
        Ok(Signed { statement, key: self.id.clone(), signature: hex(&signature.to_bytes()) })
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The public half of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a key: 64 small hexadecimal digits.
    ///
    /// # Errors
    /// `audit.key_invalid`.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = from_hex(text.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        key.map(Self).ok_or_else(|| invalid("the public key"))
    }

    /// The id by which signatures name the key.
    #[must_use]
    pub fn id(&self) -> String {
        let mut id = Hash::of(self.0.as_bytes()).to_string();
        id.truncate(ID_DIGITS);
        id
    }

    /// The key for people.
    #[must_use]
    pub fn shown(&self) -> AuditKey {
        AuditKey { id: self.id(), public_key: hex(self.0.as_bytes()) }
    }

    fn signed<T: Statement>(&self, signed: &Signed<T>) -> bool {
        let signature = from_hex(&signed.signature).and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        let (Some(signature), Ok(bytes)) = (signature, bytes_of(&signed.statement)) else { return false };
        self.0.verify_strict(&bytes, &Signature::from_bytes(&signature)).is_ok()
    }
}

/// Something that can be signed.
pub trait Statement: Serialize {
    /// What kind of statement it is, so that one of a kind never passes for another.
    const KIND: &'static str;
}

/// A statement with its signature, which covers the JSON of the statement with the fields in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// The statement.
    pub statement: T,
    /// The id of the key.
    pub key: String,
    /// The signature, 128 hexadecimal digits.
    pub signature: String,
}

impl<T: Statement> Signed<T> {
    /// The statement on one line.
    ///
    /// # Errors
    /// None that can be expected.
    pub fn to_line(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::bug(format!("a signed statement is not JSON: {e}")))
    }

    /// Whether one of these keys signed it.
    #[must_use]
    pub fn is_by(&self, trusted: &[PublicKey]) -> bool {
        trusted.iter().any(|key| key.id() == self.key && key.signed(self))
    }
}

fn bytes_of<T: Statement>(statement: &T) -> Result<Vec<u8>> {
    let mut bytes = format!("{}\n", T::KIND).into_bytes();
    serde_json::to_writer(&mut bytes, statement).map_err(|e| Error::bug(format!("a statement is not JSON: {e}")))?;
    Ok(bytes)
}

fn invalid(what: &str) -> Error {
    let detail = format!("{what} is not one: 64 small hexadecimal digits are expected");
    Error::new(
        Code::AuditKeyInvalid,
        detail,
        "Restore the key from its backup; `mainstay audit key` prints the public one.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Serialize)]
    struct Note(u32);
    impl Statement for Note {
        const KIND: &'static str = "note";
    }
    #[derive(Clone, Serialize)]
    struct Other(u32);
    impl Statement for Other {
        const KIND: &'static str = "other";
    }

    #[test]
    fn only_the_statement_itself_by_a_trusted_key_passes() {
        let signer = Signer::from_secret(&"07".repeat(32)).unwrap();
        let stranger = Signer::from_secret(&"08".repeat(32)).unwrap();
        let trusted = [PublicKey::parse(&signer.public().shown().public_key).unwrap()];
        let signed = signer.sign(Note(1)).unwrap();
        assert!(signed.is_by(&trusted));
        assert!(!Signed { statement: Note(2), ..signed.clone() }.is_by(&trusted));
        assert!(!stranger.sign(Note(1)).unwrap().is_by(&trusted));
        assert!(!Signed { key: signed.key.clone(), ..stranger.sign(Note(1)).unwrap() }.is_by(&trusted));
        assert!(!Signed { statement: Other(1), key: signed.key, signature: signed.signature }.is_by(&trusted));
    }

    #[test]
    fn a_secret_that_is_none_is_refused_and_none_is_shown() {
        for bad in ["", "07", &"0G".repeat(32), &"07".repeat(33)] {
            assert_eq!(Signer::from_secret(bad).unwrap_err().code(), Code::AuditKeyInvalid);
        }
        let signer = Signer::from_secret(&"07".repeat(32)).unwrap();
        assert!(!format!("{signer:?}").contains("0707"));
    }
}
