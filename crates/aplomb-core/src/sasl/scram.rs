//! SCRAM by each hash, the server and the client side (RFC 5802, RFC 7677, XEP-0474).
//!
//! Each step consumes the one before, so a message can be used once only.

use base64::prelude::{BASE64_STANDARD, Engine};
use std::num::NonZeroU32;

use super::announced::{Announced, Flag};
use super::binding::{BindingType, Bindings};
use super::exchange::Offer;
use super::keys::{client_key, salted_password, server_key, stored_key, xor};
use super::{Failure, Hash, Login, Mechanism, ScramKeys, check_authzid};
use crate::jid;
use crate::limits::{SCRAM_ITERATIONS_MAX, SCRAM_ITERATIONS_MIN, SCRAM_NONCE_BYTES_MAX};
use crate::secret::{Secret, equal_in_constant_time};

/// The client's first message, read by a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFirst {
    name: String,
    binding: Option<BindingType>,
    bound: Bound,
    bare: String,
    nonce: String,
    /// What the challenge says of the announcement, if anything.
    announced: Option<String>,
}

/// A server that has sent its challenge.
#[derive(Debug)]
pub struct ServerExchange {
    account: String,
    bound: Bound,
    nonce: String,
    /// The first two parts of RFC 5802's AuthMessage.
    messages: String,
    keys: ScramKeys,
}

/// What the final message must repeat: the GS2 header and the data of the binding.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound(Secret<Vec<u8>>);

impl ClientFirst {
    /// Reads the first message of a login by SCRAM with `hash`; with channel binding if `is_bound`.
    ///
    /// - Shape: `n,,n=user,r=nonce`; the authzid between the commas obeys PLAIN's rule.
    /// - Errors: [`Failure::MalformedRequest`], [`Failure::InvalidAuthzid`],
    ///   [`Failure::Downgraded`] or [`Failure::UnknownBinding`].
    /// - Source: RFC 5802 §6 and §7.
    pub fn read(
        message: &[u8],
        hash: Hash,
        is_bound: bool,
        offer: Offer<'_>,
    ) -> Result<Self, Failure> {
        let text = std::str::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
        let mut parts = text.splitn(3, ',');
        let (Some(flag), Some(authzid), Some(bare)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(Failure::MalformedRequest);
        };
        let (binding, data) = read_flag(flag, hash, is_bound, offer)?.unzip();
        let (name, nonce) = name_and_nonce(bare).ok_or(Failure::MalformedRequest)?;
        let name = jid::account_name(&name).map_err(|_| Failure::MalformedRequest)?;
        if !authzid.is_empty() {
            let wanted = authzid.strip_prefix("a=").and_then(decode_name);
            check_authzid(&wanted.ok_or(Failure::MalformedRequest)?, &name, offer.domain)?;
        }
        // COMPAT: Strophe 1.5 to 2: it refuses a challenge that says anything more. A client that
        // knows channel binding knows RFC 5802 well enough, and Strophe does not.
        let announced = (flag != "n").then(|| offer.announced().digest(hash));
        let header = format!("{flag},{authzid},");
        let bound = Bound(Secret::new([header.as_bytes(), data.unwrap_or_default()].concat()));
        let (bare, nonce) = (bare.to_owned(), nonce.to_owned());
        Ok(Self { name, binding, bound, bare, nonce, announced })
    }

    /// The account's name, in its one spelling.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// By what the client binds the login to its connection, if it does.
    pub const fn binding(&self) -> Option<BindingType> {
        self.binding
    }

    /// Makes the server's challenge by the keys of `account`, which the client may have called by
    /// another name; `nonce` is our random part.
    pub fn challenge(
        self,
        account: String,
        keys: ScramKeys,
        nonce: &str,
    ) -> (ServerExchange, String) {
        let nonce = format!("{}{nonce}", self.nonce);
        let salt = BASE64_STANDARD.encode(&keys.salt);
        let announced = self.announced.map(|digest| format!(",h={digest}")).unwrap_or_default();
        let challenge = format!("r={nonce},s={salt},i={}{announced}", keys.iterations);
        let messages = format!("{},{challenge}", self.bare);
        let exchange = ServerExchange { account, bound: self.bound, nonce, messages, keys };
        (exchange, challenge)
    }
}

