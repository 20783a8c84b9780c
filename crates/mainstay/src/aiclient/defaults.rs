//! What a store begins with where nothing was imported.

use super::picture::{CONFIG_FILE, Content, PASSWORD_FILE, PLUGINS_FILE, Picture};
use mainstay_api::RawJson;
use serde_json::{Map, Value, json};

/// What somebody chose of the first settings.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The key of clients.
    pub api_key: String,
    /// The port.
    pub port: u16,
    /// The password of the original's own pages; there is none where absent, and never a usual one.
    pub password: Option<String>,
}

/// The first settings: those that the original began with.
///
/// # Errors
/// What is chosen has no JSON form.
pub fn picture(chosen: &Chosen) -> serde_json::Result<Picture> {
    let plugins = json!({ "plugins": {
        "api-potluck": { "enabled": true, "description": "Keys of those who ask, with limits and usage" },
        "default-auth": { "enabled": true, "description": "The key of the main settings" },
    }});
    let mut picture = Picture { pools: Some(Vec::new()), ..Picture::default() };
    let mut put = |name: &str, content| picture.files.insert(name.to_owned(), content);
    put(CONFIG_FILE, Content::Json(RawJson::of(&config(chosen))?));
    put(PLUGINS_FILE, Content::Json(RawJson::of(&plugins)?));
    if let Some(password) = &chosen.password {
        put(PASSWORD_FILE, Content::Text(password.clone()));
    }
    Ok(picture)
}

fn config(chosen: &Chosen) -> Map<String, Value> {
    let members = [
        ("REQUIRED_API_KEY", json!(chosen.api_key)),
        ("SERVER_PORT", json!(chosen.port)),
        ("HOST", json!("0.0.0.0")),
        ("MODEL_PROVIDER", json!("gemini-cli-oauth")),
        ("SYSTEM_PROMPT_FILE_PATH", json!("configs/input_system_prompt.txt")),
        ("SYSTEM_PROMPT_MODE", json!("append")),
        ("PROXY_URL", Value::Null),
        ("PROXY_ENABLED_PROVIDERS", json!([])),
        ("PROMPT_LOG_BASE_NAME", json!("prompt_log")),
        ("PROMPT_LOG_MODE", json!("none")),
        ("REQUEST_MAX_RETRIES", json!(3)),
        ("REQUEST_BASE_DELAY", json!(1_000)),
        ("CREDENTIAL_SWITCH_MAX_RETRIES", json!(5)),
        ("CRON_NEAR_MINUTES", json!(15)),
        ("CRON_REFRESH_TOKEN", json!(false)),
        ("MAX_ERROR_COUNT", json!(10)),
        ("providerFallbackChain", json!({})),
        ("modelFallbackMapping", json!({})),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
