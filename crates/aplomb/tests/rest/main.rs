//! The Finesse paths as clients meet them: every answer, for every role, in both flavours.

mod centre;
mod clients;
mod document;
mod http;
mod roles;
mod states;
