//! Our own checks and shortcuts against Cedar's slow and complete ones, and hostile input through
//! the C interface. Randomness is a seeded generator, so a failure repeats.
#![allow(clippy::format_push_string, clippy::format_collect)]

use cedar_policy_core::ast::{Context, EntityUIDEntry, Request as CedarRequest};
use cedar_policy_core::authorizer::{AuthorizationError, Authorizer, Decision as Effect};
use cedar_policy_core::entities::{Entities, TCComputation};
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::CoreSchema;

use super::*;
use crate::decide::{EntityInput, Outcome, Request, Uid};
use crate::needs::{Need, Needs};
use crate::problem::Place;
use crate::set::{File, Set};
use crate::shape::{Node, RecordShape, Scalar};

mod c_interface;
mod slice_keys;

const SCHEMA: &str = r"
namespace Gatehouse {
  entity User = { team?: String, level: Long } tags String;
  entity Robot = { team?: String };
  entity Group;
  entity Model in [Group] = { trust: String, registered: Bool };
  type Label = { rank: Long, names: Set<String>, inner?: { deep: Bool } };
  action any;
  action infer in [any] appliesTo { principal: [User, Robot], resource: Model,
    context: { hour: Long, note?: String, label: Label } };
  action list in [any] appliesTo { principal: [User], resource: Model, context: {} };
}";

fn load(policies: &str) -> Set {
    let schema = File {
        name: "schema.cedarschema",
        text: SCHEMA,
    };
    let file = File {
        name: "p.cedar",
        text: policies,
    };
    Set::load("Gatehouse", schema, &[file])
}

fn node<'a>(key: &'a str, value: Scalar<'a>) -> Node<'a> {
    Node { key, value }
}

fn user(id: &str) -> EntityInput<'_> {
    EntityInput {
        uid: Uid {
            type_name: "User",
            id,
        },
        attributes: vec![node("level", Scalar::Long(1))],
        parents: vec![],
    }
}

fn model(trust: &str) -> EntityInput<'_> {
    EntityInput {
        uid: Uid {
            type_name: "Model",
            id: "m",
        },
        attributes: vec![
            node("trust", Scalar::String(trust)),
            node("registered", Scalar::Bool(true)),
        ],
        parents: vec![Uid {
            type_name: "Group",
            id: "g",
        }],
    }
}

fn label<'a>(rank: i64) -> Vec<Node<'a>> {
    vec![
        node("label", Scalar::Record(2)),
        node("rank", Scalar::Long(rank)),
        node("names", Scalar::Set(2)),
        node("", Scalar::String("a")),
        node("", Scalar::String("b")),
    ]
}

fn request<'a>() -> Request<'a> {
    let mut context = vec![node("hour", Scalar::Long(9))];
    context.extend(label(2));
    Request {
        principal: user("ada"),
        action: "infer",
        resource: model("external"),
        context,
        others: vec![],
    }
}

fn outcome(set: &Set, request: &Request<'_>, policy: usize) -> Outcome {
    set.decide(request).unwrap().outcomes[policy]
}

#[test]
fn reads_every_kind_of_value() {
    let set = load(
        r#"permit (principal, action == Gatehouse::Action::"infer", resource) when {
             context.hour == 9 && context.label.rank == 2 &&
             context.label.names == ["b", "a"] && !(context has note) &&
             resource in Gatehouse::Group::"g" && resource.trust == "external" };"#,
    );
    assert!(!set.has_errors(), "{:?}", set.problems);
    assert!(set.decide(&request()).unwrap().permit);
}

