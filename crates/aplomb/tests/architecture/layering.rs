//! Who may import whom: the table in ARCHITECTURE.md, held against every path in the source.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, Written, root, sources};

const CORE: &str = "crates/aplomb-core/src";
const SHELL: &str = "crates/aplomb/src";

#[test]
fn the_source_keeps_to_the_table() {
    let table = Table::of_the_project();
    let faults = faults(&table, &sources(&[CORE, SHELL]));
    assert!(faults.is_empty(), "not allowed by ARCHITECTURE.md:\n{}", faults.join("\n"));
}

#[test]
fn the_table_names_every_module_and_no_other() {
    let sources = sources(&[CORE, SHELL]);
    let modules: BTreeSet<_> = sources.iter().filter_map(module_of).collect();
    let table = Table::of_the_project();
    let named: BTreeSet<_> = table.rows.keys().cloned().collect();
    assert_eq!(modules, named, "modules on the left, rows of the table on the right");
}

#[test]
fn no_two_modules_import_each_other() {
    let sources = sources(&[CORE, SHELL]);
    let imports: BTreeSet<_> = sources.iter().flat_map(imports_of).map(|(pair, _)| pair).collect();
    let back = |(from, to): &&(String, String)| imports.contains(&(to.clone(), from.clone()));
    let mutual: Vec<_> = imports.iter().filter(back).collect();
    assert!(mutual.is_empty(), "these import each other: {mutual:?}");
}

#[test]
fn what_the_table_does_not_allow_is_found_however_it_is_written() {
    let table = Table::parse(
        "ground    = core::jid\n\
         core::jid →\n\
         core::xml → ground\n\
         rest      → writer core::xml\n\
         writer    → ground\n\
         cli       → *\n",
    );
    let check = |path: &str, text: &str| faults(&table, &[Source::new(path, text)]).len();
    let rest = "crates/aplomb/src/rest/user.rs";
    for (path, text, wrong) in [
        (rest, "use crate::writer::Writer; use aplomb_core::xml::Element;", 0),
        (rest, "use crate::store;", 1),
        (rest, "use crate::{writer::Writer, store::{self, Store}, hub as other, writer};", 2),
        (rest, "fn look() { crate::hub::publish(); }", 1),
        (rest, "fn look() { select! { _ = crate::hub::wait() => 1 } }", 1),
        (rest, "use super::super::store::Store;", 1),
        (rest, "use super::team;", 0),
        (rest, "use aplomb_core::jid::Jid;", 1),
        (rest, "#[cfg(test)] mod tests { use crate::store::Memory; }", 0),
        (rest, "// crate::store\nconst TEXT: &str = \"crate::store\";", 0),
        ("crates/aplomb/src/writer.rs", "use aplomb_core::jid::Jid;", 0),
        ("crates/aplomb/src/writer.rs", "use super::store::Store;", 1),
        ("crates/aplomb/src/cli/mod.rs", "use crate::store;", 0),
        ("crates/aplomb-core/src/xml/mod.rs", "use crate::jid::Jid;", 0),
        ("crates/aplomb-core/src/jid.rs", "use crate::xml::Element;", 1),
        ("crates/aplomb-core/src/new.rs", "use crate::jid::Jid;", 1),
    ] {
        assert_eq!(check(path, text), wrong, "{path}: {text}");
    }
}

/// The table: a row says which modules a module may name. `*` allows all.
struct Table {
    rows: BTreeMap<String, BTreeSet<String>>,
}

impl Table {
    fn of_the_project() -> Self {
        let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
        let start = page.split_once("```imports\n").expect("ARCHITECTURE.md has the table").1;
        Self::parse(start.split_once("```").expect("the table ends").0)
    }

    fn parse(text: &str) -> Self {
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut rows: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let group = line.split_once('=');
            let row = line.split_once('→');
            if let (None, Some((group, members))) = (row, group) {
                groups.insert(group.trim(), members.split_whitespace().collect());
                continue;
            }
            let (module, allowed) = row.unwrap_or_else(|| panic!("`{line}` has neither = nor →"));
            let spread = |name| groups.get(name).cloned().unwrap_or_else(|| vec![name]);
            let allowed = allowed.split_whitespace().flat_map(spread).map(str::to_owned);
            rows.entry(module.trim().to_owned()).or_default().extend(allowed);
        }
        Self { rows }
    }

    fn allows(&self, from: &str, to: &str) -> bool {
        let allowed = self.rows.get(from);
        from == to || allowed.is_some_and(|allowed| allowed.contains(to) || allowed.contains("*"))
    }
}

fn faults(table: &Table, sources: &[Source]) -> Vec<String> {
    let imports = sources.iter().flat_map(imports_of);
    let wrong = imports.filter(|((from, to), _)| !table.allows(from, to));
    let mut wrong: Vec<_> = wrong.map(|((from, to), at)| format!("{at}: {from} → {to}")).collect();
    wrong.dedup();
    wrong
}

/// The module a file belongs to, as the table spells it: `core::xml`, `rest`.
fn module_of(source: &Source) -> Option<String> {
    let prefix = if source.path.starts_with(CORE) { "core::" } else { "" };
    Some(format!("{prefix}{}", source.module().first()?))
}

/// Which other modules a file names outside its tests, and where.
fn imports_of(source: &Source) -> Vec<((String, String), String)> {
    let Some(from) = module_of(source) else { return Vec::new() };
    let is_core = source.path.starts_with(CORE);
    let depth = source.module().len();
    let named = |path: &Written| {
        let supers = path.parts.iter().take_while(|part| *part == "super").count();
        let (start, is_core) = match path.parts[0].as_str() {
            "crate" => (1, is_core),
            "aplomb_core" => (1, true),
            "aplomb" => (1, false),
            "super" if supers == depth => (supers, is_core),
            _ => return None,
        };
        let prefix = if is_core { "core::" } else { "" };
        let to = format!("{prefix}{}", path.parts.get(start)?);
        Some(((from.clone(), to), format!("{}:{}", source.path, path.line)))
    };
    let paths = source.written_paths();
    let imports = paths.iter().filter(|path| !path.is_test).filter_map(named);
    imports.filter(|((from, to), _)| from != to).collect()
}
