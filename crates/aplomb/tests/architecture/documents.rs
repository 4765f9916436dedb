//! What our pages point to is there.

use std::path::Path;

use crate::source::{root, sources};

const PAGES: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in pages() {
        let folder = Path::new(&path).parent().unwrap();
        broken.extend(
            links(&text)
                .into_iter()
                .filter(|link| !root().join(folder).join(link).exists())
                .map(|link| format!("{path}: {link}")),
        );
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_is_reached_from_another() {
    let pages = pages();
    for (path, _) in pages.iter().filter(|(path, _)| !PAGES.contains(&path.as_str())) {
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        let is_reached = pages.iter().any(|(other, text)| {
            other != path && links(text).iter().any(|link| link.ends_with(name))
        });
        assert!(is_reached, "no page links to {path}");
    }
}

#[test]
fn the_map_names_every_module_and_the_files_it_tells_to_read() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (map, rest) = page.split_once("## Where to start reading").expect("it has that part");
    let sources = sources(&["crates/aplomb-core/src", "crates/aplomb/src"]);
    for source in &sources {
        if let Some(module) = source.module().first() {
            let is_named = [format!("`{module}`"), format!("`{module}/`")];
            assert!(is_named.iter().any(|name| map.contains(name)), "the map lacks {module}");
        }
    }
    let reading = rest.split("\n## ").next().unwrap();
    let files = reading.split('`').filter(|word| word.ends_with(".rs"));
    for file in files.filter(|file| *file != "limits.rs") {
        let is_there = sources.iter().any(|source| source.path.ends_with(&format!("/src/{file}")));
        assert!(is_there, "there is no {file}");
    }
}

#[test]
fn every_test_with_a_client_of_others_has_its_row() {
    let page = std::fs::read_to_string(root().join("docs/interop.md")).unwrap();
    let files = std::fs::read_dir(root().join("interop")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let is_test =
        |name: &String| [".test.mjs", "_test.py", "_test.sh"].iter().any(|end| name.ends_with(end));
    let tests: Vec<String> = names.filter(is_test).collect();
    assert!(tests.len() > 10, "{tests:?}");
    for name in tests {
        let row = format!(" interop/{name}` |");
        assert!(page.contains(&row), "docs/interop.md has no row with interop/{name}");
    }
}

#[test]
fn a_link_is_found_and_one_to_elsewhere_is_not_followed() {
    let text = "see [a](docs/a.md), [b](../b.md#part) and [c](https://c.example/)\n\
                ```\n[d](d.md)\n```\n[e](#part)";
    assert_eq!(links(text), ["docs/a.md", "../b.md"]);
}

/// The targets of relative links, outside of code.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let targets = prose.flat_map(|prose| prose.split("](").skip(1));
    targets
        .filter_map(|target| target.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}

fn pages() -> Vec<(String, String)> {
    let mut paths: Vec<_> = PAGES.iter().map(|page| (*page).to_owned()).collect();
    for folder in ["docs", "docs/decisions"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                paths.push(format!("{folder}/{name}"));
            }
        }
    }
    let text = |path: &String| std::fs::read_to_string(root().join(path)).unwrap();
    paths.iter().map(|path| (path.clone(), text(path))).collect()
}