impl ServerExchange {
    /// Checks the client's final message; returns the login and the server's final message.
    ///
    /// - Errors: [`Failure::MalformedRequest`] for another shape; [`Failure::NotAuthorized`] for a
    ///   wrong proof or nonce; [`Failure::WrongBinding`] for a right one that is bound elsewhere.
    /// - Source: RFC 5802 §7.
    pub fn finish(self, message: &[u8]) -> Result<(Login, String), Failure> {
        let text = std::str::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(Failure::MalformedRequest)?;
        let proof = BASE64_STANDARD.decode(proof).map_err(|_| Failure::MalformedRequest)?;
        let mut parts = without_proof.split(',');
        let bound = parts.next().and_then(|part| part.strip_prefix("c="));
        let nonce = parts.next().and_then(|part| part.strip_prefix("r="));
        let (Some(bound), Some(nonce)) = (bound, nonce) else {
            return Err(Failure::MalformedRequest);
        };
        if proof.len() != self.keys.hash.bytes() {
            return Err(Failure::MalformedRequest);
        }
        let auth_message = format!("{},{without_proof}", self.messages);
        if !self.keys.are_proved(&auth_message, &proof) || nonce != self.nonce {
            return Err(Failure::NotAuthorized);
        }
        if bound != BASE64_STANDARD.encode(self.bound.0.expose()) {
            return Err(Failure::WrongBinding);
        }
        let hash = self.keys.hash;
        let signature = hash.hmac(self.keys.server_key.expose(), auth_message.as_bytes());
        Ok((Login::new(self.account), format!("v={}", BASE64_STANDARD.encode(signature))))
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
    /// What the server announced is not what came here.
    #[error(
        "the server announced other ways to log in than those that came here (XEP-0474): somebody \
         in between took the better ones away"
    )]
    Downgraded,
    /// The server has only types of channel binding that we do not know, and does not prove it.
    #[error(
        "the server can bind logins to this TLS connection, but by no type that is known here, \
         and does not prove that it announced them: somebody may be in between"
    )]
    OddBindings,
    /// The server does not know the password either.
    #[error("the server did not prove that it knows the password: it may be an impostor")]
    WrongSignature,
}

/// A client that has sent its first message.
#[derive(Debug)]
pub struct ClientExchange {
    hash: Hash,
    flag: Flag,
    bound: Bound,
    bare: String,
    nonce: String,
}

/// The server's proof that a client waits for.
#[derive(Debug)]
pub struct ExpectedSignature(Vec<u8>);

impl ClientExchange {
    /// Starts as `name`, with a random `nonce` of ours, on a connection that has `bindings`;
    /// returns the first message.
    pub fn start(
        name: &str,
        nonce: &str,
        (hash, flag): (Hash, Flag),
        bindings: &Bindings,
    ) -> (Self, String) {
        let (flag_text, data) = match flag {
            Flag::Unable { .. } => ("n".to_owned(), None),
            Flag::Unoffered => ("y".to_owned(), None),
            Flag::Bound(kind) => (format!("p={}", kind.name()), bindings.data(kind)),
        };
        let header = format!("{flag_text},,");
        let bound = Bound(Secret::new([header.as_bytes(), data.unwrap_or_default()].concat()));
        let bare = format!("n={},r={nonce}", encode_name(name));
        let message = format!("{header}{bare}");
        (Self { hash, flag, bound, bare, nonce: nonce.to_owned() }, message)
    }

    /// The mechanism that it is.
    pub const fn mechanism(&self) -> Mechanism {
        match self.flag {
            Flag::Bound(_) => Mechanism::ScramPlus(self.hash),
            Flag::Unable { .. } | Flag::Unoffered => Mechanism::Scram(self.hash),
        }
    }

