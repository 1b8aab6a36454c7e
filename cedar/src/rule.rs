//! One policy made ready for evaluation: its condition as one expression, built once. Cedar's own
//! authorizer builds it again for every request, and every step of its evaluation hands on where in
//! the text it stands; no message of ours says that, so the places are left out.

use cedar_policy::{Effect, Policy};
use cedar_policy_core::ast::{Expr, ExprKind, Literal, PolicyID, SlotEnv, ValueKind};
use cedar_policy_core::authorizer::AuthorizationError;
use cedar_policy_core::evaluator::Evaluator;

/// See the module.
#[derive(Debug)]
pub struct Rule {
    /// Its number in the set.
    pub index: usize,
    /// `forbid`, not `permit`.
    pub is_forbid: bool,
    /// Decides nothing here.
    pub is_apart: bool,
    id: PolicyID,
    condition: Expr,
}

impl Rule {
    /// For actions its scope allows: that part of the scope is left out.
    pub fn new(index: usize, is_apart: bool, policy: &Policy) -> Self {
        let ast: &cedar_policy_core::ast::Policy = policy.as_ref();
        let parts = [
            Some(ast.principal_constraint().as_expr()),
            Some(ast.resource_constraint().as_expr()),
            ast.non_scope_constraints()
                .map(|condition| without_places(policy, condition)),
        ];
        Self {
            index,
            is_forbid: policy.effect() == Effect::Forbid,
            is_apart,
            id: ast.id().clone(),
            condition: all_of(parts.into_iter().flatten()),
        }
    }

    /// As one expression.
    pub fn condition(&self) -> &Expr {
        &self.condition
    }

    /// Whether it applies.
    ///
    /// # Errors
    /// As Cedar's authorizer says it.
    pub fn applies(&self, evaluator: &Evaluator<'_>, slots: &SlotEnv) -> Result<bool, String> {
        match evaluator.interpret(&self.condition, slots) {
            Ok(value) => match value.value {
                ValueKind::Lit(Literal::Bool(applies)) => Ok(applies),
                // Validation sees to it that there is none such.
                _ => Err(format!("policy `{}` is neither true nor false", self.id)),
            },
            Err(error) => Err(AuthorizationError::PolicyEvaluationError {
                id: self.id.clone(),
                error,
            }
            .to_string()),
        }
    }
}

/// In Cedar's order; what is always true is left out.
fn all_of(parts: impl DoubleEndedIterator<Item = Expr>) -> Expr {
    let is_true = |part: &Expr| matches!(part.expr_kind(), ExprKind::Lit(Literal::Bool(true)));
    parts
        .filter(|part| !is_true(part))
        .rev()
        .reduce(|right, left| Expr::and(left, right))
        .unwrap_or_else(|| Expr::val(true))
}

/// A condition with more operands keeps its places: to make it again nests as deep as it does.
const MOST_OPERANDS: usize = 300;

/// Its JSON form has none. Where that is not the very same expression, the expression as it is.
fn without_places(policy: &Policy, condition: &Expr) -> Expr {
    if condition.subexpressions().nth(MOST_OPERANDS).is_some() {
        return condition.clone();
    }
    let copy = policy
        .to_json()
        .ok()
        .and_then(|json| Policy::from_json(Some(policy.id().clone()), json).ok());
    let bare = copy.as_ref().and_then(|copy| {
        let ast: &cedar_policy_core::ast::Policy = copy.as_ref();
        ast.non_scope_constraints()
    });
    match bare {
        Some(bare) if bare.eq_shape(condition) => bare.clone(),
        _ => condition.clone(),
    }
}
