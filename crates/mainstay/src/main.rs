//! The binary `mainstay`.

mod aiclient;
mod chats;
mod cli;
mod coordination;
mod failure;
mod keyring;
mod mcp;
mod notary;
mod outlasting;
mod owner_key;
mod printer;
mod private_file;
mod redis_store;
mod secret_input;
mod session_file;
mod settings;
mod telemetry;
mod test_issuer;
mod wiring;

fn main() -> std::process::ExitCode {
    cli::main()
}
