//! What signs the checkpoints of the audit trail, and the file that keeps them.

use crate::owner_key;
use crate::settings::{Origin, Settings};
use async_trait::async_trait;
use mainstay_api::Code;
use mainstay_core::audit::{Hash, Lines, Notary, PublicKey, Signer};
use mainstay_core::text::hex;
use mainstay_core::{Error, Result, StoreInfo};
use secrecy::{ExposeSecret, SecretString};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the key in the data folder.
const KEY_FILE: &str = "audit.key";
/// Bytes of the secret.
const SECRET_BYTES: usize = 32;
/// Longest key read from a file, in bytes.
const MAX_KEY_BYTES: u64 = 1_024;
/// Bytes of the log that one read takes; the line of a checkpoint on 50,000 chains fits.
const MAX_READ_BYTES: u64 = 16 * 1_024 * 1_024;
/// Digits of the hash of a store's location that its file is named after.
const NAME_DIGITS: usize = 8;

/// Signs with the key of the settings or of the data folder, and keeps checkpoints in a file.
#[derive(Clone)]
pub struct FileNotary {
    given: Option<SecretString>,
    key_path: PathBuf,
    log_path: PathBuf,
}

/// The notary for a store; none for one that forgets everything.
#[must_use]
pub fn of(settings: &Settings, store: &StoreInfo) -> Option<Arc<dyn Notary>> {
    if store.kind == "sqlite" && !store.durable {
        return None;
    }
    Some(Arc::new(FileNotary::of(settings)))
}

impl FileNotary {
    /// The notary that the settings describe.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            given: settings.audit.key.clone(),
            key_path: settings.data_dir.join(KEY_FILE),
            log_path: log_path(settings),
        }
    }

    /// The same with another file.
    #[must_use]
    pub fn with_log(self, log_path: PathBuf) -> Self {
        Self { log_path, ..self }
    }

    fn find_key(&self) -> Result<Option<Signer>> {
        if let Some(given) = &self.given {
            return Signer::from_secret(given.expose_secret()).map(Some);
        }
        let mut text = String::new();
        let file = match File::open(&self.key_path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(bad_key(&self.key_path, &cause.to_string())),
        };
        if others_can_read(&file) {
            return Err(bad_key(&self.key_path, "other users can read it; run chmod 600 on it"));
        }
        file.take(MAX_KEY_BYTES)
            .read_to_string(&mut text)
            .map_err(|cause| bad_key(&self.key_path, &cause.to_string()))?;
        Signer::from_secret(&text).map(Some)
    }

    fn find_or_make_key(&self) -> Result<Signer> {
        if let Some(key) = self.find_key()? {
            return Ok(key);
        }
        let mut secret = [0_u8; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(|cause| bad_key(&self.key_path, &cause.to_string()))?;
        let secret = hex(&secret);
        let folder = self.key_path.parent().unwrap_or(Path::new("."));
        owner_key::create_private_dir(folder).map_err(|failure| bad_key(&self.key_path, failure.reason()))?;
        owner_key::publish(&self.key_path, &secret).map_err(|cause| bad_key(&self.key_path, &cause.to_string()))?;
        // Another process may have been first: what is in the file now is the key.
        self.find_key()?.ok_or_else(|| bad_key(&self.key_path, "it is gone as soon as it was made"))
    }

    fn read_lines(&self, from: u64) -> Result<Lines> {
        let failed = |cause| bad_log(&self.log_path, "read", &cause);
        let mut file = match File::open(&self.log_path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Lines { lines: Vec::new(), next: from }),
            Err(cause) => return Err(failed(cause)),
        };
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        file.take(MAX_READ_BYTES).read_to_end(&mut bytes).map_err(failed)?;
        // What has no end yet is being written, or was when the process that wrote it was killed.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole == 0 && bytes.len() as u64 == MAX_READ_BYTES {
            return Err(failed(std::io::Error::other("it has a line that is longer than any checkpoint")));
        }
        let text = String::from_utf8_lossy(&bytes[..whole]);
        Ok(Lines { lines: text.lines().map(str::to_owned).collect(), next: from + whole as u64 })
    }

    fn append_line(&self, at: u64, line: &str) -> Result<Option<u64>> {
        let failed = |cause| bad_log(&self.log_path, "written", &cause);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.log_path).map_err(failed)?;
        // Let go when the file is closed.
        file.lock().map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length < at {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        if length > at {
            let mut tail = Vec::new();
            Read::by_ref(&mut file).take(MAX_READ_BYTES).read_to_end(&mut tail).map_err(failed)?;
            if tail.contains(&b'\n') {
                return Ok(None);
            }
            tracing::warn!(path = %self.log_path.display(), "a checkpoint that was not written to its end is replaced");
            file.set_len(at).and_then(|()| file.seek(SeekFrom::Start(at)).map(drop)).map_err(failed)?;
        }
        file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        if at == 0 {
            self.sync_folder().map_err(failed)?;
        }
        Ok(Some(at + line.len() as u64 + 1))
    }

    /// A new file is there after a power cut only where its folder was synced, too.
    fn sync_folder(&self) -> std::io::Result<()> {
        let folder = self.log_path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
    }

    /// Runs what waits for the disk beside the runtime.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> Result<T> + Send + 'static) -> Result<T> {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&this)).await;
        done.unwrap_or_else(|error| Err(Error::bug(format!("the log of checkpoints ended early: {error}"))))
    }
}

