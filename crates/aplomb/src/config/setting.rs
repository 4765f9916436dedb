//! One setting: its name, its type, its default, its meaning, and how text becomes its value.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aplomb_core::domain::Flavour;
use aplomb_core::handshake::{Origin, OriginError};
use aplomb_core::jid::DomainPart;
use aplomb_core::sasl::Mechanism;
use aplomb_core::secret::Secret;
use aplomb_core::stream::{Management, Sasl2};

/// One thing that can be set.
#[derive(Debug)]
pub struct Setting {
    /// Its name in the file and, after `--`, on the command line.
    pub name: &'static str,
    /// The heading under which help and documents show it.
    pub group: &'static str,
    /// The shape of a value, in a word.
    pub shape: &'static str,
    /// What it is when nobody sets it.
    pub preset: Preset,
    /// What it does, in a sentence or two.
    pub meaning: &'static str,
    /// The least and the most of a number; of a time, in seconds.
    pub bounds: Option<(u64, u64)>,
    /// How TOML writes a value.
    pub(super) written: Written,
    pub(super) check: fn(&str) -> Result<Option<u64>, String>,
}

/// What a setting is when nobody sets it.
#[derive(Debug)]
pub enum Preset {
    /// This text.
    Is(&'static str),
    /// Nothing.
    Unset,
    /// It depends: the rule in words, and the rule, which is told whether this is a laboratory.
    Made(&'static str, fn(bool) -> Option<String>),
}

/// How TOML writes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// In quotes.
    Quoted,
    /// As it is: a number, `true`.
    Bare,
    /// As an array of strings; elsewhere, with commas.
    List,
    /// Never.
    Dots,
}

/// The shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogShape {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Setting {
    /// The environment variable of the setting: `data-dir` is `APLOMB_DATA_DIR`.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.replace('-', "_").to_uppercase())
    }

    /// Whether its value must not be shown.
    pub fn is_secret(&self) -> bool {
        self.written == Written::Dots
    }

    /// Whether the flag may stand alone, for `true`.
    pub fn is_switch(&self) -> bool {
        self.shape == bool::SHAPE
    }

    /// Says in words what is wrong with a value.
    pub(super) fn refuse(&self, text: &str) -> Result<(), String> {
        let measure = (self.check)(text)?;
        match (self.bounds, measure) {
            (Some((least, most)), Some(measure)) if !(least..=most).contains(&measure) => {
                let unit = if self.shape == Duration::SHAPE { " seconds" } else { "" };
                Err(format!("must be {least} to {most}{unit}"))
            }
            _ => Ok(()),
        }
    }
}

/// What the names of our environment variables begin with.
pub(super) const VARIABLE_PREFIX: &str = "APLOMB_";

/// The candidate that a misspelt word most likely means, if one is near enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let word = plain(word);
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &plain(candidate)), candidate))
        .filter(|(likeness, _)| *likeness > LIKENESS_LEAST)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// Jaro-Winkler likeness, 0 to 1: two slips in a word of ten letters pass, another word does not.
const LIKENESS_LEAST: f64 = 0.82;

/// A value that a setting can have.
pub(super) trait Value: Sized {
    /// The shape of its text.
    const SHAPE: &'static str;
    /// How TOML writes it.
    const WRITTEN: Written = Written::Quoted;
    /// Reads it; the error completes "the value …".
    fn from_text(text: &str) -> Result<Self, String>;
    /// What bounds apply to.
    fn measure(&self) -> Option<u64> {
        None
    }
    /// The value of a setting that is not set.
    fn unset() -> Option<Self> {
        None
    }
}

impl Value for String {
    const SHAPE: &'static str = "TEXT";
    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
    }
}

impl Value for PathBuf {
    const SHAPE: &'static str = "PATH";
    fn from_text(text: &str) -> Result<Self, String> {
        String::from_text(text).map(Self::from)
    }
}

impl Value for SocketAddr {
    const SHAPE: &'static str = "ADDR:PORT";
    fn from_text(text: &str) -> Result<Self, String> {
        let words = "must be an IP address and a port, such as 127.0.0.1:8445 or [::]:8445";
        text.parse().map_err(|_| words.to_owned())
    }
}

