//! Tokens that bring a desktop back in one message: HT-SHA-256, issued and counted as FAST has it.
//!
//! A token is for one account, one user agent and one mechanism, and dies with the password under
//! which it was issued: all of that goes into its making, together with a key that is not kept
//! where tokens are. What is kept is no secret. A client has at most two tokens: the one that it
//! uses, and the one that it was given last and may not have received.
//! Source: XEP-0484, draft-schmaus-kitten-sasl-ht-09.

mod shelf;

pub use shelf::{FastChange, FastRequest, FastTokens, Fitting, Refused, Use};

use aws_lc_rs::{digest, hmac};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use super::Failure;
use super::binding::{BindingType, Bindings};
use crate::jid;
use crate::secret::{Secret, equal_in_constant_time};
use crate::time::WallTime;

/// A client program on one device, by the UUID that it made for itself (XEP-0388 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Agent([u8; 16]);

/// A mechanism for tokens: what of the connection is proved with the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FastMechanism {
    /// That it is the one TLS connection (`tls-exporter`, RFC 9266).
    Exporter,
    /// That it is TLS with this server's certificate (`tls-server-end-point`, RFC 5929).
    EndPoint,
    /// Nothing: for pages in a browser, which know nothing of their connection.
    Unbound,
}

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FastToken {
    /// Whose it is.
    pub agent: Agent,
    /// What it is good for.
    pub mechanism: FastMechanism,
    /// Random; no two tokens have the same.
    pub seed: [u8; SEED_BYTES],
    /// Until when it is good.
    pub expires: WallTime,
    /// Whether the client has logged in with it, and so has received it.
    pub is_used: bool,
    /// The highest count that came with it; none yet.
    pub count: u32,
}

/// What makes a token a secret.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// A key of the server's.
    pub key: &'a Secret<[u8; 32]>,
    /// The account, in its one spelling.
    pub account: &'a str,
    /// What changes with the account's password, and with nothing else.
    pub password_mark: &'a Secret<Vec<u8>>,
}

/// A token as a client shows it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What it sent.
    pub proof: FastProof,
    /// Which client it says it is.
    pub agent: Agent,
    /// By which mechanism.
    pub mechanism: FastMechanism,
    /// What that proves of the connection.
    pub binding: Secret<Vec<u8>>,
    /// How the token is used.
    pub with: Use,
}

/// A client's message, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FastProof {
    /// The account's name, in its one spelling.
    pub name: String,
    /// What only the token can have made.
    pub hash: Secret<[u8; 32]>,
}

impl Agent {
    /// Reads the `id` of a `<user-agent/>`: a UUID of version 4 in its usual spelling.
    pub fn parse(id: &str) -> Option<Self> {
        let has_hyphens =
            id.len() == UUID_CHARS && HYPHENS.iter().all(|at| id.as_bytes()[*at] == b'-');
        let digits: Vec<u8> = id.bytes().filter(u8::is_ascii_hexdigit).collect();
        if !has_hyphens || digits.len() != UUID_CHARS - HYPHENS.len() {
            return None;
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        // Version 4: random, so that no two clients have the same (RFC 9562 §5.4).
        let is_random = bytes[6] >> 4 == 4 && bytes[8] >> 6 == 0b10;
        is_random.then_some(Self(bytes))
    }

    /// The bytes of the UUID.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Ten letters and digits that stay the same and do not tell the id (XEP-0386 §3.2.1).
    pub fn mark(&self) -> String {
        let hash = digest::digest(&digest::SHA256, &self.0);
        hash.as_ref().iter().take(MARK_CHARS / 2).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Display for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let hyphen = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{hyphen}{byte:02x}")?;
        }
        Ok(())
    }
}

