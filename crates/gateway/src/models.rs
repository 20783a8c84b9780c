//! Lists of models in the shape of each protocol.

use crate::Protocol;
use crate::json::{Json, Members};
use bytes::Bytes;
use mainstay_core::api::Timestamp;

/// A model, as a client may ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Since when it is there.
    pub since: Timestamp,
    /// Whose it is: the name of the pool.
    pub owner: String,
}

/// The list. It has one page.
#[must_use]
pub fn list(protocol: Protocol, models: &[Model]) -> Bytes {
    let written: Vec<Json> = models.iter().map(|model| Json::from(members(protocol, model))).collect();
    let list = match protocol {
        Protocol::OpenAi | Protocol::Responses => Members::new().with("object", "list").with("data", written),
        Protocol::Anthropic => {
            let name = |model: Option<&Model>| model.map_or(Json::Null, |model| Json::from(&model.name));
            Members::new()
                .with("data", written)
                .with("has_more", false)
                .with("first_id", name(models.first()))
                .with("last_id", name(models.last()))
        }
        Protocol::Gemini => Members::new().with("models", written),
    };
    list.to_text().into()
}

/// One model.
#[must_use]
pub fn one(protocol: Protocol, model: &Model) -> Bytes {
    members(protocol, model).to_text().into()
}

fn members(protocol: Protocol, model: &Model) -> Members {
    match protocol {
        Protocol::OpenAi | Protocol::Responses => Members::new()
            .with("id", &model.name)
            .with("object", "model")
            .with("created", u64::try_from(model.since.as_millis() / 1_000).unwrap_or_default())
            .with("owned_by", &model.owner),
        Protocol::Anthropic => Members::typed("model")
            .with("id", &model.name)
            .with("display_name", &model.name)
            .with("created_at", model.since.to_string()),
        Protocol::Gemini => {
            let methods = ["generateContent", "streamGenerateContent", "countTokens"].map(Json::from).to_vec();
            Members::new()
                .with("name", format!("models/{}", model.name))
                .with("baseModelId", &model.name)
                .with("version", "1")
                .with("displayName", &model.name)
                .with("supportedGenerationMethods", methods)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_has_its_own_list() {
        let model =
            Model { name: "small".into(), since: Timestamp::from_millis(1_700_000_000_000), owner: "mine".into() };
        let written = |protocol| String::from_utf8(list(protocol, std::slice::from_ref(&model)).to_vec()).unwrap();
        assert_eq!(
            written(Protocol::OpenAi),
            r#"{"object":"list","data":[{"id":"small","object":"model","created":1700000000,"owned_by":"mine"}]}"#
        );
        assert_eq!(
            written(Protocol::Anthropic),
            r#"{"data":[{"type":"model","id":"small","display_name":"small","created_at":"2023-11-14T22:13:20.000Z"}],"has_more":false,"first_id":"small","last_id":"small"}"#
        );
        assert_eq!(
            written(Protocol::Gemini),
            r#"{"models":[{"name":"models/small","baseModelId":"small","version":"1","displayName":"small","supportedGenerationMethods":["generateContent","streamGenerateContent","countTokens"]}]}"#
        );
        assert_eq!(list(Protocol::Anthropic, &[]), r#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#);
    }
}
