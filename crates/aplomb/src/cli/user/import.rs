//! People from a CSV file (RFC 4180); a mistake is told with its line and column.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use aplomb_core::secret::Secret;
use clap::ValueEnum;
use csv::{ErrorKind, StringRecord};

use super::super::place::Refused;
use crate::config::nearest;
use crate::limits::{IMPORT_BYTES_MAX, IMPORT_PEOPLE_MAX};
use crate::office::{Complaint, NewPassword, Password, Person, RoleName};

/// A file that was read.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) people: Vec<(Person, NewPassword)>,
    name: String,
    pub(super) columns: Vec<&'static str>,
    /// The line on which each person begins.
    lines: Vec<u64>,
}

/// Reads a whole file, or says where it is wrong.
pub(super) fn read(path: &Path) -> Result<Sheet, Refused> {
    let name = path.display().to_string();
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(IMPORT_BYTES_MAX + 1).read_to_end(&mut text))
        .map_err(|error| Refused(format!("{name}: {error}")))?;
    if text.len() as u64 > IMPORT_BYTES_MAX {
        return Err(Refused(format!("{name} is longer than {IMPORT_BYTES_MAX} bytes; split it")));
    }
    parse(&name, &text)
}

fn parse(name: &str, text: &[u8]) -> Result<Sheet, Refused> {
    if let Some(line) = unclosed_quote(text) {
        let why = "a quote is opened and never closed";
        return Err(Refused(format!("{name}: line {line}: {why}; nothing was imported")));
    }
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let columns = columns(name, reader.headers().map_err(|error| broken(name, &error))?)?;
    let mut sheet = Sheet { people: Vec::new(), name: name.to_owned(), columns, lines: Vec::new() };
    let mut line_of = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(name, &error))?;
        if sheet.people.len() == IMPORT_PEOPLE_MAX {
            return Err(Refused(format!("{name} has over {IMPORT_PEOPLE_MAX} people; split it")));
        }
        let line = record.position().map_or(0, csv::Position::line);
        let (person, password) = sheet.person(&record)?;
        if let Some(first) = line_of.insert(person.id.clone(), line) {
            let why = format!("{} is there already, on line {first}", person.id);
            return Err(sheet.wrong(line, "id", &why));
        }
        sheet.lines.push(line);
        sheet.people.push((person, password));
    }
    Ok(sheet)
}

/// The line of a quote that the end of the file closes: everything behind it would be one field.
fn unclosed_quote(text: &[u8]) -> Option<u64> {
    let (mut line, mut opened, mut before) = (1, None, b'\n');
    for &byte in text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text) {
        // A quote opens at the start of a field. One that is doubled closes and opens again.
        let may_open = matches!(before, b',' | b'\n' | b'\r' | b'"');
        match (byte, opened) {
            (b'"', Some(_)) => opened = None,
            (b'"', None) if may_open => opened = Some(line),
            _ => {}
        }
        line += u64::from(byte == b'\n' || before == b'\r');
        before = byte;
    }
    opened
}

fn columns(name: &str, headers: &StringRecord) -> Result<Vec<&'static str>, Refused> {
    let mut columns: Vec<&'static str> = Vec::new();
    for (at, header) in (1..).zip(headers) {
        let wrong = |why: String| Refused(format!("{name}: line 1, column {at}: {why}"));
        let Some(column) = COLUMNS.iter().find(|column| header.eq_ignore_ascii_case(column)) else {
            let hint = nearest(header, COLUMNS.iter().copied());
            let hint = hint.map_or_else(|| COLUMNS.join(", "), str::to_owned);
            return Err(wrong(format!("there is no column {header:?}; did you mean {hint}?")));
        };
        if columns.contains(column) {
            return Err(wrong(format!("{column} is there twice")));
        }
        columns.push(column);
    }
    match columns.contains(&"id") {
        true => Ok(columns),
        false => Err(Refused(format!("{name}: line 1: the column id is missing"))),
    }
}

impl Sheet {
    /// Words what is wrong with a person, with line and column.
    pub(super) fn place(&self, complaint: &Complaint) -> String {
        let line = self.lines.get(complaint.person).copied().unwrap_or_default();
        self.wrong(line, complaint.field.as_deref().unwrap_or_default(), &complaint.words).0
    }

