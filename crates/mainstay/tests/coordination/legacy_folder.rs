//! A legacy folder as the years leave it: ordinary messages in all their varieties, and every kind of damage.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A generated folder and what is known of it.
pub struct LegacyFolder {
    pub path: PathBuf,
    /// Every message that has to arrive, by id, with its times in seconds and UTC.
    pub messages: BTreeMap<String, Value>,
    /// Entries that cannot be imported, by where they stand.
    pub damaged: BTreeSet<String>,
    /// Entries that stand twice with the same content.
    pub repeated: usize,
}

const TYPES: [&str; 12] = [
    "GENERAL",
    "READY_FOR_REVIEW",
    "BLOCKING_ISSUE",
    "REVIEW_COMPLETE",
    "META_CHANGE_COMPLETE",
    "REVIEW_FAILED",
    "CONTRACT_CHANGE_PROPOSED",
    "CONTRACT_CHANGE_ACK",
    "CONTRACT_PUBLISHED",
    "READY_FOR_MERGE",
    "BUILD_BROKEN",
    "BUILD_FIXED",
];
const SENDERS: [&str; 7] = ["unknown", "orchestrator", "unknown", "ui", "agent", "backend", "frontend"];
const RECIPIENTS: [&str; 4] = ["frontend", "orchestrator", "backend", "all"];

impl LegacyFolder {
    /// An empty folder.
    pub fn empty(path: PathBuf) -> Self {
        std::fs::create_dir_all(path.join("messages")).unwrap();
        std::fs::create_dir_all(path.join("pending-acks")).unwrap();
        Self { path, messages: BTreeMap::new(), damaged: BTreeSet::new(), repeated: 0 }
    }

    /// A folder with this many sound messages, and all the damage.
    pub fn generate(path: PathBuf, count: usize) -> Self {
        let mut folder = Self::empty(path);
        for number in 0..count {
            folder.add_ordinary(number);
        }
        folder.add_damage();
        folder.add_oddities();
        folder
    }

    /// Entries that a reader finds: each sound message, what stands twice, and the damage.
    pub fn entries(&self) -> usize {
        self.messages.len() + self.repeated + self.damaged.len()
    }