#[test]
fn undeclared_attributes_are_tags_or_dropped() {
    let set = load(
        r#"permit (principal is Gatehouse::User, action == Gatehouse::Action::"infer", resource)
           when { principal.hasTag("cost") && principal.getTag("cost") == "42" };"#,
    );
    let mut asked = request();
    asked
        .principal
        .attributes
        .push(node("cost", Scalar::String("42")));
    asked.principal.attributes.extend([
        node("odd", Scalar::Record(1)),
        node("level", Scalar::Long(9)),
    ]);
    asked.context.extend([
        node("unknown", Scalar::Record(2)),
        node("x", Scalar::Set(1)),
        node("", Scalar::String("y")),
        node("z", Scalar::Bool(true)),
        node("note", Scalar::String("after what is skipped")),
    ]);
    assert!(set.decide(&asked).unwrap().permit);
    let mut robot = asked.clone();
    robot.principal.uid.type_name = "Robot";
    assert!(!set.decide(&robot).unwrap().permit);
}

#[test]
fn a_request_outside_the_schema_is_an_error() {
    let set = load("permit (principal, action, resource);");
    let broken = |change: &dyn Fn(&mut Request<'static>)| {
        let mut asked = request();
        change(&mut asked);
        set.decide(&asked).unwrap_err()
    };
    let says = |problem: String, expected: &str| assert!(problem.contains(expected), "{problem}");
    says(broken(&|r| r.action = "sing"), "unknown action \"sing\"");
    says(broken(&|r| r.action = "any"), "does not apply");
    says(
        broken(&|r| r.principal.uid.type_name = "Ghost"),
        "unknown entity type \"Ghost\"",
    );
    says(
        broken(&|r| r.principal.uid.type_name = "Model"),
        "does not apply to entity type Model",
    );
    says(
        broken(&|r| r.resource.parents[0].type_name = "User"),
        "Model cannot be in User",
    );
    says(
        broken(&|r| r.principal.attributes.clear()),
        "principal: attribute level is missing",
    );
    says(
        broken(&|r| r.resource.attributes[1].value = Scalar::String("yes")),
        "attribute registered: expected Bool, got String",
    );
    says(
        broken(&|r| _ = r.context.remove(0)),
        "context: attribute hour is missing",
    );
    says(
        broken(&|r| r.context[2].value = Scalar::Bool(true)),
        "attribute label.rank: expected Long, got Bool",
    );
    says(
        broken(&|r| r.context.push(r.context[0])),
        "attribute hour is given twice",
    );
    says(
        broken(&|r| r.context[3].value = Scalar::Set(100)),
        "ends inside a set or record",
    );
    says(
        broken(&|r| r.context[1].value = Scalar::Record(usize::MAX)),
        "ends inside",
    );
    says(
        broken(&|r| r.context.push(node("x", Scalar::Set(usize::MAX)))),
        "ends inside",
    );
    says(
        broken(&|r| r.context[4].value = Scalar::Long(1)),
        "a set may hold strings only",
    );
}

#[test]
fn any_error_of_a_policy_denies() {
    let set = load(
        r#"permit (principal, action == Gatehouse::Action::"infer", resource);
           @id("overflows")
           permit (principal, action == Gatehouse::Action::"infer", resource)
           when { context.hour + 9223372036854775807 > 0 };"#,
    );
    assert!(!set.has_errors(), "{:?}", set.problems);
    let decision = set.decide(&request()).unwrap();
    assert!(!decision.permit);
    assert_eq!(decision.outcomes, [Outcome::Determining, Outcome::Errored]);
    assert_eq!(decision.errors.len(), 1);
    assert!(
        decision.errors[0].contains("overflows"),
        "{}",
        decision.errors[0]
    );
}

#[test]
fn shadow_policies_report_and_do_not_decide() {
    let set = load(
        r#"permit (principal, action, resource);
           @shadow("true") forbid (principal, action, resource);
           @shadow("true") forbid (principal, action == Gatehouse::Action::"list", resource);
           @shadow("true") forbid (principal, action == Gatehouse::Action::"infer", resource)
           when { context.hour + 9223372036854775807 > 0 };"#,
    );
    let decision = set.decide(&request()).unwrap();
    assert!(decision.permit && decision.errors.is_empty());
    assert_eq!(
        decision.outcomes,
        [
            Outcome::Determining,
            Outcome::Determining,
            Outcome::NotDetermining,
            Outcome::Errored
        ]
    );
}

