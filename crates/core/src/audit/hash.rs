//! SHA-256, as the chain uses it.

use crate::error::{Error, Result};
use crate::text::{from_hex, hex};
use sha2::{Digest, Sha256};

/// A SHA-256, written as 64 small hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What stands in the place of the hash before the first entry.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads a hash.
    ///
    /// # Errors
    /// `request.invalid` where the text is not 64 small hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = from_hex(text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(|| Error::invalid(format!("{text:?} is not a hash: 64 small hexadecimal digits")))
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_api::audit::GENESIS;

    #[test]
    fn a_hash_has_one_text() {
        let hash = Hash::of(b"abc");
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Hash::parse(&hash.to_string()).unwrap(), hash);
        assert_eq!(Hash::GENESIS.to_string(), GENESIS);
        for bad in ["", "ab", &hash.to_string().to_uppercase(), &format!("{hash}0"), &"g".repeat(64)] {
            assert!(Hash::parse(bad).is_err(), "{bad}");
        }
    }
}
