//! Tokens of identity providers: what is accepted, and how forgeries fail.

mod attacks;
mod claims;
mod http;
mod issuer;
mod rotation;