#[test]
fn action_groups_apply() {
    let set = load(
        r#"permit (principal, action in Gatehouse::Action::"any", resource);
           forbid (principal, action in [Gatehouse::Action::"list"], resource);"#,
    );
    assert!(set.decide(&request()).unwrap().permit);
    let mut listing = request();
    listing.action = "list";
    assert!(!set.decide(&listing).unwrap().permit);
    assert_eq!(outcome(&set, &listing, 1), Outcome::Determining);
}

#[test]
fn problems_have_places_and_attributes() {
    let set = load(
        "@id(\"night\")\npermit (principal, action == Gatehouse::Action::\"infer\", resource)\n\
         when { \"é\" != \"x\" && context.label.rank < \"9\" };",
    );
    let problem = &set.problems[0];
    assert_eq!(
        problem.place,
        Place {
            line: 3,
            column: 43
        }
    );
    assert_eq!(problem.attribute, "context.label.rank");
    assert_eq!(problem.policy, "night");
    assert!(problem.message.contains("expected Long"), "{problem:?}");
}

#[test]
fn one_finding_for_many_types_is_one_problem() {
    let set = load(
        r#"permit (principal, action == Gatehouse::Action::"infer", resource)
           when { principal.team == "x" };"#,
    );
    assert_eq!(set.problems.len(), 1, "{:?}", set.problems);
    assert_eq!(set.problems[0].attribute, "principal.team");
}

#[test]
fn ids_are_unique_and_templates_refused() {
    let set = load(
        r#"@id("a") permit (principal, action, resource);
           @id("a") forbid (principal, action, resource);
           @id("") forbid (principal, action, resource);
           permit (principal == ?principal, action, resource);"#,
    );
    let messages: Vec<_> = set.problems.iter().map(|p| p.message.as_str()).collect();
    assert!(
        messages
            .iter()
            .any(|m| m.contains("already used at p.cedar:1"))
    );
    assert!(messages.contains(&"@id is empty"));
    assert!(
        messages
            .iter()
            .any(|m| m.contains("templates are not supported"))
    );
    assert!(
        set.decide(&request()).is_err(),
        "a set with problems must not decide"
    );
}

#[test]
fn syntax_errors_of_schema_and_policy_have_lines() {
    let schema = File {
        name: "s",
        text: "namespace Gatehouse {\n  entity User = { a String };\n}",
    };
    let policy = File {
        name: "p",
        text: "permit (principal, action, resource);\npermit (principal",
    };
    let set = Set::load("Gatehouse", schema, &[policy]);
    let place_in = |file: &str| {
        set.problems
            .iter()
            .find(|p| p.file == file)
            .map(|p| p.place.line)
    };
    assert_eq!(place_in("s"), Some(2));
    assert_eq!(place_in("p"), Some(2));
}

// --- limits ---------------------------------------------------------------------------------------

fn condition(text: &str) -> String {
    format!(
        r#"permit (principal, action == Gatehouse::Action::"infer", resource) when {{ {text} }};"#
    )
}

