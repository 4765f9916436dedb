//! What is wrong with a configuration, in words that say where and what to do.

use std::path::PathBuf;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file says something wrong; the text shows file, line and what would be right.
    #[error("{0}")]
    InFile(String),
    /// An environment variable is wrong.
    #[error("the environment variable {name} {problem}")]
    InVariable {
        /// The variable.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A flag is wrong.
    #[error("--{name} {problem}")]
    InFlag {
        /// The flag.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// Two settings do not go together.
    #[error("{0}")]
    Together(String),
}
