//! The ring of keys: one line a key, the primary one first.

use crate::error::{Error, Result};
use crate::text::hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_api::Code;
use secrecy::{ExposeSecret, SecretBox};
use std::fmt::Write;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Most keys of a ring.
const MAX_KEYS: usize = 64;

/// A key of the ring.
pub struct RingKey {
    /// Its id, which stands in every text sealed with it.
    pub id: String,
    pub(super) secret: SecretBox<[u8; KEY_BYTES]>,
}

impl Clone for RingKey {
    fn clone(&self) -> Self {
        Self { id: self.id.clone(), secret: SecretBox::new(Box::new(*self.secret.expose_secret())) }
    }
}

/// The keys that secrets are sealed with: new ones with the primary key, older ones can be opened with any.
///
/// As text, a line for each key, `<id> <base64url of 32 bytes>`, the primary key first; empty lines and lines that begin
/// with `#` count for nothing.
#[derive(Clone)]
pub struct KeyRing(Vec<RingKey>);

impl KeyRing {
    /// A ring with one new key.
    ///
    /// # Errors
    /// Where the machine gives no random bytes.
    pub fn generate() -> Result<Self> {
        Ok(Self(vec![new_key()?]))
    }

    /// Reads a ring.
    ///
    /// # Errors
    /// `settings.invalid`, naming the line but never what stands in it.
    pub fn parse(text: &str) -> Result<Self> {
        let mut keys: Vec<RingKey> = Vec::new();
        for (number, line) in text.lines().enumerate().map(|(number, line)| (number + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = parse_key(line).ok_or_else(|| invalid(&format!("line {number} is not `<id> <32 bytes>`")))?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(invalid(&format!("line {number} repeats the key {}", key.id)));
            }
            keys.push(key);
        }
        if keys.is_empty() || keys.len() > MAX_KEYS {
            return Err(invalid(&format!("it has {} keys; 1 to {MAX_KEYS} are needed", keys.len())));
        }
        Ok(Self(keys))
    }

    /// The ring as text, with its secrets.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, key| {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "{} {}", key.id, URL_SAFE_NO_PAD.encode(key.secret.expose_secret()));
            text
        })
    }

    /// The key that new secrets are sealed with.
    #[must_use]
    pub fn primary(&self) -> &RingKey {
        &self.0[0]
    }

    /// The ids of the keys, the primary one first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.id.as_str())
    }

    /// The key with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&RingKey> {
        self.0.iter().find(|key| key.id == id)
    }

    /// The same ring with a new primary key before the others.
    ///
    /// # Errors
    /// Where the ring is full, or the machine gives no random bytes.
    pub fn rotated(&self) -> Result<Self> {
        if self.0.len() >= MAX_KEYS {
            return Err(invalid(&format!("it has {MAX_KEYS} keys, as many as it may; retire some first")));
        }
        Ok(Self(std::iter::once(Ok(new_key()?)).chain(self.0.iter().cloned().map(Ok)).collect::<Result<_>>()?))
    }

    /// The same ring without a key.
    ///
    /// # Errors
    /// `request.invalid` where it is the primary key, or none of the ring.
    pub fn without(&self, id: &str) -> Result<Self> {
        if self.primary().id == id {
            return Err(Error::invalid(format!("{id} is the primary key; rotate first, then reseal")));
        }
        if self.find(id).is_none() {
            let valid = self.ids().map(str::to_owned).collect();
            return Err(Error::invalid(format!("the ring has no key {id}")).valid_values(valid));
        }
        Ok(Self(self.0.iter().filter(|key| key.id != id).cloned().collect()))
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

fn new_key() -> Result<RingKey> {
    let mut random = [0; KEY_BYTES + 4];
    getrandom::fill(&mut random).map_err(|e| Error::bug(format!("no random bytes: {e}")))?;
    let (secret, name) = random.split_at(KEY_BYTES);
    let mut key = [0; KEY_BYTES];
    key.copy_from_slice(secret);
    Ok(RingKey { id: format!("k{}", hex(name)), secret: SecretBox::new(Box::new(key)) })
}

fn parse_key(line: &str) -> Option<RingKey> {
    let (id, secret) = line.split_once(char::is_whitespace)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(secret.trim().trim_end_matches('=')).ok()?;
    Some(RingKey { id: id.to_owned(), secret: SecretBox::new(Box::new(bytes.try_into().ok()?)) })
}

fn invalid(rule: &str) -> Error {
    Error::new(
        Code::SettingInvalid,
        format!("the key ring is not valid: {rule}"),
        "Give one line for each key, as `mainstay keyring` writes them.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_ring_is_refused_without_telling_it() {
        let good = KeyRing::generate().unwrap().to_text();
        let twice = format!("{good}{good}");
        for broken in ["", "# only words", "k1 short", "k1", "k 1 AAAA", &twice] {
            let error = KeyRing::parse(broken).unwrap_err();
            assert!(!error.problem.detail.contains("short") && !error.problem.detail.contains("AAAA"), "{error}");
        }
        assert!(KeyRing::parse(&format!("# a comment\n\n{good}")).is_ok());
        assert!(!format!("{:?}", KeyRing::parse(&good).unwrap()).contains(good.split_once(' ').unwrap().1.trim()));
    }
}
