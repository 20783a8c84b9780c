//! Credentials in a file that something else replaces: a mounted secret, a helper beside the process.

use super::text::{self, MAX_BYTES};
use super::{CredentialSource, Credentials};
use async_trait::async_trait;
use mainstay_core::{Error, Result, api::Code};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// How often the file is read. Its time of change says nothing where a mounted folder is exchanged as a whole.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A file with the password, or with a JSON object.
#[derive(Debug, Clone)]
pub struct FileSource {
    path: PathBuf,
}

impl FileSource {
    /// The file at a path; it is read when credentials are needed.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl CredentialSource for FileSource {
    async fn fetch(&self) -> Result<Credentials> {
        let name = format!("the file {}", self.path.display());
        let read = async {
            let mut text = String::new();
            tokio::fs::File::open(&self.path).await?.take(MAX_BYTES).read_to_string(&mut text).await?;
            Ok::<_, std::io::Error>(text)
        };
        let text = read.await.map_err(|cause| {
            let help = "Check the path in MAINSTAY_REDIS_CREDENTIALS and the permissions of the file.";
            Error::new(Code::StoreUnavailable, format!("{name} cannot be read: {cause}"), help)
        })?;
        // What counts from when the file was written says nothing to who reads it every second.
        Ok(Credentials { lifetime: None, ..text::parse(&text, &name)? })
    }

    fn look_every(&self) -> Option<Duration> {
        Some(LOOK_EVERY)
    }
}
