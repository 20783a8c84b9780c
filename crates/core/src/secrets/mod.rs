//! Secrets at rest: sealed with a key of a ring, so that a copy of the store tells none of them.
//!
//! A sealed text is `mss1.<key id>.<base64url of nonce and ciphertext>`. XChaCha20-Poly1305: its nonces are long enough
//! to be drawn at random (draft-irtf-cfrg-xchacha). What a secret is for and whose it is goes into the seal, so that it
//! cannot be opened in another place.

pub mod members;
mod resealing;
mod ring;

pub(crate) use resealing::reseal_all;
pub use ring::{KeyRing, RingKey};

use crate::error::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use mainstay_api::Code;
use secrecy::{ExposeSecret, SecretBox};

/// What a sealed text begins with.
const VERSION: &str = "mss1";
/// Bytes of a nonce of XChaCha20.
const NONCE_BYTES: usize = 24;

/// What a secret is for, and whose it is. Two places never have the same.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// What it is for, such as `totp`.
    pub purpose: &'a str,
    /// Whose it is, such as the id of a user.
    pub owner: &'a str,
}

impl Place<'_> {
    fn associated(self) -> Vec<u8> {
        // The length keeps the parts apart.
        format!("{VERSION}\0{}\0{}\0{}", self.purpose.len(), self.purpose, self.owner).into_bytes()
    }
}

impl KeyRing {
    /// Seals a secret with the primary key.
    ///
    /// # Errors
    /// Where the machine gives no random bytes.
    pub fn seal(&self, place: Place<'_>, secret: &[u8]) -> Result<String> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|e| Error::bug(format!("no random bytes: {e}")))?;
        let key = self.primary();
        let payload = Payload { msg: secret, aad: &place.associated() };
        let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::bug("a secret cannot be sealed"))?;
        Ok(format!("{VERSION}.{}.{}", key.id, URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())))
    }

    /// Opens a secret that was sealed in this place.
    ///
    /// # Errors
    /// `secrets.key_missing` where the ring lacks its key; `secrets.unreadable` where it was changed, or belongs
    /// elsewhere.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<SecretBox<Vec<u8>>> {
        let (id, body) = parts(sealed).ok_or_else(|| unreadable("it has another form"))?;
        let key = self.find(id).ok_or_else(|| missing(&[id.to_owned()]))?;
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| unreadable("it is not base64"))?;
        let (nonce, ciphertext) = body.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| unreadable("it is short"))?;
        let payload = Payload { msg: ciphertext, aad: &place.associated() };
        let opened = cipher(key).decrypt(&XNonce::from(*nonce), payload);
        opened.map(|secret| SecretBox::new(Box::new(secret))).map_err(|_| unreadable("its seal does not fit"))
    }
}

/// The id of the key that a text is sealed with.
#[must_use]
pub fn key_id(sealed: &str) -> Option<&str> {
    parts(sealed).map(|(id, _)| id)
}

fn parts(sealed: &str) -> Option<(&str, &str)> {
    sealed.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')
}

fn cipher(key: &RingKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.secret.expose_secret().into())
}

/// Checks that every key that is used is in the ring.
///
/// # Errors
/// `secrets.key_missing`, naming the keys that are not.
pub(crate) fn check(ring: Option<&KeyRing>, mut used: Vec<String>) -> Result<()> {
    used.retain(|id| ring.is_none_or(|ring| ring.find(id).is_none()));
    if used.is_empty() { Ok(()) } else { Err(missing(&used)) }
}

/// The ring, where something cannot be done without one; `detail` says what.
///
/// # Errors
/// `secrets.key_missing` where there is none.
pub(crate) fn needed<'a>(ring: Option<&'a KeyRing>, detail: &str) -> Result<&'a KeyRing> {
    let help = "Set MAINSTAY_KEYRING, or let the server write its data folder.";
    ring.ok_or_else(|| Error::new(Code::SecretsKeyMissing, detail, help))
}

/// The refusal where keys are not in the ring that something is sealed with.
fn missing(ids: &[String]) -> Error {
    Error::new(
        Code::SecretsKeyMissing,
        format!("the key ring lacks the keys {} that secrets in the store are sealed with", ids.join(", ")),
        "Put them back: `MAINSTAY_KEYRING`, or the file `keyring` in the data folder of a node that has them.",
    )
}

fn unreadable(internal: &str) -> Error {
    Error::new(
        Code::SecretsUnreadable,
        "a sealed secret in the store cannot be opened",
        "Somebody changed the store, or moved a record. Reset what the secret was for, such as the second factor.",
    )
    .internal(internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: Place<'static> = Place { purpose: "totp", owner: "usr-ada" };

    #[test]
    fn a_secret_opens_in_its_place_alone() {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.seal(ADA, b"seed").unwrap();
        assert!(!sealed.contains("seed"));
        assert_eq!(ring.open(ADA, &sealed).unwrap().expose_secret(), b"seed");
        for place in [Place { owner: "usr-bob", ..ADA }, Place { purpose: "token", ..ADA }] {
            assert_eq!(ring.open(place, &sealed).unwrap_err().code(), Code::SecretsUnreadable, "{place:?}");
        }
        assert_ne!(ring.seal(ADA, b"seed").unwrap(), sealed, "no nonce is used twice");
    }

    #[test]
    fn a_seal_that_was_changed_or_whose_key_is_gone_does_not_open() {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.seal(ADA, b"seed").unwrap();
        let mut changed = sealed.clone().into_bytes();
        let last = changed.len() - 2;
        changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        for broken in ["", "mss1", "mss1.x", "mss2.a.b", &changed] {
            assert!(ring.open(ADA, broken).is_err(), "{broken}");
        }
        let other = KeyRing::generate().unwrap();
        assert_eq!(other.open(ADA, &sealed).unwrap_err().code(), Code::SecretsKeyMissing);
        assert_eq!(key_id(&sealed), Some(ring.primary().id.as_str()));
    }

    #[test]
    fn after_a_rotation_what_was_sealed_before_still_opens() {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.seal(ADA, b"seed").unwrap();
        let rotated = ring.rotated().unwrap();
        assert_ne!(rotated.primary().id, ring.primary().id);
        assert_eq!(rotated.open(ADA, &sealed).unwrap().expose_secret(), b"seed");
        let again = KeyRing::parse(&rotated.to_text()).unwrap();
        assert_eq!(again.open(ADA, &sealed).unwrap().expose_secret(), b"seed");
        assert_eq!(again.primary().id, rotated.primary().id);
        let retired = rotated.without(&ring.primary().id).unwrap();
        assert!(retired.open(ADA, &sealed).is_err());
        assert!(rotated.without(&rotated.primary().id).is_err(), "the primary key cannot go");
    }
}
