//! Gateway keys from the command line.

mod common;

use common::Sandbox;
use serde_json::Value;

#[test]
fn a_key_is_made_listed_changed_shown_and_removed() {
    let sandbox = Sandbox::new();
    let made = sandbox.json("gateway key create ada --model gpt-4o* --budget 12.50/week --requests-per-minute 60");
    assert!(made["secret"].as_str().unwrap().starts_with("mgw_"));
    let id = made["id"].as_str().unwrap();
    let changed = sandbox.json(&format!("gateway key change {id} --in-flight 4 --requests-per-minute none --bonus 2"));
    let limits = &changed["limits"];
    assert_eq!((limits["in_flight"].as_u64(), limits["bonus_requests"].as_u64()), (Some(4), Some(2)));
    assert_eq!(
        (limits["budget_millionths"].as_u64(), &limits["requests_per_minute"]),
        (Some(12_500_000), &Value::Null)
    );
    let text = sandbox.stdout(&format!("gateway key change {id} --disable --every-model"));
    assert!(text.contains("disabled") && text.contains("0.00 of 12.50 in a week"), "{text}");
    let listed = sandbox.json("gateway key list");
    assert_eq!((listed[0]["id"].as_str(), listed.as_array().unwrap().len()), (Some(id), 1));
    assert!(sandbox.json("gateway key list -n other").as_array().unwrap().is_empty());
    assert!(sandbox.stdout("gateway key list").contains("ada"));
    let nothing = sandbox.run(&format!("gateway key change {id}"));
    assert_eq!(nothing.status.code(), Some(2));
    sandbox.json(&format!("gateway key remove {id}"));
    assert_eq!(sandbox.run(&format!("gateway key show {id}")).status.code(), Some(1));
    assert_eq!(sandbox.json("gateway usage"), serde_json::json!([]));
    assert!(sandbox.stdout("gateway usage --csv").starts_with("day,key,pool,provider,model,requests"));
}

#[test]
fn keys_of_the_older_system_go_in_and_out_again_and_a_rotation_leaves_none_behind() {
    let sandbox = Sandbox::new();
    let secret = "maki_cb1bf70842c0305ed18f39b1259501a7";
    let file =
        format!(r#"{{"keys":{{"{secret}":{{"id":"{secret}","name":"示例","totalUsage":7,"x":[]}},"bad":{{}}}}}}"#);
    let path = sandbox.path().join("api-potluck-keys.json");
    std::fs::write(&path, &file).unwrap();
    let endless = sandbox.run("gateway key import /dev/zero --json");
    assert!(String::from_utf8_lossy(&endless.stderr).contains("it has more than 8388608 bytes"), "{endless:?}");
    let dry = sandbox.run("gateway key import api-potluck-keys.json --dry-run --json");
    assert!(sandbox.json("gateway key list").as_array().unwrap().is_empty(), "{dry:?}");
    let imported = sandbox.run("gateway key import api-potluck-keys.json --json");
    assert_eq!(imported.status.code(), Some(1), "one of them was not imported");
    let report: Value = serde_json::from_slice(&imported.stdout).unwrap();
    assert_eq!((report["created"].as_u64(), report["failed"][0]["place"].as_u64()), (Some(1), Some(2)));
    let old = sandbox.json("keyring list")["keys"][0]["id"].as_str().unwrap().to_owned();
    sandbox.stdout("keyring rotate");
    assert!(!sandbox.run(&format!("keyring retire {old}")).status.success(), "something is sealed with it");
    assert_eq!(sandbox.json("keyring reseal")["resealed"], 1);
    sandbox.stdout(&format!("keyring retire {old}"));
    sandbox.stdout("gateway key export again.json");
    let again = std::fs::read_to_string(sandbox.path().join("again.json")).unwrap();
    assert_eq!(again.trim_end(), file.replace(r#","bad":{}"#, ""));
    let over = sandbox.run("gateway key export again.json --json");
    assert_eq!(over.status.code(), Some(2), "{over:?}");
    assert!(String::from_utf8_lossy(&over.stderr).contains("is there already"), "{over:?}");
    let stored = std::fs::read_dir(sandbox.path().join("data")).unwrap().map(|entry| entry.unwrap().path());
    for path in stored.filter(|path| path.is_file()) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", path.display());
    }
}
