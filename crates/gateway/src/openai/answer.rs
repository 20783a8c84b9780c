//! What an upstream answers.

use super::failed;
use mainstay_core::api::conversations::{NewMessage, Role};
use mainstay_core::conversations::AgentError;
use serde::Deserialize;
use serde_json::Value;

/// What ends an answer in the ordinary way.
const STOP: &str = "stop";

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    model: Option<Value>,
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    message: Spoken,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Spoken {
    content: Option<Content>,
    refusal: Option<String>,
}

/// A text, or the parts of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

/// The message in an answer. What it cost and why it ended early is kept beside the text.
pub(super) fn read_answer(body: &[u8]) -> Result<NewMessage, AgentError> {
    let completion: Completion = serde_json::from_slice(body)
        .map_err(|cause| failed("the agent's answer cannot be read", format!("no chat completion: {cause}")))?;
    let Some(choice) = completion.choices.into_iter().next() else {
        return Err(failed("the agent answered nothing", "a chat completion without choices"));
    };
    let text = choice.message.content.map(text_of).filter(|text| !text.is_empty()).or(choice.message.refusal);
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        let reason = choice.finish_reason.unwrap_or_else(|| "none given".into());
        return Err(failed("the agent answered nothing", format!("no content; the reason: {reason}")));
    };
    let mut message = NewMessage::text(Role::Assistant, text);
    let ended_early = choice.finish_reason.filter(|reason| reason != STOP).map(Value::from);
    let told = [("model", completion.model), ("usage", completion.usage), ("finishReason", ended_early)];
    message.extra.extend(told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(message)
}

fn text_of(content: Content) -> String {
    match content {
        Content::Text(text) => text,
        Content::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(choice: Value) -> Result<NewMessage, AgentError> {
        read_answer(json!({ "model": "small-1", "choices": [choice] }).to_string().as_bytes())
    }

    #[test]
    fn a_text_its_parts_and_a_refusal_are_answers() {
        let plain = read(json!({"message": {"content": "Hello"}, "finish_reason": "stop"})).unwrap();
        assert_eq!(plain.text.as_deref(), Some("Hello"));
        assert_eq!(plain.extra["model"], "small-1");
        assert!(!plain.extra.contains_key("finishReason"));
        let parts = json!([{"type": "text", "text": "Hel"}, {"type": "image"}, {"type": "text", "text": "lo"}]);
        assert_eq!(read(json!({"message": {"content": parts}})).unwrap().text.as_deref(), Some("Hello"));
        let refused = read(json!({"message": {"content": null, "refusal": "No."}})).unwrap();
        assert_eq!(refused.text.as_deref(), Some("No."));
    }

    #[test]
    fn an_answer_that_was_cut_says_so() {
        let cut = read(json!({"message": {"content": "Hel"}, "finish_reason": "length"})).unwrap();
        assert_eq!(cut.extra["finishReason"], "length");
    }

    #[test]
    fn what_holds_no_text_is_a_failure_of_the_agent() {
        for body in ["", "<html>", "{}", r#"{"choices":[]}"#, r#"{"choices":[{"message":{"content":""}}]}"#] {
            assert!(matches!(read_answer(body.as_bytes()), Err(AgentError::Failed { .. })), "{body}");
        }
    }
}
