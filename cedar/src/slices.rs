//! The policies of an action by what must hold before one of them can apply, so that a decision
//! looks at a few of many. A policy is in exactly one slice:
//!
//! 1. by the entity its scope has the principal in (or be), else the resource;
//! 2. else by the text its condition begins with asking for: `principal has team &&
//!    principal.team == "red"`;
//! 3. else it is looked at always.
//!
//! A policy whose slice is not looked at is false for the request, and false without an error: the
//! scope and the first operands of `&&` are evaluated before anything else of a policy, and an
//! attribute that is asked for is asked `has` first. Each slice is decided by Cedar's authorizer; what
//! they say together is Cedar's own rule. `tests.rs` compares with the whole set.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::{Policy, PolicySet};
use cedar_policy_core::ast::{
    BinaryOp, Entity, EntityReference, EntityUID, Expr, ExprKind, Literal, PartialValue,
    PrincipalOrResourceConstraint, Request as CedarRequest, Value, ValueKind, Var,
};
use cedar_policy_core::authorizer::{Authorizer, Decision as Effect, Response};
use cedar_policy_core::entities::{Dereference, Entities};
use smol_str::SmolStr;

/// What must hold before a policy can apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Nothing.
    Always,
    /// The principal is this, or in it.
    Principal(EntityUID),
    /// The resource is this, or in it.
    Resource(EntityUID),
    /// The principal has this attribute with this text.
    PrincipalText(SmolStr, SmolStr),
    /// The resource has.
    ResourceText(SmolStr, SmolStr),
}

impl Key {
    /// The most telling one a policy has.
    pub fn of(policy: &cedar_policy_core::ast::Policy) -> Self {
        if let Some(uid) = entity_of(policy.principal_constraint().as_inner()) {
            return Self::Principal(uid);
        }
        if let Some(uid) = entity_of(policy.resource_constraint().as_inner()) {
            return Self::Resource(uid);
        }
        policy
            .non_scope_constraints()
            .and_then(text_of)
            .unwrap_or(Self::Always)
    }

    /// Whether a policy with this key can apply.
    pub fn holds(&self, principal: &Entity, resource: &Entity) -> bool {
        match self {
            Self::Always => true,
            Self::Principal(uid) => is_or_in(principal, uid),
            Self::Resource(uid) => is_or_in(resource, uid),
            Self::PrincipalText(name, text) => attribute(principal, name) == Some(text),
            Self::ResourceText(name, text) => attribute(resource, name) == Some(text),
        }
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

fn is_or_in(entity: &Entity, uid: &EntityUID) -> bool {
    entity.uid() == uid || entity.is_descendant_of(uid)
}

fn attribute<'e>(entity: &'e Entity, name: &str) -> Option<&'e SmolStr> {
    match entity.get(name)? {
        PartialValue::Value(Value {
            value: ValueKind::Lit(Literal::String(text)),
            ..
        }) => Some(text),
        _ => None,
    }
}

/// Where the first two operands of `&&` are `x has name` and `x.name == "text"`.
fn text_of(condition: &Expr) -> Option<Key> {
    let mut operands = Vec::new();
    first_operands(condition, &mut operands);
    let (has, equals) = match operands.as_slice() {
        [has, equals, ..] => (has.expr_kind(), equals.expr_kind()),
        _ => return None,
    };
    let ExprKind::HasAttr { expr, attr } = has else {
        return None;
    };
    let ExprKind::BinaryApp {
        op: BinaryOp::Eq,
        arg1,
        arg2,
    } = equals
    else {
        return None;
    };
    let ExprKind::GetAttr {
        expr: of,
        attr: name,
    } = arg1.expr_kind()
    else {
        return None;
    };
    let (ExprKind::Var(asked), ExprKind::Var(got), ExprKind::Lit(Literal::String(text))) =
        (expr.expr_kind(), of.expr_kind(), arg2.expr_kind())
    else {
        return None;
    };
    if asked != got || attr != name {
        return None;
    }
    match asked {
        Var::Principal => Some(Key::PrincipalText(attr.clone(), text.clone())),
        Var::Resource => Some(Key::ResourceText(attr.clone(), text.clone())),
        _ => None,
    }
}

