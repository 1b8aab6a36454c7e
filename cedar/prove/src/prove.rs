//! One claim: for every combination of principal, action and resource the schema allows, a question
//! for the solver. The first counterexample ends it.

use cedar_policy::{Entities, Policy, PolicyId, PolicySet, Request, RequestEnv, Schema};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};
use serde_json::{Value, json};

use crate::job::{Answer, Claim, Counterexample, Job, Outcome, PolicyFile, Question, SetText};
use crate::solver;

/// The schema and the policies, parsed.
#[derive(Debug)]
pub struct Prepared {
    schema: Schema,
    policies: Vec<Policy>,
}

impl Prepared {
    /// # Errors
    /// Says what does not parse.
    pub fn new(job: &Job) -> Result<Self, String> {
        let (schema, _) = Schema::from_cedarschema_str(&job.schema)
            .map_err(|error| format!("schema: {error}"))?;
        let mut policies = Vec::new();
        for file in &job.files {
            policies.extend(parse(file)?);
        }
        Ok(Self { schema, policies })
    }

    fn set_of(&self, text: &SetText) -> Result<PolicySet, String> {
        let mut set = PolicySet::new();
        for number in &text.policies {
            let policy = self.policies.get(*number).ok_or("no such policy")?;
            set.add(policy.clone()).map_err(|error| error.to_string())?;
        }
        let own: PolicySet = text
            .text
            .parse()
            .map_err(|error| format!("the claim: {error}"))?;
        for (number, policy) in own.policies().enumerate() {
            let id = PolicyId::new(format!("claim {number}"));
            set.add(policy.new_id(id))
                .map_err(|error| error.to_string())?;
        }
        Ok(set)
    }

    fn environments(&self, claim: &Claim) -> Vec<RequestEnv> {
        let short = |name: String| name.rsplit("::").next().unwrap_or_default().to_owned();
        self.schema
            .request_envs()
            .filter(|env| {
                let action: &str = env.action().id().as_ref();
                (claim.actions.is_empty() || claim.actions.iter().any(|one| one == action))
                    && (claim.principals.is_empty()
                        || claim.principals.contains(&short(env.principal().to_string())))
            })
            .collect()
    }
}

/// The policies of a file by their place in it, with the ids `src/policy` gives them.
fn parse(file: &PolicyFile) -> Result<Vec<Policy>, String> {
    let parsed: PolicySet = file
        .text
        .parse()
        .map_err(|error| format!("{}: {error}", file.name))?;
    let mut policies: Vec<(usize, Policy)> = parsed
        .policies()
        .map(|policy| {
            let ast: &cedar_policy_core::ast::Policy = policy.as_ref();
            (
                ast.loc().map_or(0, cedar_policy_core::parser::Loc::start),
                policy.clone(),
            )
        })
        .collect();
    policies.sort_by_key(|(offset, _)| *offset);
    Ok(policies
        .into_iter()
        .enumerate()
        .map(|(number, (_, policy))| {
            let id = policy
                .annotation("id")
                .map_or_else(|| format!("{}#{}", file.name, number + 1), str::to_owned);
            policy.new_id(PolicyId::new(id))
        })
        .collect())
}

/// Never fails: what goes wrong is an answer that the claim is not known to hold.
pub fn prove(job: &Job, prepared: &Prepared, claim: &Claim) -> Answer {
    let mut answer = Answer {
        name: claim.name.clone(),
        outcome: Outcome::Unknown,
        environments: 0,
        detail: String::new(),
        counterexample: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(prove_all(job, prepared, claim, &mut answer)),
        Err(error) => Err(error.to_string()),
    };
    if let Err(message) = result {
        answer.outcome = Outcome::Unknown;
        answer.detail = message;
    }
    answer
}

async fn prove_all(
    job: &Job,
    prepared: &Prepared,
    claim: &Claim,
    answer: &mut Answer,
) -> Result<(), String> {
    let environments = prepared.environments(claim);
    if environments.is_empty() {
        return Err("the schema has no request the claim is about".to_owned());
    }
    let mut compiler = CedarSymCompiler::new(solver::start(job)?).map_err(describe)?;
    for environment in environments {
        answer.environments += 1;
        if let Some((detail, found)) =
            ask(&mut compiler, prepared, &claim.question, &environment).await?
        {
            answer.outcome = Outcome::Refuted;
            answer.detail = detail;
            answer.counterexample = Some(counterexample(&found, &environment)?);
            return Ok(());
        }
    }
    answer.outcome = Outcome::Proved;
    Ok(())
}

async fn ask(
    compiler: &mut CedarSymCompiler<LocalSolver>,
    prepared: &Prepared,
    question: &Question,
    environment: &RequestEnv,
) -> Result<Option<(String, Env)>, String> {
    let compile = |text: &SetText| {
        CompiledPolicySet::compile(&prepared.set_of(text)?, environment, &prepared.schema)
            .map_err(describe)
    };
    let found = match question {
        Question::NeverPermitted { sets } => match sets.as_slice() {
            [one] => {
                compiler
                    .check_always_denies_with_counterexample_opt(&compile(one)?)
                    .await
            }
            [one, other] => {
                compiler
                    .check_disjoint_with_counterexample_opt(&compile(one)?, &compile(other)?)
                    .await
            }
            _ => return Err("a claim is about one set or two".to_owned()),
        },
        Question::Implies { narrow, wide } => {
            compiler
                .check_implies_with_counterexample_opt(&compile(narrow)?, &compile(wide)?)
                .await
        }
        Question::NeverErrors { policies } => {
            return ask_errors(compiler, prepared, policies, environment).await;
        }
    };
    Ok(found.map_err(describe)?.map(|env| (String::new(), env)))
}

async fn ask_errors(
    compiler: &mut CedarSymCompiler<LocalSolver>,
    prepared: &Prepared,
    policies: &[usize],
    environment: &RequestEnv,
) -> Result<Option<(String, Env)>, String> {
    for number in policies {
        let policy = prepared.policies.get(*number).ok_or("no such policy")?;
        let compiled = CompiledPolicy::compile(policy, environment, &prepared.schema)
            .map_err(|error| format!("policy {}: {}", policy.id(), describe(error)))?;
        let found = compiler
            .check_never_errors_with_counterexample_opt(&compiled)
            .await
            .map_err(describe)?;
        if let Some(found) = found {
            return Ok(Some((
                format!("policy {} can fail", policy.id()),
                found,
            )));
        }
    }
    Ok(None)
}

fn describe(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn counterexample(env: &Env, environment: &RequestEnv) -> Result<Counterexample, String> {
    let uid = |uid: &cedar_policy::EntityUid| {
        let id: &str = uid.id().as_ref();
        json!({"type": uid.type_name().to_string(), "id": id})
    };
    Ok(Counterexample {
        principal: env.request.principal().map_or(Value::Null, uid),
        action: uid(environment.action()),
        resource: env.request.resource().map_or(Value::Null, uid),
        context: context_of(&env.request)?,
        entities: entities_of(&env.entities)?,
    })
}

fn context_of(request: &Request) -> Result<Value, String> {
    request
        .context()
        .map_or(Ok(Value::Null), |context| {
            context.to_json_value().map_err(|error| error.to_string())
        })
}

fn entities_of(entities: &Entities) -> Result<Value, String> {
    entities.to_json_value().map_err(|error| error.to_string())
}

