//! The general door: any schema, any entities, requests of any type, as Cedar's own JSON. Slower
//! than `decide.rs` and not on the walk of a request; it is how Cedar's own corpus of tests, whose
//! schemas are not ours, is run through this library (`src/policy/corpus_test.cc`).

use cedar_policy::{
    Authorizer, Context, Decision as Effect, Entities, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, Schema, ValidationMode, Validator,
};

use crate::limits::LOAD_STACK_BYTES;

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
        let context = Context::from_json_str(context, Some((&self.schema, &action)))
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
        Ok(decision)
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
