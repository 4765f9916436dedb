//! Default, file, environment, flag: the later wins, and every value knows where it is from.

use std::fmt;
use std::path::PathBuf;

use super::setting::{Preset, Setting, VARIABLE_PREFIX, Value, nearest};
use super::{Config, ConfigError, SETTINGS, file};

/// Where values come from, besides the defaults.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file, if one is named.
    pub file: Option<PathBuf>,
    /// The environment: name and value.
    pub variables: Vec<(String, String)>,
    /// The command line: a setting's name and its value.
    pub flags: Vec<(String, String)>,
}

/// Where one value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// One effective value.
#[derive(Debug)]
pub struct Effective {
    /// Of what.
    pub setting: &'static Setting,
    /// The value as it was written; none when it is not set.
    pub(super) text: Option<String>,
    /// Where it is from.
    pub origin: Origin,
}

/// The configuration, and how it came about.
#[derive(Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// The same values with their origins, in the order of [`SETTINGS`].
    pub effective: Vec<Effective>,
}

/// Reads, checks and merges all sources.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut given: Vec<Option<(String, Origin)>> = SETTINGS.iter().map(|_| None).collect();
    let mut put = |setting: &'static Setting, text: String, origin| {
        let place = SETTINGS.iter().position(|other| other.name == setting.name);
        given[place.expect("a setting is in the list")] = Some((text, origin));
    };
    if let Some(path) = &sources.file {
        for value in file::read(path)? {
            let origin = Origin::File { path: path.clone(), line: value.line };
            put(value.setting, value.text, origin);
        }
    }
    for (name, text) in &sources.variables {
        if let Some(setting) = variable(name, text)? {
            put(setting, text.clone(), Origin::Variable(name.clone()));
        }
    }
    for (name, text) in &sources.flags {
        let setting = flag(name, text)?;
        put(setting, text.clone(), Origin::Flag(setting.name));
    }
    let effective = with_defaults(given);
    let config = Config::from_effective(&effective);
    check_together(&config, &effective)?;
    Ok(Loaded { config, effective })
}

/// Environment variables of ours that are not settings of the server.
pub(super) const OTHER_VARIABLES: &[&str] = &["APLOMB_CONFIG", "APLOMB_PASSWORD"];

fn variable(name: &str, text: &str) -> Result<Option<&'static Setting>, ConfigError> {
    if !name.starts_with(VARIABLE_PREFIX) || OTHER_VARIABLES.contains(&name) {
        return Ok(None);
    }
    let wrong = |problem| ConfigError::InVariable { name: name.to_owned(), problem };
    let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
        let known: Vec<_> = SETTINGS.iter().map(Setting::variable).collect();
        let known = known.iter().map(String::as_str).chain(OTHER_VARIABLES.iter().copied());
        // What all names share would make any two of them alike.
        let known = known.filter_map(|known| known.strip_prefix(VARIABLE_PREFIX));
        let hint = nearest(&name[VARIABLE_PREFIX.len()..], known);
        let hint = hint.map(|hint| format!("; did you mean {VARIABLE_PREFIX}{hint}?"));
        return Err(wrong(format!("is not a setting{}", hint.unwrap_or_default())));
    };
    setting.refuse(text).map_err(wrong)?;
    Ok(Some(setting))
}

fn flag(name: &str, text: &str) -> Result<&'static Setting, ConfigError> {
    let wrong = |problem| ConfigError::InFlag { name: name.to_owned(), problem };
    let setting = SETTINGS.iter().find(|setting| setting.name == name);
    let setting = setting.ok_or_else(|| wrong("is not a setting".to_owned()))?;
    setting.refuse(text).map_err(wrong)?;
    Ok(setting)
}

fn with_defaults(given: Vec<Option<(String, Origin)>>) -> Vec<Effective> {
    let lab = SETTINGS.iter().position(|setting| setting.name == "lab");
    let lab = lab.and_then(|place| given[place].as_ref());
    let is_lab = lab.is_some_and(|(text, _)| text == "true");
    let fill = |(setting, given): (&'static Setting, Option<(String, Origin)>)| match given {
        Some((text, origin)) => Effective { setting, text: Some(text), origin },
        None => {
            let text = match &setting.preset {
                Preset::Is(text) => Some((*text).to_owned()),
                Preset::Unset => None,
                Preset::Made(_, make) => make(is_lab),
            };
            Effective { setting, text, origin: Origin::Default }
        }
    };
    SETTINGS.iter().zip(given).map(fill).collect()
}

fn check_together(config: &Config, effective: &[Effective]) -> Result<(), ConfigError> {
    let wrong = |words: String| Err(ConfigError::Together(words));
    let stray = effective
        .iter()
        .find(|value| value.setting.name.starts_with("lab-") && value.origin != Origin::Default);
    if let (false, Some(stray)) = (config.lab, stray) {
        let (name, origin) = (stray.setting.name, &stray.origin);
        return wrong(format!("`{name}` ({origin}) needs `lab`: add --lab, or leave it out"));
    }
    if config.tls_certificate.is_some() != config.tls_key.is_some() {
        return wrong("`tls-certificate` and `tls-key` go together: set both, or none".to_owned());
    }
    if config.dead_after <= config.ping_after {
        return wrong("`dead-after` must be longer than `ping-after`".to_owned());
    }
    Ok(())
}

