//! A notary whose log is in memory, and can be tampered with.

use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::audit::{Lines, Notary, PublicKey, Signer};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines that one read returns, few enough for a test to need several reads.
const PAGE: usize = 4;

/// Signs with a key that every test knows, and keeps checkpoints in memory.
#[derive(Debug)]
pub struct MemoryNotary {
    secret: String,
    log: Mutex<Vec<String>>,
}

impl Default for MemoryNotary {
    fn default() -> Self {
        Self::with_secret(&"07".repeat(32))
    }
}

impl MemoryNotary {
    /// One with this key: 64 hexadecimal digits.
    #[must_use]
    pub fn with_secret(secret: &str) -> Self {
        Self { secret: secret.into(), log: Mutex::default() }
    }

    /// The lines of the log, to look at and to tamper with.
    ///
    /// # Panics
    /// Never: what a test left behind is as good as any other log.
    pub fn log(&self) -> MutexGuard<'_, Vec<String>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key's public half.
    ///
    /// # Panics
    /// Where the secret is none.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        Signer::from_secret(&self.secret).expect("the secret of a test").public()
    }
}

#[async_trait]
impl Notary for MemoryNotary {
    async fn signer(&self) -> Result<Signer> {
        Signer::from_secret(&self.secret)
    }

    async fn public(&self) -> Result<Option<PublicKey>> {
        Ok(Some(self.key()))
    }

    async fn read(&self, from: u64) -> Result<Lines> {
        let log = self.log();
        let lines: Vec<String> = log.iter().skip(from as usize).take(PAGE).cloned().collect();
        Ok(Lines { next: from + lines.len() as u64, lines })
    }

    async fn append(&self, at: u64, line: &str) -> Result<Option<u64>> {
        let mut log = self.log();
        if log.len() as u64 != at {
            return Ok(None);
        }
        log.push(line.into());
        Ok(Some(at + 1))
    }
}
