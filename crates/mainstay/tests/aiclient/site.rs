//! A sandbox with a store of a chosen kind, and folders of the original.

use crate::common::Sandbox;
pub use crate::common::{Ran, wait_for};
use mainstay_testkit::fixtures::RedisServer;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A sandbox and its store.
pub struct Site {
    pub sandbox: Sandbox,
    pub redis: Option<RedisServer>,
}

impl Ran {
    /// A number of the report.
    pub fn count(&self, name: &str) -> u64 {
        let report = self.json();
        let counted = &report[name];
        counted.as_u64().or_else(|| counted.as_array().map(|list| list.len() as u64)).unwrap()
    }
}

impl Site {
    /// On the embedded store.
    pub fn sqlite() -> Self {
        Self { sandbox: Sandbox::new(), redis: None }
    }

    /// On a real Redis.
    pub fn redis() -> Self {
        Self { sandbox: Sandbox::new(), redis: Some(wait_for(RedisServer::start()).unwrap()) }
    }

    /// One of each kind.
    pub fn each() -> [Self; 2] {
        [Self::sqlite(), Self::redis()]
    }

    /// A path in the sandbox.
    pub fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    /// The sample of the original, as the folder `configs` of the sandbox.
    pub fn sample(&self) -> PathBuf {
        let folder = self.path("configs");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/legacy-configs"), &folder);
        folder
    }

    /// Runs the binary on the store.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let store = match &self.redis {
            Some(redis) => redis.url(),
            None => format!("sqlite:{}", self.path("store.db").display()),
        };
        let mut command = self.sandbox.command("");
        Ran::of(command.args(arguments).env("MAINSTAY_STORE", store).output().unwrap())
    }

    /// Runs an import that prints JSON.
    pub fn import(&self, folder: &str, options: &[&str]) -> Ran {
        self.run(&[&["import", "aiclient", folder, "--json"], options].concat())
    }

    /// Runs an export that must succeed, into a folder of the sandbox.
    pub fn export(&self, folder: &str) -> PathBuf {
        let ran = self.run(&["export", "aiclient", folder, "--json"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        self.path(folder)
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::write(target, std::fs::read(path).unwrap()).unwrap();
        }
    }
}

/// All files of a folder with their texts, by their path within it.
pub fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(at) = waiting.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}
