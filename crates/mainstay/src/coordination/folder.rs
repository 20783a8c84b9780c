//! The legacy folder: `messages/<time>-<sender>-<type>.json`, one message a file, and `pending-acks/` with a copy of
//! each that waits for an acknowledgement.

use super::source::Entry;
use mainstay_api::fnv1a;
use mainstay_api::legacy::LegacyMessage;
use mainstay_api::mail::{ImportMessage, Imported};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Largest file that is read; the longest real one had 5 kB.
const MAX_FILE_BYTES: u64 = 1_024 * 1_024;
/// Most files that are read.
const MAX_FILES: usize = 1_000_000;
/// What the origin of a copy that waits for an acknowledgement begins with.
const PENDING: &str = "pending-acks/";

/// Reads every message of a folder, by file name. A message that stands only in `pending-acks/` is read too, so that
/// nothing is lost; a copy of one that stands in `messages/` is passed over, by its id or, where it is damaged, by its
/// file name.
///
/// # Errors
/// Where the folder is not one of the original.
pub fn read(folder: &Path) -> std::io::Result<Vec<Entry>> {
    let messages = folder.join("messages");
    let folder_of_messages = if messages.is_dir() { messages } else { folder.to_path_buf() };
    let mut entries = read_files(&folder_of_messages, "")?;
    let pending = folder.join("pending-acks");
    if pending.is_dir() {
        let copies = read_files(&pending, PENDING)?;
        let ids: BTreeSet<&str> = entries.iter().filter_map(Entry::id).collect();
        let files: BTreeSet<&str> =
            entries.iter().filter(|entry| entry.message.is_ok()).map(|entry| entry.origin.as_str()).collect();
        let is_copy = |copy: &Entry| match copy.id() {
            Some(id) => ids.contains(id),
            None => files.contains(copy.origin.trim_start_matches(PENDING)),
        };
        let alone: Vec<Entry> = copies.into_iter().filter(|copy| !is_copy(copy)).collect();
        entries.extend(alone);
    }
    Ok(entries)
}

fn read_files(folder: &Path, prefix: &str) -> std::io::Result<Vec<Entry>> {
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        // A name that begins with a dot is an editor's or the mirror's unfinished file.
        if name.ends_with(".json") && !name.starts_with('.') {
            names.push((name, file.path()));
        }
        if names.len() > MAX_FILES {
            return Err(std::io::Error::other(format!("it holds more than {MAX_FILES} files")));
        }
    }
    names.sort();
    let entry =
        |(name, path): (String, PathBuf)| Entry { origin: format!("{prefix}{name}"), message: read_file(&path) };
    Ok(names.into_iter().map(entry).collect())
}

fn read_file(path: &Path) -> Result<ImportMessage, String> {
    let file = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if !file.is_file() {
        // Reading a named pipe would wait for somebody who writes to it.
        return Err("it is not a file".into());
    }
    let bytes = file.len();
    if bytes > MAX_FILE_BYTES {
        return Err(format!("it has {bytes} bytes, at most {MAX_FILE_BYTES} are read"));
    }
    let text = std::fs::read(path).map_err(|e| e.to_string())?;
    let message: LegacyMessage = serde_json::from_slice(&text).map_err(|e| format!("it is not valid JSON: {e}"))?;
    message.into_import()
}

/// Writes messages into a legacy folder.
pub struct FolderWriter {
    folder: PathBuf,
    /// The files of the messages that the folder holds, by id, where it was read as a whole.
    files: Option<BTreeMap<String, String>>,
}

