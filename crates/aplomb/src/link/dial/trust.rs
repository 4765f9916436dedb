//! Which certificates a client trusts, and what it saw.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs as crypto};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use crate::link::binding;

/// Which certificates are good enough.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Those that the operating system trusts.
    System,
    /// Those in this PEM file, and those that one of them vouches for.
    Authority(PathBuf),
    /// The one with this SHA-256, whoever signed it and whatever its name.
    Pinned(Fingerprint),
    /// Any. Somebody in between can read everything.
    Anything,
}

/// The SHA-256 of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// Why a client cannot check certificates at all.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of `--ca`.
    #[error("--ca {0}: {1}")]
    File(PathBuf, rustls::pki_types::pem::Error),
    /// It holds no certificate.
    #[error("--ca {0} holds no certificate in PEM form")]
    Empty(PathBuf),
    /// The operating system's certificates, or those of the file, cannot be used.
    #[error("the trusted certificates cannot be used: {0}")]
    Unusable(String),
}

impl Trust {
    /// Looks whether certificates could be checked in this way, before anything is connected.
    ///
    /// - Errors: see [`TrustError`].
    pub fn check(&self) -> Result<(), TrustError> {
        Checker::new(self, "http/1.1").map(drop)
    }
}

/// A TLS configuration with its sessions, and the certificate that the first handshake showed.
#[derive(Debug, Clone)]
pub struct Checker {
    /// For one connection after another.
    pub(super) config: Arc<ClientConfig>,
    seen: Arc<OnceLock<Seen>>,
}

impl Checker {
    /// A checker for connections that speak `protocol`.
    ///
    /// - Errors: see [`TrustError`].
    pub fn new(trust: &Trust, protocol: &str) -> Result<Self, TrustError> {
        let provider = Arc::new(crypto::default_provider());
        let seen = Arc::new(OnceLock::new());
        let verifier = Verifier {
            judge: Judge::new(trust, &provider)?,
            provider: Arc::clone(&provider),
            seen: Arc::clone(&seen),
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TrustError::Unusable(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Ok(Self { config: Arc::new(config), seen })
    }

    /// The certificate that the server showed, trusted or not.
    pub(super) fn seen(&self) -> Option<Fingerprint> {
        self.seen.get().map(|seen| seen.fingerprint)
    }

    /// What a login can be bound to that comes over connections to that certificate.
    pub(super) fn server_end_point(&self) -> Option<Vec<u8>> {
        self.seen.get().and_then(|seen| seen.server_end_point.clone())
    }
}

/// A certificate that was shown.
#[derive(Debug)]
struct Seen {
    fingerprint: Fingerprint,
    server_end_point: Option<Vec<u8>>,
}

/// Who decides.
#[derive(Debug)]
enum Judge {
    Chain(Arc<dyn ServerCertVerifier>),
    /// Those in the list themselves, or by the chain: a server that signed its certificate itself
    /// is no authority, and its certificate is what the file holds.
    Listed(Vec<Fingerprint>, Arc<dyn ServerCertVerifier>),
    Pin(Fingerprint),
    Nobody,
}

impl Judge {
    fn new(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Self, TrustError> {
        let unusable = |error: &dyn ToString| TrustError::Unusable(error.to_string());
        match trust {
            Trust::System => rustls_platform_verifier::Verifier::new(Arc::clone(provider))
                .map(|verifier| Self::Chain(Arc::new(verifier)))
                .map_err(|error| unusable(&error)),
            Trust::Authority(path) => {
                let (listed, roots) = read_roots(path)?;
                let roots = Arc::new(roots);
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider));
                let verifier = verifier.build().map_err(|error| unusable(&error))?;
                Ok(Self::Listed(listed, verifier))
            }
            Trust::Pinned(fingerprint) => Ok(Self::Pin(*fingerprint)),
            Trust::Anything => Ok(Self::Nobody),
        }
    }
}

fn read_roots(path: &Path) -> Result<(Vec<Fingerprint>, RootCertStore), TrustError> {
    let file = |error| TrustError::File(path.to_owned(), error);
    let (mut listed, mut roots) = (Vec::new(), RootCertStore::empty());
    for certificate in CertificateDer::pem_file_iter(path).map_err(file)? {
        let certificate = certificate.map_err(file)?;
        listed.push(Fingerprint::of(&certificate));
        roots.add(certificate).map_err(|error| TrustError::Unusable(error.to_string()))?;
    }
    if listed.is_empty() { Err(TrustError::Empty(path.to_owned())) } else { Ok((listed, roots)) }
}

/// Notes the certificate, then asks the judge. The handshake's signature is always checked, so
/// that a pinned certificate cannot be shown by somebody who has not its key.
#[derive(Debug)]
struct Verifier {
    judge: Judge,
    provider: Arc<CryptoProvider>,
    seen: Arc<OnceLock<Seen>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let fingerprint = Fingerprint::of(end_entity);
        let server_end_point = || binding::server_end_point(end_entity);
        self.seen.get_or_init(|| Seen { fingerprint, server_end_point: server_end_point() });
        match &self.judge {
            Judge::Listed(listed, _) if listed.contains(&fingerprint) => {
                Ok(ServerCertVerified::assertion())
            }
            Judge::Chain(verifier) | Judge::Listed(_, verifier) => verifier.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            Judge::Pin(pin) if *pin != fingerprint => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            Judge::Pin(_) | Judge::Nobody => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        let hash = digest::digest(&digest::SHA256, certificate);
        Self(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// A text that is no SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is the SHA-256 of a certificate: 32 pairs of hexadecimal digits")]
pub struct BadFingerprint;

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let digits: Vec<u8> = text
            .chars()
            .filter(|c| !matches!(c, ':' | ' '))
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or(BadFingerprint)?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |a, d| a << 4 | d)).collect();
        let is_whole = digits.len() == 64;
        bytes.try_into().ok().filter(|_| is_whole).map(Self).ok_or(BadFingerprint)
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|byte| format!("{byte:02X}")).collect();
        f.write_str(&pairs.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_it_is_printed_and_as_openssl_does() {
        let fingerprint = Fingerprint::of(&CertificateDer::from(vec![1, 2, 3]));
        let printed = fingerprint.to_string();
        assert_eq!(printed.len(), 32 * 3 - 1);
        assert_eq!(printed.parse(), Ok(fingerprint));
        assert_eq!(printed.replace(':', "").to_lowercase().parse(), Ok(fingerprint));
        for bad in ["", "AB", &printed[3..], &printed.replace('0', "g"), &format!("{printed}:0")] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(BadFingerprint), "{bad}");
        }
    }
}
