//! A policy set: parsed and validated once, then only read.
//!
//! 1. A policy's id is its @id, else its file and number in it; ids are unique.
//! 2. Policies with @shadow or @rollout are kept apart: they never decide here. Whether one that is
//!    rolled out counts for this principal is the caller's.
//! 3. A set with a problem that is not a warning decides nothing.
//! 4. Each action has its own slice of the policies, without those whose scope names other actions
//!    only: these are false for it before anything else of them is looked at; and these are sliced
//!    once more by who asks for what (`slices.rs`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cedar_policy::{
    Effect, Policy, PolicyId, PolicySet, Schema, SchemaFragment, ValidationMode, Validator,
};
use cedar_policy_core::ast::{ActionConstraint, Eid, Entity, EntityType, EntityUID, PolicyID};
use cedar_policy_core::validator::{ValidatorEntityTypeKind, ValidatorSchema};
use smol_str::SmolStr;

use crate::limits::{self, LOAD_STACK_BYTES, Language, MAX_VALIDATIONS};
use crate::needs::Needs;
use crate::problem::{Place, Problem, all_from_diagnostic, attributes_at, span};
use crate::rule::Rule;
use crate::shape::RecordShape;
use crate::slices::{Key, Slices};

/// A file of the set.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// For messages and default policy ids.
    pub name: &'a str,
    /// Cedar text.
    pub text: &'a str,
}

/// `@key("value")` on a policy.
#[derive(Debug)]
pub struct Annotation {
    /// Name.
    pub key: String,
    /// Text; empty where none is given.
    pub value: String,
    /// Where.
    pub place: Place,
}

/// What the caller may know of a policy.
#[derive(Debug)]
pub struct PolicyInfo {
    /// Unique in the set.
    pub id: String,
    /// Where it is from.
    pub file: String,
    /// Where it begins.
    pub place: Place,
    /// `forbid`, not `permit`.
    pub is_forbid: bool,
    /// Has @shadow or @rollout.
    pub is_apart: bool,
    /// In name order.
    pub annotations: Vec<Annotation>,
}

/// An entity type of the schema, ready for requests.
#[derive(Debug)]
pub struct TypeInfo {
    /// Full name.
    pub name: EntityType,
    /// Declared attributes.
    pub attributes: RecordShape,
    /// Has `tags String`.
    pub has_tags: bool,
    /// Types it may be `in`.
    pub ancestors: HashSet<EntityType>,
    /// The only ids there are, of an enumerated type.
    pub ids: Option<HashSet<Eid>>,
}