impl FolderWriter {
    /// A writer of a folder, which is created when it is not there.
    ///
    /// # Errors
    /// Where the folder cannot be created.
    pub fn create(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder.join("messages"))?;
        std::fs::create_dir_all(folder.join("pending-acks"))?;
        Ok(Self { folder: folder.to_path_buf(), files: None })
    }

    /// The same for many messages: reads the folder once, not once for each message.
    ///
    /// # Errors
    /// Where the folder cannot be created or read.
    pub fn create_for_many(folder: &Path) -> std::io::Result<Self> {
        let writer = Self::create(folder)?;
        let held = read_files(&folder.join("messages"), "")?;
        let files = held.into_iter().filter_map(|entry| Some((entry.id()?.to_owned(), entry.origin))).collect();
        Ok(Self { files: Some(files), ..writer })
    }

    /// Brings the file of a message to this state: replaced as a whole, never half-written. A file that is in this
    /// state already is left alone, and so is one that is acknowledged where this state is not: an acknowledgement is
    /// not taken back, so this state is the older one.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn put(&self, message: &LegacyMessage) -> std::io::Result<Imported> {
        let name = self.file_of(message)?;
        if !message.acknowledged && self.holds_acknowledged(&name, &message.id) {
            return Ok(Imported::Unchanged);
        }
        let mut text = serde_json::to_string_pretty(message)?;
        text.push('\n');
        let outcome = replace(&self.folder.join("messages").join(&name), message, &text)?;
        let pending = self.folder.join("pending-acks").join(&name);
        if message.requires_ack && !message.acknowledged {
            replace(&pending, message, &text)?;
            return Ok(outcome);
        }
        match std::fs::remove_file(pending) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(outcome),
        }
    }

    fn holds_acknowledged(&self, name: &str, id: &str) -> bool {
        self.held(name).is_some_and(|held| held.acknowledged && held.id == id)
    }

    /// The file that holds the message already, or the name for a new one: that of the original, and the id, because
    /// two messages of one second would collide without it. Names are joined by what may stand in them: where the file
    /// of another message has this name, the new one ends with a digest of the id.
    fn file_of(&self, message: &LegacyMessage) -> std::io::Result<String> {
        let time = message.timestamp.trim_end_matches('Z').replace(':', "-");
        let kind = message.kind.to_lowercase();
        let name = format!("{time}-{}-{kind}-{}.json", safe(&message.from), safe(&message.id));
        // A message imported from this folder keeps the name that it had there.
        if let Some(files) = &self.files {
            return Ok(files.get(&message.id).cloned().unwrap_or_else(|| self.free(name, &message.id)));
        }
        if self.held(&name).is_some_and(|held| held.id == message.id) {
            return Ok(name);
        }
        let plain = format!("{time}-{}-{kind}.json", safe(&message.from));
        let found = [plain]
            .into_iter()
            .chain(self.names_at(&time)?)
            .find(|known| self.held(known).is_some_and(|held| held.id == message.id));
        Ok(found.unwrap_or_else(|| self.free(name, &message.id)))
    }

    /// A name that no other message has: this one, else one with a digest of the id.
    fn free(&self, name: String, id: &str) -> String {
        match self.held(&name) {
            Some(held) if held.id != id => format!("{}~{:016x}.json", name.trim_end_matches(".json"), fnv1a(id)),
            _ => name,
        }
    }

    fn held(&self, name: &str) -> Option<LegacyMessage> {
        held(&self.folder.join("messages").join(name))
    }

    fn names_at(&self, time: &str) -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for file in std::fs::read_dir(self.folder.join("messages"))? {
            let name = file?.file_name().to_string_lossy().into_owned();
            if name.starts_with(time) {
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// The message that a file holds, where it holds one.
fn held(path: &Path) -> Option<LegacyMessage> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// A name as part of a file name: at most 60 characters, and a digest where that would hide a difference.
fn safe(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if plain && text.len() <= 60 && !text.starts_with('.') {
        return text.to_owned();
    }
    let kept: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(40).collect();
    format!("{kept}~{:016x}", fnv1a(text))
}

fn replace(path: &Path, message: &LegacyMessage, text: &str) -> std::io::Result<Imported> {
    let outcome = match held(path) {
        Some(held) if held == *message => return Ok(Imported::Unchanged),
        Some(_) => Imported::Updated,
        None => Imported::Created,
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = folder.join(unfinished_name(&name));
    let written = write(&unfinished, text).and_then(|()| std::fs::rename(&unfinished, path));
    if let Err(error) = written {
        // Its name is never used again, so nobody else would remove it.
        let _ = std::fs::remove_file(&unfinished);
        return Err(error);
    }
    Ok(outcome)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// A name that no other write has, of this process or another: two writers of one message must not share a file.
fn unfinished_name(name: &str) -> String {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    format!(".{name}.{}.{}", std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_api::legacy::LegacyPayload;

    fn message(id: &str) -> LegacyMessage {
        LegacyMessage {
            id: id.into(),
            kind: "GENERAL".into(),
            from: "backend".into(),
            to: "frontend".into(),
            timestamp: "2026-01-22T23:01:25Z".into(),
            requires_ack: true,
            acknowledged: false,
            payload: LegacyPayload { subject: "s".into(), description: "line\nbreak \"quoted\"".into() },
            ack_by: None,
            ack_timestamp: None,
            ack_comment: None,
        }
    }

    #[test]
    fn two_messages_of_one_second_do_not_overwrite_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let writer = FolderWriter::create(folder.path()).unwrap();
        for id in ["msg-1", "msg-2", "a/b", "a\\b", "../../etc/passwd"] {
            writer.put(&message(id)).unwrap();
        }
        let read = read(folder.path()).unwrap();
        assert_eq!(read.len(), 5);
        assert!(read.iter().all(|entry| entry.message.is_ok()));
    }

    #[test]
    fn an_acknowledgement_rewrites_the_file_that_is_there_and_ends_the_pending_copy() {
        let folder = tempfile::tempdir().unwrap();
        let writer = FolderWriter::create(folder.path()).unwrap();
        let original = folder.path().join("messages/2026-01-22T23-01-25-backend-general.json");
        std::fs::write(&original, serde_json::to_string_pretty(&message("msg-1")).unwrap()).unwrap();
        writer.put(&message("msg-1")).unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("pending-acks")).unwrap().count(), 1);

        let acknowledged = LegacyMessage { acknowledged: true, ack_by: Some("frontend".into()), ..message("msg-1") };
        writer.put(&acknowledged).unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("messages")).unwrap().count(), 1);
        assert_eq!(std::fs::read_dir(folder.path().join("pending-acks")).unwrap().count(), 0);
        assert!(std::fs::read_to_string(original).unwrap().contains("\"ack_by\": \"frontend\""));
    }

    #[test]
    fn an_older_state_does_not_take_an_acknowledgement_back() {
        let folder = tempfile::tempdir().unwrap();
        let writer = FolderWriter::create(folder.path()).unwrap();
        let acknowledged = LegacyMessage { acknowledged: true, ack_by: Some("frontend".into()), ..message("msg-1") };
        writer.put(&acknowledged).unwrap();
        assert_eq!(writer.put(&message("msg-1")).unwrap(), Imported::Unchanged);
        let entries = read(folder.path()).unwrap();
        assert_eq!(entries.len(), 1);
        assert!(entries[0].message.as_ref().is_ok_and(|message| message.receipts[0].ack.is_some()));
        assert_eq!(std::fs::read_dir(folder.path().join("pending-acks")).unwrap().count(), 0);
    }

    #[test]
    fn two_messages_whose_names_join_to_one_file_name_keep_a_file_each() {
        let first = LegacyMessage { from: "a".into(), id: "b-general-x".into(), ..message("") };
        let second = LegacyMessage { from: "a-general-b".into(), id: "x".into(), ..message("") };
        for create in [FolderWriter::create, FolderWriter::create_for_many] {
            let folder = tempfile::tempdir().unwrap();
            for _ in 0..2 {
                let writer = create(folder.path()).unwrap();
                writer.put(&first).unwrap();
                writer.put(&second).unwrap();
            }
            let entries = read(folder.path()).unwrap();
            let ids: BTreeSet<&str> = entries.iter().filter_map(Entry::id).collect();
            assert_eq!((entries.len(), ids), (2, BTreeSet::from(["b-general-x", "x"])));
        }
    }

    #[test]
    fn writers_of_one_message_do_not_share_an_unfinished_file() {
        assert_ne!(unfinished_name("a.json"), unfinished_name("a.json"));
    }

    #[test]
    fn damage_is_named_file_by_file_and_hides_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let messages = folder.path().join("messages");
        let pending = folder.path().join("pending-acks");
        std::fs::create_dir_all(&messages).unwrap();
        std::fs::create_dir_all(&pending).unwrap();
        std::fs::write(messages.join("a.json"), serde_json::to_string(&message("msg-1")).unwrap()).unwrap();
        std::fs::write(messages.join("b.json"), "{\"id\": \"x\", \"type\": \"GENERAL\", \"p\": \"raw\nbreak\"}")
            .unwrap();
        std::fs::write(messages.join("c.json"), b"\xff\xfe").unwrap();
        std::fs::write(messages.join("d.json"), "").unwrap();
        std::fs::write(messages.join("e.json"), "{}").unwrap();
        std::fs::write(pending.join("a.json"), serde_json::to_string(&message("msg-1")).unwrap()).unwrap();
        std::fs::write(pending.join("only.json"), serde_json::to_string(&message("msg-9")).unwrap()).unwrap();
        let entries = read(folder.path()).unwrap();
        let good: Vec<&str> = entries.iter().filter_map(Entry::id).collect();
        assert_eq!(good, ["msg-1", "msg-9"]);
        let bad: Vec<&str> =
            entries.iter().filter(|entry| entry.message.is_err()).map(|entry| entry.origin.as_str()).collect();
        assert_eq!(bad, ["b.json", "c.json", "d.json", "e.json"]);
    }
}
