//! Passwords: how they are hashed, and which are taken.

use crate::error::{Error, Result};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use mainstay_api::identity::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// Memory of one hash, in KiB; passes; lanes (OWASP Password Storage Cheat Sheet, the first of its choices for Argon2id).
const PARAMS: (u32, u32, u32) = (19_456, 2, 1);
/// Passwords hashed at a time: each takes a core for tens of milliseconds, and everybody may ask for one.
const MAX_AT_ONCE: usize = 2;
/// Hashes that may wait; more are refused.
const MAX_WAITING: usize = 256;

/// The hash that the password of a user who does not exist is compared with, so that it takes as long.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash_now("a password that nobody has").unwrap_or_else(|_| String::new()));

/// Hashes passwords, a few at a time.
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(MAX_AT_ONCE)), waiting: Arc::new(Semaphore::new(MAX_WAITING)) }
    }
}

impl Passwords {
    /// Hashes a password.
    pub async fn hash(&self, password: SecretString) -> Result<String> {
        self.run(move || hash_now(password.expose_secret())).await
    }

    /// Whether a password is the one that was hashed; takes as long where there is no hash.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool> {
        self.run(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            let parsed =
                PasswordHash::new(&hash).map_err(|e| Error::inconsistent(format!("a hash of a password: {e}")))?;
            let fits = Argon2::default().verify_password(password.expose_secret().as_bytes(), &parsed).is_ok();
            Ok(fits && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let _place = self.waiting.try_acquire().map_err(|_| overloaded())?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| overloaded())?;
        let hashed = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        hashed.await.unwrap_or_else(|error| Err(Error::bug(format!("a password was not hashed: {error}"))))
    }
}

/// Refuses a password that is too short, too long, or says nothing but the name of its user.
pub(super) fn check(password: &str, name: &str) -> Result<()> {
    let count = password.chars().count();
    if count < MIN_PASSWORD_CHARS {
        return Err(Error::invalid(format!("password: {count} characters; at least {MIN_PASSWORD_CHARS} are needed")));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(Error::invalid(format!(
            "password: {} bytes; at most {MAX_PASSWORD_BYTES} are taken",
            password.len()
        )));
    }
    let first = password.chars().next();
    if password.chars().all(|character| Some(character) == first) || password.to_lowercase() == name.to_lowercase() {
        return Err(Error::invalid("password: it is too easy to guess"));
    }
    Ok(())
}

/// Whether a hash was made with other parameters than are used now.
pub(super) fn is_outdated(hash: &str) -> bool {
    let (memory, passes, lanes) = PARAMS;
    !hash.starts_with(&format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$"))
}

fn hash_now(password: &str) -> Result<String> {
    let (memory, passes, lanes) = PARAMS;
    let failed = |e: &dyn std::fmt::Display| Error::bug(format!("a password cannot be hashed: {e}"));
    let params = Params::new(memory, passes, lanes, None).map_err(|e| failed(&e))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon.hash_password(password.as_bytes()).map_err(|e| failed(&e))?;
    Ok(hash.to_string())
}

fn overloaded() -> Error {
    let detail = "the server has as many passwords to check as it takes on at a time";
    Error::new(mainstay_api::Code::Overloaded, detail, "Repeat the call in a moment.").retry_after_ms(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_fits_and_nobody_has_none() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(!is_outdated(&hash), "{hash}");
        assert!(is_outdated("$argon2id$v=19$m=4096,t=2,p=1$x$y"));
        assert!(passwords.verify("correct horse battery".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct horse batterz".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("a password that nobody has".into(), None).await.unwrap());
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        for bad in ["short", "aaaaaaaaaaaaaaaa", "Administrator1", &"x y".repeat(200)] {
            assert!(check(bad, "administrator1").is_err(), "{bad}");
        }
        assert!(check("correct horse battery", "ada").is_ok());
    }
}
