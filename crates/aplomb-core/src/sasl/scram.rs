//! SCRAM-SHA-256, the server and the client side (RFC 5802, RFC 7677).
//!
//! No channel binding: the flags `n` and `y` are taken, `p` is refused. Each step consumes the one
//! before, so a message can be used once only.

use std::num::NonZeroU32;

use base64::prelude::{BASE64_STANDARD, Engine};

use super::keys::{client_key, hmac, proves, salted_password, server_key, stored_key, xor};
use super::{Failure, Login, ScramKeys, check_authzid};
use crate::jid;
use crate::limits::{SCRAM_ITERATIONS_MAX, SCRAM_ITERATIONS_MIN, SCRAM_NONCE_BYTES_MAX};
use crate::secret::Secret;

/// The client's first message, read by a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFirst {
    name: String,
    gs2_header: String,
    bare: String,
    nonce: String,
}

/// A server that has sent its challenge.
#[derive(Debug)]
pub struct ServerExchange {
    name: String,
    gs2_header: String,
    nonce: String,
    /// The first two parts of RFC 5802's AuthMessage.
    messages: String,
    keys: ScramKeys,
}

impl ClientFirst {
    /// Reads the first message on a server for `domain`.
    ///
    /// - Shape: `n,,n=user,r=nonce`; the authzid between the commas obeys PLAIN's rule.
    /// - Errors: [`Failure::MalformedRequest`] or [`Failure::InvalidAuthzid`].
    /// - Source: RFC 5802 §7.
    pub fn read(message: &[u8], domain: &str) -> Result<Self, Failure> {
        let text = std::str::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
        let mut parts = text.splitn(3, ',');
        let flag = parts.next().filter(|flag| matches!(*flag, "n" | "y"));
        let (Some(flag), Some(authzid), Some(bare)) = (flag, parts.next(), parts.next()) else {
            return Err(Failure::MalformedRequest);
        };
        let (name, nonce) = name_and_nonce(bare).ok_or(Failure::MalformedRequest)?;
        let name = jid::account_name(&name).map_err(|_| Failure::MalformedRequest)?;
        if !authzid.is_empty() {
            let wanted = authzid.strip_prefix("a=").and_then(decode_name);
            check_authzid(&wanted.ok_or(Failure::MalformedRequest)?, &name, domain)?;
        }
        let gs2_header = format!("{flag},{authzid},");
        Ok(Self { name, gs2_header, bare: bare.to_owned(), nonce: nonce.to_owned() })
    }

    /// The account's name, in its one spelling.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes the server's challenge; `nonce` is our random part.
    pub fn challenge(self, keys: ScramKeys, nonce: &str) -> (ServerExchange, String) {
        let nonce = format!("{}{nonce}", self.nonce);
        let salt = BASE64_STANDARD.encode(&keys.salt);
        let challenge = format!("r={nonce},s={salt},i={}", keys.iterations);
        let messages = format!("{},{challenge}", self.bare);
        let exchange =
            ServerExchange { name: self.name, gs2_header: self.gs2_header, nonce, messages, keys };
        (exchange, challenge)
    }
}

impl ServerExchange {
    /// The account's name, in its one spelling.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks the client's final message; returns the login and the server's final message.
    ///
    /// - Errors: [`Failure::MalformedRequest`] for another shape; [`Failure::NotAuthorized`] for a
    ///   wrong proof, nonce or binding.
    /// - Source: RFC 5802 §7.
    pub fn finish(self, message: &[u8]) -> Result<(Login, String), Failure> {
        let text = std::str::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(Failure::MalformedRequest)?;
        let proof = decode_32(proof).ok_or(Failure::MalformedRequest)?;
        let mut parts = without_proof.split(',');
        let binding = parts.next().and_then(|part| part.strip_prefix("c="));
        let nonce = parts.next().and_then(|part| part.strip_prefix("r="));
        let (Some(binding), Some(nonce)) = (binding, nonce) else {
            return Err(Failure::MalformedRequest);
        };
        let auth_message = format!("{},{without_proof}", self.messages);
        let is_ours = nonce == self.nonce && binding == BASE64_STANDARD.encode(&self.gs2_header);
        if !proves(&self.keys.stored_key, &auth_message, &proof) || !is_ours {
            return Err(Failure::NotAuthorized);
        }
        let signature = hmac(self.keys.server_key.expose(), auth_message.as_bytes());
        Ok((Login::new(self.name), format!("v={}", BASE64_STANDARD.encode(signature))))
    }
}

