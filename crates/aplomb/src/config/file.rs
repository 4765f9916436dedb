//! The configuration file: TOML 1.0, one key a setting. What is wrong is shown where it stands.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::setting::{Setting, nearest};
use super::{ConfigError, SETTINGS};

/// A value that a file gives.
pub(super) struct Given {
    pub(super) setting: &'static Setting,
    pub(super) text: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Vec<Given>, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    parse(&path.display().to_string(), &text)
}

/// Reads the text of a file; every fault in it is reported.
pub(super) fn parse(path: &str, text: &str) -> Result<Vec<Given>, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        show(path, text, &Fault::new(span, error.message(), "not TOML"))
    });
    let table = table.map_err(ConfigError::InFile)?;
    let mut given = Vec::new();
    let mut faults = Vec::new();
    for (key, value) in table.get_ref() {
        match entry(key, value) {
            Ok((setting, value)) => {
                let line = text[..key.span().start].matches('\n').count() + 1;
                given.push(Given { setting, text: value, line });
            }
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        return Ok(given);
    }
    faults.sort_by_key(|fault| fault.span.start);
    let shown: Vec<_> = faults.iter().map(|fault| show(path, text, fault)).collect();
    Err(ConfigError::InFile(shown.join("\n\n")))
}

struct Fault {
    span: std::ops::Range<usize>,
    title: String,
    label: String,
}

impl Fault {
    fn new(span: std::ops::Range<usize>, title: &str, label: &str) -> Self {
        Self { span, title: title.to_owned(), label: label.to_owned() }
    }
}

fn entry(
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> Result<(&'static Setting, String), Fault> {
    let name = key.get_ref().as_ref();
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
        let hint = nearest(name, SETTINGS.iter().map(|setting| setting.name));
        let label = hint.map(|name| format!("did you mean `{name}`?"));
        let label = label.unwrap_or_else(|| "`aplomb config` lists the settings".to_owned());
        return Err(Fault::new(key.span(), &format!("there is no setting `{name}`"), &label));
    };
    let wrong = |label: &str| {
        Fault::new(value.span(), &format!("the value of `{name}` cannot be used"), label)
    };
    let text = value_text(value.get_ref());
    let text = text.ok_or_else(|| wrong(&format!("must be {}", setting.shape)))?;
    setting.refuse(&text).map_err(|problem| wrong(&problem))?;
    Ok((setting, text))
}

fn value_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Boolean(is_so) => Some(is_so.to_string()),
        DeValue::Array(parts) => {
            let parts = parts.iter().map(|part| part.get_ref().as_str().map(str::to_owned));
            Some(parts.collect::<Option<Vec<_>>>()?.join(","))
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

fn show(path: &str, text: &str, fault: &Fault) -> String {
    let text = without_secrets(text);
    let mark = AnnotationKind::Primary.span(fault.span.clone()).label(fault.label.as_str());
    let snippet = Snippet::source(text.as_str()).path(path).annotation(mark);
    let report: &[Group<'_>] = &[Level::ERROR.primary_title(fault.title.as_str()).element(snippet)];
    Renderer::plain().render(report)
}

/// Stars in place of secrets, byte for byte, so that places in the text stay where they are.
fn without_secrets(text: &str) -> String {
    let mask = |line: &str| {
        let is_secret = SETTINGS.iter().any(|setting| {
            setting.is_secret() && line.trim_start().trim_matches('"').starts_with(setting.name)
        });
        match line.find('=') {
            Some(end) if is_secret => format!("{}{}", &line[..=end], stars(&line[end + 1..])),
            Some(_) | None => line.to_owned(),
        }
    };
    text.split_inclusive('\n').map(mask).collect()
}

fn stars(value: &str) -> String {
    let star = |byte: u8| if byte.is_ascii_whitespace() { char::from(byte) } else { '*' };
    value.bytes().map(star).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses `text` as `aplomb.toml`; gives what it sets, or the report.
    fn check(text: &str) -> Result<Vec<(&'static str, String, usize)>, String> {
        let given = parse("aplomb.toml", text).map_err(|error| error.to_string())?;
        Ok(given.into_iter().map(|given| (given.setting.name, given.text, given.line)).collect())
    }

    #[test]
    fn strings_numbers_switches_and_lists_are_read_with_their_lines() {
        let text = "domain = 'cc.test'\n\nlab = true\nlab-agents = 1_000\n\
                    allowed-origins = ['https://a', 'https://b']\n";
        let mut given = check(text).expect("it is right");
        given.sort_by_key(|(_, _, line)| *line);
        let wanted = [("domain", "cc.test", 1), ("lab", "true", 3), ("lab-agents", "1000", 4)];
        for (given, wanted) in given.iter().zip(wanted) {
            assert_eq!((given.0, given.1.as_str(), given.2), wanted);
        }
        assert_eq!(given[3].1, "https://a,https://b");
    }

    #[test]
    fn a_wrong_key_is_shown_in_its_line_with_the_right_spelling() {
        let report = check("lab = true\ndata_dir = 'x'\n").expect_err("data_dir is wrong");
        for part in ["there is no setting `data_dir`", "aplomb.toml:2:1", "data_dir = 'x'"] {
            assert!(report.contains(part), "{report}");
        }
        assert!(report.contains("did you mean `data-dir`?"), "{report}");
    }

    #[test]
    fn every_wrong_value_is_shown_in_the_order_of_the_file() {
        let report = check("https = 8445\nlog = 'jason'\nlab = [1]\n").expect_err("all are wrong");
        let places = ["aplomb.toml:1:9", "aplomb.toml:2:7", "aplomb.toml:3:7"]
            .map(|place| report.find(place).unwrap_or_else(|| panic!("{place}: {report}")));
        assert!(places.is_sorted(), "{report}");
        assert!(report.contains("did you mean json?"), "{report}");
    }

    #[test]
    fn broken_toml_is_shown_in_its_line() {
        let report = check("lab = true\ndomain = \n").expect_err("it is broken");
        assert!(report.contains("aplomb.toml:2:"), "{report}");
    }

    #[test]
    fn a_report_does_not_show_secrets() {
        for text in ["lab-password = hunter2\n", "lab-password = { a = 'hunter2' }\n"] {
            let report = check(text).expect_err("it is broken");
            assert!(!report.contains("hunter2") && report.contains("***"), "{report}");
        }
    }
}