/// The names of what is not left to its default.
pub(super) fn set(values: &[Effective]) -> Vec<&'static str> {
    let set = values.iter().filter(|value| value.origin != Origin::Default);
    set.map(|value| value.setting.name).collect()
}

/// Takes one value out of checked ones.
pub(super) fn take<T: Value>(values: &[Effective], name: &str) -> T {
    let value = values.iter().find(|value| value.setting.name == name);
    match value.and_then(|value| value.text.as_deref()) {
        Some(text) => T::from_text(text).expect("the text was checked"),
        None => T::unset().expect("a setting without a default is optional"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Loads from the text of a file, `NAME=value` variables and `name=value` flags.
    fn check(file: &str, variables: &[&str], flags: &[&str]) -> Result<Loaded, String> {
        let mut kept = tempfile::NamedTempFile::new().expect("a temporary file");
        kept.write_all(file.as_bytes()).expect("it can be written");
        let pair = |text: &&str| {
            let (name, value) = text.split_once('=').expect("name=value");
            (name.to_owned(), value.to_owned())
        };
        let sources = Sources {
            file: Some(kept.path().to_owned()),
            variables: variables.iter().map(pair).collect(),
            flags: flags.iter().map(pair).collect(),
        };
        load(&sources).map_err(|error| error.to_string())
    }

    fn origin(loaded: &Loaded, name: &str) -> String {
        let value = loaded.effective.iter().find(|value| value.setting.name == name);
        value.expect("it is a setting").origin.to_string()
    }

    #[test]
    fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
        let file = "lab = true\ndomain = 'file'\nlab-agents = 7\nlab-teams = 2\n";
        let variables = ["APLOMB_DOMAIN=variable", "APLOMB_LAB_AGENTS=8", "PATH=/bin"];
        let loaded = check(file, &variables, &["domain=flag"]).expect("all is right");
        let lab = loaded.config.laboratory().expect("the file says so");
        assert_eq!((loaded.config.domain.as_str(), lab.agents, lab.teams), ("flag", 8, 2));
        assert_eq!(origin(&loaded, "domain"), "--domain");
        assert_eq!(origin(&loaded, "lab-agents"), "APLOMB_LAB_AGENTS");
        assert!(origin(&loaded, "lab-teams").ends_with(":4"));
        assert_eq!(origin(&loaded, "https"), "default");
    }

    #[test]
    fn a_laboratory_is_local_forgets_and_takes_plain_passwords() {
        let config = check("", &[], &["lab=true"]).expect("it is right").config;
        assert_eq!((config.domain.as_str(), config.data_dir), ("localhost", None));
        assert!(config.plain_without_tls);
        let config = check("", &[], &[]).expect("it is right").config;
        assert_eq!(config.data_dir, Some(PathBuf::from("aplomb-data")));
        assert!(!config.plain_without_tls && config.laboratory().is_none());
    }

    #[test]
    fn a_domain_has_one_spelling_and_is_known_to_be_chosen() {
        let config = check("domain = 'CC.Example.'", &[], &[]).expect("it is right").config;
        assert_eq!((config.domain.as_str(), config.is_set("domain")), ("cc.example", true));
        assert!(!check("", &[], &[]).expect("it is right").config.is_set("domain"));
    }

    #[test]
    fn what_cannot_be_used_is_refused_in_words() {
        for (file, variables, flags, words) in [
            ("", &["APLOMB_DOMIAN=x"][..], &[][..], "did you mean APLOMB_DOMAIN?"),
            ("", &["APLOMB_HTTPS=x"], &[], "APLOMB_HTTPS must be an IP address"),
            ("", &[], &["drain=5"], "--drain must be a time"),
            ("", &[], &["domain=a b"], "--domain must be a domain"),
            ("", &[], &["domain=a@b"], "--domain must be a domain"),
            ("", &[], &["domain=<x>"], "--domain must be a domain"),
            ("", &[], &["domain=1001/x"], "--domain must be a domain"),
            ("", &[], &["domain="], "--domain must be a domain"),
            ("domain = 'a b'", &[], &[], "must be a domain"),
            ("", &[], &["allowed-origins=https://a,foo"], "--allowed-origins cannot hold \"foo\""),
            ("", &["APLOMB_ALLOWED_ORIGINS=foo"], &[], "written like https://crm.example"),
            ("", &[], &["sasl-mechanisms=PLAIN,SCRAM-SHA256"], "did you mean SCRAM-SHA-256?"),
            (
                "",
                &[],
                &["sasl-mechanisms=EXTERNAL"],
                "cannot hold \"EXTERNAL\", only SCRAM-SHA-512",
            ),
            ("", &[], &["sasl-mechanisms=,"], "--sasl-mechanisms must name one at least"),
            ("", &[], &["drain=1h"], "--drain must be 0 to 600 seconds"),
            ("", &[], &["colour=red"], "--colour is not a setting"),
            ("lab-agents = 3", &[], &[], "needs `lab`"),
            ("tls-key = 'k.pem'", &[], &[], "go together"),
            ("ping-after = '1m'", &[], &[], "longer than `ping-after`"),
        ] {
            let error = check(file, variables, flags).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }
}
