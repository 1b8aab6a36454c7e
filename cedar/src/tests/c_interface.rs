//! The C interface: what callers of another language can do wrong, and the general door.

use super::*;

fn c_text(bytes: &[u8]) -> CText {
    CText {
        data: bytes.as_ptr(),
        size: bytes.len(),
    }
}

fn empty_text() -> CText {
    CText {
        data: std::ptr::null(),
        size: 0,
    }
}

fn no_nodes() -> CNodes {
    CNodes {
        data: std::ptr::null(),
        size: 0,
    }
}

fn c_entity(type_name: &[u8], id: &[u8]) -> CEntity {
    CEntity {
        uid: CUid {
            type_name: c_text(type_name),
            id: c_text(id),
        },
        attributes: no_nodes(),
        parents: std::ptr::null(),
        parent_count: 0,
    }
}

#[test]
fn text_that_is_not_utf8_is_an_error() {
    let file = CFile {
        name: c_text(b"p"),
        text: c_text(b"permit \xff"),
    };
    let mut set: *mut Set = std::ptr::null_mut();
    let status = unsafe {
        gh_cedar_load(
            c_text(b"Gatehouse"),
            &raw const file,
            &raw const file,
            1,
            &raw mut set,
        )
    };
    assert_eq!(status, INVALID);
    assert!(set.is_null());

    let loaded = load("permit (principal, action, resource);");
    let asked = CRequest {
        principal: c_entity(b"User", b"\xc3\x28"),
        action: c_text(b"infer"),
        resource: c_entity(b"Model", b"m"),
        context: no_nodes(),
        others: std::ptr::null(),
        other_count: 0,
    };
    let mut outcomes = [7u8; 1];
    let mut decision = CDecision {
        permit: 1,
        outcomes: outcomes.as_mut_ptr(),
        errors: empty_text(),
    };
    let status = unsafe { gh_cedar_decide(&raw const loaded, &raw const asked, &raw mut decision) };
    assert_eq!((status, decision.permit), (INVALID, 0));
    let errors = unsafe { text(&decision.errors) }.unwrap().to_owned();
    unsafe { gh_cedar_text_free(decision.errors) };
    assert_eq!(errors, "text is not UTF-8");
}

#[test]
fn null_and_out_of_range_are_errors() {
    let loaded = load("permit (principal, action, resource);");
    let mut decision = CDecision {
        permit: 1,
        outcomes: std::ptr::null_mut(),
        errors: empty_text(),
    };
    unsafe {
        assert_eq!(
            gh_cedar_decide(std::ptr::null(), std::ptr::null(), &raw mut decision),
            INVALID
        );
        assert_eq!(decision.permit, 0);
        gh_cedar_text_free(decision.errors);
        assert_eq!(
            gh_cedar_decide(&raw const loaded, std::ptr::null(), std::ptr::null_mut()),
            INVALID
        );
        assert_eq!(gh_cedar_policy_count(std::ptr::null()), 0);
        let mut info = std::mem::MaybeUninit::<CPolicy>::uninit();
        assert_eq!(
            gh_cedar_policy(&raw const loaded, 1, info.as_mut_ptr()),
            INVALID
        );
        let mut annotation = std::mem::MaybeUninit::<CAnnotation>::uninit();
        assert_eq!(
            gh_cedar_annotation(&raw const loaded, 0, 0, annotation.as_mut_ptr()),
            INVALID
        );
        gh_cedar_free(std::ptr::null_mut());
        gh_cedar_text_free(empty_text());
    }
}

#[test]
fn a_panic_is_a_status() {
    assert_eq!(guarded(|| panic!("on purpose")), PANIC);
}

#[test]
fn records_nest_only_so_deep() {
    let shape = RecordShape::default();
    let deep: Vec<Node<'_>> = (0..100_000).map(|_| node("x", Scalar::Record(1))).collect();
    assert!(
        shape.build("context", &deep, &Need::Everything).is_err(),
        "the innermost record has no member"
    );
}

#[test]
fn others_make_groups_of_groups() {
    let schema = File {
        name: "schema.cedarschema",
        text: r"namespace Gatehouse {
          entity Group in [Group];
          entity User in [Group];
          entity Model;
          action infer appliesTo { principal: User, resource: Model, context: {} };
        }",
    };
    let file = File {
        name: "p.cedar",
        text: r#"permit (principal in Gatehouse::Group::"staff", action, resource);"#,
    };
    let set = Set::load("Gatehouse", schema, &[file]);
    assert!(!set.has_errors(), "{:?}", set.problems);
    let entity =
        |type_name: &'static str, id: &'static str, parents: &[&'static str]| EntityInput {
            uid: Uid { type_name, id },
            attributes: vec![],
            parents: parents
                .iter()
                .map(|id| Uid {
                    type_name: "Group",
                    id,
                })
                .collect(),
        };
    let mut asked = Request {
        principal: entity("User", "ada", &["research"]),
        action: "infer",
        resource: entity("Model", "m", &[]),
        context: vec![],
        others: vec![],
    };
    assert!(!set.decide(&asked).unwrap().permit);
    asked.others = vec![
        entity("Group", "research", &["people"]),
        entity("Group", "people", &["staff"]),
    ];
    assert!(set.decide(&asked).unwrap().permit);
    asked.others = vec![entity("Robot", "r", &[])];
    assert!(set.decide(&asked).is_err());
    asked.others = vec![
        entity("Group", "research", &["people"]),
        entity("Group", "people", &["research"]),
    ];
    assert!(set.decide(&asked).is_err(), "a cycle");
}

#[test]
fn the_general_door_decides_by_any_schema() {
    let general = General::load(
        "entity U in [G]; entity G; entity R = { n: Long };
         action look appliesTo { principal: [U], resource: [R], context: { who?: U } };",
        r#"permit (principal in G::"g", action, resource) when { resource.n + 1 > 2 };
           forbid (principal, action, resource) when { context has who && context.who == principal };"#,
        r#"[{"uid": {"type": "U", "id": "u"}, "attrs": {}, "parents": [{"type": "G", "id": "g"}]},
            {"uid": {"type": "R", "id": "r"}, "attrs": {"n": 9223372036854775807}, "parents": []},
            {"uid": {"type": "R", "id": "s"}, "attrs": {"n": 2}, "parents": []}]"#,
    )
    .unwrap();
    assert!(general.is_valid);
    let uid = |type_name, id| FullUid { type_name, id };
    let ask = |resource, context: &str| {
        general.decide(
            uid("U", "u"),
            uid("Action", "look"),
            uid("R", resource),
            context,
            true,
        )
    };
    let decision = ask("s", "{}").unwrap();
    assert!(decision.permit);
    assert_eq!(decision.reasons, ["policy0"]);
    let refused = ask("s", r#"{"who": {"__entity": {"type": "U", "id": "u"}}}"#).unwrap();
    assert!(!refused.permit);
    assert_eq!(refused.reasons, ["policy1"]);
    assert_eq!(ask("r", "{}").unwrap().errors, ["policy0"]);
    assert!(ask("s", r#"{"what": 1}"#).is_err());
    assert!(ask("s", "{").is_err());
    assert!(General::load("entity", "", "[]").is_err());
}
