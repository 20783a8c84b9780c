//! Commands as whole processes, from `exec` to exit, beside what one would use without Mainstay.

use crate::figure::{Figure, Target, note};
use crate::{rounds, stage};
use anyhow::{Context, Result, ensure};
use mainstay_testkit::fixtures::RedisServer;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const ROUNDS: usize = 60;
const PREFIX: &str = "mainstay:";
/// A client as short as they come: one module, one connection, one call.
const PYTHON_CLIENT: &str = "
import redis, sys
port, sha1, key = sys.argv[1:4]
redis.Redis(port=int(port)).evalsha(sha1, 1, key, *sys.argv[4:])
";

/// Measures.
pub async fn measure() -> Result<Vec<Figure>> {
    let server = RedisServer::start().await?;
    tokio::task::spawn_blocking(move || blocking(&server)).await?
}

fn blocking(server: &RedisServer) -> Result<Vec<Figure>> {
    let folder = stage::folder()?;
    let binary = stage::target().join("mainstay");
    ensure!(binary.exists(), "{} is missing: build it with cargo build --release", binary.display());
    let port = server.port().to_string();
    let sha1 = load_script(&port)?;
    let sqlite = format!("sqlite:{}", folder.path().join("mainstay.db").display());
    let mainstay = |store: &str, words: &[&str]| {
        let mut command = clean(&binary, folder.path(), store);
        command.args(words);
        command
    };
    let send = ["mail", "send", "backend", "API is ready", "--body", "See the branch.", "--as", "frontend"];
    let publish = ["GENERAL", "API is ready", "See the branch.", "--to", "backend"];
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../compat/publish-message.sh");
    let compat = [&["compat", "publish", "publish-message.sh"], &publish[..]].concat();
    let python = python_client();

    let mut contenders = vec![
        Contender::new("mainstay --version: the floor", || Ok(mainstay(&sqlite, &["--version"]))),
        Contender::new("mainstay mail send, sqlite", || Ok(mainstay(&sqlite, &send))).target(15.0),
        Contender::new("mainstay mail send, redis", || Ok(mainstay(&server.url(), &send))).target(10.0),
        Contender::new("redis-cli EVALSHA", || {
            let mut command = Command::new("redis-cli");
            command.args(["-p", &port, "EVALSHA", &sha1, "1"]).args(call()?);
            Ok(command)
        }),
        Contender::new("mainstay compat publish, sqlite", || Ok(mainstay(&sqlite, &compat))),
        Contender::new("publish-message.sh, sqlite", || {
            let mut command = clean(&script, folder.path(), &sqlite);
            command.env("MAINSTAY_BIN", &binary).args(publish);
            Ok(command)
        }),
    ];
    match &python {
        Ok(python) => {
            let (port, sha1) = (&port, &sha1);
            contenders.push(Contender::new("redis-py evalsha", move || {
                let mut command = Command::new(python);
                command.args(["-c", PYTHON_CLIENT, port, sha1]).args(call()?);
                Ok(command)
            }));
        }
        Err(error) => note(&format!("the Python client is left out: {error:#}")),
    }
    for round in 0..=ROUNDS {
        for contender in &mut contenders {
            contender.turn(round > 0)?;
        }
    }
    Ok(figures(&contenders))
}

fn figures(contenders: &[Contender<'_>]) -> Vec<Figure> {
    let mut figures: Vec<Figure> = contenders.iter().map(Contender::figure).collect();
    let time = |name: &str| figures.iter().find(|figure| figure.name.starts_with(name)).map(|figure| figure.value);
    let compared = [("script minus binary", time("publish-message.sh"), time("mainstay compat"), 15.0)];
    let more = compared
        .into_iter()
        .filter_map(|(name, of, to, most)| Some(Figure::plain(name, of? - to?, "ms").target(Target::AtMost(most))));
    let more: Vec<Figure> = more.collect();
    let beside = |of: &str, to: &str| Some(Figure::plain(format!("{of} to {to}"), time(of)? / time(to)?, "x"));
    let ratios = ["redis-cli EVALSHA", "redis-py evalsha"].map(|to| beside("mainstay mail send, redis", to));
    figures.extend(more);
    figures.extend(ratios.into_iter().flatten());
    figures
}

/// One command, started anew in each round.
struct Contender<'a> {
    name: &'static str,
    command: Box<dyn Fn() -> Result<Command> + 'a>,
    most_ms: Option<f64>,
    took: Vec<f64>,
}

impl<'a> Contender<'a> {
    fn new(name: &'static str, command: impl Fn() -> Result<Command> + 'a) -> Self {
        Self { name, command: Box::new(command), most_ms: None, took: Vec::with_capacity(ROUNDS) }
    }

    fn target(self, most_ms: f64) -> Self {
        Self { most_ms: Some(most_ms), ..self }
    }

    fn turn(&mut self, counts: bool) -> Result<()> {
        let mut command = (self.command)()?;
        let began = Instant::now();
        stage::run(&mut command).context(self.name)?;
        if counts {
            self.took.push(rounds::millis(began.elapsed()));
        }
        Ok(())
    }

    fn figure(&self) -> Figure {
        let figure = Figure::plain(format!("{}, p50", self.name), rounds::median(&self.took), "ms");
        match self.most_ms {
            Some(most) => figure.target(Target::AtMost(most)),
            None => figure,
        }
    }
}

/// A command with nothing of the machine's settings.
fn clean(program: &Path, folder: &Path, store: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folder).env("USER", "somebody").env("MAINSTAY_DATA_DIR", folder.join("data"));
    command.env("MAINSTAY_STORE", store).env("MAINSTAY_INSTANCE", "frontend");
    command
}

fn load_script(port: &str) -> Result<String> {
    let load = ["-p", port, "SCRIPT", "LOAD", &mainstay_redis::bench::append_script()];
    Ok(stage::run(Command::new("redis-cli").args(load))?.trim().to_owned())
}

/// The key and the arguments of one call of the script, with a fresh id.
fn call() -> Result<Vec<String>> {
    let (key, args) = mainstay_redis::bench::append_call(&stage::append("bare", "backend")?, PREFIX)?;
    let args = args.into_iter().map(String::from_utf8).collect::<Result<Vec<_>, _>>()?;
    Ok(std::iter::once(key).chain(args).collect())
}

/// A Python with redis-py, in an environment below `target`, so that a clean removes it.
fn python_client() -> Result<PathBuf> {
    let folder = stage::target().join("bench/python");
    let python = folder.join("bin/python");
    if !python.exists() {
        stage::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    if stage::run(Command::new(&python).args(["-c", "import redis.client"])).is_err() {
        stage::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "redis"]))?;
    }
    Ok(python)
}
