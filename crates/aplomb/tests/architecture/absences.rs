//! What must not be in the source (ARCHITECTURE.md, "Absences"): one list of rules, each shown on a
//! sample that breaks it and one that does not.
//!
//! What the compiler and Clippy can see is left to them; `the_lints_are_on` checks that they look.

use crate::source::{Function, Source, root, sources};

const CORE: &str = "crates/aplomb-core/src/";
const SHELL: &str = "crates/aplomb/src/";
/// Rules about size hold for tests and benchmarks as well.
const EVERYWHERE: &str = "";

#[test]
fn no_rule_is_broken() {
    let sources = sources(&["crates", "benches"]);
    let faults: Vec<_> = RULES.iter().flat_map(|rule| rule.faults(&sources)).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn each_rule_is_broken_by_its_sick_sample_and_kept_by_its_well_one() {
    for rule in RULES {
        let folder = if rule.within.is_empty() { SHELL } else { rule.within };
        let path = format!("{folder}sample.rs");
        let faults = |text: &str| rule.faults(&[Source::new(&path, text)]);
        for sick in rule.sick {
            assert!(!faults(sick).is_empty(), "`{}` does not see {sick}", rule.why);
        }
        assert_eq!(faults(rule.well), Vec::<String>::new(), "{}", rule.well);
    }
}

#[test]
fn every_exception_is_needed() {
    let sources = sources(&["crates", "benches"]);
    for rule in RULES {
        for path in rule.except {
            let strict = Rule { except: &[], ..*rule };
            let faults = strict.faults(&sources);
            let is_needed = faults.iter().any(|fault| fault.starts_with(path));
            assert!(is_needed, "`{}` is an exception of `{}` for nothing", path, rule.why);
        }
    }
}

#[test]
fn functions_files_and_lines_that_are_too_long_are_found() {
    let body = "    let _ = 1;\n";
    let function = |lines: usize| format!("fn long() {{\n{}}}\n", body.repeat(lines - 2));
    let file = |lines: usize, tests: usize| {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    use a;\n".repeat(tests));
        format!("{}{tests}", "const A: u8 = 1;\n".repeat(lines))
    };
    let line = |columns: usize| format!("// {}\n", "é".repeat(columns - 3));
    let check = |text: &str| sizes(&Source::new("crates/aplomb/src/sample.rs", text)).len();
    for (text, faults) in [
        (function(60), 0),
        (function(61), 1),
        (function(50) + "fn talk() {\n    check(\"" + &"C: <a/>\n".repeat(80) + "\");\n}\n", 0),
        (file(400, 500), 0),
        (file(401, 5), 1),
        (line(100), 0),
        (line(101), 1),
    ] {
        assert_eq!(check(&text), faults, "{} lines", text.lines().count());
    }
}

#[test]
fn the_core_depends_on_nothing_that_acts() {
    let manifest = std::fs::read_to_string(root().join("crates/aplomb-core/Cargo.toml"));
    let manifest = manifest.unwrap();
    let acting = [
        "tokio",
        "mio",
        "async",
        "futures",
        "hyper",
        "rand",
        "getrandom",
        "socket2",
        "rusqlite",
        "rustls",
        "tracing",
        "log",
        "chrono",
        "rayon",
    ];
    let dependencies = manifest.split_once("[dependencies]").unwrap().1;
    let dependencies = dependencies.split("[dev-dependencies]").next().unwrap();
    for line in dependencies.lines() {
        let name = line.split('=').next().unwrap().trim();
        assert!(!acting.iter().any(|acts| name == *acts || name.starts_with(&format!("{acts}-"))));
    }
}

#[test]
fn the_lints_are_on() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for lint in [
        "missing_docs = \"deny\"",
        "unsafe_code = \"forbid\"",
        "await_holding_lock = \"deny\"",
        "unwrap_used = \"warn\"",
    ] {
        assert!(manifest.contains(lint), "Cargo.toml lacks {lint}");
    }
    for member in ["crates/aplomb-core", "crates/aplomb"] {
        let manifest = root().join(member).join("Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member}");
    }
}

/// Something that must not be written.
#[derive(Clone, Copy)]
struct Rule {
    /// What must be absent, and why.
    why: &'static str,
    /// The folder that the rule is about.
    within: &'static str,
    /// Files and folders that may break it; each must.
    except: &'static [&'static str],
    /// Which code it is about.
    held_in: Code,
    /// Sequences of tokens, separated by spaces; `|` stands before another choice.
    tokens: &'static str,
    sick: &'static [&'static str],
    well: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    All,
    Product,
    Tests,
}

impl Rule {
    fn faults(&self, sources: &[Source]) -> Vec<String> {
        let is_held = |source: &&Source| {
            source.path.starts_with(self.within)
                && !self.except.iter().any(|path| source.path.starts_with(path))
        };
        sources.iter().filter(is_held).flat_map(|source| self.faults_in(source)).collect()
    }

