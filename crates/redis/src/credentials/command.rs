//! Credentials that a program prints: the tool of a cloud, the reader of a vault.

use super::text::{self, MAX_BYTES};
use super::{CredentialSource, Credentials};
use async_trait::async_trait;
use mainstay_core::{Error, Result, api::Code};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

/// How often the program is run where it does not say how long its answer is valid.
const LOOK_EVERY: Duration = Duration::from_secs(300);

/// A program that prints the password, or a JSON object.
#[derive(Debug, Clone)]
pub struct CommandSource {
    program: String,
    arguments: Vec<String>,
}

impl CommandSource {
    /// A program and its arguments, separated by spaces; no shell reads them.
    ///
    /// # Errors
    /// `settings.invalid` where no program is named.
    pub fn new(command: &str) -> Result<Self> {
        let mut words = command.split_whitespace().map(str::to_owned);
        let program = words.next().ok_or_else(|| {
            let detail = "no program is named that prints the credentials of Redis";
            Error::new(Code::SettingInvalid, detail, "Write MAINSTAY_REDIS_CREDENTIALS=command:<program> <arguments>.")
        })?;
        Ok(Self { program, arguments: words.collect() })
    }

    /// Its output on stderr is the reader's: that is where such tools say what they lack.
    async fn run(&self) -> std::io::Result<String> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut text = String::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MAX_BYTES).read_to_string(&mut text).await?;
        }
        let status = child.wait().await?;
        if status.success() { Ok(text) } else { Err(std::io::Error::other(format!("it ended with {status}"))) }
    }
}

#[async_trait]
impl CredentialSource for CommandSource {
    async fn fetch(&self) -> Result<Credentials> {
        let name = format!("the program {}", self.program);
        let text = self.run().await.map_err(|cause| {
            let help = "Run the command of MAINSTAY_REDIS_CREDENTIALS by hand, as the same user.";
            Error::new(Code::StoreUnavailable, format!("{name} gives no credentials of Redis: {cause}"), help)
        })?;
        text::parse(&text, &name)
    }

    fn look_every(&self) -> Option<Duration> {
        Some(LOOK_EVERY)
    }
}
