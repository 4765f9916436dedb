//! From a request to its outcome.
