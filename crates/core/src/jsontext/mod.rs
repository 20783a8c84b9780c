//! JSON as text with its structure beside it: what is changed is replaced in place, and all else keeps its bytes.

mod merge;
mod parse;
mod pointer;

pub use merge::merge_patch;
pub use parse::MAX_DEPTH;
pub use pointer::Pointer;

use crate::error::Result;
use mainstay_api::RawJson;
use std::ops::Range;

/// A value within a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it stands.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Members, in their order. No two have the same name.
    Object(Vec<Member>),
    /// Elements, in their order.
    Array(Vec<Node>),
    /// A string.
    Text,
    /// A number.
    Number,
    /// `true`, `false` or `null`.
    Word,
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name, without escapes.
    pub name: String,
    /// Where its name begins, with its quote.
    pub start: usize,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// Reads the structure of a document.
    ///
    /// # Errors
    /// `request.invalid` where it is deeper than [`MAX_DEPTH`], or an object names a member twice: readers do not agree
    /// which of them counts.
    pub fn of(document: &RawJson) -> Result<Self> {
        parse::parse(document.as_str())
    }

    /// The text of the value within the text that it was read from.
    #[must_use]
    pub fn text<'t>(&self, document: &'t str) -> &'t str {
        &document[self.span.clone()]
    }

    /// The member of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        match &self.kind {
            Kind::Object(members) => members.iter().find(|member| member.name == name),
            _ => None,
        }
    }
}

/// A part of a text, and what stands in its place afterwards.
pub(crate) struct Replacement {
    pub span: Range<usize>,
    pub text: String,
}

/// The text with its parts replaced; they are in the order of the text.
pub(crate) fn replaced(text: &str, replacements: &[Replacement]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    for replacement in replacements {
        result.push_str(&text[from..replacement.span.start]);
        result.push_str(&replacement.text);
        from = replacement.span.end;
    }
    result.push_str(&text[from..]);
    result
}
