//! Finesse paths: parse to a command, answer, nothing else.
