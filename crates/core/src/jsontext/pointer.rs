//! Where a value stands in a document (RFC 6901).

use std::fmt;

/// The path to a value: names of members, and places in arrays as decimal numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// The path to a member, or an element, of the value at this path.
    #[must_use]
    pub fn with(&self, segment: impl Into<String>) -> Self {
        Self(self.0.iter().cloned().chain([segment.into()]).collect())
    }

    /// The steps of the path.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| write!(f, "/{}", segment.replace('~', "~0").replace('/', "~1")))
    }
}
