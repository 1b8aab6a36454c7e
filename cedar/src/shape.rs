//! What the schema says a request looks like, compiled once at load, and the one way from flat
//! nodes to Cedar values. It doubles as the check that a request fits the schema, because policies
//! are only known to be free of type errors for requests that do.
//!
//! 1. An attribute the schema does not declare is dropped: no validated policy can name it, and a
//!    gateway that learns to say more must not break an older schema. A string attribute of an
//!    entity becomes a tag instead, where the schema gives the entity type string tags.
//! 2. A declared attribute of another type, or a required one that is absent, is an error.
//! 3. Of what no policy looks at (`needs.rs`) only the type is checked; no value is made.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cedar_policy_core::ast::{PartialValue, Value};
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::types::{Attributes, Type};
use smol_str::SmolStr;

use crate::needs::Need;

const MAX_DEPTH: usize = 8;

/// One attribute value as it arrives; see `gh_cedar_node` in the header.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    /// The attribute's name; empty inside a set.
    pub key: &'a str,
    /// The value.
    pub value: Scalar<'a>,
}

/// The value of a node; containers give only the number of what follows.
#[derive(Debug, Clone, Copy)]
pub enum Scalar<'a> {
    /// Cedar `Bool`.
    Bool(bool),
    /// Cedar `Long`.
    Long(i64),
    /// Cedar `String`.
    String(&'a str),
    /// Cedar `Set<String>`: this many string nodes follow.
    Set(usize),
    /// A record: this many members follow.
    Record(usize),
    /// Cedar `decimal`, in ten-thousandths.
    Decimal(i64),
}

impl Scalar<'_> {
    fn type_name(self) -> &'static str {
        match self {
            Self::Bool(_) => "Bool",
            Self::Long(_) => "Long",
            Self::String(_) => "String",
            Self::Set(_) => "Set<String>",
            Self::Record(_) => "a record",
            Self::Decimal(_) => "decimal",
        }
    }
}

/// P-values that are looked at are small, or 1 (docs/policies.md).
const COMMON_DECIMALS: i64 = 501;
const ONE: i64 = 10_000;

/// Cedar has no way to a decimal but its text, so the common ones are made once.
fn decimal(ten_thousandths: i64) -> Result<Value, String> {
    static COMMON: LazyLock<Vec<Option<Value>>> = LazyLock::new(|| {
        (0..COMMON_DECIMALS)
            .map(|one| make_decimal(one).ok())
            .collect()
    });
    static COMMON_ONE: LazyLock<Option<Value>> = LazyLock::new(|| make_decimal(ONE).ok());
    let common = if ten_thousandths == ONE {
        COMMON_ONE.as_ref()
    } else {
        usize::try_from(ten_thousandths)
            .ok()
            .and_then(|at| COMMON.get(at)?.as_ref())
    };
    common.map_or_else(|| make_decimal(ten_thousandths), |value| Ok(value.clone()))
}

fn make_decimal(ten_thousandths: i64) -> Result<Value, String> {
    let sign = if ten_thousandths < 0 { "-" } else { "" };
    let magnitude = ten_thousandths.unsigned_abs();
    let text = format!("{sign}{}.{:04}", magnitude / 10_000, magnitude % 10_000);
    let broken = |problem: &dyn std::fmt::Display| format!("decimal {text}: {problem}");
    let name = "decimal".parse().map_err(|error| broken(&error))?;
    let function = Extensions::all_available()
        .func(&name)
        .map_err(|error| broken(&error))?;
    match function.call(&[Value::from(text.as_str())]) {
        Ok(PartialValue::Value(value)) => Ok(value),
        Ok(PartialValue::Residual(_)) => Err(broken(&"not a value")),
        Err(error) => Err(broken(&error)),
    }
}

fn is_decimal(declared: &Type) -> bool {
    matches!(declared, Type::ExtensionType { name } if name.to_string() == "decimal")
}

#[derive(Debug)]
enum Shape {
    Bool,
    Long,
    String,
    Decimal,
    StringSet,
    Record(RecordShape),
    /// A type no caller can send (an entity, an extension type, a set of anything but strings).
    Unsendable(String),
}

