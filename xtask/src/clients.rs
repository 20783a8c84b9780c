//! The real clients that the tests speak through: the official MCP package for Python, and the MCP inspector.

use crate::command::{exists, run, say, tools};
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// The MCP package for Python and its version, pinned so that a new release does not change what is tested.
const PYTHON_MCP: &str = "mcp==2.3.0";
/// A client of the generation before, which knows nothing of the stateless protocol.
const INSPECTOR: &str = "@modelcontextprotocol/inspector@2.12.0";

/// Where the clients are.
pub struct Clients {
    /// A Python that has the MCP package.
    pub python: PathBuf,
    /// The program of the inspector.
    pub inspector: PathBuf,
}

/// Finds the clients below `target`, or installs them there.
pub fn install() -> Result<Clients> {
    Ok(Clients { python: python()?, inspector: inspector()? })
}

fn python() -> Result<PathBuf> {
    let folder = tools().join(PYTHON_MCP.replace("==", "-"));
    let python = folder.join("bin/python");
    if folder.join("complete").exists() {
        return Ok(python);
    }
    if !exists("python3") {
        bail!("the tests of real MCP clients need python3 with venv: install it (Debian: python3-venv)");
    }
    say("installing the MCP client for Python");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYTHON_MCP]))?;
    std::fs::write(folder.join("complete"), PYTHON_MCP)?;
    Ok(python)
}

fn inspector() -> Result<PathBuf> {
    let folder = tools().join("inspector");
    let program = folder.join("node_modules/.bin/mcp-inspector");
    if program.exists() {
        return Ok(program);
    }
    if !exists("npm") {
        bail!("the tests of real MCP clients need Node.js 20 or later with npm: install it");
    }
    say("installing the MCP inspector");
    std::fs::create_dir_all(&folder)?;
    run(Command::new("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
        .arg(&folder)
        .arg(INSPECTOR))?;
    Ok(program)
}
