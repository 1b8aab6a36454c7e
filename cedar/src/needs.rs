//! What of a request the policies of an action can look at. The rest is checked against the schema
//! like everything else and then left out: most attributes are of interest to few policies, and to
//! make a Cedar value of each is most of what a decision would cost.

use std::collections::BTreeMap;

use cedar_policy_core::ast::{Expr, ExprKind, Var};
use smol_str::SmolStr;

use crate::paths::Path;

/// Of an entity's attributes, of a context, or of a value inside either.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Need {
    /// No policy looks at it.
    #[default]
    Nothing,
    /// Only these members are looked at.
    Members(BTreeMap<SmolStr, Need>),
    /// Looked at as a whole.
    Everything,
}

impl Need {
    /// Of a member.
    pub fn of(&self, name: &str) -> &Self {
        match self {
            Self::Nothing => &Self::Nothing,
            Self::Members(members) => members.get(name).unwrap_or(&Self::Nothing),
            Self::Everything => &Self::Everything,
        }
    }

    /// Whether there is any.
    pub fn is_some(&self) -> bool {
        *self != Self::Nothing
    }

    fn add(&mut self, names: &[SmolStr]) {
        let Some((first, inner)) = names.split_first() else {
            *self = Self::Everything;
            return;
        };
        if *self == Self::Nothing {
            *self = Self::Members(BTreeMap::new());
        }
        if let Self::Members(members) = self {
            members.entry(first.clone()).or_default().add(inner);
        }
    }
}

/// Of an action's policies.
#[derive(Debug, Default)]
pub struct Needs {
    /// Attributes of who asks; tags are always there.
    pub principal: Need,
    /// Attributes of what it is asked of.
    pub resource: Need,
    /// The context.
    pub context: Need,
}

impl Needs {
    /// Adds what this expression can look at.
    pub fn add(&mut self, expr: &Expr) {
        match expr.expr_kind() {
            // On its own a context is a value, an entity only a name.
            ExprKind::Var(Var::Context) => self.context = Need::Everything,
            ExprKind::GetAttr { expr: base, .. } => match Path::of(expr) {
                Some(path) => self.add_path(&path),
                None => self.add_unknown(base),
            },
            ExprKind::HasAttr { expr: base, attr } => self.add_member(base, attr),
            ExprKind::ExtHasAttr { expr: base, attrs } => self.add_member(base, attrs.first()),
            _ => self.add_operands(expr),
        }
    }

    fn add_member(&mut self, base: &Expr, name: &SmolStr) {
        match Path::of(base) {
            Some(mut path) => {
                path.names.push(name.clone());
                self.add_path(&path);
            }
            None => self.add_unknown(base),
        }
    }

    /// An attribute of something that is no place in the request. It may still come to be an entity
    /// of the request, by its name or out of an `if`.
    fn add_unknown(&mut self, base: &Expr) {
        self.principal = Need::Everything;
        self.resource = Need::Everything;
        self.add(base);
    }

    fn add_path(&mut self, path: &Path) {
        if path.is_tag {
            return;
        }
        match path.root {
            Var::Principal => self.principal.add(&path.names),
            Var::Resource => self.resource.add(&path.names),
            Var::Context => self.context.add(&path.names),
            Var::Action => {}
        }
    }

    fn add_operands(&mut self, expr: &Expr) {
        match expr.expr_kind() {
            ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => {
                for one in [test_expr, then_expr, else_expr] {
                    self.add(one);
                }
            }
            ExprKind::And { left, right } | ExprKind::Or { left, right } => {
                self.add(left);
                self.add(right);
            }
            ExprKind::UnaryApp { arg, .. } => self.add(arg),
            ExprKind::BinaryApp { arg1, arg2, .. } => {
                self.add(arg1);
                self.add(arg2);
            }
            ExprKind::ExtensionFunctionApp { args, .. } => {
                for one in args.iter() {
                    self.add(one);
                }
            }
            ExprKind::Like { expr, .. } | ExprKind::Is { expr, .. } => self.add(expr),
            ExprKind::Set(items) => {
                for one in items.iter() {
                    self.add(one);
                }
            }
            ExprKind::Record(members) => {
                for one in members.values() {
                    self.add(one);
                }
            }
            ExprKind::Lit(_)
            | ExprKind::Var(_)
            | ExprKind::Slot(_)
            | ExprKind::Unknown(_)
            | ExprKind::GetAttr { .. }
            | ExprKind::HasAttr { .. }
            | ExprKind::ExtHasAttr { .. } => {}
        }
    }
}
