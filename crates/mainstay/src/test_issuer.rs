//! An issuer for tests and first steps: a folder with a key that signs, its public half, and the settings that trust
//! it. Whoever can read the folder can be anybody, so nobody trusts it where it matters.

use crate::failure::{Failure, Result};
use crate::owner_key::create_private_dir;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mainstay_api::{Code, SubjectId, TenantId, Timestamp};
use mainstay_core::Role;
use mainstay_core::text::hex;
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

const STATE_FILE: &str = "issuer.json";
const KEYS_FILE: &str = "jwks.json";
const SETTINGS_FILE: &str = "mainstay.toml";
/// Most keys that stay published: the one that signs, and those before it.
const MAX_KEYS: usize = 5;
/// Attempts to draw a number that is a key; one in 2^32 is none.
const MAX_DRAWS: usize = 8;
/// Longest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1_024 * 1_024;

/// What the issuer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of its tokens, where a token is not given another.
    pub audience: String,
    /// The id of the key that signs.
    pub key: String,
}

/// What a token is to say.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The user.
    pub user: SubjectId,
    /// Their tenant.
    pub tenant: TenantId,
    /// Their role.
    pub role: Role,
    /// The instance that they speak for.
    pub instance: Option<String>,
    /// Another audience than the usual one.
    pub audience: Option<String>,
    /// How long it holds, in milliseconds.
    pub ttl_ms: i64,
}

/// An issuer in a folder.
pub struct TestIssuer {
    dir: PathBuf,
    identity: Identity,
}

impl TestIssuer {
    /// Makes an issuer in a folder that holds none.
    ///
    /// # Errors
    /// There is one, or the folder cannot be written.
    pub fn create(dir: &Path, issuer: String, audience: String) -> Result<Self> {
        if dir.join(STATE_FILE).exists() {
            let detail = format!("{} holds an issuer already", dir.display());
            let help = "Choose another folder, or give the issuer a new key with `mainstay issuer rotate`.";
            return Err(Failure::new(Code::InvalidRequest, detail, help));
        }
        create_private_dir(dir)?;
        let mut made = Self { dir: dir.into(), identity: Identity { issuer, audience, key: String::new() } };
        write(&made.settings_path(), &made.settings())?;
        made.add_key(Vec::new())?;
        Ok(made)
    }

    /// The issuer of a folder.
    ///
    /// # Errors
    /// There is none.
    pub fn open(dir: &Path) -> Result<Self> {
        let text = read(&dir.join(STATE_FILE)).map_err(|failure| {
            let help = "Make an issuer there with `mainstay issuer init <folder>`.";
            Failure::new(Code::InvalidRequest, failure.reason(), help)
        })?;
        let identity = serde_json::from_str(&text).map_err(|cause| damaged(&dir.join(STATE_FILE), &cause))?;
        Ok(Self { dir: dir.into(), identity })
    }

    /// What the issuer is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where the settings that trust the issuer are.
    #[must_use]
    pub fn settings_path(&self) -> PathBuf {
        self.dir.join(SETTINGS_FILE)
    }

    /// The settings that trust the issuer.
    #[must_use]
    pub fn settings(&self) -> String {
        let text = |text: &str| toml::Value::from(text).to_string();
        format!(
            "# A test issuer. Whoever can read this folder can be anybody: never trust it where it matters.\n\
             [[issuers]]\n\
             name = \"test\"\n\
             issuer = {issuer}\n\
             jwks_file = \"{KEYS_FILE}\"\n\
             audience = {audience}\n\
             algorithms = [\"ES256\"]\n\
             tenants = [\"*\"]\n\
             instance_claim = \"instance\"\n\
             roles_claim = \"roles\"\n\
             \n\
             [issuers.roles]\n\
             owner = \"owner\"\n\
             admin = \"admin\"\n\
             member = \"member\"\n\
             viewer = \"viewer\"\n",
            issuer = text(&self.identity.issuer),
            audience = text(&self.identity.audience),
        )
    }