/// A shape of text that nests `n` times, and the most that is accepted.
type Nesting = (&'static str, fn(usize) -> String, usize);

#[test]
fn deep_text_is_refused_and_not_a_crash() {
    let shapes: [Nesting; 7] = [
        (
            "(",
            |n| format!("{}true{}", "(".repeat(n), ")".repeat(n)),
            63,
        ),
        (
            "[",
            |n| format!("{}1{} == [1]", "[".repeat(n), "]".repeat(n)),
            63,
        ),
        (
            "{",
            |n| format!("{}1{} == 1", "{a:".repeat(n), "}".repeat(n)),
            63,
        ),
        (
            "if",
            |n| {
                format!(
                    "{}true{}",
                    "if true then ".repeat(n),
                    " else true".repeat(n)
                )
            },
            64,
        ),
        ("&&", |n| format!("true{}", " && true".repeat(n)), 1000),
        ("+", |n| format!("1{} > 0", " + 1".repeat(n)), 1000),
        (".", |n| format!("context{}", ".a".repeat(n)), 1000),
    ];
    for (name, make, most) in shapes {
        for n in [most + 1, 100_000] {
            let set = load(&condition(&make(n)));
            assert_eq!(set.problems.len(), 1, "{name} {n}");
            let message = &set.problems[0].message;
            assert!(
                message.contains("more than") || message.contains("deeper"),
                "{message}"
            );
        }
        // The most that is accepted reaches the validator, and does not pass unseen.
        let set = load(&condition(&format!(
            "({}) && context.nonsense",
            make(most - 2)
        )));
        let seen = set
            .problems
            .iter()
            .any(|one| one.message.contains("nonsense"));
        assert!(
            seen || name == "[" || name == "{" || name == ".",
            "{name}: {:?}",
            set.problems
        );
        assert!(set.has_errors(), "{name}");
    }
}

#[test]
fn strings_and_comments_do_not_count() {
    let policy = format!(
        "// {}\n@description(\"{}\\\" {}\")\npermit (principal, action, resource);",
        "(".repeat(1000),
        "[".repeat(1000),
        "{".repeat(1000)
    );
    assert!(!load(&policy).has_errors());
    assert!(!load(&condition("true && true;").repeat(0)).has_errors());
    let many = condition("context.hour > 1 && context.hour < 9").repeat(600);
    assert!(
        !load(&many).has_errors(),
        "the bound is for one policy, not for a file"
    );
}

#[test]
fn a_schema_that_explodes_is_refused() {
    let load_schema = |text: &str| {
        let schema = File { name: "s", text };
        Set::load("Gatehouse", schema, &[])
    };
    let mut doubling = String::new();
    for i in 0..60 {
        doubling += &format!("type T{i} = {{ x: T{}, y: T{} }}; ", i + 1, i + 1);
    }
    let set = load_schema(&format!(
        "namespace Gatehouse {{ {doubling} type T60 = Long; entity User = {{ a: T0 }}; }}"
    ));
    assert!(
        set.problems[0].message.contains("100000"),
        "{:?}",
        set.problems
    );
    let many: String = (0..1100).map(|i| format!("entity E{i}; ")).collect();
    let set = load_schema(&format!("namespace Gatehouse {{ {many} }}"));
    assert!(
        set.problems[0].message.contains("more than 1000 types"),
        "{:?}",
        set.problems
    );
    let nested = "Set<".repeat(5000) + "Long" + &">".repeat(5000);
    let set = load_schema(&format!("entity User = {{ a: {nested} }};"));
    assert!(
        set.problems[0].message.contains("nest deeper"),
        "{:?}",
        set.problems
    );
    let set = load_schema("type A = B; type B = A; entity User = { a: A };");
    assert!(set.has_errors());
}

// --- against Cedar's own checks -----------------------------------------------------------------

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }
}

/// Mostly right, sometimes wrong in one place.
fn random_request(dice: &mut Dice) -> Request<'static> {
    let mut asked = request();
    asked.principal.uid.type_name = dice.pick(&["User", "User", "Robot", "Model", "Ghost"]);
    asked.action = dice.pick(&["infer", "infer", "list", "any"]);
    let wrong = [
        Scalar::Bool(false),
        Scalar::Long(-1),
        Scalar::String("s"),
        Scalar::Set(0),
        Scalar::Record(0),
    ];
    for nodes in [
        &mut asked.principal.attributes,
        &mut asked.resource.attributes,
    ] {
        if dice.roll(6) == 0 {
            let index = dice.roll(nodes.len());
            nodes[index].value = dice.pick(&wrong);
        }
    }
    if dice.roll(3) == 0 {
        let index = dice.pick(&[0, 1, 2]);
        asked.context[index].value = dice.pick(&wrong);
    }
    if dice.roll(3) == 0 {
        asked.context.push(node("note", dice.pick(&wrong)));
    }
    asked
}

