//! What the binary says about itself.

mod common;

use common::{Sandbox, steady};
use std::path::Path;

#[test]
fn help_names_every_command_and_option() {
    let sandbox = Sandbox::new();
    let _steady = steady("help");
    insta::assert_snapshot!(sandbox.transcript(&["--help", "mail --help", "mail send --help", "serve --help"]));
}

#[test]
fn generated_documents_are_current() {
    let sandbox = Sandbox::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (name, path) in [("env", ".env.example"), ("settings", "docs/reference/settings.md")] {
        let current = std::fs::read_to_string(root.join(path)).unwrap();
        let generated = sandbox.stdout(&format!("reference {name}"));
        assert!(current == generated, "{path} is stale: run `mainstay reference {name} > {path}`");
    }
}

#[test]
fn the_manual_needs_no_valid_settings() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("mainstay.toml"), "nonsense = true\n").unwrap();
    for line in ["explain settings.invalid", "completions bash", "man", "reference errors", "reference cli"] {
        assert!(!sandbox.stdout(line).is_empty(), "{line}");
    }
    assert_eq!(sandbox.run("mail list").status.code(), Some(2));
}
