//! MCP clients that others wrote, over both transports and on both stores: the official Python package, and the
//! command line of the inspector.

use crate::bed::{Bed, OWNER_KEY};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_mainstay");

/// A client that `cargo xtask test` installs. A test that has none fails: what is not tried is not known to work.
pub fn client(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    path.filter(|path| path.exists()).unwrap_or_else(|| {
        panic!(
            "{variable} names no client: run the tests with `cargo xtask test`, which installs it and sets {variable}"
        )
    })
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The environment of a client: that of the commands of a bed.
pub fn environment(bed: &Bed, program: PathBuf) -> Command {
    let mut command = Command::new(program);
    let on_the_bed = bed.command(&[]);
    command.current_dir(bed.sandbox.path()).env_clear();
    command.envs(on_the_bed.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

fn python(bed: &Bed, target: &[&str]) {
    let mut command = environment(bed, client("MAINSTAY_TEST_PYTHON"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/mcp_client.py"));
    let output = command.args(target).env("MAINSTAY_KEY", OWNER_KEY).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    for routine in ["auto: closed", "legacy: closed"] {
        assert!(text(&output).contains(routine), "{}", text(&output));
    }
}

#[tokio::test]
async fn the_python_client_works_over_stdio_on_a_file() {
    python(&Bed::sqlite(), &["stdio", "--", BINARY, "mcp"]);
}

#[tokio::test]
async fn the_python_client_works_over_stdio_on_redis() {
    python(&Bed::redis().await, &["stdio", "--", BINARY, "mcp"]);
}

#[tokio::test]
async fn the_python_client_works_over_http_on_a_file() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    python(&bed, &["http", &format!("{}/mcp", node.url())]);
}

#[tokio::test]
async fn the_python_client_works_over_http_on_redis() {
    let bed = Bed::redis().await;
    let node = bed.serve("node").await;
    python(&bed, &["http", &format!("{}/mcp", node.url())]);
}

/// How the inspector reaches the server as an agent.
type Target<'a> = &'a dyn Fn(&mut Command);

/// One call of the inspector, which connects, calls, prints the result and leaves.
fn inspect(bed: &Bed, target: Target<'_>, method: &[&str]) -> Value {
    let mut command = environment(bed, client("MAINSTAY_TEST_INSPECTOR"));
    command.arg("--cli");
    target(&mut command);
    let output = command.args(["--method"]).args(method).output().unwrap();
    assert!(output.status.success(), "{method:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|broken| panic!("{broken}: {}", text(&output)))
}

fn inspector(bed: &Bed, target: Target<'_>) {
    let tools = inspect(bed, target, &["tools/list", "--strict"]);
    let names: Vec<&str> = tools["tools"].as_array().unwrap().iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert!(names.contains(&"mail_send") && names[0] == "coord_publish_message", "{names:?}");

    let call = |tool: &str, arguments: &[&str]| {
        let result = inspect(bed, target, &[&["tools/call", "--tool-name", tool, "--tool-arg"], arguments].concat());
        assert!(result["content"].is_array() && result["isError"] != json!(true), "{result}");
        result
    };
    let sent = call("mail_send", &[r#"to=["inspector"]"#, "subject=API is ready"]);
    let listed = call("mail_list", &["recipient=inspector", "pending=true"]);
    assert_eq!(listed["structuredContent"]["messages"][0]["id"], sent["structuredContent"]["id"], "{listed}");
    let published =
        call("coord_publish_message", &["msg_type=GENERAL", "subject=s", "description=d", "to_instance=inspector"]);
    let told: Value = serde_json::from_str(published["content"][0]["text"].as_str().unwrap()).unwrap();
    let stored = bed.json(&["mail", "list", "--to", "inspector"]);
    let ids: Vec<&Value> = stored["items"].as_array().unwrap().iter().map(|message| &message["id"]).collect();
    assert_eq!(ids, [&told["message_id"], &sent["structuredContent"]["id"]]);
    assert_eq!(stored["items"][0]["from"], "inspector");
}

fn over_stdio(bed: &Bed) {
    inspector(bed, &|command| {
        // The inspector gives a server few variables of its own environment.
        let store = format!("MAINSTAY_STORE={}", bed.store);
        command.args([BINARY, "mcp", "-e", &store, "-e", "MAINSTAY_INSTANCE=inspector"]);
    });
}

async fn over_http(bed: &Bed) {
    let node = bed.serve("node").await;
    let (url, key) = (format!("{}/mcp", node.url()), format!("Authorization: Bearer {OWNER_KEY}"));
    inspector(bed, &|command| {
        command.args([url.as_str(), "--transport", "http", "--header", &key, "Mainstay-Instance: inspector"]);
    });
}

#[tokio::test]
async fn the_inspector_works_over_stdio_on_a_file() {
    over_stdio(&Bed::sqlite());
}

#[tokio::test]
async fn the_inspector_works_over_stdio_on_redis() {
    over_stdio(&Bed::redis().await);
}

#[tokio::test]
async fn the_inspector_works_over_http_on_a_file() {
    over_http(&Bed::sqlite()).await;
}

#[tokio::test]
async fn the_inspector_works_over_http_on_redis() {
    over_http(&Bed::redis().await).await;
}
