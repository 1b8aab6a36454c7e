//! By what a policy is sliced, and which values policies look at.

use super::*;

fn key_of(policy: &str) -> slices::Key {
    let policy: cedar_policy::Policy = policy.parse().unwrap();
    slices::Key::of(policy.as_ref())
}

fn key_when(condition: &str) -> slices::Key {
    key_of(&format!(
        "permit (principal, action, resource) when {{ {condition} }};"
    ))
}

fn path(text: &str) -> paths::Path {
    let expr: cedar_policy_core::ast::Expr = text.parse().unwrap();
    paths::Path::of(&expr).unwrap()
}

#[test]
fn a_policy_is_sliced_by_what_it_asks_for_first() {
    use slices::Key;
    let user = |id: &str| -> cedar_policy_core::ast::EntityUID {
        format!(r#"U::"{id}""#).parse().unwrap()
    };
    let is = |place: &str, texts: &[&str]| {
        Key::Is(path(place), texts.iter().map(|one| (*one).into()).collect())
    };
    for (policy, expected) in [
        (
            r#"permit (principal == U::"a", action, resource == U::"b");"#,
            Key::Principal(user("a")),
        ),
        (
            r#"permit (principal is U in U::"a", action, resource);"#,
            Key::Principal(user("a")),
        ),
        (
            r#"permit (principal, action, resource in U::"b") when { principal.team == "red" };"#,
            Key::Resource(user("b")),
        ),
        (
            r#"permit (principal, action, resource)
               when { resource has kind } when { resource.kind == "k" } unless { context.y };"#,
            is("resource.kind", &["k"]),
        ),
    ] {
        assert_eq!(key_of(policy), expected, "{policy}");
    }
    for (condition, expected) in [
        (
            r#"principal has team && principal.team == "red" && context.x > 1"#,
            is("principal.team", &["red"]),
        ),
        (r#"context.a.b == "x""#, is("context.a.b", &["x"])),
        (r#""x" == context.a.b"#, is("context.a.b", &["x"])),
        (
            r#"context.x > 1 && (context.y || !context.z) && context.a == "x""#,
            is("context.a", &["x"]),
        ),
        (
            r#"["x", "y", "x"].contains(context.a)"#,
            is("context.a", &["x", "y"]),
        ),
        (
            r#"context.a == "x" || context.a == "y" || ["z"].contains(context.a)"#,
            is("context.a", &["x", "y", "z"]),
        ),
        (
            r#"principal.hasTag("t") && principal.getTag("t") == "x""#,
            is(r#"principal.getTag("t")"#, &["x"]),
        ),
        (
            r#"context.tools.contains("shell")"#,
            Key::Has(path("context.tools"), "shell".into()),
        ),
        (
            r#"principal in U::"a" && context.x > 1"#,
            Key::Principal(user("a")),
        ),
        (r#"resource == U::"b""#, Key::Resource(user("b"))),
    ] {
        assert_eq!(key_when(condition), expected, "{condition}");
    }
}

/// What may fail must be evaluated, and what asks for nothing in particular.
#[test]
fn a_policy_without_a_key_is_looked_at_always() {
    assert_eq!(
        key_of("permit (principal is U, action, resource);"),
        slices::Key::Always
    );
    for condition in [
        "true",
        r#"context.x + 1 > 1 && context.a == "x""#,
        r#"context.x * 2 > 1 && context.a == "x""#,
        r#"-context.x > 1 && context.a == "x""#,
        r#"context.p.lessThan(decimal("0.5")) && context.a == "x""#,
        r#"U::"a".team == "y" && context.a == "x""#,
        r#"principal has team || principal.team == "red""#,
        r#"!(context.a == "x")"#,
        r#"context.a != "x""#,
        r#"context.a == "x" || context.b == "x""#,
        r#"context.a == "x" || true"#,
        "context.a == 1",
        "context.a == context.b",
        r#"[context.b, "x"].contains(context.a)"#,
        r#"context.tools.containsAny(["shell"])"#,
        r#"action == U::"b""#,
        r#"U::"b" in principal"#,
        r#"if context.y then context.a == "x" else true"#,
    ] {
        assert_eq!(key_when(condition), slices::Key::Always, "{condition}");
    }
}

#[test]
fn only_what_policies_look_at_is_needed() {
    let needs = |condition: &str| {
        let expr: cedar_policy_core::ast::Expr = condition.parse().unwrap();
        let mut needs = Needs::default();
        needs.add(&expr);
        needs
    };
    let whole = |need: &Need| *need == Need::Everything;

    let some = needs(r#"context.label.rank > 1 && principal has team && resource.trust == "x""#);
    assert!(whole(some.context.of("label").of("rank")));
    assert!(!some.context.of("label").of("names").is_some());
    assert!(!some.context.of("hour").is_some());
    assert!(whole(some.principal.of("team")) && !some.principal.of("level").is_some());
    assert!(whole(some.resource.of("trust")) && !some.resource.of("registered").is_some());

    let label = needs("context.label == { rank: 1 } && context.label.rank > 1");
    assert!(whole(label.context.of("label").of("names")));
    assert!(whole(needs("context == {}").context.of("hour").of("x")));
    assert!(whole(needs("context.a has b.c").context.of("a").of("b")));
    // An entity by its name, and one of two: nobody knows whose attributes these are.
    for unknown in [
        r#"U::"ada".team == "x""#,
        r#"(if context.x then principal else resource).team == "x""#,
        r#"{ who: principal }.who.team == "x""#,
        r#"U::"ada" has team"#,
    ] {
        let needs = needs(unknown);
        assert!(
            whole(&needs.principal) && whole(&needs.resource),
            "{unknown}"
        );
    }
    let names_only = needs(r#"principal in U::"a" && resource is U && principal == resource"#);
    assert!(!names_only.principal.is_some() && !names_only.resource.is_some());
}
