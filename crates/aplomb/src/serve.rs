//! Builds the parts, joins the tasks, stops in order.

use crate::config::Config;

/// Why the server could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {}

/// Runs the server until it is told to stop.
pub async fn run(_config: Config) -> Result<(), ServeError> {
    todo!()
}
