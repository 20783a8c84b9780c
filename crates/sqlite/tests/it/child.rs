//! Processes of their own: this test binary again, in a role.

use crate::letters::{letter, open};
use mainstay_core::Stores;
use mainstay_core::api::Code;
use mainstay_core::mail::Appended;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// The longest that a child may take.
const MAX_LIFE: Duration = Duration::from_secs(60);

/// What a child does.
#[derive(Clone, Copy)]
pub enum Role {
    /// Sends this many messages, one after the other.
    Send(usize),
    /// Sends with 16 in flight until it is killed, and writes each acknowledged id to its log.
    SendForEver,
    /// Sends until the disk is full, and writes each acknowledged id to its log.
    SendUntilFull,
    /// Keeps writes in the journal of an outage, four at a time, until it is killed, and writes each number to its log.
    KeepForEver,
}

/// A child, killed where the test ends before it.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Process {
    pub fn start(database: &Path, name: &str, role: Role) -> Self {
        let program = Command::new(std::env::current_exe().unwrap());
        Self::start_as(program, database, name, role)
    }

    /// Starts a command that ends in running this test binary.
    pub fn start_as(mut program: Command, database: &Path, name: &str, role: Role) -> Self {
        let role = match role {
            Role::Send(count) => count.to_string(),
            Role::SendForEver => "for ever".into(),
            Role::SendUntilFull => "until full".into(),
            Role::KeepForEver => "keep".into(),
        };
        program.args(["child::child_process", "--exact", "--ignored", "--nocapture"]);
        program.env("TEST_DATABASE", database).env("TEST_NAME", name).env("TEST_ROLE", role);
        program.stdout(std::process::Stdio::null());
        Self(program.spawn().unwrap())
    }

    pub fn wait(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < MAX_LIFE, "a child has not ended after {} s", MAX_LIFE.as_secs());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it as a power cut would: nothing of it runs any more.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Where a child writes the ids that were acknowledged.
pub fn log_of(database: &Path, name: &str) -> PathBuf {
    database.with_file_name(format!("{name}.log"))
}

/// The ids that a child's log holds; a line that the child did not finish is left out.
pub fn acknowledged(database: &Path, name: &str) -> Vec<String> {
    let log = std::fs::read_to_string(log_of(database, name)).unwrap_or_default();
    let complete = log.rfind('\n').map_or("", |end| &log[..end]);
    complete.lines().map(str::to_owned).collect()
}

#[test]
#[ignore = "other tests start it as a process of its own"]
fn child_process() {
    let database = PathBuf::from(std::env::var_os("TEST_DATABASE").unwrap());
    let (name, role) = (std::env::var("TEST_NAME").unwrap(), std::env::var("TEST_ROLE").unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        if role == "keep" {
            return crate::outage::keep_for_ever(&database, &name).await;
        }
        let stores = open(&database).await.unwrap();
        match role.as_str() {
            "for ever" => send_for_ever(&stores, &database, &name).await,
            "until full" => send_until_full(&stores, &database, &name).await,
            count => {
                for number in 0..count.parse::<usize>().unwrap() {
                    let id = format!("{name}-{number:06}");
                    let appended = stores.mail.append(letter(&id, &name, "ada")).await.unwrap();
                    assert!(matches!(appended, Appended::Stored { .. }), "{appended:?}");
                }
            }
        }
        stores.probe.close().await;
    });
}

async fn send_for_ever(stores: &Stores, database: &Path, name: &str) {
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let (mail, name) = (stores.mail.clone(), name.to_owned());
            let mut log = OpenOptions::new().create(true).append(true).open(log_of(database, &name)).unwrap();
            tokio::spawn(async move {
                for number in 0.. {
                    let id = format!("{name}-{task}-{number}");
                    mail.append(letter(&id, &name, "ada")).await.unwrap();
                    log.write_all(format!("{id}\n").as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn send_until_full(stores: &Stores, database: &Path, name: &str) {
    // Kept open from the start and short, so that the limit on the size of files does not reach it first.
    let mut log = OpenOptions::new().create(true).append(true).open(log_of(database, name)).unwrap();
    for number in 0..100_000 {
        let id = format!("{name}-{number}");
        let mut append = letter(&id, name, "ada");
        append.document = vec![b'x'; 4_000].into();
        match stores.mail.append(append).await {
            Ok(_) => log.write_all(format!("{id}\n").as_bytes()).unwrap(),
            Err(error) => {
                assert_eq!(error.code(), Code::StoreFull, "{error:?}");
                log.write_all(format!("full {:?}\n", error.problem.applied).as_bytes()).unwrap();
                return;
            }
        }
    }
    panic!("the disk is never full");
}