/// Why a client does not trust a server's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Distrust {
    /// The challenge has another shape.
    #[error("the server's SCRAM challenge is malformed")]
    Malformed,
    /// The nonce does not continue ours.
    #[error("the server's SCRAM nonce does not continue ours: somebody may be in between")]
    ForeignNonce,
    /// Fewer than [`SCRAM_ITERATIONS_MIN`] or more than [`SCRAM_ITERATIONS_MAX`] rounds.
    #[error("the server asks for {0} rounds of PBKDF2, outside of 4,096 to 10,000,000")]
    Iterations(u32),
    /// The password cannot be used.
    #[error("the password is empty or holds characters that RFC 4013 prohibits")]
    BadPassword,
    /// The server does not know the password either.
    #[error("the server did not prove that it knows the password: it may be an impostor")]
    WrongSignature,
}

/// A client that has sent its first message.
#[derive(Debug)]
pub struct ClientExchange {
    bare: String,
    nonce: String,
}

/// The server's proof that a client waits for.
#[derive(Debug)]
pub struct ExpectedSignature([u8; 32]);

impl ClientExchange {
    /// Starts as `name`, with a random `nonce` of ours; returns the first message.
    pub fn start(name: &str, nonce: &str) -> (Self, String) {
        let bare = format!("n={},r={nonce}", encode_name(name));
        let message = format!("n,,{bare}");
        (Self { bare, nonce: nonce.to_owned() }, message)
    }

    /// Answers the challenge. Costs the derivation that the server asks for, within bounds.
    ///
    /// - Errors: see [`Distrust`].
    pub fn answer(
        self,
        challenge: &[u8],
        password: &Secret<String>,
    ) -> Result<(ExpectedSignature, String), Distrust> {
        let text = std::str::from_utf8(challenge).map_err(|_| Distrust::Malformed)?;
        let (nonce, salt, iterations) = read_challenge(text).ok_or(Distrust::Malformed)?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(Distrust::ForeignNonce);
        }
        if !(SCRAM_ITERATIONS_MIN..=SCRAM_ITERATIONS_MAX).contains(&iterations.get()) {
            return Err(Distrust::Iterations(iterations.get()));
        }
        let salted =
            salted_password(password, &salt, iterations).map_err(|_| Distrust::BadPassword)?;
        let without_proof = format!("c=biws,r={nonce}");
        let auth_message = format!("{},{text},{without_proof}", self.bare);
        let key = client_key(&salted);
        let signature = hmac(stored_key(&key).expose(), auth_message.as_bytes());
        let proof = BASE64_STANDARD.encode(xor(key.expose(), &signature));
        let expected = hmac(server_key(&salted).expose(), auth_message.as_bytes());
        Ok((ExpectedSignature(expected), format!("{without_proof},p={proof}")))
    }
}

impl ExpectedSignature {
    /// Checks the server's final message.
    ///
    /// - Errors: [`Distrust::WrongSignature`].
    pub fn check(self, message: &[u8]) -> Result<(), Distrust> {
        let signature = message.strip_prefix(b"v=").and_then(|v| std::str::from_utf8(v).ok());
        let signature = signature.and_then(decode_32).map(Secret::new);
        let is_right = signature.is_some_and(|given| given == Secret::new(self.0));
        if is_right { Ok(()) } else { Err(Distrust::WrongSignature) }
    }
}