impl FastMechanism {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::Exporter, Self::EndPoint, Self::Unbound];

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exporter => "HT-SHA-256-EXPR",
            Self::EndPoint => "HT-SHA-256-ENDP",
            Self::Unbound => "HT-SHA-256-NONE",
        }
    }

    /// The type of channel binding that it proves; none for none.
    pub const fn binding_type(self) -> Option<BindingType> {
        match self {
            Self::Exporter => Some(BindingType::Exporter),
            Self::EndPoint => Some(BindingType::ServerEndPoint),
            Self::Unbound => None,
        }
    }

    /// Those that a connection with `bindings` can have, the best first.
    pub fn possible(bindings: &Bindings) -> Vec<Self> {
        let has = |kind| bindings.data(kind).is_some();
        Self::ALL.into_iter().filter(|m| m.binding_type().is_none_or(has)).collect()
    }

    /// The mechanism of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }
}

impl FastToken {
    /// The token itself, as the client gets it.
    pub fn text(&self, making: &Making<'_>) -> Secret<String> {
        let mut message = Vec::new();
        let expires = self.expires.0.to_be_bytes();
        let agent = &self.agent.0;
        // Each part has its length before it, so no two tokens are made of one message.
        for part in [
            making.account.as_bytes(),
            agent,
            self.mechanism.name().as_bytes(),
            &self.seed,
            &expires,
            making.password_mark.expose(),
        ] {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part);
        }
        let token = hash(making.key.expose(), &message, b"");
        Secret::new(BASE64_URL_SAFE_NO_PAD.encode(token))
    }
}

impl FastProof {
    /// Reads a client's only message.
    ///
    /// - Shape: `authcid NUL HMAC-SHA-256(token, "Initiator" binding)`.
    /// - Errors: [`Failure::MalformedRequest`].
    pub fn read(message: &[u8]) -> Result<Self, Failure> {
        let end = message.iter().position(|byte| *byte == 0).ok_or(Failure::MalformedRequest)?;
        let (name, hash) = (&message[..end], &message[end + 1..]);
        let name = std::str::from_utf8(name).map_err(|_| Failure::MalformedRequest)?;
        let name = jid::account_name(name).map_err(|_| Failure::MalformedRequest)?;
        let hash = hash.try_into().map_err(|_| Failure::MalformedRequest)?;
        Ok(Self { name, hash: Secret::new(hash) })
    }
}

/// Writes a client's only message; `binding` is what the mechanism proves of the connection.
pub fn initiator_message(name: &str, token: &Secret<String>, binding: &[u8]) -> Secret<Vec<u8>> {
    let proof = hash(token.expose().as_bytes(), INITIATOR, binding);
    Secret::new([name.as_bytes(), b"\0", &proof].concat())
}

/// What the server answers: it knows the token too.
pub fn responder_message(token: &Secret<String>, binding: &[u8]) -> [u8; 32] {
    hash(token.expose().as_bytes(), RESPONDER, binding)
}

/// Whether a server's answer shows that it knows the token.
pub fn is_from_responder(message: &[u8], token: &Secret<String>, binding: &[u8]) -> bool {
    equal_in_constant_time(message, &responder_message(token, binding))
}

fn is_from_initiator(proof: &[u8; 32], token: &Secret<String>, binding: &[u8]) -> bool {
    equal_in_constant_time(proof, &hash(token.expose().as_bytes(), INITIATOR, binding))
}