    /// Writes a sound message under a file name.
    pub fn add(&mut self, file: &str, message: &Value) {
        self.write(&format!("messages/{file}"), message.to_string());
        self.messages.insert(message["id"].as_str().unwrap().to_owned(), message.clone());
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path.join(file), text).unwrap();
    }

    fn damage(&mut self, file: &str, text: impl AsRef<[u8]>) {
        self.write(file, text);
        self.damaged.insert(file.trim_start_matches("messages/").to_owned());
    }

    fn add_ordinary(&mut self, number: usize) {
        let (kind, from) = (TYPES[number % TYPES.len()], SENDERS[number % SENDERS.len()]);
        let to = RECIPIENTS[number / 3 % RECIPIENTS.len()];
        let id = match number % 50 {
            7 => format!("msg-rc-{from}-p03f{number:05}"),
            _ => format!("msg-{number:08x}"),
        };
        let time = time_of(number);
        let (requires_ack, acknowledged) = (number % 3 != 0, number % 2 == 0);
        let mut message = message(&id, kind, [from, to], &time);
        message["requires_ack"] = json!(requires_ack);
        message["acknowledged"] = json!(acknowledged);
        message["payload"] = json!({"subject": format!("part {number} of \"all\""), "description": text_of(number)});
        if acknowledged {
            // Of a quarter of them nobody knows by whom.
            message["ack_by"] = json!(if number % 8 == 0 { "unknown" } else { "orchestrator" });
            message["ack_timestamp"] = json!(time_of(number + 61));
            if number % 4 == 0 {
                message["ack_comment"] = json!("fine, \u{2713} go on\nnow");
            }
        }
        self.messages.insert(id, message.clone());

        // As it was written: other forms of the same time, and escapes.
        let stem = time.trim_end_matches('Z');
        match number % 10 {
            3 => message["timestamp"] = json!(format!("{stem}.123456Z")),
            4 => message["timestamp"] = json!(format!("{stem}+00:00")),
            5 => message["timestamp"] = json!(earlier_zone(number)),
            _ => {}
        }
        let mut text = serde_json::to_string_pretty(&message).unwrap();
        if number % 2 == 0 {
            text = text.replace('\u{2713}', "\\u2713");
        }
        // A sender that somebody corrected by hand, in the file and not in its name.
        let sender = if number % 97 == 0 { "somebody" } else { from };
        let name = match number % 89 {
            0 => format!("{}-{from}-review_{number}_by_hand.json", stem.replace(':', "-")),
            _ => format!("{}-{sender}-{}.json", stem.replace(':', "-"), kind.to_lowercase()),
        };
        self.write(&format!("messages/{name}"), &text);
        // Some that wait for an acknowledgement have lost their copy.
        if requires_ack && !acknowledged && number % 7 != 0 {
            self.write(&format!("pending-acks/{name}"), &text);
        }
    }

    /// What cannot be read, or contradicts itself.
    fn add_damage(&mut self) {
        let sound = |id: &str| message(id, "GENERAL", ["backend", "frontend"], "2026-02-20T10:00:00Z");
        self.damage("messages/damage-newline.json", sound("msg-newline").to_string().replace("text", "raw\nnewline"));
        self.damage("messages/damage-empty.json", "");
        self.damage("messages/damage-not-utf8.json", b"{\"id\": \"msg-\xff\xfe\"}");
        self.damage("messages/damage-cut-off.json", &sound("msg-cut").to_string()[..60]);
        self.damage("messages/damage-array.json", "[]");
        self.damage("messages/damage-no-payload.json", sound("msg-payload").to_string().replace("payload", "load"));
        self.damage("messages/damage-time.json", sound("msg-time").to_string().replace("2026-02-20T", "yesterday "));
        self.damage("messages/damage-everyone.json", sound("msg-all").to_string().replace("frontend", "all,frontend"));
        self.damage("messages/damage-huge.json", "");
        let huge = std::fs::File::options().write(true).open(self.path.join("messages/damage-huge.json")).unwrap();
        huge.set_len(3 * 1_024 * 1_024 * 1_024).unwrap();
        std::fs::create_dir(self.path.join("messages/damage-directory.json")).unwrap();
        self.damaged.insert("damage-directory.json".into());
        #[cfg(unix)]
        self.add_damage_of_unix();

        // Two of one id with different content: the first counts.
        self.add("before.json", &sound("msg-twice"));
        self.damage("messages/damage-twice.json", sound("msg-twice").to_string().replace("text", "other text"));
        // The same in pending-acks alone, under two names and from two senders; and a third that is broken.
        let lost = sound("msg-lost");
        self.messages.insert("msg-lost".into(), lost.clone());
        self.write("pending-acks/2026-02-20-backend-general.json", lost.to_string());
        let other = lost.to_string().replace("backend", "unknown");
        self.damage("pending-acks/2026-02-20-unknown-general.json", other);
        self.damage("pending-acks/damage-newline.json", lost.to_string().replace("text", "raw\nnewline"));
    }

    #[cfg(unix)]
    fn add_damage_of_unix(&mut self) {
        let messages = self.path.join("messages");
        std::os::unix::fs::symlink("nowhere", messages.join("damage-link.json")).unwrap();
        self.damaged.insert("damage-link.json".into());
        // Whoever reads it waits for a writer who never comes.
        let made = std::process::Command::new("mkfifo").arg(messages.join("damage-pipe.json")).status().unwrap();
        assert!(made.success());
        self.damaged.insert("damage-pipe.json".into());
        std::os::unix::fs::symlink("before.json", messages.join("link-to-before.json")).unwrap();
        self.repeated += 1;
    }

    /// What is no damage and must not disturb.
    fn add_oddities(&mut self) {
        let time = "2026-02-21T10:00:00Z";
        let broadcast = message("msg-everyone", "STATUS_UPDATE", ["backend", "all"], time);
        let acknowledged = json!({"acknowledged": true, "ack_by": "frontend", "ack_timestamp": time});
        self.add("broadcast.json", &with(&broadcast, &acknowledged));
        let unasked = message("msg-unasked", "GENERAL", ["backend", "frontend"], time);
        self.add("unasked.json", &with(&with(&unasked, &acknowledged), &json!({"requires_ack": false})));
        self.add("hand made.json", &message("an id: {with} * \u{1f680}", "GENERAL", ["backend", "ui"], time));
        // A broken copy of a message that stands in messages/ hides nothing.
        self.write("pending-acks/broadcast.json", "{");
        self.write("messages/notes.txt", "no message");
        self.write("messages/.unfinished.json", "{");
        self.write("status.json", r#"{"backend": {"active": true, "last_update": "2026-01-22T22:25:01Z"}}"#);
        std::fs::create_dir(self.path.join("locks")).unwrap();
        self.write("locks/contract.lock", "backend");
    }
}

/// A message of the original that asks for an acknowledgement; `way` is sender and recipient.
pub fn message(id: &str, kind: &str, way: [&str; 2], time: &str) -> Value {
    json!({
        "id": id, "type": kind, "from": way[0], "to": way[1], "timestamp": time,
        "requires_ack": true, "acknowledged": false,
        "payload": {"subject": "subject", "description": "text"},
    })
}

/// A message with other fields.
pub fn with(message: &Value, fields: &Value) -> Value {
    let mut message = message.clone();
    for (name, value) in fields.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

/// Every message of a folder, read without the product.
pub fn read(folder: &Path) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(folder.join("messages")).unwrap() {
        let message: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        let first = found.insert(message["id"].as_str().unwrap().to_owned(), message);
        assert!(first.is_none(), "two files of one message: {first:?}");
    }
    found
}

fn time_of(number: usize) -> String {
    let (hours, minutes, seconds) = (number / 3_600 % 20, number / 60 % 60, number % 60);
    format!("2026-01-22T{hours:02}:{minutes:02}:{seconds:02}Z")
}

/// The time of [`time_of`], as a clock two hours ahead shows it.
fn earlier_zone(number: usize) -> String {
    let (hours, minutes, seconds) = (number / 3_600 % 20 + 2, number / 60 % 60, number % 60);
    format!("2026-01-22T{hours:02}:{minutes:02}:{seconds:02}+02:00")
}

fn text_of(number: usize) -> String {
    match number % 20 {
        0 => "- a point \u{2713}\n".repeat(320),
        1..=4 => "\u{1f680} done \u{2713}, \"quoted\" \\ and\ttabbed".into(),
        5..=8 => "one line\nand another\n\n```sh\necho $HOME\n```\n".into(),
        9 => String::new(),
        _ => format!("text {number}"),
    }
}
