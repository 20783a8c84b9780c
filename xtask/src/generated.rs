//! Files that are generated from the code and checked in.

use crate::command::{cargo, output, root, say};
use anyhow::{Context, Result, bail};

/// Each generated file, and the arguments with which the binary prints it.
const FILES: [(&str, &[&str]); 6] = [
    ("docs/reference/openapi.json", &["reference", "openapi"]),
    ("docs/reference/live.schema.json", &["reference", "live"]),
    ("docs/reference/settings.md", &["reference", "settings"]),
    ("docs/reference/cli.md", &["reference", "cli"]),
    ("docs/reference/errors.md", &["reference", "errors"]),
    (".env.example", &["reference", "env"]),
];

fn printed(args: &[&str]) -> Result<String> {
    let mut all = vec!["run", "--quiet", "--package", "mainstay", "--"];
    all.extend(args);
    output(&mut cargo(&all))
}

/// Writes every generated file.
pub fn write() -> Result<()> {
    for (file, args) in FILES {
        let path = root().join(file);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, printed(args)?).with_context(|| format!("{file} cannot be written"))?;
        say(&format!("wrote {file}"));
    }
    Ok(())
}

/// Fails where a generated file differs from what the code prints.
pub fn check() -> Result<()> {
    let mut stale = Vec::new();
    for (file, args) in FILES {
        if std::fs::read_to_string(root().join(file)).unwrap_or_default() != printed(args)? {
            stale.push(file);
        }
    }
    if !stale.is_empty() {
        bail!("stale: {}; run `cargo xtask gen` and commit what it writes", stale.join(", "));
    }
    Ok(())
}