    /// Makes a new key and signs with it from now on. Those before it stay published, or are withdrawn at once.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn rotate(&mut self, withdraw: bool) -> Result {
        let published = if withdraw { Vec::new() } else { self.published()? };
        self.add_key(published)
    }

    /// A token.
    ///
    /// # Errors
    /// The key cannot be read.
    pub fn token(&self, request: &TokenRequest, now: Timestamp) -> Result<String> {
        let path = self.key_path(&self.identity.key);
        let key = EncodingKey::from_ec_pem(read(&path)?.as_bytes()).map_err(|cause| damaged(&path, &cause))?;
        let issued_s = now.as_millis().div_euclid(1_000);
        let mut claims = json!({
            "iss": self.identity.issuer,
            "aud": request.audience.as_ref().unwrap_or(&self.identity.audience),
            "sub": request.user,
            "tid": request.tenant,
            "roles": [request.role.as_str()],
            "iat": issued_s,
            "exp": issued_s.saturating_add(request.ttl_ms.div_euclid(1_000)),
            "jti": random_hex::<16>()?,
        });
        if let Some(instance) = &request.instance {
            claims["instance"] = instance.as_str().into();
        }
        let header = Header { kid: Some(self.identity.key.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, &key).map_err(|cause| damaged(&path, &cause))
    }

    /// The keys that are published, the newest first.
    fn published(&self) -> Result<Vec<Value>> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let path = self.dir.join(KEYS_FILE);
        let set: Set = serde_json::from_str(&read(&path)?).map_err(|cause| damaged(&path, &cause))?;
        Ok(set.keys)
    }

    /// The order matters: a key is published before anything is signed with it.
    fn add_key(&mut self, mut published: Vec<Value>) -> Result {
        let kid = format!("test-{}", random_hex::<4>()?);
        let secret = draw_key()?;
        let broken = |cause: &dyn std::fmt::Display| {
            Failure::io("the key cannot be made", &std::io::Error::other(cause.to_string()))
        };
        let pem = secret.to_pkcs8_pem(LineEnding::LF).map_err(|cause| broken(&cause))?;
        let encoding = EncodingKey::from_ec_pem(pem.as_bytes()).map_err(|cause| broken(&cause))?;
        let mut jwk = Jwk::from_encoding_key(&encoding, Algorithm::ES256).map_err(|cause| broken(&cause))?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Signature);
        published.insert(0, json!(jwk));
        published.truncate(MAX_KEYS);
        write(&self.key_path(&kid), &pem)?;
        write(&self.dir.join(KEYS_FILE), &format!("{:#}\n", json!({ "keys": published })))?;
        self.identity.key = kid;
        write(&self.dir.join(STATE_FILE), &format!("{:#}\n", json!(self.identity)))
    }

    fn key_path(&self, kid: &str) -> PathBuf {
        self.dir.join(format!("{kid}.pem"))
    }
}

fn draw_key() -> Result<p256::SecretKey> {
    for _ in 0..MAX_DRAWS {
        let mut random = [0_u8; 32];
        fill(&mut random)?;
        if let Ok(key) = p256::SecretKey::from_slice(&random) {
            return Ok(key);
        }
    }
    Err(Failure::io("the key cannot be made", &std::io::Error::other("the random numbers are none")))
}

fn random_hex<const BYTES: usize>() -> Result<String> {
    let mut random = [0_u8; BYTES];
    fill(&mut random)?;
    Ok(hex(&random))
}

fn fill(random: &mut [u8]) -> Result {
    getrandom::fill(random).map_err(|cause| Failure::io("no random numbers", &std::io::Error::other(cause)))
}

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text));
    read.map_err(|cause| Failure::io(format!("{} cannot be read", path.display()), &cause))?;
    Ok(text)
}

/// Puts a file in its place whole, for its owner alone: a server may read it at any moment.
fn write(path: &Path, text: &str) -> Result {
    let draft = path.with_extension(format!("draft.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let placed = written.and_then(|()| std::fs::rename(&draft, path));
    placed.map_err(|cause| {
        if cause.kind() != ErrorKind::AlreadyExists {
            let _ = std::fs::remove_file(&draft);
        }
        Failure::io(format!("{} cannot be written", path.display()), &cause)
    })
}

fn damaged(path: &Path, cause: &dyn std::fmt::Display) -> Failure {
    let help = "Make a new issuer in another folder with `mainstay issuer init <folder>`.";
    Failure::new(Code::InvalidRequest, format!("{} is damaged: {cause}", path.display()), help)
}
