//! Names of pools, of what is in them, and of those who use them.

use crate::ids::word;
use crate::text::text_type;

text_type! {
    /// The type of a pool of providers, which is its name: letters, digits, `.`, `_` and `-`, such as `openai-custom`.
    PoolType, "pool type", 64, |value| name(value)
}

text_type! {
    /// The id of a provider within its pool: letters, digits, `.`, `_` and `-`; a UUID where the server makes it.
    ProviderId, "provider id", 128, |value| name(value)
}

text_type! {
    /// The id of a gateway key, which is no secret: `gwk-` and 16 hexadecimal digits.
    GatewayKeyId, "gateway key id", 64, |value| word(value)
}

text_type! {
    /// The id of one use of a provider, made by who uses it.
    LeaseId, "lease id", 64, |value| word(value)
}

fn name(value: &str) -> Result<(), String> {
    let valid = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    valid.then_some(()).ok_or_else(|| format!("{value:?} must be letters, digits, `.`, `_` and `-`"))
}