    /// Answers the challenge of a server that announced `announced`. Costs the derivation that the
    /// server asks for, within bounds.
    ///
    /// - Errors: see [`Distrust`].
    pub fn answer(
        self,
        challenge: &[u8],
        password: &Secret<String>,
        announced: &Announced,
    ) -> Result<(ExpectedSignature, String), Distrust> {
        let Self { hash, .. } = self;
        let text = std::str::from_utf8(challenge).map_err(|_| Distrust::Malformed)?;
        let challenge = Challenge::read(text).ok_or(Distrust::Malformed)?;
        let Challenge { nonce, salt, iterations, digest } = challenge;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(Distrust::ForeignNonce);
        }
        if !(SCRAM_ITERATIONS_MIN..=SCRAM_ITERATIONS_MAX).contains(&iterations.get()) {
            return Err(Distrust::Iterations(iterations.get()));
        }
        match digest {
            Some(digest) if digest != announced.digest(hash) => return Err(Distrust::Downgraded),
            None if self.flag == (Flag::Unable { is_odd: true }) => {
                return Err(Distrust::OddBindings);
            }
            Some(_) | None => {}
        }
        let salted = salted_password(hash, password, &salt, iterations);
        let salted = salted.map_err(|_| Distrust::BadPassword)?;
        let bound = BASE64_STANDARD.encode(self.bound.0.expose());
        let without_proof = format!("c={bound},r={nonce}");
        let auth_message = format!("{},{text},{without_proof}", self.bare);
        let key = client_key(hash, &salted);
        let signature = hash.hmac(stored_key(hash, &key).expose(), auth_message.as_bytes());
        let proof = BASE64_STANDARD.encode(xor(key.expose(), &signature));
        let expected = hash.hmac(server_key(hash, &salted).expose(), auth_message.as_bytes());
        Ok((ExpectedSignature(expected), format!("{without_proof},p={proof}")))
    }
}

impl ExpectedSignature {
    /// Checks the server's final message.
    ///
    /// - Errors: [`Distrust::WrongSignature`].
    pub fn check(self, message: &[u8]) -> Result<(), Distrust> {
        let signature = message.strip_prefix(b"v=").and_then(|v| BASE64_STANDARD.decode(v).ok());
        let is_right = signature.is_some_and(|given| equal_in_constant_time(&given, &self.0));
        if is_right { Ok(()) } else { Err(Distrust::WrongSignature) }
    }
}

/// The type of channel binding that a client's first message names, if it names one.
pub fn binding_named(message: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(message).ok()?;
    text.split(',').next()?.strip_prefix("p=")
}

/// Reads the flag; gives the binding that it names, and the data of that.
fn read_flag<'a>(
    flag: &str,
    hash: Hash,
    is_bound: bool,
    offer: Offer<'a>,
) -> Result<Option<(BindingType, &'a [u8])>, Failure> {
    match (flag.strip_prefix("p="), is_bound) {
        (Some(kind), true) => {
            let kind = BindingType::named(kind);
            let found = kind.and_then(|kind| Some((kind, offer.bindings.data(kind)?)));
            found.map(Some).ok_or(Failure::UnknownBinding)
        }
        (None, false) if flag == "y" && offer.can_bind() => Err(Failure::Downgraded),
        (None, false) if matches!(flag, "n" | "y") => Ok(None),
        // COMPAT: stanza 12: it takes the bound form wherever it is offered and then binds nothing,
        // which is the same as if it had taken the other form.
        (None, true) if flag == "n" && offer.mechanisms.contains(&Mechanism::Scram(hash)) => {
            Ok(None)
        }
        (Some(_), false) | (None, _) => Err(Failure::MalformedRequest),
    }
}

fn name_and_nonce(bare: &str) -> Option<(String, &str)> {
    // A mandatory extension `m=` would stand first, and nobody has defined one.
    let mut parts = bare.split(',');
    let name = parts.next()?.strip_prefix("n=").and_then(decode_name)?;
    let nonce = parts.next()?.strip_prefix("r=")?;
    is_nonce(nonce).then_some((name, nonce))
}

/// The server's first message, read by a client.
struct Challenge<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: NonZeroU32,
    /// The attribute `h` of XEP-0474. Whatever else follows is of no meaning to us.
    digest: Option<&'a str>,
}

impl<'a> Challenge<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(',');
        let nonce = parts.next()?.strip_prefix("r=").filter(|nonce| is_nonce(nonce))?;
        let salt = BASE64_STANDARD.decode(parts.next()?.strip_prefix("s=")?).ok()?;
        let iterations = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        let mut digest = None;
        for extension in parts {
            match extension.split_once('=')? {
                // Mandatory to understand (RFC 5802 §5.1).
                ("m", _) => return None,
                ("h", value) if digest.replace(value).is_some() => return None,
                _ => {}
            }
        }
        Some(Self { nonce, salt, iterations, digest })
    }
}

