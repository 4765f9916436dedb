//! How a client proves who it is and checks who the server is: flags that commands share.

use std::io::IsTerminal;
use std::path::PathBuf;

use aplomb_core::secret::Secret;

use crate::link::dial::{Fingerprint, Trust, TrustError};

/// The flags.
#[derive(Debug, clap::Args)]
pub(super) struct Credentials {
    /// A file whose first line is the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Trusts the certificates in this PEM file and those that they vouch for, and no others.
    #[arg(long, value_name = "FILE", group = "trust")]
    ca: Option<PathBuf>,

    /// Trusts the certificate with this SHA-256, whoever signed it.
    #[arg(long, value_name = "SHA256", group = "trust")]
    fingerprint: Option<Fingerprint>,

    /// Trusts any certificate: somebody in between can read everything, the password too.
    #[arg(long, group = "trust")]
    insecure: bool,

    /// Logs in without TLS where the server has none, and sends the password as it is where it
    /// takes nothing else.
    #[arg(long)]
    pub(super) plain_without_tls: bool,
}

/// Why there is nothing to start with.
#[derive(Debug, thiserror::Error)]
pub(super) enum UsageError {
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("--password-file {0}: {1}")]
    PasswordFile(PathBuf, std::io::Error),
    #[error("the password cannot be asked for: {0}; set APLOMB_PASSWORD or --password-file")]
    Prompt(std::io::Error),
    #[error("no password; set APLOMB_PASSWORD or --password-file, or run it in a terminal")]
    NoPassword,
}

impl Credentials {
    /// Which certificates are good enough.
    pub(super) fn trust(&self) -> Result<Trust, UsageError> {
        let trust = match (&self.ca, self.fingerprint, self.insecure) {
            (Some(path), _, _) => Trust::Authority(path.clone()),
            (None, Some(fingerprint), _) => Trust::Pinned(fingerprint),
            (None, None, true) => Trust::Anything,
            (None, None, false) => Trust::System,
        };
        if self.ca.is_some() {
            trust.check()?;
        }
        Ok(trust)
    }

    /// The password of `user`: from the file, from the environment, or asked for.
    pub(super) fn password(&self, user: &str) -> Result<Secret<String>, UsageError> {
        let password = if let Some(path) = &self.password_file {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| UsageError::PasswordFile(path.clone(), error))?;
            text.lines().next().unwrap_or_default().to_owned()
        } else if let Ok(password) = std::env::var("APLOMB_PASSWORD") {
            password
        } else if std::io::stdin().is_terminal() {
            rpassword::prompt_password(format!("Password of {user}: "))
                .map_err(UsageError::Prompt)?
        } else {
            return Err(UsageError::NoPassword);
        };
        if password.is_empty() { Err(UsageError::NoPassword) } else { Ok(Secret::new(password)) }
    }
}
