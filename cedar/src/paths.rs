//! Where in a request something stands: `principal.team`, `context.label.rank`, `resource.getTag("x")`.

use std::collections::BTreeMap;

use cedar_policy_core::ast::{
    BinaryOp, Entity, Expr, ExprKind, Literal, PartialValue, Value, ValueKind, Var,
};
use smol_str::SmolStr;

/// A request as it is decided.
#[derive(Debug, Clone, Copy)]
pub struct View<'r> {
    /// Who asks, with all it is in.
    pub principal: &'r Entity,
    /// What it is asked of, with all it is in.
    pub resource: &'r Entity,
    /// Its context.
    pub context: &'r BTreeMap<SmolStr, Value>,
}

/// What is at a place.
#[derive(Debug, Clone, Copy)]
pub enum Found<'r> {
    /// This.
    Value(&'r Value),
    /// Nothing.
    Nothing,
    /// Something of another entity, which is not looked for.
    Elsewhere,
}

/// A place in a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// Principal, resource or context.
    pub root: Var,
    /// The first name is that of a tag.
    pub is_tag: bool,
    /// From the root inwards; none is the root itself.
    pub names: Vec<SmolStr>,
}

impl Path {
    /// Where the expression is a place and nothing else.
    pub fn of(expr: &Expr) -> Option<Self> {
        match expr.expr_kind() {
            ExprKind::Var(root) if *root != Var::Action => Some(Self {
                root: *root,
                is_tag: false,
                names: Vec::new(),
            }),
            ExprKind::GetAttr { expr, attr } => {
                let mut path = Self::of(expr)?;
                path.names.push(attr.clone());
                Some(path)
            }
            ExprKind::BinaryApp {
                op: BinaryOp::GetTag,
                arg1,
                arg2,
            } => {
                let (ExprKind::Var(root @ (Var::Principal | Var::Resource)), Some(name)) =
                    (arg1.expr_kind(), text(arg2))
                else {
                    return None;
                };
                Some(Self {
                    root: *root,
                    is_tag: true,
                    names: vec![name.clone()],
                })
            }
            _ => None,
        }
    }

    /// What the request has there.
    pub fn find<'r>(&self, request: &View<'r>) -> Found<'r> {
        let Some((first, inner)) = self.names.split_first() else {
            return Found::Nothing;
        };
        let mut found = match self.root {
            Var::Principal => self.of_entity(request.principal, first),
            Var::Resource => self.of_entity(request.resource, first),
            Var::Context => request.context.get(first),
            Var::Action => None,
        };
        for name in inner {
            found = match found.map(|value| &value.value) {
                Some(ValueKind::Record(members)) => members.get(name),
                Some(ValueKind::Lit(Literal::EntityUID(_))) => return Found::Elsewhere,
                _ => None,
            };
        }
        found.map_or(Found::Nothing, Found::Value)
    }

    fn of_entity<'e>(&self, entity: &'e Entity, name: &SmolStr) -> Option<&'e Value> {
        let found = if self.is_tag {
            entity.get_tag(name)
        } else {
            entity.get(name)
        };
        match found? {
            PartialValue::Value(value) => Some(value),
            PartialValue::Residual(_) => None,
        }
    }
}

/// Of a literal.
pub fn text(expr: &Expr) -> Option<&SmolStr> {
    match expr.expr_kind() {
        ExprKind::Lit(Literal::String(text)) => Some(text),
        _ => None,
    }
}
