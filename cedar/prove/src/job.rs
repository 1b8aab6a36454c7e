//! What comes in and goes out: one JSON object each. `gatehouse policy prove` writes the one and
//! reads the other (`src/cli/policy_prove.cc`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything there is to prove.
#[derive(Debug, Deserialize)]
pub struct Job {
    /// Text of the schema.
    pub schema: String,
    /// Of policies. They are numbered by file, then by place in it, on through all files.
    pub files: Vec<PolicyFile>,
    /// What must hold.
    pub claims: Vec<Claim>,
    /// Solver processes at once.
    pub workers: usize,
    /// Program and arguments; it speaks SMT-LIB. Empty: cvc5, wherever it is.
    #[serde(default)]
    pub solver: Vec<String>,
    /// For one question.
    pub time_limit_ms: u64,
}

/// A file of policies.
#[derive(Debug, Deserialize)]
pub struct PolicyFile {
    /// For names of policies without an @id.
    pub name: String,
    /// Cedar text.
    pub text: String,
}

/// What of a claim is asked of the solver. All sets are of policies by their number, so that
/// the caller says which count (shadow, roll-out, obligations).
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Question {
    /// No request is permitted by all the sets.
    NeverPermitted {
        /// The sets.
        sets: Vec<SetText>,
    },
    /// What the first set permits, the second does.
    Implies {
        /// Permits less.
        narrow: SetText,
        /// Permits more.
        wide: SetText,
    },
    /// None of these policies errs.
    NeverErrors {
        /// Numbers.
        policies: Vec<usize>,
    },
}

/// A policy set: some of the job's, and statements of its own.
#[derive(Debug, Deserialize)]
pub struct SetText {
    /// Numbers of the job's policies.
    #[serde(default)]
    pub policies: Vec<usize>,
    /// Cedar text.
    #[serde(default)]
    pub text: String,
}

/// A question about the requests of some types.
#[derive(Debug, Deserialize)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// What is asked.
    pub question: Question,
    /// Ids of actions; empty: all.
    #[serde(default)]
    pub actions: Vec<String>,
    /// Types of principals without the namespace; empty: all.
    #[serde(default)]
    pub principals: Vec<String>,
}

/// What came of a claim.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Its name.
    pub name: String,
    /// `proved`, `refuted` or `unknown`.
    pub outcome: Outcome,
    /// How many combinations of principal, action and resource were looked at.
    pub environments: usize,
    /// Of an unknown: why. Of a refuted one that is about errors: which policy.
    pub detail: String,
    /// Of a refuted one.
    pub counterexample: Option<Counterexample>,
}

/// See `Answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// For all requests.
    Proved,
    /// There is a counterexample.
    Refuted,
    /// The solver gave up, or something went wrong.
    Unknown,
}

/// A request for which the claim does not hold, in Cedar's JSON.
#[derive(Debug, Serialize)]
pub struct Counterexample {
    /// `{"type": "Gatehouse::User", "id": "ada"}`
    pub principal: Value,
    /// See above.
    pub action: Value,
    /// See above.
    pub resource: Value,
    /// The context's members.
    pub context: Value,
    /// Every entity the request speaks of.
    pub entities: Value,
}
