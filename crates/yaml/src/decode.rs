//! The node tree to a JSON value: aliases, merge keys, keys that are no strings.
//!
//! Source: go.yaml.in/yaml/v2 decode.go (v2.4.4), sigs.k8s.io/yaml yaml.go
//! convertToJSONableObject (v1.6.0).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::composer::{Node, NodeId, NodeKind, Tree};
use crate::error::{ErrorKind, Mark, YamlError};
use crate::go_format;
use crate::resolver::{self, Scalar, Tag};

/// Deepest nesting of a value. kubectl allows 10000; what reads the value recursively needs less.
pub(crate) const MAX_VALUE_DEPTH: usize = 200;

/// Most text a document may unfold to through aliases, in bytes.
const MAX_TEXT: usize = 64 << 20;

/// A value as go-yaml decodes it, before it becomes JSON.
#[derive(Clone, Debug)]
pub(crate) enum Decoded {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(String),
    Seq(Vec<Decoded>),
    Map(Vec<(Decoded, Decoded)>),
}

/// A key that a mapping has twice. kubectl takes the last one without a word; the API server
/// answers a YAML body with a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateKey {
    /// `line 8: key "data" already set in map`, as go-yaml words it; the line counts in the
    /// document.
    pub text: String,
    /// The key as JSON has it.
    pub key: String,
    /// Where the later key stands, in the whole text.
    pub position: crate::Position,
}

/// A decoded document.
pub(crate) struct Outcome {
    pub value: Value,
    pub duplicates: Vec<DuplicateKey>,
}

/// Decodes the tree; the value is `Null` for a text without a document.
pub(crate) fn decode(tree: &Tree) -> Result<Outcome, YamlError> {
    let mut decoder = Decoder {
        tree,
        open_aliases: BTreeSet::new(),
        decode_count: 1,
        alias_count: 0,
        alias_depth: 0,
        text: 0,
        duplicates: Vec::new(),
        unsupported_key: None,
        not_finite: None,
    };
    let decoded = match tree.root {
        Some(root) => decoder.node(root, 0)?,
        None => Decoded::Null,
    };
    let mut not_finite = None;
    let placed = |mut error: YamlError, mark: Option<Mark>| {
        error.position = mark.map(Mark::position);
        error
    };
    let value = to_json(decoded, &mut not_finite).map_err(|error| placed(error, decoder.unsupported_key))?;
    if let Some(text) = not_finite {
        let text = format!("json: unsupported value: {text}");
        return Err(placed(YamlError::new(ErrorKind::Conversion, text), decoder.not_finite));
    }
    Ok(Outcome { value, duplicates: decoder.duplicates })
}

struct Decoder<'a> {
    tree: &'a Tree,
    open_aliases: BTreeSet<NodeId>,
    decode_count: u64,
    alias_count: u64,
    alias_depth: u64,
    text: usize,
    duplicates: Vec<DuplicateKey>,
    /// The first key that JSON cannot have, for its place.
    unsupported_key: Option<Mark>,
    /// The first number that JSON cannot have, for its place.
    not_finite: Option<Mark>,
}

/// A mapping under construction.
#[derive(Default)]
struct Entries {
    entries: Vec<(Decoded, Decoded)>,
    /// identity of a key → its index in `entries`
    index: BTreeMap<Identity, usize>,
}

/// What makes two keys the same: Go compares type and value.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    Str(String),
}

impl Entries {
    /// Sets a key; gives it back if it was there.
    fn set(&mut self, key: Decoded, value: Decoded) -> Option<&Decoded> {
        let identity = match &key {
            Decoded::Bool(value) => Identity::Bool(*value),
            Decoded::Int(value) => Identity::Int(*value),
            Decoded::Uint(value) => Identity::Uint(*value),
            // Adding zero makes -0 and 0 the same.
            Decoded::Float(value) => Identity::Float((value + 0.0).to_bits()),
            Decoded::Str(value) => Identity::Str(value.clone()),
            Decoded::Null | Decoded::Seq(_) | Decoded::Map(_) => Identity::Null,
        };
        // NaN is no other key's equal.
        let is_nan = matches!(key, Decoded::Float(value) if value.is_nan());
        if !is_nan && let Some(&at) = self.index.get(&identity) {
            let entry = self.entries.get_mut(at)?;
            entry.1 = value;
            return Some(&entry.0);
        }
        self.index.insert(identity, self.entries.len());
        self.entries.push((key, value));
        None
    }
}

fn want_map<T>() -> Result<T, YamlError> {
    Err(YamlError::yaml("map merge requires map or sequence of maps as the value"))
}

