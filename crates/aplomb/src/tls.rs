//! Certificates and TLS configurations: TLS 1.2 and 1.3; `http/1.1`, `h2` and `xmpp-client` by
//! ALPN.
//!
//! Without a certificate from files a self-signed one is made once and kept, so that a client that
//! accepted it need not do so again after a restart.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{CipherSuite, ServerConfig};
use tracing::warn;

use crate::clock;
use crate::config::Config;
use crate::limits::SELF_SIGNED_YEARS;

/// A certificate with its chain, and its key.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    /// Whether we made it ourselves, so that clients must be told to trust it.
    pub is_self_signed: bool,
}

/// Why there is no usable certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read or holds something else.
    #[error("{name} {path}: {problem}")]
    File {
        /// The setting that names it, or what it is.
        name: &'static str,
        /// Which.
        path: PathBuf,
        /// What.
        problem: String,
    },
    /// The key does not fit the certificate, or is of a kind we cannot use.
    #[error("the certificate and its key cannot be used together: {0}")]
    Unusable(#[from] rustls::Error),
    /// No certificate could be made.
    #[error("no self-signed certificate could be made: {0}")]
    NotMade(#[from] rcgen::Error),
}

impl Identity {
    /// Reads the configured files, or what was made before; makes it if there is none.
    pub fn of(config: &Config) -> Result<Self, TlsError> {
        // The configuration has both of them or neither.
        if let Some((certificate, key)) =
            config.tls_certificate.as_ref().zip(config.tls_key.as_ref())
        {
            return Self::read([("--tls-certificate", certificate), ("--tls-key", key)], false);
        }
        if let Some(dir) = &config.data_dir {
            return Self::kept_in(dir, &config.domain);
        }
        let (certificate, key) = make(&config.domain)?;
        let chain =
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("rcgen writes PEM")];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("rcgen writes PEM");
        Ok(Self { chain, key, is_self_signed: true })
    }

    /// The certificate itself, without its chain.
    pub fn certificate(&self) -> &[u8] {
        self.chain.first().map_or(&[], |certificate| certificate.as_ref())
    }

    /// The SHA-256 of the certificate, as browsers and `openssl x509 -fingerprint` print it.
    pub fn fingerprint(&self) -> String {
        let hash = digest::digest(&digest::SHA256, self.certificate());
        let pairs: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// The configuration of a server with this identity.
    ///
    /// Sessions resume by ticket, so a storm of reconnects costs no signature per client. The
    /// suites of SHA-256 come first: processors compute it in hardware and SHA-384 not, which is a
    /// tenth of a login, and 128 bits are enough.
    pub fn into_server_config(self) -> Result<Arc<ServerConfig>, TlsError> {
        let mut provider = default_provider();
        provider.cipher_suites.sort_by_key(|suite| {
            !matches!(
                suite.suite(),
                CipherSuite::TLS13_AES_128_GCM_SHA256
                    | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
                    | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
            )
        });
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)?;
        // COMPAT: `curl --http1.0` offers nothing but `http/1.0`.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        config.ignore_client_order = true;
        config.ticketer = Ticketer::new()?;
        config.send_tls13_tickets = 1;
        Ok(Arc::new(config))
    }

    fn kept_in(dir: &Path, domain: &str) -> Result<Self, TlsError> {
        let (certificate, key) = (dir.join("tls-certificate.pem"), dir.join("tls-key.pem"));
        let kept = [("the self-signed", &certificate), ("the self-signed", &key)];
        if certificate.exists() {
            let identity = Self::read(kept, true)?;
            if identity.is_for(domain) {
                return Ok(identity);
            }
            warn!(domain, "the self-signed certificate is not of this domain, and is made anew");
        }
        let (certificate_pem, key_pem) = make(domain)?;
        // The key first: a certificate on disk means that its key is there too.
        write_new(&key, &key_pem, 0o600)?;
        write_new(&certificate, &certificate_pem, 0o644)?;
        Self::read(kept, true)
    }

    /// Whether the certificate bears the name; so does one whose name no certificate can bear.
    fn is_for(&self, domain: &str) -> bool {
        let Ok(name) = ServerName::try_from(domain) else { return true };
        let certificate = self.chain.first().map(ParsedCertificate::try_from);
        certificate.is_some_and(|read| read.is_ok_and(|it| verify_server_name(&it, &name).is_ok()))
    }

    /// Reads the files of the certificate and of the key, each with the name that errors give it.
    fn read(
        [(certificate_name, certificate), (key_name, key)]: [(&'static str, &PathBuf); 2],
        is_self_signed: bool,
    ) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|error| in_file(certificate_name, certificate, &error))?;
        let key =
            PrivateKeyDer::from_pem_file(key).map_err(|error| in_file(key_name, key, &error))?;
        Ok(Self { chain, key, is_self_signed })
    }
}

