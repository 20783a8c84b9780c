//! The public keys of an issuer (RFC 7517), and which of them fits a token.

use super::compact::Compact;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// Most keys that are read of one set.
const MAX_KEYS: usize = 100;
/// Lengths of the modulus of an RSA key, in bytes: 2,048 to 4,096 bits.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// The keys of an issuer.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

/// A public key and what it may be used for.
#[derive(Debug)]
pub(super) struct Key {
    kid: Option<String>,
    /// The algorithm that its issuer gave it to.
    alg: Option<String>,
    /// The one algorithm of its curve; none for RSA keys, which know several.
    curve: Option<Algorithm>,
    /// The issuer that it signs for, where a set serves several (Entra ID).
    pub issuer: Option<String>,
    pub material: DecodingKey,
}

/// A key as it is written down. Members that are not listed do not matter here.
#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    issuer: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// Why no key of a set fits a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// None has the id that the token names, or none is of its algorithm.
    Unknown,
    /// The token names none, and several could be meant.
    Ambiguous,
}

impl KeySet {
    /// Reads a set. Keys that cannot check a signature (of unknown kinds, for encryption, too short) are passed over:
    /// they are no reason to do without the others.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(text).map_err(|cause| format!("it is no set of keys: {cause}"))?;
        if set.keys.len() > MAX_KEYS {
            return Err(format!("it holds {} keys, at most {MAX_KEYS} are read", set.keys.len()));
        }
        let readable = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Written>(key).ok());
        Ok(Self(readable.filter_map(Key::read).collect()))
    }

    /// The keys that may have signed a token: those it names, or the only one where it names none.
    pub fn fitting(&self, token: &Compact<'_>, alg: Algorithm) -> Result<Vec<&Key>, NoKey> {
        let named = |key: &&Key| token.kid.is_none() || key.kid == token.kid;
        let fitting: Vec<&Key> = self.0.iter().filter(named).filter(|key| key.fits(alg)).collect();
        match fitting.len() {
            0 => Err(NoKey::Unknown),
            1 => Ok(fitting),
            _ if token.kid.is_none() => Err(NoKey::Ambiguous),
            _ => Ok(fitting),
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Key {
    fn read(written: Written) -> Option<Self> {
        let signs = written.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let verifies = written.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !signs || !verifies {
            return None;
        }
        let (material, curve) = match written.kty.as_str() {
            "RSA" => (rsa(written.n.as_deref()?, written.e.as_deref()?)?, None),
            "EC" => {
                let (x, y) = (written.x.as_deref()?, written.y.as_deref()?);
                let (alg, length) = match written.crv.as_deref()? {
                    "P-256" => (Algorithm::ES256, 32),
                    "P-384" => (Algorithm::ES384, 48),
                    _ => return None,
                };
                let whole = decoded(x)?.len() == length && decoded(y)?.len() == length;
                (whole.then(|| DecodingKey::from_ec_components(x, y).ok())??, Some(alg))
            }
            "OKP" if written.crv.as_deref() == Some("Ed25519") => {
                let x = written.x.as_deref()?;
                let whole = decoded(x)?.len() == 32;
                (whole.then(|| DecodingKey::from_ed_components(x).ok())??, Some(Algorithm::EdDSA))
            }
            _ => return None,
        };
        Some(Self { kid: written.kid, alg: written.alg, curve, issuer: written.issuer, material })
    }

    /// Whether the key may have made a signature of the algorithm: by its kind, its curve, and what its issuer gave it
    /// to.
    fn fits(&self, alg: Algorithm) -> bool {
        let kind = match self.curve {
            Some(of_curve) => of_curve == alg,
            None => alg.family() == AlgorithmFamily::Rsa,
        };
        kind && self.alg.as_deref().is_none_or(|given| given.parse() == Ok::<_, jsonwebtoken::errors::Error>(alg))
    }
}

fn rsa(n: &str, e: &str) -> Option<DecodingKey> {
    let modulus = decoded(n)?;
    let significant = modulus.iter().skip_while(|byte| **byte == 0).count();
    RSA_BYTES.contains(&significant).then(|| DecodingKey::from_rsa_components(n, e).ok())?
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}
