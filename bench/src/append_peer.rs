//! Appending a question and its answer, beside the session store of an agent SDK on the same Redis.

use crate::append_conversation::Store;
use crate::figure::{Figure, note};
use crate::{rounds, stage};
use anyhow::{Context, Result, bail};
use mainstay_testkit::fixtures::RedisServer;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

const ROUNDS: usize = 7;
/// The short conversation is made anew for each round, on both sides.
const SIZES: [usize; 3] = [10, 1_000, 5_000];
/// Messages of one append: a question and its answer.
const PAIR: usize = 2;
/// A round that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// The package and its version, pinned so that a new release does not change what is measured.
const PACKAGE: &str = "openai-agents[redis]==0.24.0";

/// Measures.
pub async fn measure() -> Result<Vec<Figure>> {
    let server = RedisServer::start().await?;
    let python = match tokio::task::spawn_blocking(python).await? {
        Ok(python) => python,
        Err(error) => {
            note(&format!("the session store of the SDK is left out: {error:#}"));
            return Ok(Vec::new());
        }
    };
    let store = Store::open(&server.url()).await?;
    let mut peer = Peer::start(python, &server.url()).await?;
    let (long, longest) = (store.filled(SIZES[1]).await?, store.filled(SIZES[2]).await?);
    let (mut ours, mut theirs): ([Vec<f64>; 3], [Vec<f64>; 3]) = Default::default();
    for round in 0..=ROUNDS {
        let short = store.filled(SIZES[0]).await?;
        for (index, id) in [&short, &long, &longest].into_iter().enumerate() {
            let (served, sdk) = (store.p50(id, PAIR).await?, peer.p50(SIZES[index]).await?);
            // The first round warms both up.
            if round > 0 {
                ours[index].push(served);
                theirs[index].push(sdk);
            }
        }
    }
    peer.child.kill().await?;
    let figures = SIZES.into_iter().zip(ours.iter().zip(&theirs)).flat_map(|(size, (ours, theirs))| {
        let plain = |what, taken| Figure::plain(format!("{what} at {size}, p50"), rounds::median(taken), "ms");
        [
            plain("append of a pair", ours),
            plain("RedisSession.add_items of a pair", theirs),
            Figure::plain(format!("append to RedisSession at {size}"), rounds::ratio(ours, theirs), "x"),
        ]
    });
    Ok(figures.collect())
}

/// The SDK in a process of its own, which plays a round for each line that it reads.
struct Peer {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    async fn start(python: PathBuf, url: &str) -> Result<Self> {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers/agents_session.py");
        let mut child = tokio::process::Command::new(python)
            .arg(script)
            .arg(url)
            .args(SIZES.map(|size| size.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdin = child.stdin.take().context("the peer has no stdin")?;
        let lines = BufReader::new(child.stdout.take().context("the peer has no stdout")?).lines();
        let mut peer = Self { child, stdin, lines };
        peer.line().await?;
        Ok(peer)
    }

    /// The median of appends one after another to a session of this length, in milliseconds.
    async fn p50(&mut self, size: usize) -> Result<f64> {
        self.stdin.write_all(format!("{size}\n").as_bytes()).await?;
        Ok(self.line().await?.parse()?)
    }

    async fn line(&mut self) -> Result<String> {
        match tokio::time::timeout(PATIENCE, self.lines.next_line()).await {
            Ok(line) => line?.context("the peer has ended"),
            Err(_) => bail!("the peer did not answer within {PATIENCE:?}"),
        }
    }
}

/// A Python with the SDK, in an environment below `target`, so that a clean removes it.
fn python() -> Result<PathBuf> {
    let folder = stage::target().join("bench/agents-sdk");
    let (python, complete) = (folder.join("bin/python"), folder.join("complete"));
    if std::fs::read_to_string(&complete).is_ok_and(|installed| installed == PACKAGE) {
        return Ok(python);
    }
    stage::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    stage::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
    std::fs::write(complete, PACKAGE)?;
    Ok(python)
}