#[derive(Debug)]
struct Slot {
    name: SmolStr,
    shape: Shape,
    required: bool,
}

/// The attributes of an entity type, of a context, or of a record inside either.
#[derive(Debug, Default)]
pub struct RecordShape {
    /// By name.
    slots: Vec<Slot>,
}

type Members = BTreeMap<SmolStr, Value>;

impl RecordShape {
    /// Compiles the schema's attribute types.
    pub fn new(attributes: &Attributes) -> Self {
        let mut slots: Vec<Slot> = attributes
            .iter()
            .map(|(name, attribute)| Slot {
                name: name.clone(),
                shape: Shape::new(&attribute.attr_type),
                required: attribute.is_required,
            })
            .collect();
        slots.sort_by(|a, b| a.name.cmp(&b.name));
        Self { slots }
    }

    /// The record type of an action's context.
    pub fn of_context(context: &Type) -> Self {
        match context {
            Type::Record { attrs, .. } => Self::new(attrs),
            _ => Self::default(),
        }
    }

    /// Builds the members of a context.
    ///
    /// # Errors
    /// Says which attribute of `what` does not fit the schema.
    pub fn build(&self, what: &str, nodes: &[Node<'_>], need: &Need) -> Result<Members, String> {
        let mut cursor = Cursor { nodes, depth: 0 };
        self.take(&mut cursor, nodes.len(), need, None)
            .map_err(|problem| format!("{what}: {problem}"))
    }

    /// Builds the attributes and tags of an entity.
    ///
    /// # Errors
    /// As `build`.
    pub fn build_entity(
        &self,
        has_tags: bool,
        nodes: &[Node<'_>],
        need: &Need,
    ) -> Result<(Members, Members), String> {
        let mut cursor = Cursor { nodes, depth: 0 };
        let mut tags = Members::new();
        let members = self.take(
            &mut cursor,
            nodes.len(),
            need,
            has_tags.then_some(&mut tags),
        )?;
        Ok((members, tags))
    }

    /// Takes at most `count` members, fewer where the nodes end (the outermost level counts nodes).
    fn take(
        &self,
        cursor: &mut Cursor<'_, '_>,
        count: usize,
        need: &Need,
        mut tags: Option<&mut Members>,
    ) -> Result<Members, String> {
        let mut members = Members::new();
        let mut seen = vec![false; self.slots.len()];
        for _ in 0..count {
            let Some(node) = cursor.next() else { break };
            if let Some((slot, seen)) = self.slot(node.key, &mut seen) {
                let value = slot
                    .shape
                    .value(cursor, node, need.of(node.key))
                    .map_err(|problem| inside(node.key, &problem))?;
                if std::mem::replace(seen, true) {
                    return Err(format!("attribute {} is given twice", node.key));
                }
                if let Some(value) = value {
                    members.insert(slot.name.clone(), value);
                }
            } else if let (Some(tags), Scalar::String(text)) = (tags.as_deref_mut(), node.value) {
                if tags
                    .insert(SmolStr::new(node.key), Value::from(text))
                    .is_some()
                {
                    return Err(format!("attribute {} is given twice", node.key));
                }
            } else {
                cursor.skip(node)?;
            }
        }
        self.check_required(&seen)?;
        Ok(members)
    }

    fn slot<'s>(&self, name: &str, seen: &'s mut [bool]) -> Option<(&Slot, &'s mut bool)> {
        let at = self
            .slots
            .binary_search_by(|slot| slot.name.as_str().cmp(name))
            .ok()?;
        Some((self.slots.get(at)?, seen.get_mut(at)?))
    }

    fn check_required(&self, seen: &[bool]) -> Result<(), String> {
        match self
            .slots
            .iter()
            .zip(seen)
            .find(|(slot, seen)| slot.required && !**seen)
        {
            None => Ok(()),
            Some((slot, _)) => Err(format!("attribute {} is missing", slot.name)),
        }
    }
}

fn inside(name: &str, problem: &str) -> String {
    match problem.strip_prefix("attribute ") {
        Some(rest) => format!("attribute {name}.{rest}"),
        None => format!("attribute {name}: {problem}"),
    }
}

impl Shape {
    fn new(declared: &Type) -> Self {
        match declared {
            Type::Bool(_) => Self::Bool,
            Type::Long => Self::Long,
            Type::String => Self::String,
            other if is_decimal(other) => Self::Decimal,
            Type::Set {
                element_type: Some(element),
            } if **element == Type::String => Self::StringSet,
            Type::Record { attrs, .. } => Self::Record(RecordShape::new(attrs)),
            other => Self::Unsendable(other.to_string()),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Bool => "Bool",
            Self::Long => "Long",
            Self::String => "String",
            Self::Decimal => "decimal",
            Self::StringSet => "Set<String>",
            Self::Record(_) => "a record",
            Self::Unsendable(name) => name,
        }
    }

