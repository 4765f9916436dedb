//! The name of a namespace, which all elements of one text share.
//!
//! It is declared once and holds for thousands of elements, so a copy for each would let a short
//! text take a thousand times its size.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A namespace: one of ours, or whatever somebody declared.
#[derive(Clone, Eq)]
pub enum Namespace {
    /// Written in this program.
    Known(&'static str),
    /// Read from somebody's text.
    Foreign(Arc<str>),
}

impl Namespace {
    /// Takes a declared name: of one of ours the name is not kept.
    pub(super) fn read(name: &str) -> Self {
        match crate::ns::KNOWN.iter().find(|known| **known == name) {
            Some(known) => Self::Known(known),
            None => Self::Foreign(name.into()),
        }
    }

    /// Bytes of memory behind it: its share of them, for all who hold them together.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Foreign(name) => name.len().div_ceil(Arc::strong_count(name)),
            Self::Known(_) => 0,
        }
    }
}

impl Deref for Namespace {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Known(name) => name,
            Self::Foreign(name) => name,
        }
    }
}

impl From<&'static str> for Namespace {
    fn from(name: &'static str) -> Self {
        Self::Known(name)
    }
}

impl From<String> for Namespace {
    fn from(name: String) -> Self {
        Self::read(&name)
    }
}

impl PartialEq for Namespace {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl PartialEq<str> for Namespace {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Namespace {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, out)
    }
}
