//! The policies of an action by what must hold before one of them can apply, so that a decision
//! looks at a few of many. What is asked first of a policy says in which slice it is:
//!
//! 1. the entity its scope has the principal in (or be), else the resource;
//! 2. else the first of the operands of `&&` its condition begins with that asks for a text: one or
//!    several a place in the request must be (`context.purpose == "support"`,
//!    `["red", "blue"].contains(principal.team)`), one a set there must have
//!    (`context.tools.contains("shell")`), or an entity the principal or the resource must be in;
//! 3. else nothing, and it is looked at always.
//!
//! A policy that is not looked at is false for the request, and false without an error: nothing before
//! that operand can fail (`cannot_fail`), and the operand itself is false. Where the place is not in
//! the request at all, validation has seen to it that an operand before it is false. That takes a
//! validated set, a request that fits its schema, and entities that are reached by no attribute
//! (`shape.rs` takes none). What is looked at is evaluated by Cedar's evaluator. `tests.rs` and Cedar's
//! corpus (`general.rs`) compare with Cedar's authorizer over the whole set.

use std::collections::{BTreeSet, HashMap};

use cedar_policy_core::ast::{
    BinaryOp, Entity, EntityReference, EntityUID, Expr, ExprKind, Literal,
    PrincipalOrResourceConstraint, SlotEnv, UnaryOp, Value, ValueKind, Var,
};
use cedar_policy_core::evaluator::Evaluator;
use smol_str::SmolStr;

use crate::paths::{Found, Path, View, text};
use crate::rule::Rule;

/// What must hold before a policy can apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Nothing.
    Always,
    /// The principal is this, or in it.
    Principal(EntityUID),
    /// The resource is this, or in it.
    Resource(EntityUID),
    /// At this place is one of these texts.
    Is(Path, BTreeSet<SmolStr>),
    /// At this place is a set with this text.
    Has(Path, SmolStr),
}

impl Key {
    /// The first one a policy has.
    pub fn of(policy: &cedar_policy_core::ast::Policy) -> Self {
        if let Some(uid) = entity_of(policy.principal_constraint().as_inner()) {
            return Self::Principal(uid);
        }
        if let Some(uid) = entity_of(policy.resource_constraint().as_inner()) {
            return Self::Resource(uid);
        }
        policy
            .non_scope_constraints()
            .and_then(first_key)
            .unwrap_or(Self::Always)
    }
}

fn entity_of(constraint: &PrincipalOrResourceConstraint) -> Option<EntityUID> {
    match constraint {
        PrincipalOrResourceConstraint::Eq(EntityReference::EUID(uid))
        | PrincipalOrResourceConstraint::In(EntityReference::EUID(uid))
        | PrincipalOrResourceConstraint::IsIn(_, EntityReference::EUID(uid)) => {
            Some(uid.as_ref().clone())
        }
        _ => None,
    }
}

fn first_key(condition: &Expr) -> Option<Key> {
    let mut operands = Vec::new();
    flatten(condition, &mut operands);
    for operand in operands {
        if let Some(key) = key_of(operand) {
            return Some(key);
        }
        if !cannot_fail(operand) {
            return None;
        }
    }
    None
}

/// The operands of `&&`, in the order of evaluation.
fn flatten<'e>(expr: &'e Expr, out: &mut Vec<&'e Expr>) {
    if let ExprKind::And { left, right } = expr.expr_kind() {
        flatten(left, out);
        flatten(right, out);
    } else {
        out.push(expr);
    }
}

fn key_of(operand: &Expr) -> Option<Key> {
    match operand.expr_kind() {
        ExprKind::BinaryApp { op, arg1, arg2 } => match op {
            BinaryOp::Eq => key_of_equality(arg1, arg2).or_else(|| key_of_equality(arg2, arg1)),
            BinaryOp::In => key_of_entity(arg1, arg2),
            BinaryOp::Contains => key_of_contains(arg1, arg2),
            _ => None,
        },
        ExprKind::Or { left, right } => match (key_of(left)?, key_of(right)?) {
            (Key::Is(path, mut texts), Key::Is(other, more)) if path == other => {
                texts.extend(more);
                Some(Key::Is(path, texts))
            }
            _ => None,
        },
        _ => None,
    }
}