impl Decoder<'_> {
    fn mark(&self, id: NodeId) -> Mark {
        self.tree.nodes.get(id).map(|node| node.start).unwrap_or_default()
    }

    /// Counts a step and refuses documents that live off aliases.
    fn count(&mut self, id: NodeId, depth: usize) -> Result<(), YamlError> {
        self.decode_count += 1;
        if self.alias_depth > 0 {
            self.alias_count += 1;
        }
        if self.alias_count > 100
            && self.decode_count > 1000
            && self.alias_count as f64 / self.decode_count as f64 > allowed_alias_ratio(self.decode_count)
        {
            return Err(YamlError::yaml("document contains excessive aliasing").at(self.mark(id)));
        }
        if depth > MAX_VALUE_DEPTH {
            let text = format!("exceeded max depth of {MAX_VALUE_DEPTH}");
            return Err(YamlError::limit(text).at(self.mark(id)));
        }
        Ok(())
    }

    fn node(&mut self, id: NodeId, depth: usize) -> Result<Decoded, YamlError> {
        self.count(id, depth)?;
        let tree = self.tree;
        let Some(node) = tree.nodes.get(id) else { return Ok(Decoded::Null) };
        match &node.kind {
            NodeKind::Alias { name, target } => {
                self.enter_alias(id, name)?;
                let value = self.node(*target, depth + 1)?;
                self.leave_alias(id);
                Ok(value)
            }
            NodeKind::Scalar { value, plain } => self.scalar_node(node, value, *plain),
            NodeKind::Sequence(items) => self.sequence_node(items, depth),
            NodeKind::Mapping(pairs) => {
                let mut entries = Entries::default();
                self.mapping(pairs, &mut entries, depth)?;
                Ok(Decoded::Map(entries.entries))
            }
        }
    }

    fn sequence_node(&mut self, items: &[NodeId], depth: usize) -> Result<Decoded, YamlError> {
        let mut values = Vec::with_capacity(items.len());
        for &item in items {
            values.push(self.node(item, depth + 1)?);
        }
        Ok(Decoded::Seq(values))
    }

    fn scalar_node(&mut self, node: &Node, text: &str, plain: bool) -> Result<Decoded, YamlError> {
        let value = self.scalar(&node.tag, text, plain).map_err(|error| error.at(node.start))?;
        if matches!(value, Decoded::Float(float) if !float.is_finite()) {
            self.not_finite.get_or_insert(node.start);
        }
        Ok(value)
    }

    fn enter_alias(&mut self, id: NodeId, name: &str) -> Result<(), YamlError> {
        if !self.open_aliases.insert(id) {
            return Err(YamlError::yaml(format!("anchor '{name}' value contains itself")).at(self.mark(id)));
        }
        self.alias_depth += 1;
        Ok(())
    }

    fn leave_alias(&mut self, id: NodeId) {
        self.alias_depth -= 1;
        self.open_aliases.remove(&id);
    }

    fn scalar(&mut self, tag: &str, text: &str, plain: bool) -> Result<Decoded, YamlError> {
        let (tag, scalar) = resolver::resolve(tag, text, plain)?;
        Ok(match scalar {
            Scalar::Null => Decoded::Null,
            Scalar::Bool(value) => Decoded::Bool(value),
            Scalar::Int(value) => Decoded::Int(value),
            Scalar::Uint(value) => Decoded::Uint(value),
            Scalar::Float(value) => Decoded::Float(value),
            Scalar::Str => {
                self.text += text.len();
                if self.text > MAX_TEXT {
                    return Err(YamlError::limit("document unfolds to too much text"));
                }
                match tag {
                    Tag::Binary => Decoded::Str(
                        decode_base64(text)
                            .ok_or_else(|| YamlError::yaml("!!binary value contains invalid base64 data"))?,
                    ),
                    _ => Decoded::Str(text.to_owned()),
                }
            }
        })
    }

    fn mapping(
        &mut self,
        pairs: &[(NodeId, NodeId)],
        entries: &mut Entries,
        depth: usize,
    ) -> Result<(), YamlError> {
        for &(key_id, value_id) in pairs {
            if self.is_merge(key_id) {
                self.merge(value_id, entries, depth)?;
                continue;
            }
            let key = self.node(key_id, depth + 1)?;
            if matches!(key, Decoded::Seq(_) | Decoded::Map(_)) {
                let text = format!("invalid map key: {}", go_format::go_syntax(&key));
                return Err(YamlError::yaml(text).at(self.mark(key_id)));
            }
            if matches!(key, Decoded::Null | Decoded::Uint(_)) {
                let mark = self.mark(key_id);
                self.unsupported_key.get_or_insert(mark);
            }
            let value = self.node(value_id, depth + 1)?;
            if let Some(key) = entries.set(key, value) {
                let line = self.mark(value_id).line + 1;
                let shown = go_format::go_syntax(key);
                self.duplicates.push(DuplicateKey {
                    text: format!("line {line}: key {shown} already set in map"),
                    key: key_text(key).unwrap_or_default(),
                    position: self.mark(key_id).position(),
                });
            }
        }
        Ok(())
    }

    fn is_merge(&self, id: NodeId) -> bool {
        self.tree.nodes.get(id).is_some_and(|node| match &node.kind {
            NodeKind::Scalar { value, plain } => {
                value == "<<" && (*plain || node.tag == "tag:yaml.org,2002:merge")
            }
            _ => false,
        })
    }

    /// Takes over the entries of the mapping, or of the mappings, that `<<` names.
    fn merge(&mut self, id: NodeId, entries: &mut Entries, depth: usize) -> Result<(), YamlError> {
        let tree = self.tree;
        match tree.nodes.get(id).map(|node| &node.kind) {
            Some(NodeKind::Mapping(_) | NodeKind::Alias { .. }) => self.merge_one(id, entries, depth),
            Some(NodeKind::Sequence(items)) => {
                // Backwards, since what is set last wins and earlier ones take precedence.
                for &item in items.iter().rev() {
                    self.merge_one(item, entries, depth)?;
                }
                Ok(())
            }
            _ => want_map().map_err(|error: YamlError| error.at(self.mark(id))),
        }
    }

    fn merge_one(&mut self, id: NodeId, entries: &mut Entries, depth: usize) -> Result<(), YamlError> {
        let tree = self.tree;
        let kind = |id: NodeId| tree.nodes.get(id).map(|node| &node.kind);
        match kind(id) {
            Some(NodeKind::Mapping(pairs)) => {
                self.count(id, depth + 1)?;
                self.mapping(pairs, entries, depth + 1)
            }
            Some(NodeKind::Alias { name, target }) => {
                let Some(NodeKind::Mapping(pairs)) = kind(*target) else {
                    return want_map().map_err(|error: YamlError| error.at(self.mark(id)));
                };
                self.count(id, depth + 1)?;
                self.enter_alias(id, name)?;
                self.count(*target, depth + 1)?;
                self.mapping(pairs, entries, depth + 1)?;
                self.leave_alias(id);
                Ok(())
            }
            _ => want_map().map_err(|error: YamlError| error.at(self.mark(id))),
        }
    }
}

