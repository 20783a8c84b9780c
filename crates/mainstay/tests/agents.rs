//! Presence by command, and programs run as agents.

mod common;

use common::{Sandbox, steady};

#[test]
fn an_agent_registers_beats_and_leaves() {
    let sandbox = Sandbox::new();
    let _steady = steady("presence");
    insta::assert_snapshot!(sandbox.transcript(&[
        "agent list",
        "agent register --as backend --role api --host h1 --repository r --branch main --work Tests",
        "agent beat --as backend --work Docs",
        "agent list",
        "agent unregister --as backend --session-id other",
        "agent unregister --as backend",
        "agent beat",
        "agent list --json",
    ]));
}

#[test]
fn a_program_run_as_an_agent_is_seen_while_it_runs_and_its_status_is_kept() {
    let sandbox = Sandbox::new();
    let binary = env!("CARGO_BIN_EXE_mainstay");
    let mut command = sandbox.command("agent run --as backend --role api --");
    let output = command.args(["sh", "-c", &format!("{binary} agent list --json; exit 7")]).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["instances"][0]["instance"], "backend");
    assert_eq!(seen["instances"][0]["role"], "api");
    assert_eq!(sandbox.json("agent list")["instances"].as_array().unwrap().len(), 0);
}

#[test]
fn a_program_that_is_not_there_is_status_127_and_leaves_nobody_behind() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run("agent run --as backend -- /nowhere/at/all").status.code(), Some(127));
    assert_eq!(sandbox.json("agent list")["instances"].as_array().unwrap().len(), 0);
}

#[cfg(unix)]
#[test]
fn a_signal_reaches_the_program_and_the_agent_still_leaves_in_order() {
    use std::io::{BufRead, BufReader};
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("agent run --as backend --");
    command.args([
        "sh",
        "-c",
        "trap 'exit 9' TERM; echo ready; i=0; while [ $i -lt 400 ]; do i=$((i+1)); sleep 0.05; done",
    ]);
    command.stdout(std::process::Stdio::piped());
    let mut running = common::Running::from(command.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.child().stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    running.signal(rustix::process::Signal::TERM);
    assert_eq!(running.finish().status.code(), Some(9));
    assert_eq!(sandbox.json("agent list")["instances"].as_array().unwrap().len(), 0);
}