fn cedar_entities(set: &Set, asked: &Request<'_>) -> Vec<cedar_policy_core::ast::Entity> {
    [&asked.principal, &asked.resource]
        .into_iter()
        .map(|input| {
            let allowed = set.types.values().map(|info| info.name.clone()).collect();
            set.entity("any", input, Some(&allowed), &Need::Everything)
                .unwrap()
        })
        .collect()
}

#[test]
fn what_we_accept_cedar_accepts() {
    let (schema, _) = cedar_policy::Schema::from_cedarschema_str(SCHEMA).unwrap();
    let set = load("permit (principal, action, resource);");
    let mut dice = Dice(0x5eed);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..4000 {
        let asked = random_request(&mut dice);
        if set.decide(&asked).is_err() {
            refused += 1;
            continue;
        }
        accepted += 1;
        let entities = cedar_entities(&set, &asked);
        let action = &set.actions[asked.action];
        let context = action
            .context
            .build("context", &asked.context, &Need::Everything)
            .unwrap();
        CedarRequest::new(
            (entities[0].uid().clone(), None),
            (action.uid.clone(), None),
            (entities[1].uid().clone(), None),
            Context::Value(std::sync::Arc::new(context)),
            Some(schema.as_ref()),
            Extensions::all_available(),
        )
        .unwrap_or_else(|error| panic!("{error}: {asked:?}"));
        Entities::from_entities(
            entities,
            Some(&CoreSchema::new(schema.as_ref())),
            TCComputation::ComputeNow,
            Extensions::all_available(),
        )
        .unwrap_or_else(|error| panic!("{error}: {asked:?}"));
    }
    assert!(accepted > 500 && refused > 500, "{accepted} {refused}");
}

fn random_policy(dice: &mut Dice, shadow: bool) -> String {
    let effect = dice.pick(&["permit", "forbid"]);
    let action = dice.pick(&[
        "action",
        r#"action == Gatehouse::Action::"infer""#,
        r#"action == Gatehouse::Action::"list""#,
        r#"action in Gatehouse::Action::"any""#,
        r#"action in [Gatehouse::Action::"list", Gatehouse::Action::"infer"]"#,
    ]);
    let principal = dice.pick(&[
        "principal",
        "principal",
        "principal is Gatehouse::User",
        r#"principal == Gatehouse::User::"ada""#,
        r#"principal == Gatehouse::User::"bob""#,
        r#"principal is Gatehouse::User in Gatehouse::User::"ada""#,
    ]);
    let resource = dice.pick(&[
        "resource",
        "resource",
        r#"resource == Gatehouse::Model::"m""#,
        r#"resource == Gatehouse::Model::"n""#,
        r#"resource in Gatehouse::Group::"g""#,
        r#"resource in Gatehouse::Group::"h""#,
    ]);
    let condition = dice.pick(&[
        "",
        r#"when { principal has team && principal.team == "red" }"#,
        r#"when { principal has team && principal.team == "blue" }"#,
        r#"when { principal has team && principal.team == "red" && context has note }"#,
        r#"when { principal has team && principal.team == "blue" } unless { resource.registered }"#,
        r#"when { principal is Gatehouse::User && principal has team && principal.team == "red" &&
                  principal.level + 9223372036854775807 > 0 }"#,
        r#"when { principal has team && principal.team == "red" && principal is Gatehouse::User &&
                  principal.level + 9223372036854775807 > 0 }"#,
        r#"when { resource has trust && resource.trust == "external" }"#,
        r#"when { resource has trust && resource.trust == "internal" }"#,
        r#"when { resource.trust == "external" }"#,
        r#"when { resource.trust == "internal" }"#,
        r#"unless { resource in Gatehouse::Group::"g" }"#,
        r#"when { resource in Gatehouse::Group::"h" || resource.trust == "external" }"#,
        r#"when { context has note && context.note == "a" }"#,
        r#"when { context has note && (context.note == "b" || "a" == context.note) }"#,
        r#"when { context has note && ["a", "c"].contains(context.note) && resource.registered }"#,
        r#"when { context has label && context.label.names.contains("a") }"#,
        r#"when { context has label && context.label.names.contains("z") }"#,
        r#"when { context has label && context.label.rank > 1 && context.label has inner && context.label.inner.deep }"#,
        r#"when { context has hour && context.hour + 9223372036854775807 > 0 && context has note && context.note == "b" }"#,
        r#"when { context has note && context.note == "b" && context has hour && context.hour + 9223372036854775807 > 0 }"#,
        r#"when { principal is Gatehouse::User && principal.hasTag("cost") && principal.getTag("cost") == "42" }"#,
        r#"when { principal == Gatehouse::User::"ada" && resource.trust == "internal" }"#,
        r#"when { if resource.registered then resource.trust == "external" else false }"#,
        r#"when { (if resource.registered then resource else Gatehouse::Model::"n").registered }"#,
        r#"when { context has label && context.label.names == ["b", "a"] }"#,
        r#"when { Gatehouse::User::"ada" == principal && Gatehouse::User::"ada" has team }"#,
        "when { principal is Gatehouse::User && principal.level + 9223372036854775807 > 0 }",
    ]);
    let mark = if shadow { r#"@shadow("true")"# } else { "" };
    format!("{mark} {effect} ({principal}, {action}, {resource}) {condition};\n")
}

