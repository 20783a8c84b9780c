//! `mainstay serve`, and commands that talk to it.

mod common;

use common::{Running, Sandbox};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// A server on a free port, and its address.
fn serve(sandbox: &Sandbox) -> (Running, String) {
    let mut command = sandbox.command("serve --listen 127.0.0.1:0 --log off");
    let mut running = Running::from(command.stderr(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(running.child().stderr.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = lines.take(7).collect();
    let address = said.iter().find_map(|line| line.trim().strip_prefix("address    ")).map(str::to_owned);
    (running, address.unwrap_or_else(|| panic!("no address in {said:?}")))
}

#[cfg(unix)]
#[test]
fn commands_reach_the_server_with_the_key_they_find_and_it_stops_in_order() {
    let sandbox = Sandbox::new();
    let (mut server, url) = serve(&sandbox);
    sandbox.stdout(&format!("mail send backend Hello --as frontend --url {url}"));
    // The same store without the server: both see the same mail.
    assert_eq!(sandbox.json("mail list --all")["items"][0]["subject"], "Hello");
    assert_eq!(sandbox.json(&format!("whoami --as me --url {url}"))["instance"], "me");
    assert_eq!(sandbox.json(&format!("health --url {url}"))["status"], "ok");
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.finish().status.code(), Some(0));
}

#[test]
fn a_wrong_key_is_refused() {
    let sandbox = Sandbox::new();
    let (_server, url) = serve(&sandbox);
    let output = sandbox.command(&format!("whoami --url {url}")).env("MAINSTAY_OWNER_KEY", "wrong").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error[auth.credential_invalid]"));
}

#[test]
fn an_address_in_use_is_said_with_what_to_do() {
    let sandbox = Sandbox::new();
    let (_server, url) = serve(&sandbox);
    let address = url.trim_start_matches("http://");
    let output = sandbox.run(&format!("serve --listen {address}"));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("help: Another server may be running there"));
}