/// An action of the schema, ready for requests.
#[derive(Debug)]
pub struct ActionInfo {
    /// Full name.
    pub uid: EntityUID,
    /// With the action groups it is in.
    pub entity: Arc<Entity>,
    /// Its context.
    pub context: RecordShape,
    /// Entity types that may ask.
    pub principals: HashSet<EntityType>,
    /// Entity types it may be asked of.
    pub resources: HashSet<EntityType>,
    /// The policies that can apply to it.
    pub policies: Slices,
    /// What of a request they look at.
    pub needs: Needs,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Set {
    /// By file and place.
    pub policies: Vec<PolicyInfo>,
    /// Errors and warnings.
    pub problems: Vec<Problem>,
    pub(crate) types: HashMap<SmolStr, TypeInfo>,
    pub(crate) actions: HashMap<SmolStr, ActionInfo>,
    pub(crate) index: HashMap<PolicyID, usize>,
}

impl Set {
    /// Parses and validates, on a thread with stack enough. What is wrong is in `problems`.
    pub fn load(name_space: &str, schema: File<'_>, files: &[File<'_>]) -> Self {
        std::thread::scope(|scope| {
            let loading = std::thread::Builder::new()
                .stack_size(LOAD_STACK_BYTES)
                .spawn_scoped(scope, || Self::load_here(name_space, schema, files));
            match loading.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(set)) => set,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(error) => Self {
                    problems: vec![Problem::new(schema.name, format!("no thread: {error}"))],
                    ..Self::default()
                },
            }
        })
    }

    fn load_here(name_space: &str, schema: File<'_>, files: &[File<'_>]) -> Self {
        let mut set = Self::default();
        let parsed_schema = set.load_schema(name_space, schema);
        let policies = set.load_policies(files);
        if let (Some(parsed_schema), false) = (parsed_schema, set.has_errors()) {
            set.validate(parsed_schema, &policies);
        }
        if !set.has_errors() {
            set.divide(&policies);
        }
        set
    }

    /// Whether there is a problem that is not a warning.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| !problem.is_warning)
    }

    /// False, with a problem, where the file is out of bounds.
    fn check_limits(&mut self, language: Language, file: File<'_>) -> bool {
        let exceeded = limits::check_text(language, file.text);
        if let Some((offset, message)) = &exceeded {
            self.problems
                .push(Problem::new(file.name, message).at(file.text, *offset));
        }
        exceeded.is_none()
    }

    fn check_schema_size(&mut self, file: File<'_>) -> bool {
        // What does not parse is reported by the parse that follows.
        let exceeded = SchemaFragment::from_cedarschema_str(file.text)
            .ok()
            .and_then(|(fragment, _)| fragment.to_json_value().ok())
            .and_then(|json| limits::check_schema(&json));
        if let Some(message) = &exceeded {
            self.problems.push(Problem::new(file.name, message));
        }
        exceeded.is_none()
    }

    fn load_schema(&mut self, name_space: &str, file: File<'_>) -> Option<Schema> {
        if !self.check_limits(Language::Schema, file) || !self.check_schema_size(file) {
            return None;
        }
        match Schema::from_cedarschema_str(file.text) {
            Ok((schema, warnings)) => {
                for warning in warnings {
                    let mut problem = Problem::from_diagnostic(file.name, file.text, &warning);
                    problem.is_warning = true;
                    self.problems.push(problem);
                }
                self.compile_types(name_space, schema.as_ref());
                self.compile_actions(name_space, schema.as_ref());
                Some(schema)
            }
            Err(error) => {
                self.problems
                    .extend(all_from_diagnostic(file.name, file.text, &error));
                None
            }
        }
    }

    fn compile_types(&mut self, name_space: &str, schema: &ValidatorSchema) {
        for declared in schema.entity_types() {
            let name = declared.name();
            let info = TypeInfo {
                name: name.clone(),
                attributes: RecordShape::new(declared.attributes()),
                has_tags: declared
                    .tag_type()
                    .is_some_and(|tag| tag.to_string() == "String"),
                ancestors: schema
                    .ancestors(name)
                    .map(|ancestors| ancestors.cloned().collect())
                    .unwrap_or_default(),
                ids: match &declared.kind {
                    ValidatorEntityTypeKind::Enum(ids) => Some(ids.iter().cloned().collect()),
                    _ => None,
                },
            };
            self.types.insert(short_name(name_space, name), info);
        }
    }

    fn compile_actions(&mut self, name_space: &str, schema: &ValidatorSchema) {
        let entities = schema.action_entities().unwrap_or_default();
        for action in schema.action_ids() {
            let Some(context) = action.context_type() else {
                continue;
            };
            let uid = action.name();
            if short_name(name_space, uid.entity_type()) != "Action" {
                continue;
            }
            let entity = entities
                .iter()
                .find(|entity| entity.uid() == uid)
                .cloned()
                .unwrap_or_else(|| Entity::with_uid(uid.clone()));
            let id: &str = uid.eid().as_ref();
            let info = ActionInfo {
                uid: uid.clone(),
                entity: Arc::new(entity),
                context: RecordShape::of_context(context),
                principals: action.principals().cloned().collect(),
                resources: action.resources().cloned().collect(),
                policies: Slices::default(),
                needs: Needs::default(),
            };
            self.actions.insert(SmolStr::new(id), info);
        }
    }

    /// The policies of all files with their final ids; also fills `policies` and `index`.
    fn load_policies(&mut self, files: &[File<'_>]) -> Vec<LoadedPolicy> {
        let mut loaded = Vec::new();
        for file in files {
            for (number, (offset, policy)) in self.parse(*file).into_iter().enumerate() {
                if let Some(policy) = self.name(*file, number + 1, offset, &policy) {
                    loaded.push(LoadedPolicy {
                        policy,
                        text: file.text.to_owned(),
                    });
                }
            }
        }
        loaded
    }

    fn parse(&mut self, file: File<'_>) -> Vec<(usize, Policy)> {
        if !self.check_limits(Language::Policy, file) {
            return Vec::new();
        }
        let parsed: PolicySet = match file.text.parse() {
            Ok(parsed) => parsed,
            Err(errors) => {
                let errors: &cedar_policy::ParseErrors = &errors;
                for error in errors.iter() {
                    self.problems
                        .push(Problem::from_diagnostic(file.name, file.text, error));
                }
                return Vec::new();
            }
        };
        for template in parsed.templates() {
            let ast: &cedar_policy_core::ast::Template = template.as_ref();
            let offset = ast.loc().map_or(0, cedar_policy_core::parser::Loc::start);
            self.problems.push(
                Problem::new(
                    file.name,
                    "a policy with ?principal or ?resource is a template; templates are not supported",
                )
                .at(file.text, offset),
            );
        }
        let mut policies: Vec<(usize, Policy)> = parsed
            .policies()
            .map(|policy| {
                let ast: &cedar_policy_core::ast::Policy = policy.as_ref();
                let offset = ast.loc().map_or(0, cedar_policy_core::parser::Loc::start);
                (offset, policy.clone())
            })
            .collect();
        policies.sort_by_key(|(offset, _)| *offset);
        policies
    }

    fn name(
        &mut self,
        file: File<'_>,
        number: usize,
        offset: usize,
        policy: &Policy,
    ) -> Option<Policy> {
        let id = policy
            .annotation("id")
            .map_or_else(|| format!("{}#{number}", file.name), str::to_owned);
        let problem = if id.is_empty() {
            Some("@id is empty".to_owned())
        } else {
            self.index
                .get(&PolicyID::from_string(&id))
                .and_then(|index| self.policies.get(*index))
                .map(|known| {
                    format!(
                        "policy id {id:?} is already used at {}:{}",
                        known.file, known.place.line
                    )
                })
        };
        if let Some(message) = problem {
            self.problems
                .push(Problem::new(file.name, message).at(file.text, offset));
            return None;
        }
        let policy = policy.new_id(PolicyId::new(&id));
        self.index
            .insert(PolicyID::from_string(&id), self.policies.len());
        self.policies.push(describe(file, offset, &policy, id));
        Some(policy)
    }

    fn validate(&mut self, schema: Schema, policies: &[LoadedPolicy]) {
        let all = match PolicySet::from_policies(policies.iter().map(|one| one.policy.clone())) {
            Ok(all) => all,
            Err(error) => {
                self.problems
                    .push(Problem::new("policies", error.to_string()));
                return;
            }
        };
        if schema.request_envs().count().saturating_mul(policies.len()) > MAX_VALIDATIONS {
            self.problems.push(Problem::new(
                "schema",
                "too many combinations of principal, action, resource and policy to validate",
            ));
            return;
        }
        let result = Validator::new(schema).validate(&all, ValidationMode::Strict);
        for error in result.validation_errors() {
            self.note(policies, error.policy_id(), error, false);
        }
        for warning in result.validation_warnings() {
            self.note(policies, warning.policy_id(), warning, true);
        }
        merge_by_place(&mut self.problems);
    }

    fn note(
        &mut self,
        policies: &[LoadedPolicy],
        id: &PolicyId,
        diagnostic: &dyn miette::Diagnostic,
        is_warning: bool,
    ) {
        let core_id: &PolicyID = id.as_ref();
        let Some((info, loaded)) = self
            .index
            .get(core_id)
            .and_then(|index| Some((self.policies.get(*index)?, policies.get(*index)?)))
        else {
            self.problems
                .push(Problem::new("policies", diagnostic.to_string()));
            return;
        };
        let mut problem = Problem::from_diagnostic(&info.file, &loaded.text, diagnostic);
        problem.is_warning = is_warning;
        problem.policy.clone_from(&info.id);
        let prefix = format!("for policy `{}`, ", info.id);
        for text in [&mut problem.message, &mut problem.hint] {
            if let Some(rest) = text.strip_prefix(&prefix) {
                *text = rest.to_owned();
            }
        }
        match span(diagnostic) {
            Some((start, end)) => {
                problem.attribute = attributes_at(loaded.policy.as_ref(), start, end);
            }
            None => problem.place = info.place,
        }
        self.problems.push(problem);
    }

    fn divide(&mut self, policies: &[LoadedPolicy]) {
        for action in self.actions.values_mut() {
            for (index, loaded) in policies.iter().enumerate() {
                if !action.can_satisfy(loaded.policy.as_ref()) {
                    continue;
                }
                let is_apart = self.policies.get(index).is_some_and(|info| info.is_apart);
                let rule = Rule::new(index, is_apart, &loaded.policy);
                action.needs.add(rule.condition());
                action.policies.add(Key::of(loaded.policy.as_ref()), rule);
            }
        }
    }
}