/// In the order of evaluation; two are enough.
fn first_operands<'e>(expr: &'e Expr, out: &mut Vec<&'e Expr>) {
    if out.len() >= 2 {
        return;
    }
    if let ExprKind::And { left, right } = expr.expr_kind() {
        first_operands(left, out);
        first_operands(right, out);
    } else {
        out.push(expr);
    }
}

type ByUid = HashMap<EntityUID, PolicySet>;
type ByText = HashMap<SmolStr, HashMap<SmolStr, PolicySet>>;

/// See the module.
#[derive(Debug, Default)]
pub struct Slices {
    always: PolicySet,
    by_principal: ByUid,
    by_resource: ByUid,
    by_principal_text: ByText,
    by_resource_text: ByText,
}

impl Slices {
    /// Puts it where it belongs.
    ///
    /// # Errors
    /// As Cedar's own `add`: its id is there already.
    pub fn add(&mut self, policy: Policy) -> Result<(), cedar_policy::PolicySetError> {
        let slice = match Key::of(policy.as_ref()) {
            Key::Always => &mut self.always,
            Key::Principal(uid) => self.by_principal.entry(uid).or_default(),
            Key::Resource(uid) => self.by_resource.entry(uid).or_default(),
            Key::PrincipalText(name, text) => self
                .by_principal_text
                .entry(name)
                .or_default()
                .entry(text)
                .or_default(),
            Key::ResourceText(name, text) => self
                .by_resource_text
                .entry(name)
                .or_default()
                .entry(text)
                .or_default(),
        };
        slice.add(policy)
    }

    /// Those with policies that can apply.
    fn relevant<'s>(&'s self, principal: &Entity, resource: &Entity) -> Vec<&'s PolicySet> {
        let mut slices = vec![&self.always];
        for (by_uid, entity) in [
            (&self.by_principal, principal),
            (&self.by_resource, resource),
        ] {
            if by_uid.is_empty() {
                continue;
            }
            let uids: BTreeSet<&EntityUID> = std::iter::once(entity.uid())
                .chain(entity.ancestors())
                .collect();
            slices.extend(uids.into_iter().filter_map(|uid| by_uid.get(uid)));
        }
        for (by_text, entity) in [
            (&self.by_principal_text, principal),
            (&self.by_resource_text, resource),
        ] {
            slices.extend(
                by_text
                    .iter()
                    .filter_map(|(name, values)| values.get(attribute(entity, name)?)),
            );
        }
        slices
    }

    /// What the whole set decides.
    pub fn decide(&self, asked: &CedarRequest, entities: &Entities) -> Verdict {
        let mut verdict = Verdict::default();
        let (Some(principal), Some(resource)) = (
            asked.principal().uid().and_then(|uid| find(entities, uid)),
            asked.resource().uid().and_then(|uid| find(entities, uid)),
        ) else {
            verdict.problem = Some("the request has no principal or resource".to_owned());
            return verdict;
        };
        let authorizer = Authorizer::new();
        for slice in self.relevant(principal, resource) {
            verdict.take(authorizer.is_authorized(asked.clone(), slice.as_ref(), entities));
        }
        verdict
    }
}

/// The entity of this name, with all it is in.
pub fn find<'e>(entities: &'e Entities, uid: &EntityUID) -> Option<&'e Entity> {
    match entities.entity(uid) {
        Dereference::Data(entity) => Some(entity),
        _ => None,
    }
}

/// What the slices say together: one forbid that applies forbids, else one permit permits.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Of slices that permit.
    pub permits: Vec<Response>,
    /// Of slices where a forbid applies.
    pub forbids: Vec<Response>,
    /// Of the others: nothing applies, but something may have failed.
    pub others: Vec<Response>,
    /// Why nothing could be decided.
    pub problem: Option<String>,
}

impl Verdict {
    fn take(&mut self, response: Response) {
        match response.decision {
            Effect::Allow => self.permits.push(response),
            Effect::Deny if response.diagnostics.reason.is_empty() => self.others.push(response),
            Effect::Deny => self.forbids.push(response),
        }
    }

    /// Whether it is permitted, errors apart.
    pub fn permit(&self) -> bool {
        self.problem.is_none() && self.forbids.is_empty() && !self.permits.is_empty()
    }

    /// Those that determined it.
    pub fn determining(&self) -> &[Response] {
        if self.forbids.is_empty() {
            &self.permits
        } else {
            &self.forbids
        }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Response> {
        self.permits
            .iter()
            .chain(&self.forbids)
            .chain(&self.others)
    }
}
