//! Sets of fields, as `fieldsV1` holds them.
//!
//! Source: sigs.k8s.io/structured-merge-diff/v6/fieldpath/set.go, serialize.go.

use super::path::PathElement;
use super::typed::Typed;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The deepest path that is read.
const DEEPEST: usize = 128;

/// A set of paths: step → whether it is a member itself, and what is below it. No entry is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set(BTreeMap<PathElement, Node>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    member: bool,
    below: Set,
}

impl Node {
    fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }
}

impl Set {
    /// The set of one path of field names.
    pub fn of_fields(path: &[&str]) -> Set {
        let path: Vec<PathElement> = path.iter().map(|name| PathElement::Field((*name).to_owned())).collect();
        let mut set = Set::default();
        set.insert(&path);
        set
    }

    /// Adds a path; its parents don't become members. The empty path, the whole object, is nobody's.
    pub fn insert(&mut self, path: &[PathElement]) {
        match path {
            [] => {}
            [last] => self.0.entry(last.clone()).or_default().member = true,
            [first, rest @ ..] => self.0.entry(first.clone()).or_default().below.insert(rest),
        }
    }

    /// Whether no path is in it.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Node::is_empty)
    }

    /// Whether a path is a member.
    pub fn has(&self, path: &[PathElement]) -> bool {
        match path {
            [] => false,
            [last] => self.has_element(last),
            [first, rest @ ..] => self.below(first).is_some_and(|below| below.has(rest)),
        }
    }

    /// Whether one step from the top is a member.
    pub fn has_element(&self, element: &PathElement) -> bool {
        self.0.get(element).is_some_and(|node| node.member)
    }

    /// What is in it below a step.
    pub fn below(&self, element: &PathElement) -> Option<&Set> {
        self.0.get(element).map(|node| &node.below).filter(|below| !below.is_empty())
    }

    fn put(&mut self, element: &PathElement, node: Node) {
        if !node.is_empty() {
            self.0.insert(element.clone(), node);
        }
    }

    /// What is in either.
    pub fn union(&self, other: &Set) -> Set {
        let mut all = self.clone();
        for (element, node) in &other.0 {
            let mine = all.0.entry(element.clone()).or_default();
            mine.member |= node.member;
            if mine.below.0.is_empty() {
                mine.below = node.below.clone();
            } else if !node.below.0.is_empty() {
                mine.below = mine.below.union(&node.below);
            }
        }
        all
    }

    /// What is in both.
    pub fn intersection(&self, other: &Set) -> Set {
        let mut both = Set::default();
        for (element, node) in &self.0 {
            if let Some(theirs) = other.0.get(element) {
                let below = node.below.intersection(&theirs.below);
                both.put(element, Node { member: node.member && theirs.member, below });
            }
        }
        both
    }

    /// What is in this one alone. What is below a member of the other stays.
    pub fn difference(&self, other: &Set) -> Set {
        let mut rest = Set::default();
        for (element, node) in &self.0 {
            match other.0.get(element) {
                None => rest.put(element, node.clone()),
                Some(theirs) => {
                    let below = node.below.difference(&theirs.below);
                    rest.put(element, Node { member: node.member && !theirs.member, below });
                }
            }
        }
        rest
    }

    /// As [`Set::difference`]; what is below a member of the other goes as well.
    pub fn recursive_difference(&self, other: &Set) -> Set {
        let mut rest = Set::default();
        for (element, node) in &self.0 {
            match other.0.get(element) {
                None => rest.put(element, node.clone()),
                Some(theirs) if theirs.member => {}
                Some(theirs) => {
                    let below = node.below.recursive_difference(&theirs.below);
                    rest.put(element, Node { member: node.member, below });
                }
            }
        }
        rest
    }

    /// What is in it at, and below, the given top-level steps.
    pub(crate) fn only(&self, keep: impl Fn(&PathElement) -> bool) -> Set {
        Set(self.0.iter().filter(|(element, _)| keep(element)).map(|(e, n)| (e.clone(), n.clone())).collect())
    }

    /// The same set with the fields of structs in it that have members below.
    pub fn with_named_fields(&self, ty: Typed<'_>) -> Set {
        let fields = ty.shape(None);
        let mut all = Set::default();
        for (element, node) in &self.0 {
            let member = node.member
                || match element {
                    PathElement::Field(name) => !node.below.is_empty() && fields.declares(name),
                    _ => false,
                };
            let below = node.below.with_named_fields(fields.below(element));
            all.put(element, Node { member, below });
        }
        all
    }

    /// All paths: the members of a level first, then those below them.
    pub fn paths(&self) -> Vec<Vec<PathElement>> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), &mut found);
        found
    }

    fn collect(&self, prefix: &mut Vec<PathElement>, found: &mut Vec<Vec<PathElement>>) {
        for (element, _) in self.0.iter().filter(|(_, node)| node.member) {
            prefix.push(element.clone());
            found.push(prefix.clone());
            prefix.pop();
        }
        for (element, node) in &self.0 {
            prefix.push(element.clone());
            node.below.collect(prefix, found);
            prefix.pop();
        }
    }

    /// As `fieldsV1`: `{"f:data":{".":{},"f:a":{}}}`.
    pub fn encode(&self) -> Value {
        Value::Object(self.encode_level(false))
    }

    fn encode_level(&self, member: bool) -> Map<String, Value> {
        let mut map = Map::new();
        if member && !self.is_empty() {
            map.insert(".".to_owned(), Value::Object(Map::new()));
        }
        for (element, node) in self.0.iter().filter(|(_, node)| !node.is_empty()) {
            map.insert(element.encode(), Value::Object(node.below.encode_level(node.member)));
        }
        map
    }

    /// Reads `fieldsV1`.
    ///
    /// # Errors
    /// A key is no path element, or it is nested too deeply.
    pub fn decode(value: &Value) -> Result<Set, String> {
        Ok(Set::decode_level(value, 0)?.1)
    }

    /// Whether the parent is a member, and what is below it.
    fn decode_level(value: &Value, depth: usize) -> Result<(bool, Set), String> {
        let mut set = Set::default();
        let mut member = false;
        if depth > DEEPEST {
            return Err("nested too deeply".to_owned());
        }
        let Some(map) = value.as_object() else { return Ok((true, set)) };
        for (key, below) in map {
            if key == "." {
                member = true;
                continue;
            }
            let Some(element) = PathElement::decode(key)? else { continue };
            let (member, below) = Set::decode_level(below, depth + 1)?;
            set.0.insert(element, Node { member, below });
        }
        Ok((member || set.0.is_empty(), set))
    }
}