#[async_trait]
impl Notary for FileNotary {
    async fn signer(&self) -> Result<Signer> {
        self.apart(Self::find_or_make_key).await
    }

    async fn public(&self) -> Result<Option<PublicKey>> {
        self.apart(|this| Ok(this.find_key()?.map(|key| key.public()))).await
    }

    async fn read(&self, from: u64) -> Result<Lines> {
        self.apart(move |this| this.read_lines(from)).await
    }

    async fn append(&self, at: u64, line: &str) -> Result<Option<u64>> {
        let line = line.to_owned();
        self.apart(move |this| this.append_line(at, &line)).await
    }
}

/// The file that was set, else one in the data folder that is the store's own: what vouches for one store would accuse
/// another.
fn log_path(settings: &Settings) -> PathBuf {
    if let Some(path) = &settings.audit.checkpoints {
        return path.clone();
    }
    if settings.store.origin == Origin::Default {
        return settings.data_dir.join("audit-checkpoints.jsonl");
    }
    settings.data_dir.join(format!("audit-checkpoints-{}.jsonl", store_digits(settings)))
}

/// Digits that tell the store of the settings from others, for the names of files that are about it.
#[must_use]
pub fn store_digits(settings: &Settings) -> String {
    let place = match settings.store.text.strip_prefix("sqlite:") {
        Some(path) => std::path::absolute(path).map_or_else(|_| path.into(), |path| path.display().to_string()),
        None => format!("{} {}", crate::wiring::location(&settings.store.text), settings.redis.key_prefix),
    };
    let mut name = Hash::of(place.as_bytes()).to_string();
    name.truncate(NAME_DIGITS);
    name
}

fn others_can_read(file: &File) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        false
    }
}

fn bad_key(path: &Path, cause: &str) -> Error {
    let detail = format!("the key of the audit trail, {}, cannot be used: {cause}", path.display());
    Error::new(Code::AuditKeyInvalid, detail, "Look at the file and its permissions, or set MAINSTAY_AUDIT_KEY.")
}

fn bad_log(path: &Path, what: &str, cause: &std::io::Error) -> Error {
    let detail = format!("the log of checkpoints, {}, cannot be {what}: {cause}", path.display());
    Error::new(Code::AuditCheckpointFailed, detail, "Look at the path in MAINSTAY_AUDIT_CHECKPOINTS and its folder.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notary(folder: &Path) -> FileNotary {
        FileNotary { given: None, key_path: folder.join("deep").join(KEY_FILE), log_path: folder.join("log.jsonl") }
    }

    #[tokio::test]
    async fn a_key_is_made_once_for_its_owner_alone_and_only_when_something_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let notary = notary(folder.path());
        assert_eq!(notary.public().await.unwrap(), None);
        let public = notary.signer().await.unwrap().public();
        assert_eq!(notary.signer().await.unwrap().public(), public);
        assert_eq!(notary.public().await.unwrap(), Some(public));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |mode| std::fs::Permissions::from_mode(mode);
            assert_eq!(std::fs::metadata(&notary.key_path).unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&notary.key_path, mode(0o644)).unwrap();
            assert_eq!(notary.signer().await.unwrap_err().code(), Code::AuditKeyInvalid);
        }
    }

    #[tokio::test]
    async fn a_line_is_added_only_where_the_log_ends() {
        let folder = tempfile::tempdir().unwrap();
        let notary = notary(folder.path());
        assert_eq!(notary.read(0).await.unwrap(), Lines::default());
        assert_eq!(notary.append(0, "one").await.unwrap(), Some(4));
        assert_eq!(notary.append(0, "late").await.unwrap(), None, "another process was first");
        assert_eq!(notary.append(4, "two").await.unwrap(), Some(8));
        assert_eq!(notary.append(9, "beyond").await.unwrap(), None, "the log was cut");
        assert_eq!(notary.read(0).await.unwrap(), Lines { lines: vec!["one".into(), "two".into()], next: 8 });
        assert_eq!(notary.read(4).await.unwrap(), Lines { lines: vec!["two".into()], next: 8 });
        assert_eq!(notary.read(8).await.unwrap(), Lines { lines: Vec::new(), next: 8 });
    }

    #[tokio::test]
    async fn a_line_that_was_cut_by_a_crash_is_not_read_and_makes_room_for_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let notary = notary(folder.path());
        std::fs::write(&notary.log_path, "one\ntw").unwrap();
        assert_eq!(notary.read(0).await.unwrap(), Lines { lines: vec!["one".into()], next: 4 });
        assert_eq!(notary.append(4, "two").await.unwrap(), Some(8));
        assert_eq!(std::fs::read_to_string(&notary.log_path).unwrap(), "one\ntwo\n");
    }

    #[tokio::test]
    async fn a_log_that_cannot_be_written_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let notary = notary(folder.path()).with_log(folder.path().join("none").join("log.jsonl"));
        assert_eq!(notary.append(0, "one").await.unwrap_err().code(), Code::AuditCheckpointFailed);
    }
}
