//! The general door: any schema, any entities, requests of any type, as Cedar's own JSON. Slower
//! than `decide.rs` and not on the walk of a request; it is how Cedar's own corpus of tests, whose
//! schemas are not ours, is run through this library (`src/policy/corpus_test.cc`). Each decision is
//! made twice: by Cedar's authorizer, and the way `decide.rs` makes it. The two must agree.

use cedar_policy::{
    Authorizer, Decision as Effect, Entities, EntityId, EntityTypeName, EntityUid, Policy,
    PolicySet, Request, Schema, ValidationMode, Validator,
};
use cedar_policy_core::ast::{Context, EntityUIDEntry, Request as CedarRequest};
use cedar_policy_core::entities::Entities as CoreEntities;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use crate::decide::find;
use crate::limits::LOAD_STACK_BYTES;
use crate::paths::View;
use crate::rule::Rule;
use crate::set::can_satisfy;
use crate::slices::{Key, Slices};

/// Policies with the entities they are asked about.
#[derive(Debug)]
pub struct General {
    schema: Schema,
    policies: PolicySet,
    entities: Entities,
    /// Whether the policies are valid by the schema (strict).
    pub is_valid: bool,
}

/// Type with its namespace, and id.
#[derive(Debug, Clone, Copy)]
pub struct FullUid<'a> {
    /// `PhotoApp::User`
    pub type_name: &'a str,
    /// Any text.
    pub id: &'a str,
}

/// What came of a request.
#[derive(Debug, Default)]
pub struct GeneralDecision {
    /// What Cedar says; an error of a policy does not make it a deny here.
    pub permit: bool,
    /// Ids of the determining policies, sorted.
    pub reasons: Vec<String>,
    /// Ids of policies that could not be evaluated, sorted.
    pub errors: Vec<String>,
}

impl General {
    /// Parses all three.
    ///
    /// # Errors
    /// Says which does not parse, and why.
    pub fn load(schema: &str, policies: &str, entities: &str) -> Result<Self, String> {
        on_a_deep_stack(|| Self::load_here(schema, policies, entities))?
    }

    fn load_here(schema: &str, policies: &str, entities: &str) -> Result<Self, String> {
        let (schema, _) =
            Schema::from_cedarschema_str(schema).map_err(|error| format!("schema: {error}"))?;
        let policies: PolicySet = policies
            .parse()
            .map_err(|error| format!("policies: {error}"))?;
        let entities = Entities::from_json_str(entities, Some(&schema))
            .map_err(|error| format!("entities: {error}"))?;
        let is_valid = Validator::new(schema.clone())
            .validate(&policies, ValidationMode::Strict)
            .validation_passed();
        Ok(Self {
            schema,
            policies,
            entities,
            is_valid,
        })
    }

    /// Decides; `check_request` also checks that the request fits the schema.
    ///
    /// # Errors
    /// Where the request is not well-formed or does not fit the schema.
    pub fn decide(
        &self,
        principal: FullUid<'_>,
        action: FullUid<'_>,
        resource: FullUid<'_>,
        context: &str,
        check_request: bool,
    ) -> Result<GeneralDecision, String> {
        let action = entity_uid(action)?;
        let context = cedar_policy::Context::from_json_str(context, Some((&self.schema, &action)))
            .map_err(|error| format!("context: {error}"))?;
        let request = Request::new(
            entity_uid(principal)?,
            action,
            entity_uid(resource)?,
            context,
            check_request.then_some(&self.schema),
        )
        .map_err(|error| format!("request: {error}"))?;
        let response = Authorizer::new().is_authorized(&request, &self.policies, &self.entities);
        let mut decision = GeneralDecision {
            permit: response.decision() == Effect::Allow,
            reasons: response
                .diagnostics()
                .reason()
                .map(ToString::to_string)
                .collect(),
            errors: response
                .diagnostics()
                .errors()
                .map(|error| match error {
                    cedar_policy::AuthorizationError::PolicyEvaluationError(error) => {
                        error.policy_id().to_string()
                    }
                })
                .collect(),
        };
        decision.reasons.sort();
        decision.errors.sort();
        self.compare(request.as_ref(), &decision, false)?;
        // Slices are for what fits the schema, and may pass over a policy that needs an entity that is
        // reached by an attribute and not there.
        if self.is_valid && check_request && decision.errors.is_empty() {
            self.compare(request.as_ref(), &decision, true)?;
        }
        Ok(decision)
    }

    /// The same by `slices.rs`; not sliced, each policy is evaluated.
    fn compare(
        &self,
        request: &CedarRequest,
        expected: &GeneralDecision,
        sliced: bool,
    ) -> Result<(), String> {
        let entities: &CoreEntities = self.entities.as_ref();
        let entity = |entry: &EntityUIDEntry| entry.uid().and_then(|uid| find(entities, uid));
        let view = match (
            entity(request.principal()),
            entity(request.resource()),
            request.context(),
        ) {
            (Some(principal), Some(resource), Some(Context::Value(context))) if sliced => {
                Some(View {
                    principal,
                    resource,
                    context,
                })
            }
            _ => None,
        };
        let action = request.action().uid().ok_or("no action")?;
        let policies: Vec<&Policy> = self.policies.policies().collect();
        let mut ours = Slices::default();
        for (index, policy) in policies.iter().enumerate() {
            if can_satisfy(action, find(entities, action), (*policy).as_ref()) {
                ours.add(Key::of((*policy).as_ref()), Rule::new(index, false, policy));
            }
        }
        let evaluator = Evaluator::new(request.clone(), entities, Extensions::all_available());
        let tally = ours.evaluate(&evaluator, view.as_ref());
        let names = |indices: &[usize]| {
            let ids = indices.iter().filter_map(|index| policies.get(*index));
            let mut names: Vec<String> = ids.map(|policy| policy.id().to_string()).collect();
            names.sort();
            names.dedup();
            names
        };
        let (reasons, errors) = (names(tally.determining()), names(&tally.failed));
        if tally.permit() == expected.permit
            && reasons == expected.reasons
            && errors == expected.errors
        {
            return Ok(());
        }
        Err(format!(
            "two ways to decide, sliced {sliced}: Cedar says {expected:?}; the other {:?} {reasons:?} {errors:?}",
            tally.permit()
        ))
    }
}

fn entity_uid(uid: FullUid<'_>) -> Result<EntityUid, String> {
    let type_name: EntityTypeName = uid
        .type_name
        .parse()
        .map_err(|error| format!("entity type {:?}: {error}", uid.type_name))?;
    Ok(EntityUid::from_type_name_and_id(
        type_name,
        EntityId::new(uid.id),
    ))
}

/// Cedar's parser and validator recurse.
fn on_a_deep_stack<T: Send>(body: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let running = std::thread::Builder::new()
            .stack_size(LOAD_STACK_BYTES)
            .spawn_scoped(scope, body)
            .map_err(|error| format!("no thread: {error}"))?;
        running
            .join()
            .map_err(|panic| std::panic::resume_unwind(panic))
    })
}
