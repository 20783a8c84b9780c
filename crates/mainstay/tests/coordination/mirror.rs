//! The dual write: every change of mail reaches the mirror, and a mirror that is away harms nothing.

use crate::common::Running;
use crate::legacy_folder;
use crate::site::{self, Ran, Site};
use serde_json::json;
use std::process::Stdio;

/// A store, and where its mirror is.
struct Mirrored {
    site: Site,
    mirror: String,
}

impl Mirrored {
    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.site.command(arguments);
        command.env("MAINSTAY_MIRROR", &self.mirror);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    fn send(&self, id: &str, to: &str) -> Ran {
        let ran = self.run(&["mail", "send", to, "subject", "--id", id, "--as", "backend", "--body", "text"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        ran
    }

    /// Sends and acknowledges in the ways that there are, and has nothing to complain of.
    fn converse(&self) {
        for (id, to) in [("one", "frontend"), ("two", "orchestrator"), ("everyone", "all")] {
            let ran = self.send(id, to);
            assert!(!ran.stderr.contains("mirror"), "{ran:?}");
        }
        for (id, me) in [("one", "frontend"), ("everyone", "ui")] {
            let ran = self.run(&["mail", "ack", id, "--as", me, "--comment", "ok"]);
            assert_eq!(ran.status, 0, "{ran:?}");
            assert!(!ran.stderr.contains("mirror"), "{ran:?}");
        }
        let mut script = self.site.script_command("backend", "publish-message.sh", &["GENERAL", "s", "d"]);
        let ran = Ran::of(script.env("MAINSTAY_MIRROR", &self.mirror).output().unwrap());
        assert_eq!((ran.stderr.as_str(), ran.status), ("", 0));
    }

    fn status(&self) -> i32 {
        self.run(&["mirror", "status"]).status
    }
}

/// Every kind of mirror for every kind of store.
fn each() -> Vec<Mirrored> {
    let folder = |site: Site| Mirrored { mirror: site.path("mirror").to_str().unwrap().to_owned(), site };
    let sqlite = |site: Site| Mirrored { mirror: format!("sqlite:{}", site.path("mirror.db").display()), site };
    vec![folder(Site::sqlite()), folder(Site::redis()), sqlite(Site::sqlite()), sqlite(Site::redis())]
}

#[test]
fn every_send_and_acknowledgement_reaches_the_mirror() {
    let redis = site::redis();
    let mut all = each();
    all.push(Mirrored { site: Site::sqlite(), mirror: redis.url() });
    for mirrored in all {
        mirrored.converse();
        let ran = mirrored.run(&["mirror", "status", "--json"]);
        assert_eq!((&ran.json()["same"], ran.status), (&json!(4), 0), "{ran:?}");
        let ran = mirrored.site.run(&["parity", "store", &mirrored.mirror]);
        assert_eq!(ran.status, 0, "{ran:?}");
        let ran = mirrored.run(&["mirror", "finish", "--json"]);
        let finished = ran.json();
        assert_eq!((&finished["parity"], ran.status), (&json!(true), 0), "{ran:?}");
        let repair = &finished["repair"];
        assert_eq!((&repair["created"], &repair["updated"], &repair["unchanged"]), (&json!(0), &json!(0), &json!(4)));
        assert!(ran.stderr.contains("MAINSTAY_MIRROR"), "{ran:?}");
    }
}

#[test]
fn a_mirrored_folder_is_what_the_original_would_read() {
    let mirrored = each().remove(0);
    mirrored.converse();
    let folder = mirrored.site.path("mirror");
    let read = legacy_folder::read(&folder);
    assert_eq!(read.len(), 4);
    assert_eq!((&read["one"]["ack_by"], &read["one"]["acknowledged"]), (&json!("frontend"), &json!(true)));
    assert_eq!(read["two"]["payload"], json!({"subject": "subject", "description": "text"}));
    // The two that nobody acknowledged, and the broadcast that waits for the others, have their copies.
    let pending = |id: &str| {
        let files = std::fs::read_dir(folder.join("pending-acks")).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).any(|text| text.contains(id))
    };
    assert!(!pending("\"id\": \"one\"") && pending("\"id\": \"two\""));
}

#[test]
fn a_mirror_in_redis_that_is_away_fails_no_send_and_is_repaired() {
    for site in Site::each() {
        let redis = site::redis();
        let mirrored = Mirrored { site, mirror: redis.url() };
        mirrored.send("before", "frontend");
        redis.kill();
        let ran = mirrored.send("away", "frontend");
        assert!(ran.stderr.contains("the mirror was not written"), "{ran:?}");
        let ran = mirrored.run(&["mail", "ack", "before", "--as", "frontend"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(ran.stderr.contains("mainstay mirror repair"), "{ran:?}");
        // What only reads has nothing to do with it.
        let ran = mirrored.run(&["mail", "list", "--all"]);
        assert_eq!((ran.stderr.as_str(), ran.status), ("", 0));
        assert_eq!(mirrored.status(), 3);
        assert_eq!(mirrored.run(&["mirror", "finish"]).status, 3);

        site::wait_for(redis.restart()).unwrap();
        let ran = mirrored.run(&["mirror", "status", "--json"]);
        let missing = &ran.json()["missing_in_destination"];
        assert_eq!((missing, ran.status), (&json!(["away", "before"]), 1), "{ran:?}");
        let ran = mirrored.run(&["mirror", "repair", "--json"]);
        assert_eq!((&ran.json()["created"], ran.status), (&json!(2), 0), "{ran:?}");
        assert_eq!(mirrored.status(), 0);
        assert_eq!(mirrored.run(&["mirror", "finish"]).status, 0);
    }
}

#[test]
fn a_folder_that_cannot_be_written_fails_no_send_and_is_repaired() {
    let mirrored = each().remove(0);
    mirrored.send("before", "frontend");
    let folder = mirrored.site.path("mirror");
    std::fs::rename(&folder, mirrored.site.path("elsewhere")).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let ran = mirrored.send("away", "frontend");
    assert!(ran.stderr.contains("the mirror was not written"), "{ran:?}");
    assert_ne!(mirrored.status(), 0);

    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(mirrored.site.path("elsewhere"), &folder).unwrap();
    assert_eq!(mirrored.status(), 1);
    let ran = mirrored.run(&["mirror", "repair", "--json"]);
    let report = ran.json();
    assert_eq!((&report["created"], &report["unchanged"], ran.status), (&json!(1), &json!(1), 0), "{ran:?}");
    assert_eq!(mirrored.status(), 0);
}

#[test]
fn what_a_repair_cannot_mend_is_no_parity() {
    let redis = site::redis();
    let other = Site::sqlite();
    let mirrored = Mirrored { site: Site::sqlite(), mirror: redis.url() };
    let mut foreign = other.command(&["mail", "send", "ui", "another", "--id", "one", "--as", "agent"]);
    assert!(foreign.env("MAINSTAY_STORE", redis.url()).status().unwrap().success());
    let ran = mirrored.send("one", "frontend");
    assert!(ran.stderr.contains("the mirror was not written"), "{ran:?}");
    assert_eq!(mirrored.run(&["mirror", "repair"]).status, 1);
    let ran = mirrored.run(&["mirror", "finish", "--json"]);
    let finished = ran.json();
    assert_eq!((&finished["parity"], ran.status), (&json!(false), 1), "{ran:?}");
    assert_eq!(finished["different"][0]["id"], json!("one"));
    assert_eq!(finished["repair"]["failed"][0]["origin"], json!("one"));
}

#[test]
fn a_mirror_that_is_no_place_is_refused_before_anything_is_sent() {
    let mirrored = Mirrored { site: Site::sqlite(), mirror: "mysql://somewhere".into() };
    let ran = mirrored.run(&["mail", "send", "frontend", "s", "--as", "backend"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert_eq!(mirrored.site.json(&["mail", "stats"])["total_messages"], json!(0));
    for command in ["status", "repair", "finish"] {
        let ran = mirrored.site.run(&["mirror", command]);
        assert_eq!(ran.status, 2, "no mirror is configured, and {command} says {ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_server_that_stops_compares_its_store_with_the_mirror() {
    use std::io::{BufRead, BufReader, Read};

    for damage in [false, true] {
        let mirrored = each().remove(0);
        let mut command = mirrored.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("NO_COLOR", "1").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = Running::from(command.spawn().unwrap());
        let mut said = BufReader::new(server.child().stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("address") {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it has ended");
        }
        let url = line.trim().trim_start_matches("address").trim().to_owned();
        for id in ["one", "two"] {
            let ran =
                mirrored.site.run(&["mail", "send", "frontend", "s", "--id", id, "--as", "backend", "--url", &url]);
            assert_eq!(ran.status, 0, "{ran:?}");
        }
        let folder = mirrored.site.path("mirror/messages");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
        if damage {
            let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
            std::fs::remove_file(file.path()).unwrap();
            let copy = mirrored.site.path("mirror/pending-acks").join(file.file_name());
            std::fs::remove_file(copy).unwrap();
        }
        server.signal(rustix::process::Signal::TERM);
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        assert_eq!(server.finish().status.code(), Some(0));
        let verdict = rest.lines().find(|line| line.contains("parity")).unwrap_or_else(|| panic!("{rest}"));
        match damage {
            false => assert!(verdict.contains("INFO") && verdict.contains("messages=2"), "{verdict}"),
            true => assert!(verdict.contains("WARN") && verdict.contains("missing=1"), "{verdict}"),
        }
    }
}