impl Value for bool {
    const SHAPE: &'static str = "true|false";
    const WRITTEN: Written = Written::Bare;
    fn from_text(text: &str) -> Result<Self, String> {
        choose(text, &[("true", true), ("false", false)])
    }
}

impl Value for u32 {
    const SHAPE: &'static str = "NUMBER";
    const WRITTEN: Written = Written::Bare;
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be a whole number".to_owned())
    }
    fn measure(&self) -> Option<u64> {
        Some((*self).into())
    }
}

impl Value for usize {
    const SHAPE: &'static str = "NUMBER[KiB|MiB|GiB]";
    fn from_text(text: &str) -> Result<Self, String> {
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
        let unit = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
        let (digits, shift) = unit.unwrap_or((text, 0));
        let number = digits.parse::<Self>().ok().and_then(|number| number.checked_mul(1 << shift));
        number.ok_or_else(|| "must be a whole number, such as 1000 or 4MiB".to_owned())
    }
    fn measure(&self) -> Option<u64> {
        u64::try_from(*self).ok()
    }
}

impl Value for Duration {
    const SHAPE: &'static str = "TIME";
    fn from_text(text: &str) -> Result<Self, String> {
        let time = text.parse::<jiff::SignedDuration>().ok();
        let time = time.and_then(|time| Self::try_from(time).ok());
        time.ok_or_else(|| "must be a time with its unit, such as 20s, 5m or 12h".to_owned())
    }
    fn measure(&self) -> Option<u64> {
        Some(self.as_secs())
    }
}

impl Value for Flavour {
    const SHAPE: &'static str = "uccx|ucce";
    fn from_text(text: &str) -> Result<Self, String> {
        choose(text, &[("uccx", Self::Uccx), ("ucce", Self::Ucce)])
    }
}

impl Value for Management {
    const SHAPE: &'static str = "off|on-request|offered";
    fn from_text(text: &str) -> Result<Self, String> {
        let all = [("off", Self::Off), ("on-request", Self::OnRequest), ("offered", Self::Offered)];
        choose(text, &all)
    }
}

impl Value for Sasl2 {
    const SHAPE: &'static str = "off|offered";
    fn from_text(text: &str) -> Result<Self, String> {
        choose(text, &[("off", Self::Off), ("offered", Self::Offered)])
    }
}

impl Value for LogShape {
    const SHAPE: &'static str = "text|json";
    fn from_text(text: &str) -> Result<Self, String> {
        choose(text, &[("text", Self::Text), ("json", Self::Json)])
    }
}

impl Value for DomainPart {
    const SHAPE: &'static str = "DOMAIN";
    fn from_text(text: &str) -> Result<Self, String> {
        let domain = Self::new(text).map(|domain| domain.into_owned());
        domain.map_err(|_| "must be a domain, such as cc.example: no @, / or blank".to_owned())
    }
}

impl Value for Vec<Origin> {
    const SHAPE: &'static str = "ORIGIN,…";
    const WRITTEN: Written = Written::List;
    fn from_text(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let origin = |part: &str| {
            let wrong = |why: OriginError| format!("cannot hold {part:?}: {why}");
            part.parse().map_err(wrong)
        };
        parts.map(origin).collect()
    }
    fn unset() -> Option<Self> {
        Some(Self::new())
    }
}

impl Value for Vec<Mechanism> {
    const SHAPE: &'static str = "MECHANISM,…";
    const WRITTEN: Written = Written::List;
    fn from_text(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let mechanism = |part: &str| {
            let names = Mechanism::ALL.map(Mechanism::name);
            let hint = nearest(part, names).map(|name| format!("; did you mean {name}?"));
            let hint = hint.unwrap_or_else(|| format!(", only {}", names.join(", ")));
            Mechanism::named(part).ok_or_else(|| format!("cannot hold {part:?}{hint}"))
        };
        let mechanisms: Self = parts.map(mechanism).collect::<Result<_, _>>()?;
        if mechanisms.is_empty() {
            Err("must name one at least".to_owned())
        } else {
            Ok(mechanisms)
        }
    }
}

