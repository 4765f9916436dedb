//! The wire shape of the contact centre: node names, events, resources, errors.
//!
//! The domain says what is; this says how Finesse writes it.

pub mod access;
pub mod errors;
pub mod events;
pub mod nodes;
pub mod people;
mod pretty;
pub mod requests;
pub mod resources;
pub mod system_info;