fn is_nonce(nonce: &str) -> bool {
    let is_printable = nonce.bytes().all(|b| b.is_ascii_graphic() && b != b',');
    is_printable && (1..=SCRAM_NONCE_BYTES_MAX).contains(&nonce.len())
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
    use crate::sasl::announced::Choice;

    /// One login, word by word.
    struct Example {
        hash: Hash,
        salt: &'static str,
        nonces: [&'static str; 2],
        proof: &'static str,
        signature: &'static str,
    }

    /// RFC 5802 §5.
    const SHA1: Example = Example {
        hash: Hash::Sha1,
        salt: "QSXCR+Q6sek8bf92",
        nonces: ["fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j"],
        proof: "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        signature: "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    };

    /// RFC 7677 §3.
    const SHA256: Example = Example {
        hash: Hash::Sha256,
        salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
        nonces: ["rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"],
        proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    };

    /// The same login by SHA-512, by the hashlib and hmac of Python 3.11 in a script that gives the
    /// two above as well.
    const SHA512: Example = Example {
        hash: Hash::Sha512,
        proof: "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC\
                6wdp6dybEmDYXYTxwnYPJQ==",
        signature: "ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4\
                    +5ZxXnJq199RVG2rR7N7Zw==",
        ..SHA256
    };

    const CLIENT_NONCE: &str = SHA256.nonces[0];
    const SALT: &str = SHA256.salt;
    const UNBOUND: &[Mechanism] = &[Mechanism::Scram(Hash::Sha256), Mechanism::Plain];
    const ALL: &[Mechanism] = &Mechanism::ALL;

    fn pencil() -> Secret<String> {
        Secret::new("pencil".to_owned())
    }

    fn keys(example: &Example) -> ScramKeys {
        let salt = BASE64_STANDARD.decode(example.salt).unwrap();
        let rounds = NonZeroU32::new(4096).unwrap();
        ScramKeys::derive(example.hash, &pencil(), &salt, rounds).unwrap()
    }

    fn offer<'a>(mechanisms: &'a [Mechanism], bindings: &'a Bindings) -> Offer<'a> {
        Offer { domain: "cc.test", mechanisms, bindings }
    }

    fn bindings(seed: u8) -> Bindings {
        Bindings { exporter: Some(Secret::new([seed; 32])), server_end_point: Some(vec![seed; 48]) }
    }

    /// A login of our client against our server, each with its own view of the connection; the
    /// server announces `announced`, and what the client hears of it went through `tamper`.
    fn log_in(
        announced: &[Mechanism],
        [ours, theirs]: [&Bindings; 2],
        tamper: impl FnOnce(&mut Announced),
    ) -> Result<Mechanism, String> {
        let offer = offer(announced, ours);
        let mut heard = offer.announced();
        tamper(&mut heard);
        let Some(Choice::Scram(hash, flag)) = heard.choose(theirs, false) else {
            return Err("no choice".to_owned());
        };
        let (client, first) = ClientExchange::start("user", "abc", (hash, flag), theirs);
        let mechanism = client.mechanism();
        let is_bound = mechanism.is_bound();
        let keys = ScramKeys::derive(hash, &pencil(), b"salt", NonZeroU32::new(4096).unwrap());
        let failed = |failure: Failure| format!("{failure:?}");
        let first = ClientFirst::read(first.as_bytes(), hash, is_bound, offer).map_err(failed)?;
        let (server, challenge) = first.challenge("ada".to_owned(), keys.unwrap(), "def");
        let answer = client.answer(challenge.as_bytes(), &pencil(), &heard);
        let (expected, last) = answer.map_err(|distrust| format!("{distrust:?}"))?;
        let (_, proof) = server.finish(last.as_bytes()).map_err(failed)?;
        expected.check(proof.as_bytes()).unwrap();
        Ok(mechanism)
    }

    #[test]
    fn both_sides_say_what_the_standards_say() {
        let (none, announced) = (Bindings::default(), Announced::default());
        for example in [SHA1, SHA256, SHA512] {
            let Example { hash, salt, nonces: [ours, theirs], proof, signature } = example;
            let flag = Flag::Unable { is_odd: false };
            let (client, first) = ClientExchange::start("user", ours, (hash, flag), &none);
            assert_eq!(first, format!("n,,n=user,r={ours}"));
            let read = ClientFirst::read(first.as_bytes(), hash, false, offer(UNBOUND, &none));
            let (server, challenge) =
                read.unwrap().challenge("user".to_owned(), keys(&example), theirs);
            assert_eq!(challenge, format!("r={ours}{theirs},s={salt},i=4096"));
            let answer = client.answer(challenge.as_bytes(), &pencil(), &announced);
            let (expected, last) = answer.unwrap();
            assert_eq!(last, format!("c=biws,r={ours}{theirs},p={proof}"));
            let (login, last) = server.finish(last.as_bytes()).unwrap();
            assert_eq!((login.name(), last), ("user", format!("v={signature}")));
            assert_eq!(expected.check(format!("v={signature}").as_bytes()), Ok(()));
        }
    }

    #[test]
    fn a_first_message_is_from_the_client_itself_and_means_what_is_offered() {
        let (none, some) = (Bindings::default(), bindings(1));
        let weak = Bindings { exporter: None, ..some.clone() };
        let check = |message: &str, mechanism, offer, expected: Result<&str, Failure>| {
            let is_bound = Mechanism::is_bound(mechanism);
            let read = ClientFirst::read(message.as_bytes(), Hash::Sha256, is_bound, offer);
            let name = read.as_ref().map(ClientFirst::name);
            assert_eq!(name, expected.as_ref().copied(), "{message}");
        };
        let [plain, plus] = [Mechanism::Scram(Hash::Sha256), Mechanism::ScramPlus(Hash::Sha256)];
        let unbound = offer(UNBOUND, &none);
        check("n,,n=Ada,r=abc", plain, unbound, Ok("ada"));
        check("y,,n=ada,r=abc", plain, unbound, Ok("ada"));
        check("n,a=ada@cc.test,n=ada,r=abc", plain, unbound, Ok("ada"));
        check("n,,n=a=2Cb=3Dc,r=abc", plain, unbound, Ok("a,b=c"));
        check("n,,n=ada,r=abc,x=extension", plain, unbound, Ok("ada"));
        check("n,a=bob@cc.test,n=ada,r=abc", plain, unbound, Err(Failure::InvalidAuthzid));
        check("n,a=ada@elsewhere.test,n=ada,r=abc", plain, unbound, Err(Failure::InvalidAuthzid));
        for malformed in [
            "",
            "n",
            "n,,",
            "p=tls-unique,,n=ada,r=abc",
            "p=tls-exporter,,n=ada,r=abc",
            "p,,n=ada,r=abc",
            "x,,n=ada,r=abc",
            "n,bob,n=ada,r=abc",
            "n,,m=must,n=ada,r=abc",
            "n,,n=,r=abc",
            "n,,n=ada,r=",
            "n,,n=ada",
            "n,,n=a=da,r=abc",
            "n,,n=a=,r=abc",
            "n,,n=a=2c,r=abc",
            "n,,n=ada,r=a b",
        ] {
            check(malformed, plain, unbound, Err(Failure::MalformedRequest));
        }
        let long = format!("n,,n=ada,r={}", "a".repeat(SCRAM_NONCE_BYTES_MAX + 1));
        check(&long, plain, unbound, Err(Failure::MalformedRequest));

        let bound = offer(ALL, &some);
        check("p=tls-exporter,,n=ada,r=abc", plus, bound, Ok("ada"));
        check("p=tls-server-end-point,a=ada@cc.test,n=ada,r=abc", plus, bound, Ok("ada"));
        check("n,,n=ada,r=abc", plain, bound, Ok("ada"));
        check("y,,n=ada,r=abc", plain, bound, Err(Failure::Downgraded));
        check("y,,n=ada,r=abc", plus, bound, Err(Failure::MalformedRequest));
        // As stanza says it, where nothing but a bound login will do, and where another will.
        check("n,,n=ada,r=abc", plus, bound, Ok("ada"));
        let strict = offer(&ALL[..3], &some);
        check("n,,n=ada,r=abc", plus, strict, Err(Failure::MalformedRequest));
        for unknown in ["p=tls-unique", "p=", "p=TLS-EXPORTER"] {
            let message = format!("{unknown},,n=ada,r=abc");
            check(&message, plus, bound, Err(Failure::UnknownBinding));
        }
        check("p=tls-exporter,,n=ada,r=abc", plus, offer(ALL, &weak), Err(Failure::UnknownBinding));
    }

    #[test]
    fn a_login_is_bound_to_one_connection_by_the_strongest_that_both_have() {
        let (here, elsewhere, none) = (bindings(1), bindings(2), Bindings::default());
        let weak = Bindings { exporter: None, ..here.clone() };
        let as_it_is = |_: &mut Announced| {};
        let [bound, unbound] = [Mechanism::ScramPlus, Mechanism::Scram];
        assert_eq!(log_in(ALL, [&here, &here], as_it_is), Ok(bound(Hash::Sha512)));
        assert_eq!(log_in(ALL, [&weak, &here], as_it_is), Ok(bound(Hash::Sha512)));
        assert_eq!(log_in(ALL, [&here, &none], as_it_is), Ok(unbound(Hash::Sha512)));
        assert_eq!(log_in(UNBOUND, [&none, &here], as_it_is), Ok(unbound(Hash::Sha256)));
        let wrong = Err("WrongBinding".to_owned());
        assert_eq!(log_in(ALL, [&here, &elsewhere], as_it_is), wrong);
        assert_eq!(log_in(ALL, [&weak, &elsewhere], as_it_is), wrong);
    }

    #[test]
    fn whatever_somebody_in_between_takes_away_is_noticed() {
        let (here, none) = (bindings(1), Bindings::default());
        let check = |bindings, tamper: fn(&mut Announced), noticed: &str| {
            assert_eq!(log_in(ALL, bindings, tamper), Err(noticed.to_owned()));
        };
        let both = [&here, &here];
        check(both, |heard| drop(heard.mechanisms.remove(0)), "Downgraded");
        check(both, |heard| heard.mechanisms.push("X-NEW".to_owned()), "Downgraded");
        // By the server, for the client says that it can and heard of nothing.
        check(both, |heard| heard.mechanisms.retain(|m| !m.ends_with("PLUS")), "Downgraded");
        let exporter = |heard: &mut Announced| {
            heard.binding_types = Some(vec!["tls-server-end-point".to_owned()]);
        };
        check(both, exporter, "Downgraded");
        check(both, |heard| heard.binding_types = None, "Downgraded");
        check(both, |heard| heard.binding_types = Some(vec!["x".to_owned()]), "OddBindings");
        // Who binds nothing is told nothing: see the word on Strophe.
        let without = log_in(ALL, [&here, &none], |heard| drop(heard.mechanisms.remove(3)));
        assert_eq!(without, Ok(Mechanism::Scram(Hash::Sha256)));
    }

    #[test]
    fn the_first_messages_print_nothing_of_the_connection() {
        let bindings = Bindings { exporter: Some(Secret::new([211; 32])), ..Bindings::default() };
        let flag = Flag::Bound(BindingType::Exporter);
        let (client, first) =
            ClientExchange::start("user", CLIENT_NONCE, (Hash::Sha256, flag), &bindings);
        let read = ClientFirst::read(first.as_bytes(), Hash::Sha256, true, offer(ALL, &bindings));
        let printed = format!("{client:?} {:?}", read.unwrap());
        assert!(!printed.contains("211"), "{printed}");
    }

    #[test]
    fn a_login_is_that_of_the_account_and_not_of_the_name_that_was_typed() {
        let Example { hash, nonces: [ours, theirs], proof, .. } = SHA256;
        let none = Bindings::default();
        let first = format!("n,,n=user,r={ours}");
        let first = ClientFirst::read(first.as_bytes(), hash, false, offer(UNBOUND, &none));
        let (server, _) = first.unwrap().challenge("1001".to_owned(), keys(&SHA256), theirs);
        let last = format!("c=biws,r={ours}{theirs},p={proof}");
        assert_eq!(server.finish(last.as_bytes()).unwrap().0.name(), "1001");
    }

    fn challenged(server_nonce: &str) -> ServerExchange {
        let (none, first) = (Bindings::default(), format!("n,,n=user,r={CLIENT_NONCE}"));
        let offer = offer(UNBOUND, &none);
        let first = ClientFirst::read(first.as_bytes(), Hash::Sha256, false, offer).unwrap();
        first.challenge("user".to_owned(), keys(&SHA256), server_nonce).0
    }

    #[test]
    fn a_final_message_that_was_touched_or_used_before_is_refused() {
        let [ours, theirs] = SHA256.nonces;
        let last = format!("c=biws,r={ours}{theirs},p={}", SHA256.proof);
        assert!(challenged(theirs).finish(last.as_bytes()).is_ok());
        let check = |message: &str, failure| {
            let finished = challenged(theirs).finish(message.as_bytes());
            assert_eq!(finished.unwrap_err(), failure, "{message}");
        };
        check(&last.replace("c=biws", "c=eSws"), Failure::NotAuthorized);
        check(&last.replace("k0,", "k1,"), Failure::NotAuthorized);
        check(&last.replace("k0,", "k0,m=must,"), Failure::NotAuthorized);
        check(&last.replace("p=dH", "p=dG"), Failure::NotAuthorized);
        check(&last.replace("p=dHzb", "p="), Failure::MalformedRequest);
        check(&last.replace(SHA256.proof, SHA1.proof), Failure::MalformedRequest);
        check(&last.replace(SHA256.proof, SHA512.proof), Failure::MalformedRequest);
        check(&last.replace(SHA256.proof, ""), Failure::MalformedRequest);
        check("c=biws", Failure::MalformedRequest);
        check("", Failure::MalformedRequest);
        let replay = challenged("another-nonce").finish(last.as_bytes());
        assert_eq!(replay.unwrap_err(), Failure::NotAuthorized);
    }

    #[test]
    fn a_client_that_was_told_other_rounds_does_not_prove_itself() {
        let last = answer(&format!("r={CLIENT_NONCE}x,s={SALT},i=4097")).unwrap();
        let finished = challenged("x").finish(last.as_bytes());
        assert_eq!(finished.unwrap_err(), Failure::NotAuthorized);
    }

    fn answer(challenge: &str) -> Result<String, Distrust> {
        let flag = Flag::Unable { is_odd: false };
        let choice = (Hash::Sha256, flag);
        let (client, _) = ClientExchange::start("user", CLIENT_NONCE, choice, &Bindings::default());
        let answer = client.answer(challenge.as_bytes(), &pencil(), &Announced::default());
        answer.map(|(_, last)| last)
    }

    #[test]
    fn a_client_distrusts_a_bad_server() {
        let check = |challenge: &str, distrust| {
            assert_eq!(answer(challenge), Err(distrust), "{challenge}");
        };
        let good = format!("r={CLIENT_NONCE}x,s={SALT},i=4096");
        assert!(answer(&good).is_ok() && answer(&format!("{good},x=1,y=2")).is_ok());
        check("", Distrust::Malformed);
        check(&good.replace(SALT, "?"), Distrust::Malformed);
        check(&good.replace("i=4096", "i=0"), Distrust::Malformed);
        check(&good.replace("i=4096", "i=-4096"), Distrust::Malformed);
        check(&format!("{good},m=must"), Distrust::Malformed);
        check(&format!("m=must,{good}"), Distrust::Malformed);
        check(&format!("{good},h=a,h=b"), Distrust::Malformed);
        check(&format!("{good},h=AAAA"), Distrust::Downgraded);
        check(&good.replace("r=", "r=x"), Distrust::ForeignNonce);
        check(&good.replace("x,", ","), Distrust::ForeignNonce);
        check(&good.replace("4096", "4095"), Distrust::Iterations(4095));
        check(&good.replace("4096", "4000000000"), Distrust::Iterations(4_000_000_000));
        check(&good.replace("4096", "40000000000"), Distrust::Malformed);
        let wrong = format!("v={}", SHA256.signature.replace('6', "7"));
        for bad in ["", "v=", "e=other-error", "v=AAAA", &wrong] {
            let signature = BASE64_STANDARD.decode(SHA256.signature).unwrap();
            let expected = ExpectedSignature(signature);
            assert_eq!(expected.check(bad.as_bytes()), Err(Distrust::WrongSignature), "{bad}");
        }
    }
}