    fn person(&self, record: &StringRecord) -> Result<(Person, NewPassword), Refused> {
        let line = record.position().map_or(0, csv::Position::line);
        let mut person = Person::default();
        let mut password = NewPassword::Keep;
        for (column, field) in self.columns.iter().zip(record) {
            let text = || field.to_owned();
            let some = || Some(field.to_owned()).filter(|text| !text.is_empty());
            match *column {
                "id" if field.is_empty() => return Err(self.wrong(line, "id", "it is empty")),
                "id" => person.id = text(),
                "login_name" => person.login_name = text(),
                "first_name" => person.first_name = text(),
                "last_name" => person.last_name = text(),
                "roles" => {
                    let roles = list(field).map(|role| RoleName::from_str(role, true));
                    person.roles = roles.collect::<Result<_, _>>().map_err(|_| {
                        let known: Vec<_> =
                            RoleName::value_variants().iter().map(|role| name_of(*role)).collect();
                        let why = format!("{field:?} is no role; there are {}", known.join(", "));
                        self.wrong(line, "roles", &why)
                    })?;
                }
                "team" => person.team = some(),
                "supervises" => person.supervises = list(field).map(str::to_owned).collect(),
                "phone" => person.phone = some(),
                "password" => {
                    let given = some().map(|text| NewPassword::Is(Password(Secret::new(text))));
                    password = given.unwrap_or(NewPassword::Keep);
                }
                other => unreachable!("{other} is not in the list of columns"),
            }
        }
        Ok((person, password))
    }

    fn wrong(&self, line: u64, column: &str, why: &str) -> Refused {
        let at = self.columns.iter().position(|known| *known == column);
        let at = at.map(|at| format!(", column {} ({column})", at + 1)).unwrap_or_default();
        Refused(format!("{}: line {line}{at}: {why}; nothing was imported", self.name))
    }
}

fn broken(name: &str, error: &csv::Error) -> Refused {
    let line = error.position().map_or(0, csv::Position::line);
    let why = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, the first line {expected_len}")
        }
        ErrorKind::Utf8 { err, .. } => format!("column {}: it is not UTF-8", err.field() + 1),
        _ => error.to_string(),
    };
    Refused(format!("{name}: line {line}: {why}; nothing was imported"))
}

/// The role as people write it.
pub(super) fn name_of(role: RoleName) -> String {
    let value = role.to_possible_value().expect("every role has a name");
    value.get_name().to_owned()
}

fn list(field: &str) -> impl Iterator<Item = &str> {
    field.split(';').map(str::trim).filter(|part| !part.is_empty())
}

const COLUMNS: [&str; 9] = [
    "id",
    "login_name",
    "first_name",
    "last_name",
    "roles",
    "team",
    "supervises",
    "phone",
    "password",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let read = match parse("people.csv", text.as_bytes()) {
            Ok(sheet) => format!("{:?}", sheet.people),
            Err(error) => error.to_string(),
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_line_becomes_a_person() {
        let text = "ID,roles,supervises,phone,password\nsup1,Agent; supervisor,1;2,,\n";
        let sheet = parse("people.csv", text.as_bytes()).unwrap();
        let person = Person {
            id: "sup1".into(),
            roles: vec![RoleName::Agent, RoleName::Supervisor],
            supervises: vec!["1".into(), "2".into()],
            ..Person::default()
        };
        assert_eq!(sheet.people, [(person, NewPassword::Keep)]);
    }

    #[test]
    fn a_password_may_hold_what_csv_quotes() {
        let sheet = parse("f", b"id,password\n1001,\"a, \"\"b\"\"\"\n").unwrap();
        let password = NewPassword::Is(Password(Secret::new("a, \"b\"".to_owned())));
        assert_eq!(sheet.people[0].1, password);
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_column() {
        check(
            "id,rols\n",
            "people.csv: line 1, column 2: there is no column \"rols\"; did you mean roles?",
        );
        check("team\n1\n", "people.csv: line 1: the column id is missing");
        check("id,team,ID\n", "people.csv: line 1, column 3: id is there twice");
        check(
            "id,roles\n1001,agent\n1002,boss\n",
            "people.csv: line 3, column 2 (roles): \"boss\" is no role; there are agent, \
             supervisor, administrator, publisher; nothing was imported",
        );
        check(
            "id,team\n1001\n",
            "people.csv: line 2: it has 1 fields, the first line 2; nothing was imported",
        );
        check(
            "id,team\n1001,1\n1002,1\n1001,2\n",
            "people.csv: line 4, column 1 (id): 1001 is there already, on line 2; nothing was \
             imported",
        );
        check(
            "id,first_name\n1001,\"A \"\"B\"\"\"\n1002,\"Ada\n1003,Bob\n",
            "people.csv: line 3: a quote is opened and never closed; nothing was imported",
        );
        check(
            "team,id\n1,\n",
            "people.csv: line 2, column 2 (id): it is empty; nothing was imported",
        );
    }

    #[test]
    fn what_the_server_refuses_is_found_in_the_file() {
        let sheet = parse("f", b"id,first_name,team\n1,\"two\nlines\",\n2,,9\n").unwrap();
        let refused =
            Complaint { person: 1, field: Some("team".into()), words: "there is no team 9".into() };
        assert_eq!(
            sheet.place(&refused),
            "f: line 4, column 3 (team): there is no team 9; nothing was imported"
        );
    }
}