impl Value for Secret<String> {
    const SHAPE: &'static str = "SECRET";
    const WRITTEN: Written = Written::Dots;
    fn from_text(text: &str) -> Result<Self, String> {
        String::from_text(text).map(Self::new)
    }
}

impl<T: Value> Value for Option<T> {
    const SHAPE: &'static str = T::SHAPE;
    const WRITTEN: Written = T::WRITTEN;
    fn from_text(text: &str) -> Result<Self, String> {
        T::from_text(text).map(Some)
    }
    fn measure(&self) -> Option<u64> {
        self.as_ref().and_then(T::measure)
    }
    fn unset() -> Option<Self> {
        Some(None)
    }
}

fn choose<T: Copy>(text: &str, choices: &[(&'static str, T)]) -> Result<T, String> {
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    let hint = nearest(text, names.iter().copied());
    let hint = hint.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
    Err(format!("must be {}{hint}", names.join(" or ")))
}

/// Checks a text as a `T`; gives what bounds apply to.
pub(super) fn check<T: Value>(text: &str) -> Result<Option<u64>, String> {
    T::from_text(text).map(|value| value.measure())
}

/// Makes the `Config` struct, the list `SETTINGS`, and the way from checked texts to the struct.
macro_rules! settings {
    (@bounds) => { None };
    (@bounds $least:literal $most:literal) => { Some(($least, $most)) };
    ($($group:literal { $(
        $name:literal $field:ident: $type:ty = $preset:expr
            $(, in $least:literal ..= $most:literal)?;
            $meaning:literal;
    )* })*) => {
        /// The effective values.
        #[derive(Debug, Clone)]
        pub struct Config {
            $($( #[doc = $meaning] pub $field: $type, )*)*
            /// The names of what is not left to its default.
            set: Vec<&'static str>,
        }

        /// Everything that can be set, in the order in which it is shown.
        pub static SETTINGS: &[Setting] = &[ $($( Setting {
            name: $name,
            group: $group,
            shape: <$type as setting::Value>::SHAPE,
            preset: $preset,
            meaning: $meaning,
            bounds: settings!(@bounds $($least $most)?),
            written: <$type as setting::Value>::WRITTEN,
            check: setting::check::<$type>,
        }, )*)* ];

        impl Config {
            /// Builds it from effective values, which are checked already.
            fn from_effective(values: &[Effective]) -> Self {
                Self {
                    $($( $field: layers::take(values, $name), )*)*
                    set: layers::set(values),
                }
            }
        }
    };
}
pub(super) use settings;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;

    #[test]
    fn every_default_is_a_legal_value() {
        for setting in SETTINGS {
            for is_lab in [false, true] {
                let text = match &setting.preset {
                    Preset::Is(text) => Some((*text).to_owned()),
                    Preset::Unset => None,
                    Preset::Made(_, make) => make(is_lab),
                };
                if let Some(text) = text {
                    assert_eq!(setting.refuse(&text), Ok(()), "{} = {text}", setting.name);
                }
            }
        }
    }

    #[test]
    fn names_are_unique_and_become_variables() {
        let mut names: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.len());
        let data_dir = SETTINGS.iter().find(|setting| setting.name == "data-dir");
        assert_eq!(data_dir.map(Setting::variable).as_deref(), Some("APLOMB_DATA_DIR"));
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let names = || SETTINGS.iter().map(|setting| setting.name);
        for (slip, meant) in [
            ("data_dir", Some("data-dir")),
            ("domian", Some("domain")),
            ("lab-agent", Some("lab-agents")),
            ("Ping-After", Some("ping-after")),
            ("colour", None),
        ] {
            assert_eq!(nearest(slip, names()), meant, "{slip}");
        }
    }

    #[test]
    fn sizes_and_times_need_their_units_right() {
        assert_eq!(usize::from_text("4MiB"), Ok(4 << 20));
        assert_eq!(usize::from_text("1000"), Ok(1000));
        assert!(usize::from_text("4MB").is_err() && usize::from_text("-1").is_err());
        assert_eq!(Duration::from_text("1m30s"), Ok(Duration::from_secs(90)));
        assert!(Duration::from_text("20").is_err() && Duration::from_text("-5s").is_err());
    }
}
