//! Tools with schemas from types.

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::Value;
use std::sync::Arc;

/// What a tool is, besides its types.
pub(super) struct Description {
    pub name: &'static str,
    pub title: &'static str,
    /// What it does and when to use it, for the model.
    pub text: &'static str,
    pub effect: Effect,
}

/// What a call changes, for clients that ask before they let a model do it. No tool reaches beyond the server.
pub(super) enum Effect {
    /// Nothing.
    Reads,
    /// It adds something, once more with every call.
    Adds,
    /// It changes something; a second call with the same arguments changes nothing more.
    Settles,
    /// It takes something away; a second call takes nothing more.
    Removes,
}

/// A tool with the input and the output of the given types.
pub(super) fn tool<I: JsonSchema, O: JsonSchema>(description: Description) -> Tool {
    let annotations = ToolAnnotations::with_title(description.title).open_world(false);
    let annotations = match description.effect {
        Effect::Reads => annotations.read_only(true).destructive(false).idempotent(true),
        Effect::Adds => annotations.read_only(false).destructive(false).idempotent(false),
        Effect::Settles => annotations.read_only(false).destructive(false).idempotent(true),
        Effect::Removes => annotations.read_only(false).destructive(true).idempotent(true),
    };
    Tool::new(description.name, description.text, schema::<I>(Contract::Deserialize))
        .with_title(description.title)
        .with_raw_output_schema(schema::<O>(Contract::Serialize))
        .with_annotations(annotations)
}

/// The schema of a type in the plain form that clients of every kind read: no references, no formats that only Rust
/// knows, and an optional property is absent, never null.
fn schema<T: JsonSchema>(contract: Contract) -> Arc<JsonObject> {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.contract = contract;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    plain(&mut schema);
    let mut object = match schema {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    };
    object.remove("title");
    object.remove("description");
    object.entry("properties").or_insert_with(|| Value::Object(JsonObject::new()));
    Arc::new(object)
}

fn plain(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let rust_only = |format: &str| format.starts_with("uint") || format.starts_with("int");
            if object.get("format").and_then(Value::as_str).is_some_and(rust_only) {
                object.remove("format");
            }
            let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                let optional = properties.iter_mut().filter(|(name, _)| !required.iter().any(|r| r == name.as_str()));
                optional.for_each(|(_, property)| never_null(property));
            }
            one_line(object);
            enumerate(object);
            object.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

/// Joins the lines of a description, which are those of the source.
fn one_line(schema: &mut JsonObject) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

/// Writes a choice of constants as an `enum`, which every client knows.
fn enumerate(schema: &mut JsonObject) {
    let constants = schema.get("oneOf").and_then(Value::as_array).and_then(|choices| {
        choices.iter().map(|choice| choice.get("const").filter(|value| value.is_string()).cloned()).collect()
    });
    if let Some(constants) = constants {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), "string".into());
        schema.insert("enum".to_owned(), Value::Array(constants));
    }
}

/// Takes `null` out of what a property may be.
fn never_null(property: &mut Value) {
    if property.get("default").is_some_and(Value::is_null)
        && let Some(object) = property.as_object_mut()
    {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|kind| kind != "null");
        if types.len() == 1 {
            property["type"] = types.remove(0);
        }
    }
    if let Some(Value::Array(values)) = property.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(choices)) = property.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if choices.len() == 1
            && let (Value::Object(only), Some(object)) = (choices.remove(0), property.as_object_mut())
        {
            object.remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
}
