//! The real clients that the tests speak through: the official MCP package for Python and the MCP inspector; the SignalR
//! clients for JavaScript, with its binary protocol, and for Python; the clients of makers of models for Python, and that of
//! OpenAI for JavaScript.

use crate::command::{exists, run, say, tools};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The MCP package for Python and its version, pinned so that a new release does not change what is tested.
const PYTHON_MCP: &str = "mcp==2.3.0";
/// A client of the generation before, which knows nothing of the stateless protocol.
const INSPECTOR: &str = "@modelcontextprotocol/inspector@2.12.0";
/// The SignalR client of those who made the protocol, and its binary protocol.
const SIGNALR: [&str; 2] = ["@microsoft/signalr@10.0.11", "@microsoft/signalr-protocol-msgpack@10.0.11"];
/// A SignalR client that others wrote.
const PYTHON_SIGNALR: &str = "pysignalr==1.3.3";

/// The clients of three makers of models.
const PYTHON_MODELS: &[&str] = &["openai==3.57.0", "anthropic==2.14.0", "google-genai==3.6.1"];

/// The client of OpenAI for JavaScript.
const OPENAI: &str = "openai@7.57.0";

/// Where the clients are.
pub struct Clients {
    /// A Python that has the MCP package.
    pub python: PathBuf,
    /// The program of the inspector.
    pub inspector: PathBuf,
    /// The folder that the SignalR client for JavaScript is installed in.
    pub signalr: PathBuf,
    /// A Python that has the SignalR client.
    pub python_signalr: PathBuf,
    /// A Python that has the clients of models.
    pub python_models: PathBuf,
    /// The folder that the client of OpenAI for JavaScript is installed in.
    pub openai: PathBuf,
}

/// Finds the clients below `target`, or installs them there.
pub fn install() -> Result<Clients> {
    Ok(Clients {
        python: python(&[PYTHON_MCP])?,
        inspector: inspector()?,
        signalr: javascript("signalr", &SIGNALR)?,
        python_signalr: python(&[PYTHON_SIGNALR])?,
        python_models: python(PYTHON_MODELS)?,
        openai: javascript("openai-js", &[OPENAI])?,
    })
}

/// A Python of its own with these packages.
fn python(packages: &[&str]) -> Result<PathBuf> {
    let named = packages.join("+");
    let folder = tools().join(named.replace("==", "-"));
    let python = folder.join("bin/python");
    if folder.join("complete").exists() {
        return Ok(python);
    }
    if !exists("python3") {
        bail!("the tests of real clients need python3 with venv: install it (Debian: python3-venv)");
    }
    say(&format!("installing {named} for Python"));
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(&python).args(install).args(packages))?;
    std::fs::write(folder.join("complete"), named)?;
    Ok(python)
}

fn inspector() -> Result<PathBuf> {
    let folder = tools().join("inspector");
    let program = folder.join("node_modules/.bin/mcp-inspector");
    if !program.exists() {
        say("installing the MCP inspector");
        npm(&folder, &[INSPECTOR])?;
    }
    Ok(program)
}

/// A folder with these packages for JavaScript.
fn javascript(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = tools().join(name);
    if !folder.join("complete").exists() {
        say(&format!("installing {} for JavaScript", packages.join(" and ")));
        npm(&folder, packages)?;
        std::fs::write(folder.join("complete"), packages.join(" "))?;
    }
    Ok(folder)
}

fn npm(folder: &Path, packages: &[&str]) -> Result<()> {
    if !exists("npm") {
        bail!("the tests of real clients need Node.js 20 or later with npm: install it");
    }
    std::fs::create_dir_all(folder)?;
    let install = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
    run(Command::new("npm").args(install).arg(folder).args(packages))
}
