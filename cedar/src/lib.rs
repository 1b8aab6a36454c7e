//! Cedar's policy engine behind the C interface of `gatehouse_cedar.h`; that header is the
//! documentation of the functions here, and its structs are mirrored field by field.
//!
//! Unsafe code is in this file only, and only to read what the header says the caller passes.

use std::panic::{AssertUnwindSafe, catch_unwind};

pub mod decide;
pub mod general;
pub mod limits;
pub mod needs;
pub mod paths;
pub mod problem;
pub mod rule;
pub mod set;
pub mod shape;
pub mod slices;
#[cfg(test)]
mod tests;

use decide::{Decision, EntityInput, Outcome, Request, Uid};
use general::{FullUid, General, GeneralDecision};
use set::{File, Set};
use shape::{Node, Scalar};

/// `GH_CEDAR_ABI_VERSION` of the header.
pub const ABI_VERSION: u32 = 3;
/// `GH_CEDAR_OK`
pub const OK: i32 = 0;
/// `GH_CEDAR_INVALID`
pub const INVALID: i32 = 1;
/// `GH_CEDAR_PANIC`
pub const PANIC: i32 = 2;

/// Mirrors `gh_cedar_text`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CText {
    data: *const u8,
    size: usize,
}

/// Mirrors `gh_cedar_file`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CFile {
    name: CText,
    text: CText,
}

/// Mirrors `gh_cedar_node`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CNode {
    key: CText,
    text: CText,
    number: i64,
    kind: u32,
}

/// Mirrors `gh_cedar_nodes`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CNodes {
    data: *const CNode,
    size: usize,
}

/// Mirrors `gh_cedar_uid`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CUid {
    type_name: CText,
    id: CText,
}

/// Mirrors `gh_cedar_entity`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CEntity {
    uid: CUid,
    attributes: CNodes,
    parents: *const CUid,
    parent_count: usize,
}

/// Mirrors `gh_cedar_request`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CRequest {
    principal: CEntity,
    action: CText,
    resource: CEntity,
    context: CNodes,
    others: *const CEntity,
    other_count: usize,
}

/// Mirrors `gh_cedar_decision`.
#[repr(C)]
#[derive(Debug)]
pub struct CDecision {
    permit: u8,
    outcomes: *mut u8,
    errors: CText,
}

/// Mirrors `gh_cedar_problem_info`.
#[repr(C)]
#[derive(Debug)]
pub struct CProblem {
    file: CText,
    message: CText,
    policy: CText,
    attribute: CText,
    hint: CText,
    line: u32,
    column: u32,
    is_warning: u8,
}

/// Mirrors `gh_cedar_policy_info`.
#[repr(C)]
#[derive(Debug)]
pub struct CPolicy {
    id: CText,
    file: CText,
    line: u32,
    annotation_count: u32,
    is_forbid: u8,
    is_apart: u8,
}

/// Mirrors `gh_cedar_annotation_info`.
#[repr(C)]
#[derive(Debug)]
pub struct CAnnotation {
    key: CText,
    value: CText,
    line: u32,
    column: u32,
}

/// `GH_CEDAR_ABI_VERSION` of the header this was built for.
#[unsafe(no_mangle)]
pub extern "C" fn gh_cedar_abi_version() -> u32 {
    ABI_VERSION
}

/// # Safety
/// Pointers are as the header says; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_load(
    name_space: CText,
    schema: *const CFile,
    policies: *const CFile,
    policy_files: usize,
    out: *mut *mut Set,
) -> i32 {
    guarded(|| {
        let (name_space, schema, files) = unsafe {
            (
                text(&name_space)?,
                schema.as_ref().ok_or("no schema")?,
                slice(policies, policy_files),
            )
        };
        let schema = unsafe { file(schema)? };
        let files = files
            .iter()
            .map(|one| unsafe { file(one) })
            .collect::<Result<Vec<_>, _>>()?;
        let set = Box::new(Set::load(name_space, schema, &files));
        unsafe { *out = Box::into_raw(set) };
        Ok(OK)
    })
}

/// # Safety
/// `set` is from `gh_cedar_load` and is not used afterwards; null is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_free(set: *mut Set) {
    guarded(|| {
        if !set.is_null() {
            drop(unsafe { Box::from_raw(set) });
        }
        Ok(OK)
    });
}

/// # Safety
/// `set` is from `gh_cedar_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_problem_count(set: *const Set) -> usize {
    unsafe { set.as_ref() }.map_or(0, |set| set.problems.len())
}

/// # Safety
/// `set` is from `gh_cedar_load`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_problem(
    set: *const Set,
    index: usize,
    out: *mut CProblem,
) -> i32 {
    guarded(|| {
        let set = unsafe { set.as_ref() }.ok_or("no set")?;
        let problem = set.problems.get(index).ok_or("no such problem")?;
        let info = CProblem {
            file: lend(&problem.file),
            message: lend(&problem.message),
            policy: lend(&problem.policy),
            attribute: lend(&problem.attribute),
            hint: lend(&problem.hint),
            line: problem.place.line,
            column: problem.place.column,
            is_warning: u8::from(problem.is_warning),
        };
        unsafe { *out = info };
        Ok(OK)
    })
}

