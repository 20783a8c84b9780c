//! `cargo xtask test`.

use crate::programs::{BROWSER, REDIS};
use crate::{clients, command};
use anyhow::{Result, bail};

#[derive(clap::Args)]
pub struct Options {
    /// Only tests whose name contains this, such as `mail`.
    filter: Option<String>,
}

/// Builds everything and runs every test, or those that the filter names.
pub fn run(options: &Options) -> Result<()> {
    let (server, browser) = (REDIS.find()?, BROWSER.find()?);
    let version = command::output(std::process::Command::new(&server).arg("--version"))?;
    let clients = clients::install()?;
    command::say(&format!("testing on {}", version.trim()));
    let mut test = command::cargo(&["test", "--workspace", "--no-fail-fast"]);
    if let Some(filter) = &options.filter {
        test.arg(filter);
    }
    test.env("MAINSTAY_TEST_REDIS_SERVER", server)
        .env("MAINSTAY_TEST_BROWSER", browser)
        .env("MAINSTAY_TEST_PYTHON", clients.python)
        .env("MAINSTAY_TEST_INSPECTOR", clients.inspector)
        .env("MAINSTAY_TEST_SIGNALR", clients.signalr)
        .env("MAINSTAY_TEST_PYTHON_SIGNALR", clients.python_signalr)
        .env("MAINSTAY_TEST_PYTHON_GATEWAY", clients.python_models)
        .env("MAINSTAY_TEST_OPENAI", clients.openai)
        .env("INSTA_UPDATE", "no")
        .env("RUST_BACKTRACE", "0");
    if command::run(&mut test).is_err() {
        bail!("tests failed; their names stand above under `failures:`");
    }
    command::say("every test passed");
    Ok(())
}