fn key_of_equality(place: &Expr, value: &Expr) -> Option<Key> {
    if let Some(text) = text(value) {
        return Some(Key::Is(place_of(place)?, BTreeSet::from([text.clone()])));
    }
    // To be an entity is to be in it, and not the other way round: the policy itself is evaluated.
    key_of_entity(place, value)
}

fn key_of_entity(entity: &Expr, of: &Expr) -> Option<Key> {
    let (ExprKind::Var(root), ExprKind::Lit(Literal::EntityUID(uid))) =
        (entity.expr_kind(), of.expr_kind())
    else {
        return None;
    };
    match root {
        Var::Principal => Some(Key::Principal(uid.as_ref().clone())),
        Var::Resource => Some(Key::Resource(uid.as_ref().clone())),
        _ => None,
    }
}

fn key_of_contains(set: &Expr, item: &Expr) -> Option<Key> {
    if let Some(text) = text(item) {
        return Some(Key::Has(place_of(set)?, text.clone()));
    }
    let ExprKind::Set(items) = set.expr_kind() else {
        return None;
    };
    let texts: Option<BTreeSet<SmolStr>> = items.iter().map(|one| text(one).cloned()).collect();
    Some(Key::Is(place_of(item)?, texts?))
}

fn place_of(expr: &Expr) -> Option<Path> {
    Path::of(expr).filter(|path| !path.names.is_empty())
}

/// Whether a validated expression has a value for every request that fits the schema: no arithmetic,
/// no extension function, no attribute of an entity that may not exist.
fn cannot_fail(expr: &Expr) -> bool {
    match expr.expr_kind() {
        ExprKind::Lit(_) | ExprKind::Var(_) => true,
        ExprKind::If {
            test_expr,
            then_expr,
            else_expr,
        } => [test_expr, then_expr, else_expr]
            .into_iter()
            .all(|one| cannot_fail(one)),
        ExprKind::And { left, right } | ExprKind::Or { left, right } => {
            cannot_fail(left) && cannot_fail(right)
        }
        ExprKind::UnaryApp { op, arg } => *op != UnaryOp::Neg && cannot_fail(arg),
        ExprKind::BinaryApp { op, arg1, arg2 } => match op {
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul => false,
            BinaryOp::GetTag => Path::of(expr).is_some(),
            _ => cannot_fail(arg1) && cannot_fail(arg2),
        },
        ExprKind::GetAttr { .. } => Path::of(expr).is_some(),
        ExprKind::HasAttr { expr, .. }
        | ExprKind::ExtHasAttr { expr, .. }
        | ExprKind::Like { expr, .. }
        | ExprKind::Is { expr, .. } => cannot_fail(expr),
        ExprKind::Set(items) => items.iter().all(cannot_fail),
        ExprKind::Record(members) => members.values().all(cannot_fail),
        ExprKind::ExtensionFunctionApp { .. } | ExprKind::Slot(_) | ExprKind::Unknown(_) => false,
    }
}

/// Numbers of rules.
type Rules = Vec<usize>;

/// The rules that ask for a text at one place.
#[derive(Debug)]
struct ByText {
    path: Path,
    /// In the set that is there, not the text itself.
    in_set: bool,
    rules: HashMap<SmolStr, Rules>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Slices {
    rules: Vec<Rule>,
    always: Rules,
    by_principal: HashMap<EntityUID, Rules>,
    by_resource: HashMap<EntityUID, Rules>,
    by_text: Vec<ByText>,
}

impl Slices {
    /// Puts it where it belongs.
    pub fn add(&mut self, key: Key, rule: Rule) {
        let number = self.rules.len();
        self.rules.push(rule);
        match key {
            Key::Always => self.always.push(number),
            Key::Principal(uid) => self.by_principal.entry(uid).or_default().push(number),
            Key::Resource(uid) => self.by_resource.entry(uid).or_default().push(number),
            Key::Has(path, text) => self.add_text(path, true, text, number),
            Key::Is(path, texts) => {
                for text in texts {
                    self.add_text(path.clone(), false, text, number);
                }
            }
        }
    }

