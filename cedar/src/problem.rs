//! Cedar's diagnostics turned into "file, line, column, what, which attribute".

use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal, Policy};
use miette::Diagnostic;

/// Where something is in a file, from 1; the column counts characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// From 1; 0 where the place is not known.
    pub line: u32,
    /// From 1; 0 where the place is not known.
    pub column: u32,
}

impl Place {
    /// The place of byte `offset` of `text`.
    pub fn of(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = text.get(..end).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Self {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

/// Something wrong, or worth a warning, in the schema or a policy file.
#[derive(Debug, Clone, Default)]
pub struct Problem {
    /// File name as given to load.
    pub file: String,
    /// Where in the file.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// The policy's id, or empty.
    pub policy: String,
    /// The attributes at the place, or empty.
    pub attribute: String,
    /// What could be done, or empty.
    pub hint: String,
    /// Does not keep the set from loading.
    pub is_warning: bool,
}

impl Problem {
    /// A problem without a place.
    pub fn new(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// The same problem at a byte offset of the file's text.
    #[must_use]
    pub fn at(mut self, text: &str, offset: usize) -> Self {
        self.place = Place::of(text, offset);
        self
    }

    /// By file and place.
    pub fn order(&self) -> impl Ord + '_ {
        let Place { line, column } = self.place;
        (&self.file, line, column, &self.attribute, &self.message)
    }

    /// Whether the other differs in nothing but the types it speaks of.
    pub fn is_same_finding(&self, other: &Self) -> bool {
        self.file == other.file
            && self.place == other.place
            && self.policy == other.policy
            && self.is_warning == other.is_warning
            && self.attribute == other.attribute
            && !self.attribute.is_empty()
            && self.hint == other.hint
    }

    /// From one of Cedar's diagnostics.
    pub fn from_diagnostic(file: &str, text: &str, diagnostic: &dyn Diagnostic) -> Self {
        let mut problem = Self::new(file, describe(diagnostic));
        if let Some(help) = diagnostic.help() {
            problem.hint = one_line(&help.to_string());
        }
        if let Some((start, _)) = span(diagnostic) {
            problem.place = Place::of(text, start);
        }
        problem
    }
}

/// One problem for the diagnostic and one for each it relates to.
pub fn all_from_diagnostic(file: &str, text: &str, diagnostic: &dyn Diagnostic) -> Vec<Problem> {
    let mut problems = vec![Problem::from_diagnostic(file, text, diagnostic)];
    if let Some(related) = diagnostic.related() {
        problems.extend(related.map(|other| Problem::from_diagnostic(file, text, other)));
    }
    problems
}

fn describe(diagnostic: &dyn Diagnostic) -> String {
    let mut message = diagnostic.to_string();
    let mut source = diagnostic.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !message.contains(&cause_text) {
            message.push_str(": ");
            message.push_str(&cause_text);
        }
        source = cause.source();
    }
    let label = diagnostic
        .labels()
        .and_then(|mut labels| labels.find_map(|label| label.label().map(str::to_owned)));
    if let Some(label) = label {
        message.push_str(" (");
        message.push_str(&label);
        message.push(')');
    }
    one_line(&message)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Start and end in bytes of what a diagnostic points at.
pub fn span(diagnostic: &dyn Diagnostic) -> Option<(usize, usize)> {
    let label = diagnostic.labels()?.next()?;
    Some((label.offset(), label.offset() + label.len()))
}

/// The attributes a type error at `start..end` is about: those in the innermost expression there
/// that has any, searching outwards as far as the operator it is an operand of.
pub fn attributes_at(policy: &Policy, start: usize, end: usize) -> String {
    let Some(condition) = policy.non_scope_constraints() else {
        return String::new();
    };
    let mut around: Vec<&Expr> = condition
        .subexpressions()
        .filter(|expression| {
            expression
                .source_loc()
                .is_some_and(|loc| loc.start() <= start && end <= loc.end())
        })
        .collect();
    around.sort_by_key(|expression| {
        expression
            .source_loc()
            .map_or(usize::MAX, |loc| loc.end() - loc.start())
    });
    for expression in around {
        if is_connective(expression) {
            break;
        }
        let names = attributes_in(expression);
        if !names.is_empty() {
            return names.join(", ");
        }
    }
    String::new()
}

fn is_connective(expression: &Expr) -> bool {
    matches!(
        expression.expr_kind(),
        ExprKind::And { .. } | ExprKind::Or { .. } | ExprKind::If { .. }
    )
}

/// Attribute paths inside an expression, outermost first; a path inside a longer one is left out.
fn attributes_in(expression: &Expr) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in expression.subexpressions() {
        if let Some(name) = attribute_path(part) {
            let covered = names
                .iter()
                .any(|known| *known == name || known.starts_with(&format!("{name}.")));
            if !covered {
                names.push(name);
            }
        }
    }
    names
}

/// `context.label.confidentiality` for an attribute access; None for anything else.
fn attribute_path(expression: &Expr) -> Option<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut current = expression;
    loop {
        match current.expr_kind() {
            ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } => {
                steps.push(attr.to_string());
                current = expr;
            }
            ExprKind::BinaryApp {
                op: BinaryOp::GetTag | BinaryOp::HasTag,
                arg1,
                arg2,
            } => {
                if let ExprKind::Lit(Literal::String(tag)) = arg2.expr_kind() {
                    steps.push(format!("getTag({tag:?})"));
                }
                current = arg1;
            }
            ExprKind::Var(variable) if !steps.is_empty() => {
                steps.push(variable.to_string());
                break;
            }
            _ => break,
        }
    }
    steps.reverse();
    (!steps.is_empty()).then(|| steps.join("."))
}
