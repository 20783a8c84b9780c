//! The binary `mainstay`.

mod chats;
mod cli;
mod coordination;
mod failure;
mod mcp;
mod notary;
mod owner_key;
mod printer;
mod redis_store;
mod settings;
mod telemetry;
mod test_issuer;
mod wiring;

fn main() -> std::process::ExitCode {
    cli::main()
}
