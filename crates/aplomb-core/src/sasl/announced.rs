//! What a server announces for logins: what a client chooses from it, and the hash by which a
//! server proves that nobody in between changed it (XEP-0474).
//!
//! Sources: XEP-0474 §5, XEP-0440 §3, RFC 5802 §6, RFC 9266 §4.2.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::binding::{BindingType, Bindings};
use super::{Hash, Mechanism};

/// The names of mechanisms and of types of channel binding, as they were announced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announced {
    /// The mechanisms.
    pub mechanisms: Vec<String>,
    /// The types of channel binding (XEP-0440); none if the server says nothing of them.
    pub binding_types: Option<Vec<String>>,
}

/// How a client logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// By PLAIN.
    Plain,
    /// By SCRAM.
    Scram(Hash, Flag),
}

/// What a client says of channel binding (the gs2-cbind-flag of RFC 5802 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// It cannot, here. `is_odd` if the server can by types that are announced but that this
    /// client does not have: then it must prove that it announced them (XEP-0474 §6).
    Unable {
        /// Whether the announcement must be proved.
        is_odd: bool,
    },
    /// It could, and believes that the server cannot.
    Unoffered,
    /// It does.
    Bound(BindingType),
}

impl Announced {
    /// Chooses the strongest login that this client has too, if there is any.
    ///
    /// `bindings` is what the client's connection has; PLAIN is taken if `allows_plain`.
    pub fn choose(&self, bindings: &Bindings, allows_plain: bool) -> Option<Choice> {
        let offers = |mechanism: Mechanism| self.mechanisms.iter().any(|m| m == mechanism.name());
        let can_bind = Mechanism::ALL.iter().any(|m| m.is_bound() && offers(*m));
        let common = bindings.types().find(|kind| self.has_type(*kind));
        let flag = match common {
            _ if !can_bind => Flag::Unoffered,
            Some(kind) => Flag::Bound(kind),
            None => Flag::Unable { is_odd: !bindings.is_empty() },
        };
        Mechanism::ALL.into_iter().filter(|mechanism| offers(*mechanism)).find_map(|mechanism| {
            match (mechanism, flag) {
                (Mechanism::ScramPlus(hash), Flag::Bound(_)) => Some(Choice::Scram(hash, flag)),
                (Mechanism::ScramPlus(_), _) => None,
                (Mechanism::Scram(hash), _) => Some(Choice::Scram(hash, flag)),
                (Mechanism::Plain, _) => allows_plain.then_some(Choice::Plain),
            }
        })
    }

    /// A server that does not say which types it has is taken to have any.
    fn has_type(&self, kind: BindingType) -> bool {
        let named = |types: &Vec<String>| types.iter().any(|name| name == kind.name());
        self.binding_types.as_ref().is_none_or(named)
    }

    /// The value of the attribute `h`.
    ///
    /// - Shape: both lists in the order of their bytes, their names divided by U+001E, the lists by
    ///   U+001F, which XML cannot carry; of that the hash, in base64.
    /// - Source: XEP-0474 §5.1.
    pub fn digest(&self, hash: Hash) -> String {
        let mut text = sorted(&self.mechanisms);
        if let Some(types) = &self.binding_types {
            text.push('\u{1f}');
            text.push_str(&sorted(types));
        }
        BASE64_STANDARD.encode(hash.digest(text.as_bytes()))
    }
}

fn sorted(names: &[String]) -> String {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.join("\u{1e}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn announced(mechanisms: &str, types: Option<&str>) -> Announced {
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Announced { mechanisms: list(mechanisms), binding_types: types.map(list) }
    }

    #[test]
    fn the_hash_is_that_of_the_example_in_whatever_order_the_lists_came() {
        let lists = ["tls-server-end-point tls-exporter", "tls-exporter tls-server-end-point"];
        for types in lists {
            let announced = announced("SCRAM-SHA-1-PLUS SCRAM-SHA-1", Some(types));
            assert_eq!(announced.digest(Hash::Sha1), "G6k/rBLDqgOhRRaCuuatSDFkJ08=");
        }
        // `printf 'PLAIN\036SCRAM-SHA-256' | openssl dgst -sha256 -binary | base64`
        let unbound = announced("SCRAM-SHA-256 PLAIN", None).digest(Hash::Sha256);
        assert_eq!(unbound, "Rgy1OtqF8B/re2ip4rVzs2herVHnECfKbsLqKQgUMgo=");
    }

    fn check(mechanisms: &str, types: Option<&str>, bindings: &Bindings, expected: Option<Choice>) {
        let announced = announced(mechanisms, types);
        assert_eq!(announced.choose(bindings, true), expected, "{mechanisms} {types:?}");
    }

    #[test]
    fn the_strongest_that_both_have_is_chosen_and_bound_where_it_can_be() {
        let exporter = Some(Secret::new([1; 32]));
        let both = Bindings { exporter, server_end_point: Some(vec![2]) };
        let weak = Bindings { exporter: None, ..both.clone() };
        let none = Bindings::default();
        let all = "PLAIN SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS \
                   SCRAM-SHA-512 SCRAM-SHA-512-PLUS";
        let types = Some("tls-server-end-point tls-exporter");
        let scram = |hash, flag| Some(Choice::Scram(hash, flag));
        let exporter = Flag::Bound(BindingType::Exporter);
        let end_point = Flag::Bound(BindingType::ServerEndPoint);
        check(all, types, &both, scram(Hash::Sha512, exporter));
        check(all, types, &weak, scram(Hash::Sha512, end_point));
        check(all, Some("tls-server-end-point"), &both, scram(Hash::Sha512, end_point));
        check(all, None, &both, scram(Hash::Sha512, exporter));
        check("SCRAM-SHA-1-PLUS SCRAM-SHA-512", types, &both, scram(Hash::Sha1, exporter));
        check(all, types, &none, scram(Hash::Sha512, Flag::Unable { is_odd: false }));
        check(all, Some("tls-unique"), &both, scram(Hash::Sha512, Flag::Unable { is_odd: true }));
        check("PLAIN SCRAM-SHA-1 SCRAM-SHA-256", None, &both, scram(Hash::Sha256, Flag::Unoffered));
        check("PLAIN SCRAM-SHA-1", None, &none, scram(Hash::Sha1, Flag::Unoffered));
        check("PLAIN X-OTHER", None, &both, Some(Choice::Plain));
        check("X-OTHER", None, &both, None);
        assert_eq!(announced("PLAIN", None).choose(&both, false), None);
    }
}
