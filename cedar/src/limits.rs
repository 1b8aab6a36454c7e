//! Bounds on policy and schema text, checked before Cedar sees it. Cedar's parser recurses on
//! nesting without a limit (a few thousand brackets end the process), and its validator passes
//! over an expression it has no stack left for; both are out of reach within these bounds.

use std::collections::HashMap;

use serde_json::Value;

/// Brackets inside brackets.
const MAX_NESTING: usize = 64;
/// Conditionals in one statement: each may nest in the one before.
const MAX_CONDITIONALS: usize = 64;
/// Operators and attribute accesses in one statement: each may nest in the one before.
const MAX_OPERATORS: usize = 1000;
/// Types and actions a schema declares.
const MAX_DECLARATIONS: usize = 1000;
/// Nodes of all types of a schema, with each type name replaced by what it stands for.
const MAX_EXPANDED_TYPES: usize = 100_000;
/// Principal type, action and resource type combinations times policies: what validation walks.
pub const MAX_VALIDATIONS: usize = 1_000_000;
/// Enough for anything within the bounds, whatever the caller's thread has.
pub const LOAD_STACK_BYTES: usize = 64 << 20;

/// What kind of text is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `*.cedar`: `<` compares.
    Policy,
    /// `*.cedarschema`: `<` opens a bracket.
    Schema,
}

/// Byte offset and message of the first bound exceeded.
pub fn check_text(language: Language, text: &str) -> Option<(usize, String)> {
    let bytes = text.as_bytes();
    let mut scan = Scan::default();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let token = token_at(bytes, at, byte);
        if let Some(message) = scan.take(language, bytes.get(at..at + token).unwrap_or_default()) {
            return Some((at, message));
        }
        at += token;
    }
    None
}

#[derive(Default)]
struct Scan {
    nesting: usize,
    operators: usize,
    conditionals: usize,
}

impl Scan {
    fn take(&mut self, language: Language, token: &[u8]) -> Option<String> {
        match token {
            b"(" | b"[" | b"{" => self.nesting += 1,
            b")" | b"]" | b"}" => self.nesting = self.nesting.saturating_sub(1),
            b"<" if language == Language::Schema => self.nesting += 1,
            b">" if language == Language::Schema => self.nesting = self.nesting.saturating_sub(1),
            b"&&" | b"||" | b"+" | b"-" | b"*" | b"." | b"!" => self.operators += 1,
            b"if" => self.conditionals += 1,
            b";" => (self.operators, self.conditionals) = (0, 0),
            _ => {}
        }
        if self.nesting > MAX_NESTING {
            return Some(format!("brackets nest deeper than {MAX_NESTING}"));
        }
        if self.conditionals > MAX_CONDITIONALS {
            return Some(format!("more than {MAX_CONDITIONALS} `if` in one policy"));
        }
        (self.operators > MAX_OPERATORS)
            .then(|| format!("more than {MAX_OPERATORS} operators in one policy"))
    }
}

/// Length of the token at `at`: a word, a string, a comment, a doubled operator, or one byte.
fn token_at(bytes: &[u8], at: usize, first: u8) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let until = |end: &dyn Fn(&u8) -> bool| rest.iter().position(end).unwrap_or(rest.len()).max(1);
    match (first, rest.get(1)) {
        (b'"', _) => string_length(rest),
        (b'/', Some(b'/')) => until(&|byte| *byte == b'\n'),
        (b'&', Some(b'&')) | (b'|', Some(b'|')) => 2,
        _ if is_word(first) => until(&|byte| !is_word(*byte)),
        _ => 1,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn string_length(rest: &[u8]) -> usize {
    let mut escaped = false;
    for (index, byte) in rest.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    rest.len()
}

/// What is too large in a schema, given in Cedar's JSON form.
pub fn check_schema(schema: &Value) -> Option<String> {
    let members = |section: &str| {
        schema
            .as_object()
            .into_iter()
            .flat_map(|spaces| spaces.values())
            .filter_map(|space| space.get(section)?.as_object())
            .flatten()
            .map(|(name, value)| (name.clone(), value))
            .collect::<Vec<_>>()
    };
    let common = members("commonTypes");
    let others = [members("entityTypes"), members("actions")].concat();
    if common.len() + others.len() > MAX_DECLARATIONS {
        return Some(format!("more than {MAX_DECLARATIONS} types and actions"));
    }
    let mut sizes = Sizes {
        common: HashMap::new(),
        known: HashMap::new(),
    };
    for (name, value) in &common {
        sizes.common.entry(name).or_default().push(value);
    }
    let total = common
        .iter()
        .chain(&others)
        .fold(0, |sum: usize, (_, value)| {
            sum.saturating_add(sizes.of(value))
        });
    (total > MAX_EXPANDED_TYPES)
        .then(|| format!("types that contain more than {MAX_EXPANDED_TYPES} types"))
}

/// Sizes of types with names written out. A name used in several namespaces counts for all.
struct Sizes<'a> {
    common: HashMap<&'a String, Vec<&'a Value>>,
    known: HashMap<String, usize>,
}

impl Sizes<'_> {
    fn of(&mut self, value: &Value) -> usize {
        match value {
            Value::String(name) => self.of_name(name),
            Value::Array(items) => self.sum(items.iter()),
            Value::Object(members) => self.sum(members.values()),
            _ => 1,
        }
    }

    fn sum<'v>(&mut self, values: impl Iterator<Item = &'v Value>) -> usize {
        values.fold(1, |sum, value| sum.saturating_add(self.of(value)))
    }

    fn of_name(&mut self, full: &str) -> usize {
        let name = full.rsplit("::").next().unwrap_or(full).to_owned();
        if let Some(size) = self.known.get(&name) {
            return *size;
        }
        // Meanwhile 1: a cycle ends here, and Cedar reports it.
        self.known.insert(name.clone(), 1);
        let meanings = self.common.get(&name).cloned().unwrap_or_default();
        let size = self.sum(meanings.into_iter());
        self.known.insert(name, size);
        size
    }
}