impl ActionInfo {
    fn can_satisfy(&self, policy: &cedar_policy_core::ast::Policy) -> bool {
        can_satisfy(&self.uid, Some(&self.entity), policy)
    }
}

/// Whether the action part of the policy's scope holds for this action.
pub(crate) fn can_satisfy(
    action: &EntityUID,
    entity: Option<&Entity>,
    policy: &cedar_policy_core::ast::Policy,
) -> bool {
    let is_or_in = |uid: &EntityUID| {
        uid == action || entity.is_some_and(|entity| entity.is_descendant_of(uid))
    };
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => **uid == *action,
        ActionConstraint::In(uids) => uids.iter().any(|uid| is_or_in(uid)),
    }
}

/// The validator repeats a finding for every type of principal and resource; one line says it.
fn merge_by_place(problems: &mut Vec<Problem>) {
    problems.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut more = 0;
    let mut merged: Vec<Problem> = Vec::new();
    for problem in problems.drain(..) {
        match merged.last_mut() {
            Some(last) if last.is_same_finding(&problem) => more += 1,
            _ => {
                close_group(&mut merged, more);
                more = 0;
                merged.push(problem);
            }
        }
    }
    close_group(&mut merged, more);
    *problems = merged;
}

fn close_group(merged: &mut [Problem], more: usize) {
    if let (Some(last), true) = (merged.last_mut(), more > 0) {
        last.message = format!("{} (and {more} more like this)", last.message);
    }
}

struct LoadedPolicy {
    policy: Policy,
    text: String,
}

fn describe(file: File<'_>, offset: usize, policy: &Policy, id: String) -> PolicyInfo {
    let place = Place::of(file.text, offset);
    let ast: &cedar_policy_core::ast::Policy = policy.as_ref();
    let annotations: Vec<Annotation> = ast
        .annotations()
        .map(|(key, annotation)| Annotation {
            key: key.to_string(),
            value: annotation.val.to_string(),
            place: annotation
                .loc
                .as_ref()
                .map_or(place, |loc| Place::of(file.text, loc.start())),
        })
        .collect();
    PolicyInfo {
        id,
        file: file.name.to_owned(),
        place,
        is_forbid: policy.effect() == Effect::Forbid,
        is_apart: annotations
            .iter()
            .any(|one| one.key == "shadow" || one.key == "rollout"),
        annotations,
    }
}

/// The name without the namespace, or the whole name where it is in another.
fn short_name(name_space: &str, name: &EntityType) -> SmolStr {
    let full = name.to_string();
    let short = full
        .strip_prefix(name_space)
        .and_then(|rest| rest.strip_prefix("::"))
        .filter(|rest| !rest.contains("::"));
    SmolStr::new(short.unwrap_or(&full))
}
