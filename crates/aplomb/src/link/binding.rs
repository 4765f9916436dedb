//! What a login over a TLS connection can be bound to, at either end of it.
//!
//! Sources: RFC 9266 §2 (`tls-exporter`), RFC 5929 §4.1 (`tls-server-end-point`).

use aplomb_core::secret::Secret;
use aws_lc_rs::digest;
use rustls::ProtocolVersion;
use rustls::{ConnectionCommon, SideData};
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::{self as oid, Oid};
use x509_parser::prelude::FromDer;
use x509_parser::signature_algorithm::SignatureAlgorithm;

/// The data of `tls-exporter`; none below TLS 1.3.
///
/// TLS 1.2 has it too where both sides use the extended master secret, but the library does not
/// tell whether they do (RFC 9266 §3).
pub fn exporter<D: SideData>(tls: &ConnectionCommon<D>) -> Option<Secret<[u8; 32]>> {
    let is_unique = tls.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    let export = || tls.export_keying_material([0; 32], EXPORTER_LABEL, Some(&[]));
    is_unique.then(export)?.ok().map(Secret::new)
}

/// The data of `tls-server-end-point`: the certificate, hashed as its own signature is.
///
/// None for a signature that hashes otherwise or not at all, such as Ed25519's: for these the type
/// is not defined.
pub fn server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let hash = hash_of(&parsed)?;
    Some(digest::digest(hash, certificate).as_ref().to_vec())
}

fn hash_of(certificate: &X509Certificate<'_>) -> Option<&'static digest::Algorithm> {
    let by_name = |names: &[(Oid<'static>, &'static digest::Algorithm)], name: &Oid<'_>| {
        names.iter().find(|(known, _)| known == name).map(|(_, hash)| *hash)
    };
    let signature = &certificate.signature_algorithm;
    match SignatureAlgorithm::try_from(signature).ok()? {
        SignatureAlgorithm::RSASSA_PSS(parameters) => {
            by_name(&HASHES, parameters.hash_algorithm_oid())
        }
        _ => by_name(&SIGNATURES, &signature.algorithm),
    }
}

/// RFC 9266 §2.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// What each signature hashes by; MD5 and SHA-1 count as SHA-256 (RFC 5929 §4.1).
const SIGNATURES: [(Oid<'static>, &digest::Algorithm); 9] = [
    (oid::OID_PKCS1_MD5WITHRSAENC, &digest::SHA256),
    (oid::OID_PKCS1_SHA1WITHRSA, &digest::SHA256),
    (oid::OID_PKCS1_SHA256WITHRSA, &digest::SHA256),
    (oid::OID_PKCS1_SHA384WITHRSA, &digest::SHA384),
    (oid::OID_PKCS1_SHA512WITHRSA, &digest::SHA512),
    (oid::OID_SIG_ECDSA_WITH_SHA256, &digest::SHA256),
    (oid::OID_SIG_ECDSA_WITH_SHA384, &digest::SHA384),
    (oid::OID_SIG_ECDSA_WITH_SHA512, &digest::SHA512),
    (oid::OID_SIG_ECDSA_WITH_SHA224, &digest::SHA224),
];

/// The hashes that RSASSA-PSS names beside itself.
const HASHES: [(Oid<'static>, &digest::Algorithm); 4] = [
    (oid::OID_HASH_SHA1, &digest::SHA256),
    (oid::OID_NIST_HASH_SHA256, &digest::SHA256),
    (oid::OID_NIST_HASH_SHA384, &digest::SHA384),
    (oid::OID_NIST_HASH_SHA512, &digest::SHA512),
];

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};

    use super::*;

    fn certificate(algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
        let params = CertificateParams::new(vec!["cc.test".to_owned()]).unwrap();
        let key = KeyPair::generate_for(algorithm).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_is_hashed_as_its_signature_is_and_one_without_a_hash_is_not() {
        let hashes = [
            (&rcgen::PKCS_ECDSA_P256_SHA256, &digest::SHA256),
            (&rcgen::PKCS_ECDSA_P384_SHA384, &digest::SHA384),
            (&rcgen::PKCS_ECDSA_P521_SHA512, &digest::SHA512),
        ];
        for (algorithm, hash) in hashes {
            let certificate = certificate(algorithm);
            let expected = digest::digest(hash, &certificate).as_ref().to_vec();
            assert_eq!(server_end_point(&certificate), Some(expected), "{algorithm:?}");
        }
        assert_eq!(server_end_point(&certificate(&rcgen::PKCS_ED25519)), None);
        assert_eq!(server_end_point(b"no certificate"), None);
    }

    /// Certificates by `openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=cc.test -outform DER`
    /// with the hash that the name says, and `-sigopt rsa_padding_mode:pss`.
    #[test]
    fn the_signatures_of_rsa_name_their_hash_in_two_ways() {
        for (certificate, hash) in [
            (&include_bytes!("binding/rsa-sha1.der")[..], &digest::SHA256),
            (include_bytes!("binding/rsa-sha384.der"), &digest::SHA384),
            (include_bytes!("binding/rsa-pss-sha512.der"), &digest::SHA512),
        ] {
            let expected = digest::digest(hash, certificate).as_ref().to_vec();
            assert_eq!(server_end_point(certificate), Some(expected));
        }
    }
}