    fn add_text(&mut self, path: Path, in_set: bool, text: SmolStr, number: usize) {
        let known = self
            .by_text
            .iter()
            .position(|one| one.path == path && one.in_set == in_set);
        let at = known.unwrap_or_else(|| {
            self.by_text.push(ByText {
                path,
                in_set,
                rules: HashMap::new(),
            });
            self.by_text.len() - 1
        });
        if let Some(column) = self.by_text.get_mut(at) {
            column.rules.entry(text).or_default().push(number);
        }
    }

    /// Evaluates those that can apply to the request; all of them where it is not known.
    pub fn evaluate(&self, evaluator: &Evaluator<'_>, request: Option<&View<'_>>) -> Tally {
        let slots = SlotEnv::new();
        let mut tally = Tally::default();
        match request {
            Some(request) => {
                self.for_each(request, |rule| {
                    tally.take(rule, rule.applies(evaluator, &slots));
                });
            }
            None => {
                for rule in &self.rules {
                    tally.take(rule, rule.applies(evaluator, &slots));
                }
            }
        }
        tally.errors.sort();
        tally
    }

    fn for_each(&self, request: &View<'_>, mut look: impl FnMut(&Rule)) {
        let mut look_at = |rules: &Rules| {
            for number in rules {
                if let Some(rule) = self.rules.get(*number) {
                    look(rule);
                }
            }
        };
        look_at(&self.always);
        for (by_uid, entity) in [
            (&self.by_principal, request.principal),
            (&self.by_resource, request.resource),
        ] {
            for_entity(by_uid, entity, &mut look_at);
        }
        for column in &self.by_text {
            match column.path.find(request) {
                Found::Value(value) => column.for_value(value, &mut look_at),
                Found::Nothing => {}
                Found::Elsewhere => column.rules.values().for_each(&mut look_at),
            }
        }
    }
}

/// What the rules say together, by Cedar's own rule: one forbid that applies forbids, else one permit
/// that applies permits; what fails does not apply. By number in the set, in no order.
#[derive(Debug, Default)]
pub struct Tally {
    permits: Vec<usize>,
    forbids: Vec<usize>,
    /// Kept apart, and would apply.
    pub apart: Vec<usize>,
    /// Could not be evaluated, whether kept apart or not.
    pub failed: Vec<usize>,
    /// Of those not kept apart, sorted.
    pub errors: Vec<String>,
}

impl Tally {
    fn take(&mut self, rule: &Rule, applies: Result<bool, String>) {
        match applies {
            Ok(false) => {}
            Ok(true) if rule.is_apart => self.apart.push(rule.index),
            Ok(true) if rule.is_forbid => self.forbids.push(rule.index),
            Ok(true) => self.permits.push(rule.index),
            Err(message) => {
                self.failed.push(rule.index);
                if !rule.is_apart {
                    self.errors.push(message);
                }
            }
        }
    }

    /// Errors apart.
    pub fn permit(&self) -> bool {
        self.forbids.is_empty() && !self.permits.is_empty()
    }

    /// Those that say so.
    pub fn determining(&self) -> &[usize] {
        if self.forbids.is_empty() {
            &self.permits
        } else {
            &self.forbids
        }
    }
}

fn for_entity(
    by_uid: &HashMap<EntityUID, Rules>,
    entity: &Entity,
    look_at: &mut impl FnMut(&Rules),
) {
    if by_uid.is_empty() {
        return;
    }
    // Cedar lists no ancestor twice, and no entity is its own.
    for uid in std::iter::once(entity.uid()).chain(entity.ancestors()) {
        if let Some(rules) = by_uid.get(uid) {
            look_at(rules);
        }
    }
}

impl ByText {
    fn for_value(&self, value: &Value, look_at: &mut impl FnMut(&Rules)) {
        let mut look_up = |text: &SmolStr| {
            if let Some(rules) = self.rules.get(text) {
                look_at(rules);
            }
        };
        match &value.value {
            ValueKind::Lit(Literal::String(text)) if !self.in_set => look_up(text),
            ValueKind::Set(set) if self.in_set => {
                for item in set.authoritative.iter() {
                    if let ValueKind::Lit(Literal::String(text)) = &item.value {
                        look_up(text);
                    }
                }
            }
            _ => {}
        }
    }
}
