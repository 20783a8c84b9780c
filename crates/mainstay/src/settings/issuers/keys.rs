//! Every key of `[[issuers]]`, declared once; the reference page is generated from here.

/// A key of an issuer, its default, and what it is for.
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// Its default, as one would write it; empty for none.
    pub default: &'static str,
    /// What it is for.
    pub doc: &'static str,
}

macro_rules! keys {
    ($($name:literal, $default:literal, $doc:literal;)*) => {
        /// Every key of `[[issuers]]`.
        pub const KEYS: &[Key] = &[$(Key { name: $name, default: $default, doc: $doc }),*];
    };
}

keys! {
    "name", "", "The name of the realm that its users belong to here. Required; it must never change.";
    "issuer", "", "The `iss` of its tokens, to the letter. Without it, what the discovery document says; required with `jwks` and `jwks_file`. `{tenantid}` in it stands for the tenant of the token.";
    "discovery", "<issuer>/.well-known/openid-configuration", "The address of its discovery document.";
    "jwks", "", "The address of its keys, for an issuer without a discovery document.";
    "jwks_file", "", "A file with its keys; a relative path begins at the folder of this file. It is read again when it changes.";
    "secret", "", "A secret of at least 32 bytes that it signs with (HS256), for tokens of services that know no key pairs.";
    "secret_file", "", "A file that holds the secret.";
    "audience", "", "The audience that its tokens must name, or a list of which they must name one. Required, unless there is a secret.";
    "algorithms", "[\"RS256\", \"ES256\"]", "What its tokens may be signed with, of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA.";
    "tenants", "[]", "The tenants whose users may come in. Nobody may when it is empty; `[\"*\"]` lets in everybody whom the issuer vouches for.";
    "tenant_claim", "tid", "The claim that names the tenant.";
    "tenant", "", "The tenant of all its users, in place of `tenants` and `tenant_claim`, for an issuer that knows no tenants.";
    "user_claim", "sub", "The claim that names the user; `oid` for Entra ID, whose `sub` differs from application to application.";
    "instance_claim", "", "The claim that names the instance that the user sends and receives mail as.";
    "role", "member", "The role of its users: `owner`, `admin`, `member` or `viewer`. With `roles_claim`, the role of those to whom that gives none; then there is no default.";
    "roles_claim", "", "The claim with the roles that the issuer gives. A dot leads into an object, as in `realm_access.roles`.";
    "roles", "", "A table from a value of that claim to a role.";
    "scope_claim", "", "The claim with the scopes of the token; it then allows no more than these.";
    "namespaces", "[\"default\"]", "The namespaces that its users may enter; `[\"*\"]` for all.";
    "max_token_bytes", "16384", "Longest token, in bytes.";
    "max_age_s", "", "Longest time since a token was issued, in seconds, whatever it says of its end.";
    "ca_file", "", "Certificates to trust when its keys are fetched, in PEM; those of the machine when absent.";
}
