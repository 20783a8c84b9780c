//! The binary `mainstay`.

mod cli;
mod failure;
mod owner_key;
mod printer;
mod settings;
mod shim;
mod telemetry;
mod wiring;

fn main() -> std::process::ExitCode {
    cli::main()
}