/// # Safety
/// `set` is from `gh_cedar_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_policy_count(set: *const Set) -> usize {
    unsafe { set.as_ref() }.map_or(0, |set| set.policies.len())
}

/// # Safety
/// `set` is from `gh_cedar_load`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_policy(set: *const Set, index: usize, out: *mut CPolicy) -> i32 {
    guarded(|| {
        let set = unsafe { set.as_ref() }.ok_or("no set")?;
        let policy = set.policies.get(index).ok_or("no such policy")?;
        let info = CPolicy {
            id: lend(&policy.id),
            file: lend(&policy.file),
            line: policy.place.line,
            annotation_count: u32::try_from(policy.annotations.len()).unwrap_or(u32::MAX),
            is_forbid: u8::from(policy.is_forbid),
            is_apart: u8::from(policy.is_apart),
        };
        unsafe { *out = info };
        Ok(OK)
    })
}

/// # Safety
/// `set` is from `gh_cedar_load`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_annotation(
    set: *const Set,
    policy: usize,
    index: usize,
    out: *mut CAnnotation,
) -> i32 {
    guarded(|| {
        let set = unsafe { set.as_ref() }.ok_or("no set")?;
        let policy = set.policies.get(policy).ok_or("no such policy")?;
        let annotation = policy.annotations.get(index).ok_or("no such annotation")?;
        let info = CAnnotation {
            key: lend(&annotation.key),
            value: lend(&annotation.value),
            line: annotation.place.line,
            column: annotation.place.column,
        };
        unsafe { *out = info };
        Ok(OK)
    })
}

/// # Safety
/// Pointers are as the header says; `decision.outcomes` has room for one byte a policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_decide(
    set: *const Set,
    request: *const CRequest,
    decision: *mut CDecision,
) -> i32 {
    let Some(out) = (unsafe { decision.as_mut() }) else {
        return INVALID;
    };
    out.permit = 0;
    out.errors = CText {
        data: std::ptr::null(),
        size: 0,
    };
    let decided = catch_unwind(AssertUnwindSafe(|| -> Result<Decision, String> {
        let set = unsafe { set.as_ref() }.ok_or("no set")?;
        let request = unsafe { request.as_ref() }.ok_or("no request")?;
        set.decide(&unsafe { read_request(request) }?)
    }));
    let (status, errors) = match decided {
        Ok(Ok(decision)) => {
            out.permit = u8::from(decision.permit);
            unsafe { write_outcomes(out.outcomes, &decision.outcomes) };
            (OK, decision.errors)
        }
        Ok(Err(problem)) => (INVALID, vec![problem]),
        Err(_) => (PANIC, vec!["the policy engine failed".to_owned()]),
    };
    if !errors.is_empty() {
        out.errors = give(errors.join("\n"));
    }
    status
}

/// # Safety
/// `text` is an `errors` of `gh_cedar_decide` and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_text_free(text: CText) {
    if !text.data.is_null() {
        let bytes = std::ptr::slice_from_raw_parts_mut(text.data.cast_mut(), text.size);
        drop(unsafe { Box::from_raw(bytes) });
    }
}

/// Mirrors `gh_cedar_general_decision`.
#[repr(C)]
#[derive(Debug)]
pub struct CGeneralDecision {
    permit: u8,
    reasons: CText,
    errors: CText,
    problem: CText,
}

const NOTHING: CText = CText {
    data: std::ptr::null(),
    size: 0,
};

/// # Safety
/// Pointers are as the header says; `out` and `problem` are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_general_load(
    schema: CText,
    policies: CText,
    entities_json: CText,
    out: *mut *mut General,
    problem: *mut CText,
) -> i32 {
    unsafe { *problem = NOTHING };
    let loaded = catch_unwind(AssertUnwindSafe(|| -> Result<General, String> {
        let (schema, policies, entities) =
            unsafe { (text(&schema)?, text(&policies)?, text(&entities_json)?) };
        General::load(schema, policies, entities)
    }));
    match loaded {
        Ok(Ok(general)) => {
            unsafe { *out = Box::into_raw(Box::new(general)) };
            OK
        }
        Ok(Err(message)) => {
            unsafe { *problem = give(message) };
            INVALID
        }
        Err(_) => PANIC,
    }
}

/// # Safety
/// `general` is from `gh_cedar_general_load` and is not used afterwards; null is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_general_free(general: *mut General) {
    guarded(|| {
        if !general.is_null() {
            drop(unsafe { Box::from_raw(general) });
        }
        Ok(OK)
    });
}

/// # Safety
/// `general` is from `gh_cedar_general_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_general_is_valid(general: *const General) -> u8 {
    unsafe { general.as_ref() }.map_or(0, |general| u8::from(general.is_valid))
}