/// The slices by action and the shadows alone say what all policies in one set say.
#[test]
fn slices_and_shadows_agree_with_the_whole_set() {
    let (schema, _) = cedar_policy::Schema::from_cedarschema_str(SCHEMA).unwrap();
    let mut dice = Dice(0xcafe);
    for round in 0..120 {
        let count = 1 + dice.roll(8);
        let mut text: String = (0..count)
            .map(|_| random_policy(&mut dice, false))
            .collect();
        let shadow = random_policy(&mut dice, true);
        text.push_str(&shadow);
        let set = load(&text);
        assert!(!set.has_errors(), "{text}\n{:?}", set.problems);
        let whole: cedar_policy::PolicySet =
            text.replace(r#"@shadow("true")"#, "").parse().unwrap();
        for _ in 0..8 {
            let asked = varied_request(&mut dice);
            let what = format!("round {round}, {asked:?}\n{text}");
            agrees_with_the_whole_set(&set, &schema, &asked, &whole, &what);
        }
    }
}

fn varied_request(dice: &mut Dice) -> Request<'static> {
    let mut asked = request();
    asked.action = dice.pick(&["infer", "list"]);
    let mut add = |name, text: &[&'static str]| {
        if dice.roll(3) > 0 {
            asked
                .principal
                .attributes
                .push(node(name, Scalar::String(dice.pick(text))));
        }
    };
    add("team", &["red", "blue", "green"]);
    add("cost", &["42", "43"]);
    if dice.roll(3) > 0 {
        let note = dice.pick(&["a", "b", "d"]);
        asked.context.push(node("note", Scalar::String(note)));
    }
    asked
}