/// The configuration for XMPP over TCP, with the identity and the tickets of `http`.
///
/// A client that offers no protocol is taken; one that offers only others is not, for it means
/// another service (XEP-0368 §4, RFC 7301 §3.2).
pub fn for_xmpp(http: &ServerConfig) -> Arc<ServerConfig> {
    let mut config = http.clone();
    config.alpn_protocols = vec![b"xmpp-client".to_vec()];
    Arc::new(config)
}

/// Makes a certificate for the domain and for the names of this machine itself, both as PEM.
fn make(domain: &str) -> Result<(String, String), TlsError> {
    let mut params = CertificateParams::new(vec![domain.to_owned()])?;
    if domain != LOCALHOST {
        params.subject_alt_names.push(SanType::DnsName(LOCALHOST.try_into()?));
    }
    for loopback in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
        params.subject_alt_names.push(SanType::IpAddress(loopback));
    }
    params.distinguished_name.push(DnType::CommonName, domain);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = jiff::Timestamp::from_millisecond(clock::wall().0).unwrap_or_default();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    // The first of the month, so that a clock that is behind does not refuse it at once.
    let month = today.month().unsigned_abs();
    params.not_before = rcgen::date_time_ymd(i32::from(today.year()), month, 1);
    params.not_after = rcgen::date_time_ymd(i32::from(today.year()) + SELF_SIGNED_YEARS, month, 1);
    let key = KeyPair::generate()?;
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// Writes a file that only appears when it is whole.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let write = || -> io::Result<()> {
        let part = path.with_extension("part");
        let _ = fs::remove_file(&part);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        let mut file = options.open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    write().map_err(|error| TlsError::File {
        name: "the self-signed",
        path: path.to_owned(),
        problem: error.to_string(),
    })
}

fn in_file(name: &'static str, path: &Path, error: &pem::Error) -> TlsError {
    let problem = match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "holds no certificate or key in PEM".to_owned(),
        other => format!("is no PEM file: {other}"),
    };
    TlsError::File { name, path: path.to_owned(), problem }
}

const LOCALHOST: &str = "localhost";

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dir: &Path, more: &[(&str, &str)]) -> Config {
        let dir = dir.to_str().unwrap();
        Config::of(&[&[("domain", "cc.test"), ("data-dir", dir)], more].concat()).unwrap()
    }

    #[test]
    fn a_self_signed_certificate_is_made_once_and_its_key_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = Identity::of(&config(dir.path(), &[])).unwrap();
        let second = Identity::of(&config(dir.path(), &[])).unwrap();
        assert!(second.is_self_signed);
        assert_eq!(first.fingerprint(), second.fingerprint());
        assert_eq!(first.fingerprint().len(), 32 * 3 - 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(dir.path().join("tls-key.pem")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        second.into_server_config().unwrap();
    }

    #[test]
    fn a_self_signed_certificate_of_another_domain_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let first = Identity::of(&config(dir.path(), &[])).unwrap();
        let other = Identity::of(&config(dir.path(), &[("domain", "other.test")])).unwrap();
        assert_ne!(first.fingerprint(), other.fingerprint());
        assert!(other.is_for("other.test") && !other.is_for("cc.test") && first.is_for("cc.test"));
        other.into_server_config().unwrap();
    }

    #[test]
    fn files_of_the_site_are_used_and_a_wrong_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = make("cc.test").unwrap();
        let paths = ["c.pem", "k.pem"].map(|name| dir.path().join(name));
        fs::write(&paths[0], certificate).unwrap();
        fs::write(&paths[1], key).unwrap();
        let [c, k] = [&paths[0], &paths[1]].map(|path| path.to_str().unwrap());
        let both = [("tls-certificate", c), ("tls-key", k)];
        let identity = Identity::of(&config(dir.path(), &both)).unwrap();
        assert!(!identity.is_self_signed);
        identity.into_server_config().unwrap();

        let swapped = [("tls-certificate", k), ("tls-key", c)];
        let error = Identity::of(&config(dir.path(), &swapped)).unwrap_err().to_string();
        assert!(
            error.starts_with("--tls-")
                && error.contains("c.pem")
                && error.contains("no certificate or key"),
            "{error}"
        );
    }
}