/// `HMAC-SHA-256(key, word binding)`.
fn hash(key: &[u8], word: &[u8], binding: &[u8]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    context.update(word);
    context.update(binding);
    context.sign().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Bytes of a seed: chance enough that no two are alike.
pub const SEED_BYTES: usize = 16;

/// Characters of a UUID in its usual spelling.
const UUID_CHARS: usize = 36;

/// Where it has hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Characters of an agent's mark: 40 bits, so that the clients of one account differ.
const MARK_CHARS: usize = 10;

const INITIATOR: &[u8] = b"Initiator";
const RESPONDER: &[u8] = b"Responder";

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = "d4565fa7-4d72-4749-b3d3-740edbf87770";

    fn token() -> FastToken {
        FastToken {
            agent: Agent::parse(AGENT).unwrap(),
            mechanism: FastMechanism::Unbound,
            seed: [7; SEED_BYTES],
            expires: WallTime(1_000),
            is_used: false,
            count: 0,
        }
    }

    static KEY: Secret<[u8; 32]> = Secret::new([1; 32]);
    static MARK: Secret<Vec<u8>> = Secret::new(Vec::new());

    fn making() -> Making<'static> {
        Making { key: &KEY, account: "ada", password_mark: &MARK }
    }

    #[test]
    fn a_message_is_what_another_implementation_makes_of_the_same_token() {
        // HMAC-SHA-256("secret-token:fast", "Initiator") and "Responder", by Python's hmac.
        let token = Secret::new("secret-token:fast".to_owned());
        let message = initiator_message("ada", &token, b"");
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(&message.expose()[..4], b"ada\0");
        assert_eq!(hex(&message.expose()[4..]), INITIATOR_HEX);
        assert_eq!(hex(&responder_message(&token, b"")), RESPONDER_HEX);
    }

    const INITIATOR_HEX: &str = "12ebc308c063c6e28b8a2e9643d8ad708ba6dd2f84427d9b18e6d7585a32bd15";
    const RESPONDER_HEX: &str = "fda0908e932ef9b2d273a1b0e97734832968860e37574f2f111e5c37a2077022";

    #[test]
    fn each_side_knows_the_other_by_token_and_binding() {
        let token = token().text(&making());
        for binding in [&b""[..], b"channel"] {
            let message = initiator_message("Ada", &token, binding);
            let proof = FastProof::read(message.expose()).unwrap();
            assert_eq!(proof.name, "ada");
            assert!(is_from_initiator(proof.hash.expose(), &token, binding));
            assert!(!is_from_initiator(proof.hash.expose(), &token, b"another"));
            let answer = responder_message(&token, binding);
            assert!(is_from_responder(&answer, &token, binding));
            assert!(!is_from_responder(&answer, &token, b"another"));
            assert!(!is_from_responder(proof.hash.expose(), &token, binding));
        }
    }

    #[test]
    fn all_that_a_token_is_bound_to_makes_it_another() {
        let one = token().text(&making());
        assert_eq!(one, token().text(&making()));
        let other_agent = Agent::parse("00000000-0000-4000-8000-000000000000").unwrap();
        let others = [
            FastToken { agent: other_agent, ..token() }.text(&making()),
            FastToken { mechanism: FastMechanism::EndPoint, ..token() }.text(&making()),
            FastToken { seed: [8; SEED_BYTES], ..token() }.text(&making()),
            FastToken { expires: WallTime(1_001), ..token() }.text(&making()),
            token().text(&Making { key: &Secret::new([2; 32]), ..making() }),
            token().text(&Making { account: "bob", ..making() }),
            token().text(&Making { password_mark: &Secret::new(vec![1]), ..making() }),
        ];
        for (at, other) in others.iter().enumerate() {
            assert_ne!(one, *other, "{at}");
        }
        assert_eq!(one.expose().len(), 43, "256 bits");
    }

    #[test]
    fn a_message_of_another_shape_is_refused() {
        let hash = "h".repeat(32);
        for message in [
            String::new(),
            "ada".to_owned(),
            "ada\0".to_owned(),
            format!("\0{hash}"),
            format!("ada\0{}", &hash[1..]),
            format!("ada\0{hash}h"),
            format!("a\u{7}da\0{hash}"),
        ] {
            let read = FastProof::read(message.as_bytes());
            assert_eq!(read, Err(Failure::MalformedRequest), "{message:?}");
        }
        assert!(FastProof::read(format!("ada\0{hash}").as_bytes()).is_ok());
    }

    #[test]
    fn an_agent_is_a_random_uuid_in_its_usual_spelling() {
        let agent = Agent::parse(&AGENT.to_uppercase()).unwrap();
        assert_eq!(agent.to_string(), AGENT);
        assert_eq!((agent.mark().len(), agent.mark()), (10, Agent::parse(AGENT).unwrap().mark()));
        assert!(!AGENT.contains(&agent.mark()));
        for id in [
            "",
            "desk",
            "d4565fa74d724749b3d3740edbf87770",
            "{d4565fa7-4d72-4749-b3d3-740edbf87770}",
            "urn:uuid:d4565fa7-4d72-4749-b3d3-740edbf87770",
            "d4565fa7-4d72-1749-b3d3-740edbf87770",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert_eq!(Agent::parse(id), None, "{id}");
        }
    }
}