    /// None where nobody needs it.
    fn value(
        &self,
        cursor: &mut Cursor<'_, '_>,
        node: Node<'_>,
        need: &Need,
    ) -> Result<Option<Value>, String> {
        let is_needed = need.is_some();
        let value = match (self, node.value) {
            (Self::Bool, Scalar::Bool(value)) => is_needed.then(|| Value::from(value)),
            (Self::Long, Scalar::Long(value)) => is_needed.then(|| Value::from(value)),
            (Self::String, Scalar::String(value)) => is_needed.then(|| Value::from(value)),
            (Self::Decimal, Scalar::Decimal(value)) => {
                is_needed.then(|| decimal(value)).transpose()?
            }
            (Self::StringSet, Scalar::Set(count)) => {
                let items = cursor.take_strings(count)?;
                is_needed.then(|| Value::set(items.into_iter().map(Value::from), None))
            }
            (Self::Record(shape), Scalar::Record(count)) => {
                let members = shape.take_exactly(cursor, count, need)?;
                is_needed.then(|| Value::record_arc(Arc::new(members), None))
            }
            (_, got) => {
                return Err(format!("expected {}, got {}", self.name(), got.type_name()));
            }
        };
        Ok(value)
    }
}

impl RecordShape {
    fn take_exactly(
        &self,
        cursor: &mut Cursor<'_, '_>,
        count: usize,
        need: &Need,
    ) -> Result<Members, String> {
        if count > cursor.nodes.len() {
            return Err(TRUNCATED.to_owned());
        }
        cursor.enter()?;
        let members = self.take(cursor, count, need, None)?;
        cursor.leave();
        Ok(members)
    }
}

const TRUNCATED: &str = "the list of values ends inside a set or record";

/// The nodes not yet consumed.
struct Cursor<'n, 'a> {
    nodes: &'n [Node<'a>],
    depth: usize,
}

impl<'a> Cursor<'_, 'a> {
    fn next(&mut self) -> Option<Node<'a>> {
        let (first, rest) = self.nodes.split_first()?;
        self.nodes = rest;
        Some(*first)
    }

    fn enter(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("records nest deeper than {MAX_DEPTH}"));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn take_strings(&mut self, count: usize) -> Result<Vec<&'a str>, String> {
        if count > self.nodes.len() {
            return Err(TRUNCATED.to_owned());
        }
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            match self.next() {
                Some(Node {
                    value: Scalar::String(text),
                    ..
                }) => items.push(text),
                _ => return Err("a set may hold strings only".to_owned()),
            }
        }
        Ok(items)
    }

    /// Passes over what follows `node`.
    fn skip(&mut self, node: Node<'_>) -> Result<(), String> {
        let mut pending = node.children();
        while pending > 0 {
            let next = self.next().ok_or_else(|| TRUNCATED.to_owned())?;
            pending = (pending - 1)
                .checked_add(next.children())
                .ok_or_else(|| TRUNCATED.to_owned())?;
        }
        Ok(())
    }
}

impl Node<'_> {
    fn children(&self) -> usize {
        match self.value {
            Scalar::Set(count) | Scalar::Record(count) => count,
            _ => 0,
        }
    }
}

/// Entity attributes in the form Cedar's entity constructor takes.
pub fn as_attributes(members: Members) -> impl Iterator<Item = (SmolStr, PartialValue)> {
    members
        .into_iter()
        .map(|(name, value)| (name, PartialValue::Value(value)))
}
