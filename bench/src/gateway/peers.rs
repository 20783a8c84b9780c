//! The peers, pinned, each installed below the folder of this build, and started as its documentation says.

use super::load::{self, Crowd, Request};
use super::upstream::MODEL;
use crate::child::{Process, Says};
use crate::cores::SERVER_CORE;
use crate::stage;
use anyhow::{Context, Result};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::Instant;

/// Packages and versions, pinned so that a new release does not change what is measured.
const LITELLM: &str = "litellm[proxy]==1.100.5";
/// Also the version of its HTTP server: with later ones it answers each stream with an error.
const PORTKEY: &str = include_str!("../../peers/portkey/package.json");
const ROUTER: &str = "0.7.0";
/// The key that `LiteLLM` is called with.
const MASTER_KEY: &str = "sk-the-key-of-the-benchmarks";
/// Some load much before they answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A peer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The `LiteLLM` proxy: one worker, and its router on Redis.
    LiteLlm,
    /// The gateway of Portkey, on Node.js.
    Portkey,
    /// A small router in Rust.
    Router,
}

/// A peer that has been started.
pub struct Started {
    /// Its process.
    pub process: Process,
    /// Where it listens.
    pub port: u16,
    /// What a client says to it.
    pub headers: String,
}

impl Peer {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LiteLlm => "LiteLLM",
            Self::Portkey => "Portkey",
            Self::Router => "opensourcellmrouter",
        }
    }

    /// Installs it where it is not, and starts it before a provider.
    pub async fn start(self, upstream_port: u16, redis_port: u16) -> Result<Started> {
        let program = tokio::task::spawn_blocking(move || self.installed()).await??;
        let (folder, port) = (stage::target().join("bench"), free_port()?);
        let log = File::create(folder.join(format!("{}.log", self.name())))?;
        let upstream = format!("http://127.0.0.1:{upstream_port}/v1");
        let begin = |program: &Path, args: &[&str]| {
            Process::start(Some(SERVER_CORE), program, |command| {
                command.args(args).stderr(Stdio::from(log)).current_dir(&folder);
                command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("LITELLM_MODE", "PRODUCTION");
                command.env("LITELLM_LOG", "ERROR").env("BENCH_KEY", "none");
                Says::Nothing
            })
        };
        let port_text = port.to_string();
        let bearer = |key: &str| format!("Authorization: Bearer {key}\r\n");
        let (process, headers) = match self {
            Self::LiteLlm => {
                let settings = folder.join("litellm.yaml");
                std::fs::write(&settings, litellm_settings(&upstream, redis_port))?;
                let settings = settings.to_string_lossy();
                let args = ["--config", &settings, "--host", "127.0.0.1", "--port", &port_text, "--num_workers", "1"];
                (begin(&program, &args)?, bearer(MASTER_KEY))
            }
            Self::Portkey => {
                let server = program.to_string_lossy();
                let process = begin(Path::new("node"), &[&server, "--headless", &format!("--port={port}")])?;
                let headers = format!("x-portkey-provider: openai\r\nx-portkey-custom-host: {upstream}\r\n");
                (process, headers + &bearer("none"))
            }
            Self::Router => {
                let settings = folder.join("opensourcellmrouter.toml");
                std::fs::write(&settings, router_settings(&upstream, port))?;
                (begin(&program, &[&settings.to_string_lossy()])?, bearer("none"))
            }
        };
        Ok(Started { process, port, headers })
    }

    /// The program, or the script, that is run.
    fn installed(self) -> Result<PathBuf> {
        let folder = stage::target().join("bench");
        std::fs::create_dir_all(&folder)?;
        let (folder, version) = match self {
            Self::LiteLlm => (folder.join("litellm"), LITELLM),
            Self::Portkey => (folder.join("portkey"), PORTKEY),
            Self::Router => (folder.join("opensourcellmrouter"), ROUTER),
        };
        let program = folder.join(match self {
            Self::LiteLlm => "bin/litellm",
            Self::Portkey => "node_modules/@portkey-ai/gateway/build/start-server.js",
            Self::Router => "bin/opensourcellmrouter",
        });
        let complete = folder.join("complete");
        if std::fs::read_to_string(&complete).is_ok_and(|installed| installed == version) {
            return Ok(program);
        }
        std::fs::create_dir_all(&folder)?;
        match self {
            Self::LiteLlm => {
                stage::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
                let python = folder.join("bin/python");
                stage::run(Command::new(python).args(["-m", "pip", "install", "--quiet", LITELLM]))?;
            }
            Self::Portkey => {
                std::fs::write(folder.join("package.json"), PORTKEY)?;
                let install = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
                stage::run(Command::new("npm").args(install).current_dir(&folder))?;
            }
            Self::Router => {
                let install = ["install", "opensourcellmrouter", "--locked", "--version", ROUTER, "--root"];
                // What it is built of is of no use afterwards.
                let building = tempfile::Builder::new().prefix("build-").tempdir_in(&folder)?;
                let mut command = Command::new("cargo");
                stage::run(command.args(install).arg(&folder).env("CARGO_TARGET_DIR", building.path()))?;
            }
        }
        std::fs::write(complete, version)?;
        Ok(program)
    }
}

/// Asks until there is an answer: a peer says nothing that can be relied on when it is ready.
pub async fn await_answer(request: &Request) -> Result<()> {
    let once = Crowd { connections: 1, span: Duration::from_millis(1), pause: None };
    let began = Instant::now();
    loop {
        match load::ask(request, once).await {
            Ok(_) => return Ok(()),
            Err(error) if began.elapsed() > PATIENCE => return Err(error).context("it does not serve"),
            Err(_) => tokio::time::sleep(Duration::from_millis(250)).await,
        }
    }
}

/// Two deployments of one model, and a router that shares what it knows in Redis.
fn litellm_settings(upstream: &str, redis_port: u16) -> String {
    let deployment = format!(
        "  - model_name: {MODEL}\n    litellm_params: {{model: openai/{MODEL}, api_base: \"{upstream}\", api_key: none}}\n"
    );
    format!(
        "model_list:\n{deployment}{deployment}\
         router_settings: {{redis_host: 127.0.0.1, redis_port: {redis_port}}}\n\
         litellm_settings: {{telemetry: false}}\n\
         general_settings: {{master_key: {MASTER_KEY}}}\n"
    )
}

/// Two providers, of which any is taken, without a log and without a dashboard.
fn router_settings(upstream: &str, port: u16) -> String {
    let provider = |name| {
        format!(
            "[[providers]]\nname = \"{name}\"\nformat = \"openai\"\nbase_url = \"{upstream}\"\napi_key_env = \"BENCH_KEY\"\n"
        )
    };
    format!(
        "[server]\nhost = \"127.0.0.1\"\nport = {port}\n{}{}[[routers]]\ntype = \"random\"\n",
        provider("one"),
        provider("two")
    )
}

/// A port that nobody listened on a moment ago.
fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
