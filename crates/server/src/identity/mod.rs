//! Who a credential stands for.

pub mod tokens;
