//! Credentials of our own: texts that are shown once, of which only a digest is kept.

use super::port::Digest;
use crate::text::sha256_hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_api::KeyId;

/// What the text of an API key begins with.
const KEY: &str = "mk_";
/// What the token of a session begins with.
const SESSION: &str = "ms_";
/// What the token of a challenge begins with.
const CHALLENGE: &str = "mc_";
/// What the id of a key begins with; left out in its text.
const KEY_ID: &str = "key-";

/// The digest of something secret. The secrets are random and long, so that one round of SHA-256 hides them.
pub(super) fn digest(secret: &str) -> Digest {
    sha256_hex(secret.as_bytes())
}

/// The text of an API key: `mk_<id>_<secret>`.
pub(super) fn key_text(id: &KeyId, secret: &[u8; 32]) -> String {
    let id = id.as_str();
    format!("{KEY}{}_{}", id.strip_prefix(KEY_ID).unwrap_or(id), URL_SAFE_NO_PAD.encode(secret))
}

/// The id that the text of a key names.
pub(super) fn key_id(text: &str) -> Option<KeyId> {
    let (id, secret) = text.strip_prefix(KEY)?.split_once('_')?;
    if secret.len() != 43 {
        return None;
    }
    KeyId::parse(format!("{KEY_ID}{id}")).ok()
}

/// The token of a session.
pub(super) fn session_text(secret: &[u8; 32]) -> String {
    format!("{SESSION}{}", URL_SAFE_NO_PAD.encode(secret))
}

/// Whether a text has the form of a session's token.
pub(super) fn is_session(text: &str) -> bool {
    text.len() == SESSION.len() + 43 && text.starts_with(SESSION)
}

/// The token of a challenge.
pub(super) fn challenge_text(secret: &[u8; 32]) -> String {
    format!("{CHALLENGE}{}", URL_SAFE_NO_PAD.encode(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_key_names_its_id_and_other_texts_name_none() {
        let id = KeyId::parse("key-0123456789abcdef").unwrap();
        let text = key_text(&id, &[255; 32]);
        assert_eq!(key_id(&text), Some(id));
        for other in ["", "mk_", "mk_x", "mk_x_short", &session_text(&[0; 32]), &text[1..]] {
            assert_eq!(key_id(other), None, "{other}");
        }
        assert!(is_session(&session_text(&[7; 32])) && !is_session(&text));
    }
}
