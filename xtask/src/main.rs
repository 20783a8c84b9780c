//! The developer loop: `cargo xtask` lists what there is.

mod check;
mod clients;
mod command;
mod generated;
mod programs;
mod test;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The developer loop of Mainstay",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Formatting, lints, layers, licences, and whether the generated files are current.
    Check,
    /// Everything a fresh machine can run: installs or finds the servers and clients that the tests talk to.
    Test(test::Options),
    /// Writes the generated files: the OpenAPI document, the reference pages, `.env.example`.
    Gen,
    /// The benchmarks: ratios to raw Redis and to peers, in one run.
    Bench {
        /// Only the benchmarks whose name contains this.
        filter: Option<String>,
        /// Print the figures as one JSON document.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Check => check::all(),
        Task::Test(options) => test::run(&options),
        Task::Gen => generated::write(),
        Task::Bench { filter, json } => {
            let redis = programs::REDIS.find()?;
            let mut bench = command::cargo(&["run", "--release", "--package", "mainstay-bench", "--"]);
            bench.args(filter).args(json.then_some("--json")).env("MAINSTAY_TEST_REDIS_SERVER", redis);
            command::run(&mut command::cargo(&["build", "--release", "--package", "mainstay"]))?;
            command::run(&mut bench)
        }
    }
}
