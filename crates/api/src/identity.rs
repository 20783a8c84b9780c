//! Who the caller is.

use crate::{InstanceId, Namespace};
use serde::{Deserialize, Serialize};

/// What a server makes of the credential and the headers of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct WhoAmI {
    /// The principal behind the credential, such as `owner`.
    pub principal: String,
    /// The instance that the call speaks for, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The namespace of the call.
    pub namespace: Namespace,
    /// What the caller may do, such as `mail:write`.
    pub scopes: Vec<String>,
}
