//! One request in, one decision out. Nothing is parsed here.

use std::collections::HashSet;
use std::sync::Arc;

use cedar_policy_core::ast::{
    Context, Eid, Entity, EntityType, EntityUID, EntityUIDEntry, PolicyID, Request as CedarRequest,
};
use cedar_policy_core::authorizer::{AuthorizationError, Authorizer, Response};
use cedar_policy_core::entities::{Entities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;

use crate::set::{ActionInfo, Set, TypeInfo};
use crate::shape::{Node, as_attributes};
use crate::slices::find;

/// Type (short) and id.
#[derive(Debug, Clone, Copy)]
pub struct Uid<'a> {
    /// Without the namespace.
    pub type_name: &'a str,
    /// Any text.
    pub id: &'a str,
}

/// Who asks, or what is asked of.
#[derive(Debug, Clone)]
pub struct EntityInput<'a> {
    /// Its name.
    pub uid: Uid<'a>,
    /// Flat.
    pub attributes: Vec<Node<'a>>,
    /// What it is directly `in`.
    pub parents: Vec<Uid<'a>>,
}

/// One question.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: EntityInput<'a>,
    /// "infer"
    pub action: &'a str,
    /// What it is asked of.
    pub resource: EntityInput<'a>,
    /// Flat.
    pub context: Vec<Node<'a>>,
    /// What else is known: parents that have parents.
    pub others: Vec<EntityInput<'a>>,
}

/// What a policy had to do with a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Outcome {
    /// Nothing.
    #[default]
    NotDetermining = 0,
    /// It determined it; one kept apart would apply.
    Determining = 1,
    /// It could not be evaluated.
    Errored = 2,
}

/// One answer.
#[derive(Debug, Default)]
pub struct Decision {
    /// False after any error.
    pub permit: bool,
    /// One a policy, in the order of the set.
    pub outcomes: Vec<Outcome>,
    /// Of enforced policies. The error of one kept apart is only an outcome.
    pub errors: Vec<String>,
}

impl Set {
    /// Decides.
    ///
    /// # Errors
    /// Where the request does not fit the schema, or the set has problems.
    pub fn decide(&self, request: &Request<'_>) -> Result<Decision, String> {
        if self.has_errors() {
            return Err("the policy set has errors".to_owned());
        }
        let action = self
            .actions
            .get(request.action)
            .ok_or_else(|| format!("unknown action {:?}", request.action))?;
        let principal = self.entity("principal", &request.principal, Some(&action.principals))?;
        let resource = self.entity("resource", &request.resource, Some(&action.resources))?;
        let context = action.context.build("context", &request.context)?;
        let asked = CedarRequest::new_unchecked(
            EntityUIDEntry::known(principal.uid().clone(), None),
            EntityUIDEntry::known(action.uid.clone(), None),
            EntityUIDEntry::known(resource.uid().clone(), None),
            Some(Context::Value(Arc::new(context))),
        );
        let mut others = Vec::with_capacity(request.others.len());
        for other in &request.others {
            others.push(Arc::new(self.entity("other", other, None)?));
        }
        let entities = store(action, principal, resource, others)?;
        Ok(self.evaluate(action, &asked, &entities))
    }

    fn evaluate(&self, action: &ActionInfo, asked: &CedarRequest, entities: &Entities) -> Decision {
        let verdict = action.enforced.decide(asked, entities);
        let mut errors: Vec<String> = verdict
            .all()
            .flat_map(|response| &response.diagnostics.errors)
            .map(ToString::to_string)
            .chain(verdict.problem.clone())
            .collect();
        errors.sort();
        let mut decision = Decision {
            permit: verdict.permit() && errors.is_empty(),
            outcomes: vec![Outcome::NotDetermining; self.policies.len()],
            errors,
        };
        for response in verdict.determining() {
            self.mark(&mut decision.outcomes, &response.diagnostics.reason, Outcome::Determining);
        }
        for response in verdict.all() {
            self.mark_errors(&mut decision.outcomes, response);
        }
        self.evaluate_apart(action, asked, entities, &mut decision.outcomes);
        decision
    }