/// `whole` has one policy more than what is enforced: the last, in shadow.
fn agrees_with_the_whole_set(
    set: &Set,
    schema: &cedar_policy::Schema,
    asked: &Request<'_>,
    whole: &cedar_policy::PolicySet,
    what: &str,
) {
    let decision = set.decide(asked).unwrap();
    let count = set.policies.len() - 1;
    let mut enforced = whole.clone();
    let shadow_id = cedar_policy::PolicyId::new(format!("policy{count}"));
    enforced.remove_static(shadow_id).unwrap();
    let permits = |policies: &cedar_policy::PolicySet| {
        let response = whole_response(set, schema, asked, policies);
        response.decision == Effect::Allow && response.diagnostics.errors.is_empty()
    };
    assert_eq!(decision.permit, permits(&enforced), "{what}");
    let response = whole_response(set, schema, asked, &enforced);
    for index in 0..count {
        let id = cedar_policy_core::ast::PolicyID::from_string(format!("policy{index}"));
        let failed = response.diagnostics.errors.iter().any(|error| match error {
            AuthorizationError::PolicyEvaluationError { id: one, .. } => *one == id,
        });
        let expected = if failed {
            Outcome::Errored
        } else if response.diagnostics.reason.contains(&id) {
            Outcome::Determining
        } else {
            Outcome::NotDetermining
        };
        assert_eq!(decision.outcomes[index], expected, "policy {index}, {what}");
    }
    // The rule src/policy applies to a shadow policy's outcome.
    let forbidden = !decision.permit
        && (0..count)
            .any(|i| decision.outcomes[i] == Outcome::Determining && set.policies[i].is_forbid);
    let with_shadow = match decision.outcomes[count] {
        Outcome::NotDetermining => decision.permit,
        Outcome::Errored => false,
        Outcome::Determining if set.policies[count].is_forbid => false,
        Outcome::Determining => !forbidden && decision.errors.is_empty(),
    };
    assert_eq!(with_shadow, permits(whole), "{what}");
}

fn whole_response(
    set: &Set,
    schema: &cedar_policy::Schema,
    asked: &Request<'_>,
    policies: &cedar_policy::PolicySet,
) -> cedar_policy_core::authorizer::Response {
    let entities = cedar_entities(set, asked);
    let action = &set.actions[asked.action];
    let context = action
        .context
        .build("context", &asked.context, &Need::Everything)
        .unwrap();
    let whole = CedarRequest::new_unchecked(
        EntityUIDEntry::known(entities[0].uid().clone(), None),
        EntityUIDEntry::known(action.uid.clone(), None),
        EntityUIDEntry::known(entities[1].uid().clone(), None),
        Some(Context::Value(std::sync::Arc::new(context))),
    );
    let store = Entities::from_entities(
        entities,
        Some(&CoreSchema::new(schema.as_ref())),
        TCComputation::ComputeNow,
        Extensions::all_available(),
    )
    .unwrap();
    Authorizer::new().is_authorized(whole, policies.as_ref(), &store)
}

#[test]
fn decimals_are_exact_whether_made_before_or_not() {
    let schema = File {
        name: "s",
        text: "namespace Gatehouse { entity User; entity Model;
               action infer appliesTo { principal: User, resource: Model, context: { p: decimal, q: decimal } }; }",
    };
    for value in [
        0,
        1,
        499,
        500,
        501,
        9_999,
        10_000,
        10_001,
        -1,
        i64::MAX,
        i64::MIN,
    ] {
        let sign = if value < 0 { "-" } else { "" };
        let text = format!(
            "{sign}{}.{:04}",
            value.unsigned_abs() / 10_000,
            value.unsigned_abs() % 10_000
        );
        let policy = condition(&format!(r#"context.p == decimal("{text}")"#));
        let file = File {
            name: "p",
            text: &policy,
        };
        let set = Set::load("Gatehouse", schema, &[file]);
        assert!(!set.has_errors(), "{:?}", set.problems);
        for (given, permit) in [(value, true), (value ^ 1, false)] {
            let mut asked = request();
            asked.principal.attributes.clear();
            asked.resource.attributes.clear();
            asked.resource.parents.clear();
            // Nobody looks at q, and it is checked all the same.
            asked.context = vec![
                node("p", Scalar::Decimal(given)),
                node("q", Scalar::Decimal(given)),
            ];
            assert_eq!(set.decide(&asked).unwrap().permit, permit, "{text} {given}");
            asked.context[1].value = Scalar::Long(1);
            assert!(set.decide(&asked).is_err());
        }
    }
}