fn name_and_nonce(bare: &str) -> Option<(String, &str)> {
    // A mandatory extension `m=` would stand first, and nobody has defined one.
    let mut parts = bare.split(',');
    let name = parts.next()?.strip_prefix("n=").and_then(decode_name)?;
    let nonce = parts.next()?.strip_prefix("r=")?;
    is_nonce(nonce).then_some((name, nonce))
}

fn read_challenge(text: &str) -> Option<(&str, Vec<u8>, NonZeroU32)> {
    let mut parts = text.split(',');
    let nonce = parts.next()?.strip_prefix("r=").filter(|nonce| is_nonce(nonce))?;
    let salt = BASE64_STANDARD.decode(parts.next()?.strip_prefix("s=")?).ok()?;
    let iterations = parts.next()?.strip_prefix("i=")?.parse().ok()?;
    Some((nonce, salt, iterations))
}

fn is_nonce(nonce: &str) -> bool {
    let is_printable = nonce.bytes().all(|b| b.is_ascii_graphic() && b != b',');
    is_printable && (1..=SCRAM_NONCE_BYTES_MAX).contains(&nonce.len())
}

fn decode_32(text: &str) -> Option<[u8; 32]> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}

fn encode_name(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// Undoes `=2C` and `=3D`; any other `=` is an error (RFC 5802 §5.1).
fn decode_name(encoded: &str) -> Option<String> {
    let mut pieces = encoded.split('=');
    let mut name = pieces.next()?.to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        name.push(match code {
            "2C" => ',',
            "3D" => '=',
            _ => return None,
        });
        name.push_str(rest);
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT_NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
    const CLIENT_FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                                p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn pencil() -> Secret<String> {
        Secret::new("pencil".to_owned())
    }

    fn keys() -> ScramKeys {
        let salt = BASE64_STANDARD.decode(SALT).unwrap();
        ScramKeys::derive(&pencil(), &salt, NonZeroU32::new(4096).unwrap()).unwrap()
    }

    fn challenged() -> (ServerExchange, String) {
        let first = format!("n,,n=user,r={CLIENT_NONCE}");
        let first = ClientFirst::read(first.as_bytes(), "cc.test").unwrap();
        first.challenge(keys(), SERVER_NONCE)
    }

    #[test]
    fn both_sides_say_what_rfc_7677_says() {
        let (client, first) = ClientExchange::start("user", CLIENT_NONCE);
        assert_eq!(first, format!("n,,n=user,r={CLIENT_NONCE}"));
        let (server, challenge) = challenged();
        assert_eq!(challenge, format!("r={CLIENT_NONCE}{SERVER_NONCE},s={SALT},i=4096"));
        let (expected, last) = client.answer(challenge.as_bytes(), &pencil()).unwrap();
        assert_eq!(last, CLIENT_FINAL);
        let (login, proof) = server.finish(last.as_bytes()).unwrap();
        assert_eq!((login.name(), proof.as_str()), ("user", SERVER_FINAL));
        assert_eq!(expected.check(proof.as_bytes()), Ok(()));
    }

    #[test]
    fn a_first_message_is_from_the_client_itself_without_binding() {
        let check = |message: &str, expected: Result<&str, Failure>| {
            let read = ClientFirst::read(message.as_bytes(), "cc.test");
            assert_eq!(
                read.as_ref().map(ClientFirst::name),
                expected.as_ref().copied(),
                "{message}"
            );
        };
        check("n,,n=Ada,r=abc", Ok("ada"));
        check("y,,n=ada,r=abc", Ok("ada"));
        check("n,a=ada@cc.test,n=ada,r=abc", Ok("ada"));
        check("n,,n=a=2Cb=3Dc,r=abc", Ok("a,b=c"));
        check("n,,n=ada,r=abc,x=extension", Ok("ada"));
        check("n,a=bob@cc.test,n=ada,r=abc", Err(Failure::InvalidAuthzid));
        check("n,a=ada@elsewhere.test,n=ada,r=abc", Err(Failure::InvalidAuthzid));
        for malformed in [
            "",
            "n",
            "n,,",
            "p=tls-unique,,n=ada,r=abc",
            "p=tls-exporter,,n=ada,r=abc",
            "x,,n=ada,r=abc",
            "n,bob,n=ada,r=abc",
            "n,,m=must,n=ada,r=abc",
            "n,,n=,r=abc",
            "n,,n=ada,r=",
            "n,,n=ada",
            "n,,n=a=da,r=abc",
            "n,,n=a=,r=abc",
            "n,,n=ada,r=a b",
        ] {
            check(malformed, Err(Failure::MalformedRequest));
        }
        let long = format!("n,,n=ada,r={}", "a".repeat(SCRAM_NONCE_BYTES_MAX + 1));
        check(&long, Err(Failure::MalformedRequest));
    }

    #[test]
    fn a_final_message_that_was_touched_or_used_before_is_refused() {
        let check = |message: &str, failure| {
            let (server, _) = challenged();
            assert_eq!(server.finish(message.as_bytes()).unwrap_err(), failure, "{message}");
        };
        check(&CLIENT_FINAL.replace("c=biws", "c=eSws"), Failure::NotAuthorized);
        check(&CLIENT_FINAL.replace("k0,", "k1,"), Failure::NotAuthorized);
        check(&CLIENT_FINAL.replace("p=dH", "p=dG"), Failure::NotAuthorized);
        check(&CLIENT_FINAL.replace("p=dHzb", "p="), Failure::MalformedRequest);
        check("c=biws", Failure::MalformedRequest);
        check("", Failure::MalformedRequest);
        let first = format!("n,,n=user,r={CLIENT_NONCE}");
        let again = ClientFirst::read(first.as_bytes(), "cc.test").unwrap();
        let (server, _) = again.challenge(keys(), "another-nonce");
        let replay = server.finish(CLIENT_FINAL.as_bytes());
        assert_eq!(replay.unwrap_err(), Failure::NotAuthorized);
    }

    #[test]
    fn a_client_that_was_told_other_rounds_does_not_prove_itself() {
        let (client, _) = ClientExchange::start("user", CLIENT_NONCE);
        let (server, challenge) = challenged();
        let tampered = challenge.replace("i=4096", "i=4097");
        let (_, last) = client.answer(tampered.as_bytes(), &pencil()).unwrap();
        assert_eq!(server.finish(last.as_bytes()).unwrap_err(), Failure::NotAuthorized);
    }

    #[test]
    fn a_client_distrusts_a_bad_server() {
        let check = |challenge: &str, distrust| {
            let (client, _) = ClientExchange::start("user", CLIENT_NONCE);
            let answer = client.answer(challenge.as_bytes(), &pencil());
            assert_eq!(answer.err(), Some(distrust), "{challenge}");
        };
        check("", Distrust::Malformed);
        check(&format!("r={CLIENT_NONCE}x,s=?,i=4096"), Distrust::Malformed);
        check(&format!("r={CLIENT_NONCE}x,s={SALT},i=0"), Distrust::Malformed);
        check(&format!("r=x{CLIENT_NONCE},s={SALT},i=4096"), Distrust::ForeignNonce);
        check(&format!("r={CLIENT_NONCE},s={SALT},i=4096"), Distrust::ForeignNonce);
        check(&format!("r={CLIENT_NONCE}x,s={SALT},i=4095"), Distrust::Iterations(4095));
        let many = format!("r={CLIENT_NONCE}x,s={SALT},i=4000000000");
        check(&many, Distrust::Iterations(4_000_000_000));
        for bad in ["", "v=", "e=other-error", "v=AAAA", &SERVER_FINAL.replace("v=6", "v=7")] {
            let expected = ExpectedSignature([0; 32]);
            assert_eq!(expected.check(bad.as_bytes()), Err(Distrust::WrongSignature), "{bad}");
        }
    }
}