    fn faults_in(&self, source: &Source) -> Vec<String> {
        let choices: Vec<Vec<_>> =
            self.tokens.split(" | ").map(|choice| choice.split(' ').collect()).collect();
        let held = source.tokens.iter().enumerate();
        let held = held.filter(|(_, token)| match self.held_in {
            Code::All => true,
            Code::Product => !token.is_test,
            Code::Tests => token.is_test,
        });
        let broken = held.filter_map(|(place, token)| {
            let choice = choices.iter().find(|choice| source.is_at(place, choice))?;
            Some(format!("{}:{}: {}: {}", source.path, token.line, choice.join(" "), self.why))
        });
        broken.collect()
    }
}

const RULES: &[Rule] = &[
    Rule {
        why: "core has no runtime, socket, file, thread or process",
        within: CORE,
        except: &[],
        held_in: Code::Product,
        tokens: "tokio | async | await | TcpStream | TcpListener | UdpSocket | UnixStream \
                 | std :: fs \
                 | File | std :: thread | std :: process | std :: env | println | eprintln",
        sick: &["async fn f() {}", "fn f() { std::thread::spawn(g); }", "use std::fs::read;"],
        well: "use std::net::IpAddr; // tokio, std::fs\nconst A: &str = \"tokio\";",
    },
    Rule {
        why: "core has no clock: it is told `now`",
        within: CORE,
        except: &[],
        held_in: Code::All,
        tokens: "Instant | SystemTime | Timestamp :: now | Zoned :: now",
        sick: &["use std::time::Instant;", "fn f() { jiff::Timestamp::now(); }"],
        well: "use std::time::Duration;",
    },
    Rule {
        why: "core has no randomness: it is given seeds",
        within: CORE,
        except: &[],
        held_in: Code::Product,
        tokens: "rand | SystemRandom | getrandom | RandomState | new_v4",
        sick: &["use aws_lc_rs::rand;", "fn f() { rand::random(); }"],
        well: "fn f(seed: u64) {}",
    },
    Rule {
        why: "the clocks are read in one place",
        within: SHELL,
        except: &["crates/aplomb/src/clock.rs"],
        held_in: Code::Product,
        tokens: "Instant :: now | SystemTime :: now | Timestamp :: now | Zoned :: now",
        sick: &["fn f() { std::time::Instant::now(); }"],
        well: "fn f() { crate::clock::now(); }",
    },
    Rule {
        why: "every queue has a bound",
        within: EVERYWHERE,
        except: &[],
        held_in: Code::All,
        tokens: "unbounded_channel | UnboundedSender | UnboundedReceiver | unbounded \
                 | std :: sync :: mpsc :: channel",
        sick: &["fn f() { tokio::sync::mpsc::unbounded_channel(); }"],
        well: "fn f() { tokio::sync::mpsc::channel(8); std::sync::mpsc::sync_channel(8); }",
    },
    Rule {
        why: "nothing but a link writes to a socket",
        within: SHELL,
        // The control socket is no transport: a command and its answer, within one machine.
        except: &["crates/aplomb/src/link/", "crates/aplomb/src/control.rs"],
        held_in: Code::Product,
        tokens: "AsyncWrite | AsyncWriteExt | poll_write | try_write | poll_write_vectored",
        sick: &["use tokio::io::AsyncWriteExt;", "fn f() { socket.try_write(b); }"],
        well: "fn f() { mailbox.push(letter); }",
    },
    Rule {
        why: "tests do not sleep to wait for something: they wait for it",
        within: EVERYWHERE,
        except: &[],
        held_in: Code::Tests,
        tokens: "thread :: sleep | time :: sleep | sleep ( | sleep_until (",
        sick: &["#[cfg(test)] mod tests { fn f() { std::thread::sleep(d); } }"],
        well: "fn f() { tokio::time::sleep(d); }\n\
               #[cfg(test)] mod tests { fn f() { tokio::time::timeout(d, wait()); } }",
    },
    Rule {
        why: "a test that does not run is none; a measurement belongs to benches/",
        within: EVERYWHERE,
        except: &[],
        held_in: Code::All,
        tokens: "[ ignore ] | [ ignore =",
        sick: &["#[test] #[ignore] fn f() {}", "#[ignore = \"flaky\"] fn f() {}"],
        well: "#[test] fn ignore() {}",
    },
    Rule {
        why: "a secret is given to nobody but those who must use it, and they are these",
        within: "crates/",
        except: &[
            "crates/aplomb-core/src/sasl/",
            "crates/aplomb-core/src/stream/initiator/login.rs",
            "crates/aplomb-core/src/stream/sasl2.rs",
            "crates/aplomb/src/cli/place.rs",
            "crates/aplomb/src/compare/ground.rs",
            "crates/aplomb/src/feed/token.rs",
            "crates/aplomb/src/office/request.rs",
            "crates/aplomb/src/serve/banner.rs",
            "crates/aplomb/src/store/rows/centre.rs",
        ],
        held_in: Code::Product,
        tokens: ". expose (",
        sick: &["fn f() { tracing::info!(password = password.expose()); }"],
        well: "fn f() { tracing::info!(%password); }",
    },
    Rule {
        why: "outside tests nothing is unwrapped: `expect` states the invariant",
        within: "crates/",
        except: &[],
        held_in: Code::Product,
        tokens: ". unwrap ( ) | . unwrap_err ( )",
        sick: &["fn f() { g().unwrap(); }"],
        well: "fn f() { g().expect(\"g is total\").unwrap_or_default(); }\n\
               #[cfg(test)] mod tests { fn f() { g().unwrap(); } }",
    },
    Rule {
        why: "an error below `main` has a type",
        within: "crates/",
        except: &[],
        held_in: Code::Product,
        tokens: "Box < dyn Error | Box < dyn std :: error :: Error | anyhow | eyre",
        sick: &["fn f() -> Result<(), Box<dyn std::error::Error>> {}"],
        well: "fn f() -> Result<(), ConfigError> {}",
    },
    Rule {
        why: "only the command line prints: the rest logs or returns",
        within: SHELL,
        except: &[],
        held_in: Code::Product,
        tokens: "println ! | print ! | dbg !",
        sick: &["fn f() { println!(\"x\"); }"],
        well: "fn f() { tracing::info!(\"x\"); }",
    },
    Rule {
        why: "nothing that is left to do is left in the code",
        within: EVERYWHERE,
        except: &[],
        held_in: Code::All,
        tokens: "todo ! | unimplemented ! | dead_code",
        sick: &["fn f() { todo!() }", "#[allow(dead_code)] fn f() {}"],
        well: "fn f() {}",
    },
];

