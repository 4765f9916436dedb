//! The configuration as text: a file that could be used again, JSON, and the manual page.

use std::fmt::Write;

use serde_json::json;

use super::SETTINGS;
use super::layers::{Effective, OTHER_VARIABLES, Origin};
use super::setting::{Preset, Setting, Written};

/// Writes the effective values as a configuration file, each with its meaning and its origin.
pub fn as_toml(values: &[Effective]) -> String {
    let mut text = String::new();
    let mut group = "";
    for value in values {
        let setting = value.setting;
        if setting.group != group {
            group = setting.group;
            let gap = if text.is_empty() { "" } else { "\n" };
            put(&mut text, format_args!("{gap}## {group}\n"));
        }
        for line in wrapped(setting.meaning) {
            put(&mut text, format_args!("\n# {line}"));
        }
        let mut from = value.origin.to_string();
        if let (Origin::Default, Preset::Made(rule, _)) = (&value.origin, &setting.preset) {
            put(&mut from, format_args!(", {rule}"));
        }
        put(&mut text, format_args!("\n# From: {from}.\n"));
        match shown(value) {
            Some(shown) if setting.is_secret() => {
                put(&mut text, format_args!("# {} = {shown}\n", setting.name));
            }
            Some(shown) => put(&mut text, format_args!("{} = {shown}\n", setting.name)),
            None => put(&mut text, format_args!("# {} is not set\n", setting.name)),
        }
    }
    text
}

/// Writes the effective values as a JSON array of objects.
pub fn as_json(values: &[Effective]) -> String {
    let object = |value: &Effective| {
        let text = value.text.as_deref();
        let text = text.map(|text| if value.setting.is_secret() { DOTS } else { text });
        json!({
            "name": value.setting.name,
            "value": text,
            "origin": value.origin.to_string(),
            "default": default_of(value.setting),
            "meaning": value.setting.meaning,
        })
    };
    let objects: Vec<_> = values.iter().map(object).collect();
    format!("{:#}\n", serde_json::Value::Array(objects))
}

/// Writes the manual page of all settings, `docs/configuration.md`.
pub fn as_markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    let others = OTHER_VARIABLES.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    put(&mut text, format_args!("\nBesides these there are {}.\n", others.join(" and ")));
    let mut group = "";
    for setting in SETTINGS {
        if setting.group != group {
            group = setting.group;
            put(&mut text, format_args!("\n## {group}\n\n"));
            text.push_str("| setting | value | default | meaning |\n|---|---|---|---|\n");
        }
        let shape = setting.shape.replace('|', "\\|");
        let bounds = setting.bounds.map(|(least, most)| format!(", {least} to {most}"));
        let unit = if setting.shape == "TIME" { " s" } else { "" };
        let bounds = bounds.map(|bounds| bounds + unit).unwrap_or_default();
        let (name, meaning) = (setting.name, setting.meaning);
        let default = default_of(setting);
        put(&mut text, format_args!("| `{name}` | {shape}{bounds} | {default} | {meaning} |\n"));
    }
    text
}

const DOTS: &str = "•••";

const INTRODUCTION: &str = "\
# Configuration

Made from the code: `cargo run -- config --markdown > docs/configuration.md`.

Every setting can be given in three ways, of which the later wins:

1. in a TOML file named by `--config FILE`: `data-dir = \"/var/lib/aplomb\"`;
2. in the environment: `APLOMB_DATA_DIR=/var/lib/aplomb`;
3. on the command line: `--data-dir /var/lib/aplomb`.

`aplomb config` takes the same flags as `aplomb serve` and prints the effective values, where
each came from and what it means, as a file that can be used again. A name or a value that is not
known is an error that shows its place and the nearest right spelling.
";

fn default_of(setting: &Setting) -> String {
    match setting.preset {
        Preset::Is(text) => format!("`{text}`"),
        Preset::Unset => "not set".to_owned(),
        Preset::Made(words, _) => words.to_owned(),
    }
}

fn shown(value: &Effective) -> Option<String> {
    let text = value.text.as_deref()?;
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    Some(match value.setting.written {
        Written::Quoted => quoted(text),
        Written::Bare => text.to_owned(),
        Written::List => {
            let parts: Vec<_> = text.split(',').map(|part| quoted(part.trim())).collect();
            format!("[{}]", parts.join(", "))
        }
        Written::Dots => DOTS.to_owned(),
    })
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + word.chars().count() < LINE_CHARS_MAX {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Characters of a comment line: a terminal of 80 columns shows it whole.
const LINE_CHARS_MAX: usize = 76;

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes all text");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn lab(extra: &[(&str, &str)]) -> Vec<Effective> {
        let flags = [("lab", "true"), ("lab-password", "hunter2")];
        let flags = flags.iter().chain(extra).map(|&(name, text)| (name.into(), text.into()));
        let sources = Sources { flags: flags.collect(), ..Sources::default() };
        load(&sources).expect("it is right").effective
    }

    #[test]
    fn what_is_printed_can_be_used_again_and_means_the_same() {
        let before = lab(&[("allowed-origins", "https://a, https://b"), ("mailbox-bytes", "1MiB")]);
        let path = tempfile::NamedTempFile::new().expect("a temporary file").into_temp_path();
        std::fs::write(&path, as_toml(&before)).expect("it can be written");
        let file = Some(path.to_path_buf());
        let after = load(&Sources { file, ..Sources::default() }).expect("it reads itself");
        for (before, after) in before.iter().zip(&after.effective) {
            if !before.setting.is_secret() {
                let tidy = |text: &Option<String>| text.as_ref().map(|text| text.replace(' ', ""));
                assert_eq!(tidy(&before.text), tidy(&after.text), "{}", before.setting.name);
            }
        }
    }

    #[test]
    fn secrets_are_printed_as_dots() {
        for text in [as_toml(&lab(&[])), as_json(&lab(&[]))] {
            assert!(text.contains(DOTS) && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn the_manual_page_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        let hint = "run: cargo run -- config --markdown > docs/configuration.md";
        assert!(kept == as_markdown(), "docs/configuration.md is not current; {hint}");
    }
}