/// How much of a document's work may come from aliases.
fn allowed_alias_ratio(decode_count: u64) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let count = decode_count as f64;
    if count <= LOW {
        0.99
    } else if count >= HIGH {
        0.10
    } else {
        0.99 - 0.89 * ((count - LOW) / (HIGH - LOW))
    }
}

/// The JSON key for a key that has one.
pub(crate) fn key_text(key: &Decoded) -> Option<String> {
    Some(match key {
        Decoded::Str(text) => text.clone(),
        Decoded::Int(value) => value.to_string(),
        Decoded::Bool(value) => value.to_string(),
        // sigs.k8s.io/yaml formats a float key with the precision of 32 bits.
        Decoded::Float(value) => go_format::float_key(*value),
        Decoded::Null | Decoded::Uint(_) | Decoded::Seq(_) | Decoded::Map(_) => return None,
    })
}

fn to_json(value: Decoded, not_finite: &mut Option<String>) -> Result<Value, YamlError> {
    Ok(match value {
        Decoded::Null => Value::Null,
        Decoded::Bool(value) => Value::Bool(value),
        Decoded::Int(value) => Value::from(value),
        Decoded::Uint(value) => go_format::json_number(value as f64),
        Decoded::Float(value) => {
            if !value.is_finite() && not_finite.is_none() {
                *not_finite = Some(go_format::float_g(value));
            }
            go_format::json_number(value)
        }
        Decoded::Str(text) => Value::String(text),
        Decoded::Seq(items) => {
            Value::Array(items.into_iter().map(|item| to_json(item, not_finite)).collect::<Result<_, _>>()?)
        }
        Decoded::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let Some(name) = key_text(&key) else {
                    return Err(unsupported_key(&key, &value));
                };
                map.insert(name, to_json(value, not_finite)?);
            }
            Value::Object(map)
        }
    })
}

fn unsupported_key(key: &Decoded, value: &Decoded) -> YamlError {
    let (kind, key) = match key {
        Decoded::Uint(_) => ("uint64", go_format::go_syntax(key)),
        _ => ("%!s(<nil>)", "<nil>".to_owned()),
    };
    let value = match value {
        Decoded::Null => "<nil>".to_owned(),
        value => go_format::go_syntax(value),
    };
    let text = format!("unsupported map key of type: {kind}, key: {key}, value: {value}");
    YamlError::new(ErrorKind::Conversion, text)
}

/// Go's strict standard base64, line breaks allowed, with invalid UTF-8 replaced byte by byte as
/// encoding/json does.
fn decode_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut filled, mut padding) = (0u32, 0, 0);
    for c in text.bytes().filter(|c| !matches!(c, b'\r' | b'\n')) {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if filled >= 2 && filled + padding < 4 => {
                padding += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        group = group << 6 | u32::from(digit);
        filled += 1;
        if filled == 4 {
            bytes.extend_from_slice(group.to_be_bytes().get(1..)?);
            (group, filled) = (0, 0);
        }
    }
    match (filled, padding) {
        (0, 0) => {}
        (2, 2) => bytes.push((group >> 4) as u8),
        (3, 1) => bytes.extend_from_slice(&[(group >> 10) as u8, (group >> 2) as u8]),
        _ => return None,
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|_| out.push('\u{FFFD}'));
    }
    Some(out)
}