#[test]
fn no_match_of_ours_swallows_what_a_later_variant_means() {
    let sources = sources(&["crates"]);
    let faults: Vec<_> = sources.iter().flat_map(swallowing_arms).collect();
    assert!(
        faults.is_empty(),
        "an empty arm for the rest, in a match of variants:\n{}",
        faults.join("\n")
    );
}

#[test]
fn an_arm_that_swallows_is_found_where_variants_are_matched() {
    for (text, count) in [
        ("match phase { Phase::Open => g(), _ => {} }", 1),
        ("match (a, b) { (Some(x), Side::Left) => { g() } _ => {} }", 1),
        ("match phase { Phase::Open => g(), Phase::Closed => {} }", 0),
        ("match name { \"a\" => a::g(), \"b\" => { b::g() } _ => {} }", 0),
        ("match name { \"a\" => { a::g() } \"b\" => {} _ => {} }", 0),
        ("match x { Phase::Open { at } => {} _ => {} }", 1),
        ("match name { \"a\" if x != ns::A => g(), _ => {} }", 0),
        ("match phase { Phase::Open => g(), _ => h() }", 0),
    ] {
        let source = Source::new("crates/aplomb/src/sample.rs", &format!("fn f() {{ {text} }}"));
        assert_eq!(swallowing_arms(&source).len(), count, "{text}");
    }
}

/// Finds `_ => {}` beside patterns with paths, outside tests.
fn swallowing_arms(source: &Source) -> Vec<String> {
    let tokens = &source.tokens;
    let arms = (0..tokens.len())
        .filter(|&place| !tokens[place].is_test && source.is_at(place, &["_", "=>", "{", "}"]));
    let found = arms.filter(|&arm| {
        let (mut depth, mut is_pattern, mut has_path) = (0_usize, false, false);
        let mut is_path_in_arm = false;
        for (place, token) in tokens[..arm].iter().enumerate().rev() {
            // A brace before a pattern is the body of the arm above, if it is not its own.
            let is_body = token.text == "}" && !source.is_at(place + 1, &["=>"]);
            if depth == 0 && (is_body || matches!(token.text.as_str(), "," | "{")) {
                has_path |= is_path_in_arm;
                (is_pattern, is_path_in_arm) = (false, false);
            }
            match token.text.as_str() {
                "}" | ")" | "]" => depth += 1,
                "{" | "(" | "[" if depth == 0 => break,
                "{" | "(" | "[" => depth -= 1,
                "=>" if depth == 0 => is_pattern = true,
                // What follows is a guard, which may name what it likes.
                "if" if depth == 0 => is_path_in_arm = false,
                "::" => is_path_in_arm |= is_pattern,
                _ => {}
            }
        }
        has_path
    });
    found.map(|place| format!("{}:{}", source.path, tokens[place].line)).collect()
}

#[test]
fn nothing_is_too_long() {
    let sources = sources(&["crates", "benches"]);
    let faults: Vec<_> = sources.iter().flat_map(sizes).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Says which lines, functions and files are too long to read at once.
fn sizes(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let path = &source.path;
    for (place, line) in source.text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > LINE_COLUMNS_MAX {
            faults.push(format!("{path}:{}: {columns} columns", place + 1));
        }
    }
    for function in source.functions() {
        let Function { name, line, lines } = function;
        if lines > FUNCTION_LINES_MAX {
            faults.push(format!("{path}:{line}: fn {name} has {lines} lines"));
        }
    }
    let lines = source.lines_before_tests();
    if lines > FILE_LINES_MAX {
        faults.push(format!("{path}: {lines} lines before its tests"));
    }
    faults
}

const LINE_COLUMNS_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 60;
const FILE_LINES_MAX: usize = 400;