    fn evaluate_apart(
        &self,
        action: &ActionInfo,
        asked: &CedarRequest,
        entities: &Entities,
        outcomes: &mut [Outcome],
    ) {
        if action.apart.is_empty() {
            return;
        }
        let uids = (asked.principal().uid(), asked.resource().uid());
        let (Some(principal), Some(resource)) = (
            uids.0.and_then(|uid| find(entities, uid)),
            uids.1.and_then(|uid| find(entities, uid)),
        ) else {
            return;
        };
        let authorizer = Authorizer::new();
        for one in &action.apart {
            if !one.key.holds(principal, resource) {
                continue;
            }
            let response = authorizer.is_authorized(asked.clone(), one.alone.as_ref(), entities);
            self.mark(outcomes, &response.diagnostics.reason, Outcome::Determining);
            self.mark_errors(outcomes, &response);
        }
    }

    fn mark<'r>(
        &self,
        outcomes: &mut [Outcome],
        ids: impl IntoIterator<Item = &'r PolicyID>,
        outcome: Outcome,
    ) {
        for id in ids {
            if let Some(slot) = self
                .index
                .get(id)
                .and_then(|index| outcomes.get_mut(*index))
            {
                *slot = outcome;
            }
        }
    }

    fn mark_errors(&self, outcomes: &mut [Outcome], response: &Response) {
        let ids = response.diagnostics.errors.iter().map(|error| match error {
            AuthorizationError::PolicyEvaluationError { id, .. } => id,
        });
        self.mark(outcomes, ids, Outcome::Errored);
    }

    pub(crate) fn entity(
        &self,
        role: &str,
        input: &EntityInput<'_>,
        allowed: Option<&HashSet<EntityType>>,
    ) -> Result<Entity, String> {
        let info = self.type_info(role, input.uid)?;
        if allowed.is_some_and(|allowed| !allowed.contains(&info.name)) {
            return Err(format!(
                "{role}: the action does not apply to entity type {}",
                input.uid.type_name
            ));
        }
        let mut parents = HashSet::with_capacity(input.parents.len());
        for parent in &input.parents {
            let parent_info = self.type_info(role, *parent)?;
            if !info.ancestors.contains(&parent_info.name) {
                return Err(format!(
                    "{role}: {} cannot be in {}",
                    input.uid.type_name, parent.type_name
                ));
            }
            parents.insert(make_uid(parent_info, *parent));
        }
        let (attributes, tags) = info
            .attributes
            .build_entity(info.has_tags, &input.attributes)
            .map_err(|problem| format!("{role}: {problem}"))?;
        let entity = Entity::new_with_attr_partial_value(
            make_uid(info, input.uid),
            as_attributes(attributes),
            HashSet::new(),
            parents,
            as_attributes(tags),
        );
        entity
            .try_validate()
            .map_err(|error| format!("{role}: {error}"))
    }

    fn type_info(&self, role: &str, uid: Uid<'_>) -> Result<&TypeInfo, String> {
        let info = self
            .types
            .get(uid.type_name)
            .ok_or_else(|| format!("{role}: unknown entity type {:?}", uid.type_name))?;
        match &info.ids {
            Some(ids) if !ids.contains(&Eid::new(uid.id)) => Err(format!(
                "{role}: {:?} is not one of the ids of {}",
                uid.id, uid.type_name
            )),
            _ => Ok(info),
        }
    }
}

fn make_uid(info: &TypeInfo, uid: Uid<'_>) -> EntityUID {
    EntityUID::from_components(info.name.clone(), Eid::new(uid.id), None)
}

/// Without others, parents are given directly and have no parents themselves, so ancestry is closed
/// as it stands.
fn store(
    action: &ActionInfo,
    principal: Entity,
    resource: Entity,
    others: Vec<Arc<Entity>>,
) -> Result<Entities, String> {
    let closure = if others.is_empty() {
        TCComputation::AssumeAlreadyComputed
    } else {
        TCComputation::ComputeNow
    };
    let known = [
        Arc::clone(&action.entity),
        Arc::new(principal),
        Arc::new(resource),
    ];
    Entities::new()
        .add_entities(
            known.into_iter().chain(others),
            None::<&NoEntitiesSchema>,
            closure,
            Extensions::all_available(),
        )
        .map_err(|error| error.to_string())
}