/// # Safety
/// Pointers are as the header says; `decision` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gh_cedar_general_decide(
    general: *const General,
    principal: CUid,
    action: CUid,
    resource: CUid,
    context_json: CText,
    check_request: u8,
    decision: *mut CGeneralDecision,
) -> i32 {
    let Some(out) = (unsafe { decision.as_mut() }) else {
        return INVALID;
    };
    *out = CGeneralDecision {
        permit: 0,
        reasons: NOTHING,
        errors: NOTHING,
        problem: NOTHING,
    };
    let decided = catch_unwind(AssertUnwindSafe(|| -> Result<GeneralDecision, String> {
        let general = unsafe { general.as_ref() }.ok_or("no policies")?;
        let (principal, action, resource, context) = unsafe {
            (
                full_uid(&principal)?,
                full_uid(&action)?,
                full_uid(&resource)?,
                text(&context_json)?,
            )
        };
        general.decide(principal, action, resource, context, check_request != 0)
    }));
    match decided {
        Ok(Ok(decision)) => {
            out.permit = u8::from(decision.permit);
            out.reasons = give(decision.reasons.join("\n"));
            out.errors = give(decision.errors.join("\n"));
            OK
        }
        Ok(Err(message)) => {
            out.problem = give(message);
            INVALID
        }
        Err(_) => PANIC,
    }
}

unsafe fn full_uid<'a>(uid: &CUid) -> Result<FullUid<'a>, &'static str> {
    unsafe {
        Ok(FullUid {
            type_name: text(&uid.type_name)?,
            id: text(&uid.id)?,
        })
    }
}

/// Runs what may panic; a panic or an error is a status.
fn guarded(body: impl FnOnce() -> Result<i32, &'static str>) -> i32 {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => status,
        Ok(Err(_)) => INVALID,
        Err(_) => PANIC,
    }
}

fn lend(text: &str) -> CText {
    CText {
        data: text.as_ptr(),
        size: text.len(),
    }
}

fn give(text: String) -> CText {
    let bytes = Box::leak(text.into_bytes().into_boxed_slice());
    CText {
        data: bytes.as_ptr(),
        size: bytes.len(),
    }
}

unsafe fn slice<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if data.is_null() || size == 0 {
        &[]
    } else {
        unsafe { std::slice::from_raw_parts(data, size) }
    }
}

unsafe fn text<'a>(text: &CText) -> Result<&'a str, &'static str> {
    let bytes = unsafe { slice(text.data, text.size) };
    std::str::from_utf8(bytes).map_err(|_| "text is not UTF-8")
}

unsafe fn file<'a>(file: &CFile) -> Result<File<'a>, &'static str> {
    unsafe {
        Ok(File {
            name: text(&file.name)?,
            text: text(&file.text)?,
        })
    }
}

unsafe fn uid<'a>(uid: &CUid) -> Result<Uid<'a>, &'static str> {
    unsafe {
        Ok(Uid {
            type_name: text(&uid.type_name)?,
            id: text(&uid.id)?,
        })
    }
}

unsafe fn nodes<'a>(nodes: &CNodes) -> Result<Vec<Node<'a>>, &'static str> {
    let count = |number: i64| usize::try_from(number).map_err(|_| "a count is negative");
    unsafe { slice(nodes.data, nodes.size) }
        .iter()
        .map(|node| {
            let value = match node.kind {
                1 => Scalar::Bool(node.number != 0),
                2 => Scalar::Long(node.number),
                3 => Scalar::String(unsafe { text(&node.text) }?),
                4 => Scalar::Set(count(node.number)?),
                5 => Scalar::Record(count(node.number)?),
                6 => Scalar::Decimal(node.number),
                _ => return Err("a node has an unknown kind"),
            };
            Ok(Node {
                key: unsafe { text(&node.key) }?,
                value,
            })
        })
        .collect()
}

unsafe fn entity<'a>(entity: &CEntity) -> Result<EntityInput<'a>, &'static str> {
    unsafe {
        Ok(EntityInput {
            uid: uid(&entity.uid)?,
            attributes: nodes(&entity.attributes)?,
            parents: slice(entity.parents, entity.parent_count)
                .iter()
                .map(|parent| uid(parent))
                .collect::<Result<_, _>>()?,
        })
    }
}

unsafe fn read_request<'a>(request: &CRequest) -> Result<Request<'a>, &'static str> {
    unsafe {
        Ok(Request {
            principal: entity(&request.principal)?,
            action: text(&request.action)?,
            resource: entity(&request.resource)?,
            context: nodes(&request.context)?,
            others: slice(request.others, request.other_count)
                .iter()
                .map(|other| entity(other))
                .collect::<Result<_, _>>()?,
        })
    }
}

unsafe fn write_outcomes(out: *mut u8, outcomes: &[Outcome]) {
    if out.is_null() {
        return;
    }
    for (index, outcome) in outcomes.iter().enumerate() {
        unsafe { *out.add(index) = *outcome as u8 };
    }
}
