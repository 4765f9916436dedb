//! The one list of all that we speak, wherever it is done: of it are made `docs/xeps.md` and the
//! test that sends malformed requests to each (`crates/aplomb/tests/connection/malformed.rs`).
//!
//! An extension that is an answer to stanzas stands in the list of `realm/features`; one of the
//! stream or of a carrier stands here.

use crate::standard::Standard;
use crate::{framing, handshake, realm, sasl, stream};

/// What streams and carriers follow; the features of the realm come after it.
const BELOW: &[&[Standard]] = &[
    framing::tcp::STANDARDS,
    framing::ws::STANDARDS,
    framing::bosh::STANDARDS,
    handshake::host_meta::STANDARDS,
    sasl::STANDARDS,
    stream::sasl2::STANDARDS,
    stream::management::STANDARDS,
    stream::client_state::STANDARDS,
];

/// Everything, carriers first.
pub fn standards() -> impl Iterator<Item = Standard> {
    BELOW.iter().copied().flatten().copied().chain(realm::standards())
}

/// Writes `docs/xeps.md`: the list, for people.
pub fn page() -> String {
    let mut page = String::from(PAGE_HEAD);
    page.push_str("\n# Streams and carriers\n");
    for standard in BELOW.iter().copied().flatten() {
        page.push_str(&entry(standard));
    }
    page.push_str("\n# Stanzas\n");
    for standard in realm::standards() {
        page.push_str(&entry(&standard));
        for (place, names) in realm::announced(standard.source) {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            page.push_str(&format!("\nAnnounced by the {place}: {}.\n", names.join(", ")));
        }
    }
    page
}

fn entry(standard: &Standard) -> String {
    let Standard { source, name, what, .. } = standard;
    format!("\n## {source}: {name}\n\n{what}\n")
}

const PAGE_HEAD: &str = "\
# What aplomb speaks

This page is written by the program from the one list of what it speaks
(`crates/aplomb-core/src/catalogue.rs`); service discovery and a test that sends malformed requests
to each read the same list. After a change,
`APLOMB_WRITE_DOCS=1 cargo test -p aplomb-core the_page_of_features` writes it anew.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ns;
    use crate::xml::{Prologue, read_element_in};

    #[test]
    fn the_page_of_features_is_the_one_in_docs() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/xeps.md");
        if std::env::var_os("APLOMB_WRITE_DOCS").is_some() {
            std::fs::write(path, page()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page());
    }

    #[test]
    fn no_standard_is_listed_twice_and_every_sample_can_be_read() {
        let mut seen = std::collections::BTreeSet::new();
        for Standard { source, name, samples, .. } in standards() {
            assert!(seen.insert((source, name)), "{source}: {name} is listed twice");
            for sample in samples {
                let read = read_element_in(sample.says, Prologue::Forbidden, ns::CLIENT);
                assert!(read.is_ok(), "{source}: {}", sample.says);
            }
        }
    }
}
