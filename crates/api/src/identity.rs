//! Who a credential stands for.

use crate::{InstanceId, Namespace};
use serde::{Deserialize, Serialize};

/// Who the caller is, as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct WhoAmI {
    /// The principal behind the credential.
    pub principal: String,
    /// The instance that the call speaks for, where it said one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The namespace of the call.
    pub namespace: Namespace,
    /// What the credential allows, such as `mail:read`.
    pub scopes: Vec<String>,
}
