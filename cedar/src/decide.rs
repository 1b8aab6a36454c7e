//! One request in, one decision out. Nothing is parsed here.

use std::collections::HashSet;
use std::sync::Arc;

use cedar_policy_core::ast::{
    Context, Eid, Entity, EntityType, EntityUID, EntityUIDEntry, Request as CedarRequest,
};
use cedar_policy_core::entities::{Dereference, Entities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use crate::needs::Need;
use crate::paths::View;
use crate::set::{ActionInfo, Set, TypeInfo};
use crate::shape::{Node, as_attributes};

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
        let needs = &action.needs;
        let principal = self.entity(
            "principal",
            &request.principal,
            Some(&action.principals),
            &needs.principal,
        )?;
        let resource = self.entity(
            "resource",
            &request.resource,
            Some(&action.resources),
            &needs.resource,
        )?;
        let context = Arc::new(action.context.build(
            "context",
            &request.context,
            &needs.context,
        )?);
        let asked = CedarRequest::new_unchecked(
            EntityUIDEntry::known(principal.uid().clone(), None),
            EntityUIDEntry::known(action.uid.clone(), None),
            EntityUIDEntry::known(resource.uid().clone(), None),
            Some(Context::Value(Arc::clone(&context))),
        );
        let mut others = Vec::with_capacity(request.others.len());
        for other in &request.others {
            others.push(Arc::new(self.entity(
                "other",
                other,
                None,
                &Need::Everything,
            )?));
        }
        let (principal_uid, resource_uid) = (principal.uid().clone(), resource.uid().clone());
        let entities = store(action, principal, resource, others)?;
        let (Some(principal), Some(resource)) = (
            find(&entities, &principal_uid),
            find(&entities, &resource_uid),
        ) else {
            return Err("the request has no principal or resource".to_owned());
        };
        let view = View {
            principal,
            resource,
            context: &context,
        };
        Ok(self.evaluate(action, asked, &entities, &view))
    }

    /// An error of an enforced policy denies, whatever the others say.
    fn evaluate(
        &self,
        action: &ActionInfo,
        asked: CedarRequest,
        entities: &Entities,
        view: &View<'_>,
    ) -> Decision {
        let evaluator = Evaluator::new(asked, entities, Extensions::all_available());
        let tally = action.policies.evaluate(&evaluator, Some(view));
        let mut outcomes = vec![Outcome::NotDetermining; self.policies.len()];
        let mut mark = |indices: &[usize], outcome| {
            for index in indices {
                if let Some(slot) = outcomes.get_mut(*index) {
                    *slot = outcome;
                }
            }
        };
        mark(tally.determining(), Outcome::Determining);
        mark(&tally.apart, Outcome::Determining);
        mark(&tally.failed, Outcome::Errored);
        Decision {
            permit: tally.permit() && tally.errors.is_empty(),
            outcomes,
            errors: tally.errors,
        }
    }

    pub(crate) fn entity(
        &self,
        role: &str,
        input: &EntityInput<'_>,
        allowed: Option<&HashSet<EntityType>>,
        need: &Need,
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
            .build_entity(info.has_tags, &input.attributes, need)
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

/// The entity of this name, with all it is in.
pub(crate) fn find<'e>(entities: &'e Entities, uid: &EntityUID) -> Option<&'e Entity> {
    match entities.entity(uid) {
        Dereference::Data(entity) => Some(entity),
        Dereference::NoSuchEntity | Dereference::Residual(_) => None,
    }
}
