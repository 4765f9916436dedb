//! Our own source text as data, for the tests that hold it against ARCHITECTURE.md.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// One file.
pub(crate) struct Source {
    /// Its path below the project's folder.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// Its tokens, without comments; a group's brackets are tokens of their own.
    pub(crate) tokens: Vec<Token>,
}

/// One token.
pub(crate) struct Token {
    pub(crate) text: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Whether only tests compile it.
    pub(crate) is_test: bool,
    /// Whether it is a name, not a sign or a literal.
    pub(crate) is_name: bool,
}

/// A path as it is written in one place: `crate::jid::Jid`.
pub(crate) struct Written {
    pub(crate) parts: Vec<String>,
    pub(crate) line: usize,
    pub(crate) is_test: bool,
}

/// One function.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Its lines, those inside of text apart: a conversation in a test is data.
    pub(crate) lines: usize,
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every Rust file below `folders` of the project.
pub(crate) fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths: Vec<_> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut sources = Vec::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            paths.extend(entries.map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            sources.push(Source::new(&name, &std::fs::read_to_string(&path).unwrap()));
        }
    }
    mark_test_files(&mut sources);
    assert!(!sources.is_empty(), "no source in {folders:?}");
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    sources
}

/// Marks the files that a `#[cfg(test)] mod name;` elsewhere brings in.
fn mark_test_files(sources: &mut [Source]) {
    let mut test_files = Vec::new();
    for source in &*sources {
        let stem = source.path.trim_end_matches(".rs");
        let folder = ["mod", "lib", "main"].iter().find_map(|name| stem.strip_suffix(name));
        let folder = folder.map_or_else(|| format!("{stem}/"), str::to_owned);
        for (place, token) in source.tokens.iter().enumerate() {
            if token.is_test && token.text == "mod" && source.is_at(place + 2, &[";"]) {
                let name = &source.tokens[place + 1].text;
                test_files.extend([".rs", "/mod.rs"].map(|end| format!("{folder}{name}{end}")));
            }
        }
    }
    for source in sources.iter_mut().filter(|source| test_files.contains(&source.path)) {
        source.tokens.iter_mut().for_each(|token| token.is_test = true);
    }
}

impl Source {
    /// Reads `text` as the file at `path`.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let stream = text.parse::<TokenStream>();
        let stream = stream.unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut tokens = Vec::new();
        let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
        flatten(stream, is_test, &mut tokens);
        Self { path: path.to_owned(), text: text.to_owned(), tokens }
    }

    /// The module path of the file in its crate: `crates/x/src/rest/user.rs` is `[rest, user]`.
    pub(crate) fn module(&self) -> Vec<&str> {
        let inside = self.path.split_once("/src/").map_or("", |(_, inside)| inside);
        let inside = inside.trim_end_matches(".rs");
        let parts = inside.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main"));
        parts.collect()
    }

    /// Whether the tokens at `place` are these.
    pub(crate) fn is_at(&self, place: usize, wanted: &[&str]) -> bool {
        let tokens = self.tokens.get(place..place + wanted.len());
        tokens
            .is_some_and(|tokens| tokens.iter().zip(wanted).all(|(one, other)| one.text == *other))
    }

    /// Every path that is written in the file, groups spread out.
    pub(crate) fn written_paths(&self) -> Vec<Written> {
        let mut all = Vec::new();
        for place in 0..self.tokens.len() {
            let is_start = self.tokens[place].is_name
                && self.is_at(place + 1, &["::"])
                && !(place > 0 && self.is_at(place - 1, &["::"]));
            if is_start {
                self.spread(place, &mut Vec::new(), &mut all);
            }
        }
        all
    }

    /// Spreads the path or group element that starts at `place`; returns where it ends.
    fn spread(&self, mut place: usize, before: &mut Vec<String>, all: &mut Vec<Written>) -> usize {
        let depth = before.len();
        while let Some(token) = self.tokens.get(place) {
            if token.text == "{" {
                place += 1;
                while !self.is_at(place, &["}"]) {
                    place = self.spread(place, before, all);
                    place += usize::from(self.is_at(place, &[","]));
                }
                before.truncate(depth);
                return place + 1;
            }
            before.push(token.text.clone());
            place += 1;
            if !self.is_at(place, &["::"]) {
                break;
            }
            place += 1;
        }
        let (line, is_test) = (self.tokens[place - 1].line, self.tokens[place - 1].is_test);
        all.push(Written { parts: before.clone(), line, is_test });
        before.truncate(depth);
        // What follows inside a group, such as `as other`, is no part of the path.
        while depth > 0 && !self.is_at(place, &[","]) && !self.is_at(place, &["}"]) {
            place += 1;
        }
        place
    }

    /// Every function with a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let starts = (0..self.tokens.len()).filter(|place| self.is_at(*place, &["fn"]));
        starts.filter_map(|place| self.function(place)).collect()
    }

    fn function(&self, place: usize) -> Option<Function> {
        let name = self.tokens.get(place + 1).filter(|token| token.is_name)?;
        let (mut depth, mut lines_of_text) = (0_usize, 0);
        for token in &self.tokens[place..] {
            match token.text.as_str() {
                ";" if depth == 0 => return None,
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                text => lines_of_text += text.matches('\n').count(),
            }
            if depth == 0 && token.text == "}" {
                let line = self.tokens[place].line;
                let lines = token.line - line + 1 - lines_of_text;
                return Some(Function { name: name.text.clone(), line, lines });
            }
        }
        None
    }

    /// How many lines stand before the first line that only tests compile.
    pub(crate) fn lines_before_tests(&self) -> usize {
        let lines = self.text.lines().count();
        self.tokens.iter().find(|token| token.is_test).map_or(lines, |token| token.line - 1)
    }
}

fn flatten(stream: TokenStream, is_test: bool, tokens: &mut Vec<Token>) {
    let mut is_test_item = false;
    let mut is_joint = false;
    for tree in stream {
        let is_test = is_test || is_test_item;
        let token = |text: &str, line, is_name| {
            let text = text.to_owned();
            Token { text, line, is_test, is_name }
        };
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                if open == "[" && group.stream().to_string() == "cfg (test)" {
                    is_test_item = true;
                    tokens.last_mut().unwrap().is_test = true;
                }
                let is_test = is_test || is_test_item;
                let token = |text: &str, line| Token {
                    text: text.to_owned(),
                    line,
                    is_test,
                    is_name: false,
                };
                tokens.push(token(open, group.span_open().start().line));
                flatten(group.stream(), is_test, tokens);
                tokens.push(token(close, group.span_close().start().line));
                is_test_item &= open != "{";
            }
            TokenTree::Punct(sign) => {
                let both = tokens.last().map(|last| format!("{}{}", last.text, sign.as_char()));
                let both = both.filter(|both| is_joint && matches!(both.as_str(), "::" | "=>"));
                let text = both.clone().unwrap_or_else(|| sign.as_char().to_string());
                if both.is_some() {
                    tokens.pop();
                }
                tokens.push(token(&text, sign.span().start().line, false));
                is_joint = sign.spacing() == Spacing::Joint;
                is_test_item &= sign.as_char() != ';';
            }
            TokenTree::Ident(name) => {
                tokens.push(token(&name.to_string(), name.span().start().line, true));
            }
            TokenTree::Literal(literal) => {
                tokens.push(token(&literal.to_string(), literal.span().start().line, false));
            }
        }
    }
}
