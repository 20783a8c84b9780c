//! `cargo xtask check`.

use crate::command::{cargo, output, root, run, say, tools};
use crate::generated;
use anyhow::{Result, bail};
use std::path::Path;

/// What each crate of ours may depend on, of ours: the direction of the layers.
const LAYERS: [(&str, &[&str]); 12] = [
    ("mainstay-api", &[]),
    ("mainstay-core", &["mainstay-api"]),
    ("mainstay-sqlite", &["mainstay-core"]),
    ("mainstay-redis", &["mainstay-core"]),
    ("mainstay-hub", &["mainstay-core"]),
    ("mainstay-gateway", &["mainstay-core"]),
    ("mainstay-signalr", &[]),
    ("mainstay-server", &["mainstay-api", "mainstay-core", "mainstay-gateway", "mainstay-hub", "mainstay-signalr"]),
    ("mainstay-client", &["mainstay-api"]),
    ("mainstay-testkit", &["mainstay-core"]),
    ("xtask", &[]),
    (
        "mainstay",
        &[
            "mainstay-api",
            "mainstay-client",
            "mainstay-core",
            "mainstay-gateway",
            "mainstay-hub",
            "mainstay-redis",
            "mainstay-server",
            "mainstay-sqlite",
        ],
    ),
];

/// Foreign crates that only some of ours may depend on.
const RESERVED: [(&str, &[&str]); 3] = [
    ("redis", &["mainstay-redis", "mainstay-testkit", "mainstay-bench"]),
    ("rusqlite", &["mainstay-sqlite", "mainstay-bench"]),
    ("axum", &["mainstay-server"]),
];

/// The version of cargo-deny that is built where none is installed.
const CARGO_DENY: &str = "0.20.2";
/// A file longer than this is a smell; tests and benchmarks aside.
const MAX_LINES: usize = 500;

/// Runs every check.
pub fn all() -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    layers()?;
    lengths()?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    generated::check()?;
    licences()
}

/// Checks the direction of every dependency between crates of the workspace.
fn layers() -> Result<()> {
    let metadata: serde_json::Value =
        serde_json::from_str(&output(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?)?;
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let allowed = LAYERS.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed);
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let (uses, test_only) = (dependency["name"].as_str().unwrap_or_default(), dependency["kind"] == "dev");
            let ours = uses.starts_with("mainstay");
            if ours && !test_only && allowed.is_some_and(|allowed| !allowed.contains(&uses)) {
                wrong.push(format!("{name} may not depend on {uses}"));
            }
            let reserved = RESERVED.iter().find(|(known, _)| *known == uses);
            if !test_only && reserved.is_some_and(|(_, users)| !users.contains(&name)) {
                wrong.push(format!("{name} may not use {uses}"));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("the layers are broken (see ARCHITECTURE.md):\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

/// Checks that no source file has grown beyond what one can read at a time.
fn lengths() -> Result<()> {
    let mut long = Vec::new();
    let listed =
        output(std::process::Command::new("git").args(["ls-files", "*.rs", "*.lua", "*.sql"]).current_dir(root()))?;
    for file in listed.lines().filter(|file| !file.contains("/tests/") && !file.starts_with("bench/")) {
        let lines = std::fs::read_to_string(Path::new(&root()).join(file)).map_or(0, |text| text.lines().count());
        if lines > MAX_LINES {
            long.push(format!("{file}: {lines} lines"));
        }
    }
    if !long.is_empty() {
        bail!("files of more than {MAX_LINES} lines, split them:\n  {}", long.join("\n  "));
    }
    Ok(())
}

/// Checks licences, sources and bans with cargo-deny: the one that is installed, or one that is installed now below
/// `target`.
fn licences() -> Result<()> {
    if cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success()) {
        return run(&mut cargo(&["deny", "check", "bans", "licenses", "sources"]));
    }
    let folder = tools().join(format!("cargo-deny-{CARGO_DENY}"));
    let program = folder.join("bin/cargo-deny");
    if !program.exists() {
        say("cargo-deny is not installed; building it below target");
        let mut install = cargo(&["install", "cargo-deny", "--locked", "--quiet", "--version", CARGO_DENY, "--root"]);
        run(install.arg(&folder).env_remove("CARGO_TARGET_DIR"))?;
    }
    run(std::process::Command::new(program).args(["check", "bans", "licenses", "sources"]).current_dir(root()))
}
