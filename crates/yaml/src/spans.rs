//! Where in the text each key and value of a document stands.

use crate::composer::{NodeId, NodeKind, Tree};
use crate::decode::{self, Decoded};
use crate::error::Position;
use crate::resolver::{self, Scalar};

/// A piece of the text: `start` belongs to it, `end` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First character.
    pub start: Position,
    /// Behind the last character.
    pub end: Position,
}

/// One step from a value to a value inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathElement {
    /// The value of a key.
    Key(String),
    /// An item, from 0.
    Index(usize),
}

impl From<&str> for PathElement {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<String> for PathElement {
    fn from(key: String) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for PathElement {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// The key, if the last step was one. For an item this is `None`.
    pub key: Option<Span>,
    /// The value; empty for a key without one. For an alias, the `*name`.
    pub value: Span,
    /// How many steps of the path were found; less than asked for only from
    /// [`SpanIndex::nearest`].
    pub depth: usize,
}

/// Finds keys and values of one document in the text it came from.
#[derive(Clone, Debug, Default)]
pub struct SpanIndex {
    tree: Tree,
    origin: Origin,
}

/// Where a document starts in the whole text, and which bytes are missing in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub offset: usize,
    /// Lines before the document.
    pub line: usize,
    /// Offsets in the document behind each line feed that was `\r\n` in the text.
    pub dropped: Vec<usize>,
    /// The end of the whole text; a document may end in a line feed that the text has not.
    pub end: Position,
}

impl Origin {
    /// From a place in the document to one in the whole text.
    pub(crate) fn place(&self, position: Position) -> Position {
        let dropped = self.dropped.partition_point(|&at| at <= position.offset);
        let offset = self.offset + position.offset + dropped;
        if offset >= self.end.offset {
            return self.end;
        }
        Position { offset, line: self.line + position.line, column: position.column }
    }
}

impl SpanIndex {
    pub(crate) fn new(tree: Tree, origin: Origin) -> Self {
        Self { tree, origin }
    }

    /// How many nodes the document has.
    pub(crate) fn size(&self) -> usize {
        self.tree.nodes.len()
    }

    /// Finds a path such as `["spec", "containers", 0, "image"]`; `None` if it leads nowhere.
    pub fn get(&self, path: &[PathElement]) -> Option<Located> {
        self.nearest(path).filter(|located| located.depth == path.len())
    }

    /// Follows a path as far as it leads, so that a missing field marks what it is missing in.
    /// `None` for an empty document.
    pub fn nearest(&self, path: &[PathElement]) -> Option<Located> {
        let root = self.tree.root?;
        let (mut key, mut value, mut depth) = (None, root, 0);
        for element in path {
            let Some((next_key, next_value)) = self.step(value, element) else { break };
            (key, value) = (next_key, next_value);
            depth += 1;
        }
        Some(Located { key: key.and_then(|key| self.span(key)), value: self.span(value)?, depth })
    }

    /// Follows a field path as Kubernetes writes it in errors: `spec.containers[0].image`,
    /// `metadata.labels[app]`, `spec.ports[0]`. Goes as far as it leads, like [`Self::nearest`].
    ///
    /// Keys with dots are tried too: `data.tls.crt` finds the key `tls.crt`.
    pub fn field(&self, field_path: &str) -> Option<Located> {
        let path = self.parse_field_path(field_path);
        self.nearest(&path)
    }

    /// Turns a Kubernetes field path into steps; brackets around a number are an index only where
    /// the document has a list.
    pub fn parse_field_path(&self, field_path: &str) -> Vec<PathElement> {
        let mut path = Vec::new();
        let mut node = self.tree.root;
        let mut rest = field_path;
        while !rest.is_empty() {
            let element;
            if let Some(inner) = rest.strip_prefix('[') {
                let (name, behind) = inner.split_once(']').unwrap_or((inner, ""));
                rest = behind.strip_prefix('.').unwrap_or(behind);
                let is_mapping =
                    node.is_some_and(|id| matches!(self.resolved(id), Some(NodeKind::Mapping(_))));
                element = match name.parse() {
                    Ok(index) if !is_mapping => PathElement::Index(index),
                    _ => PathElement::Key(name.trim_matches('"').to_owned()),
                };
            } else {
                // The longest key that is there wins, else the shortest name.
                let name = node
                    .and_then(|id| self.longest_key(id, rest))
                    .unwrap_or_else(|| rest.split(['.', '[']).next().unwrap_or(rest).to_owned());
                rest = rest.get(name.len()..).unwrap_or_default();
                rest = rest.strip_prefix('.').unwrap_or(rest);
                if name.is_empty() {
                    continue;
                }
                element = PathElement::Key(name);
            }
            node = node.and_then(|id| self.step(id, &element)).map(|(_, value)| value);
            path.push(element);
        }
        path
    }

    /// The mapping's longest key that `rest` begins with.
    fn longest_key(&self, id: NodeId, rest: &str) -> Option<String> {
        let Some(NodeKind::Mapping(pairs)) = self.resolved(id) else { return None };
        pairs
            .iter()
            .filter_map(|&(key, _)| self.key_text(key))
            .filter(|key| {
                rest.strip_prefix(key.as_str())
                    .is_some_and(|behind| behind.is_empty() || behind.starts_with(['.', '[']))
            })
            .max_by_key(String::len)
    }

    /// Every key and value with its path, in the order of the text, up to `limit` of them; what
    /// stands behind an alias is not repeated.
    pub fn entries(&self, limit: usize) -> Vec<(Vec<PathElement>, Located)> {
        let mut found = Vec::new();
        let mut open: Vec<(Vec<PathElement>, Option<NodeId>, NodeId)> = Vec::new();
        open.extend(self.tree.root.map(|root| (Vec::new(), None, root)));
        while let Some((path, key, id)) = open.pop() {
            if found.len() >= limit {
                break;
            }
            let Some(node) = self.tree.nodes.get(id) else { continue };
            let child = |element: PathElement| {
                let mut path = path.clone();
                path.push(element);
                path
            };
            match &node.kind {
                NodeKind::Sequence(items) => open
                    .extend(items.iter().enumerate().rev().map(|(i, &item)| (child(i.into()), None, item))),
                NodeKind::Mapping(pairs) => {
                    open.extend(pairs.iter().rev().filter_map(|&(key, value)| {
                        Some((child(self.key_text(key)?.into()), Some(key), value))
                    }));
                }
                NodeKind::Scalar { .. } | NodeKind::Alias { .. } => {}
            }
            if let Some(value) = self.span(id) {
                let depth = path.len();
                let key = key.and_then(|key| self.span(key));
                found.push((path, Located { key, value, depth }));
            }
        }
        found
    }

    /// The node itself, or what it is an alias of.
    fn resolved(&self, mut id: NodeId) -> Option<&NodeKind> {
        for _ in 0..self.tree.nodes.len() {
            match &self.tree.nodes.get(id)?.kind {
                NodeKind::Alias { target, .. } => id = *target,
                kind => return Some(kind),
            }
        }
        None
    }

    fn step(&self, id: NodeId, element: &PathElement) -> Option<(Option<NodeId>, NodeId)> {
        match (self.resolved(id)?, element) {
            (NodeKind::Sequence(items), PathElement::Index(index)) => Some((None, *items.get(*index)?)),
            (NodeKind::Mapping(pairs), PathElement::Key(name)) => self.find_key(pairs, name, 0),
            _ => None,
        }
    }

    /// The last entry of that name, merged mappings included.
    fn find_key(
        &self,
        pairs: &[(NodeId, NodeId)],
        name: &str,
        depth: usize,
    ) -> Option<(Option<NodeId>, NodeId)> {
        for &(key, value) in pairs.iter().rev() {
            let text = self.key_text(key);
            if text.as_deref() == Some(name) {
                return Some((Some(key), value));
            }
            if text.as_deref() == Some("<<") && depth < 16 {
                let found = match self.resolved(value) {
                    Some(NodeKind::Mapping(pairs)) => self.find_key(pairs, name, depth + 1),
                    Some(NodeKind::Sequence(items)) => {
                        items.iter().find_map(|&item| match self.resolved(item) {
                            Some(NodeKind::Mapping(pairs)) => self.find_key(pairs, name, depth + 1),
                            _ => None,
                        })
                    }
                    _ => None,
                };
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    fn key_text(&self, id: NodeId) -> Option<String> {
        let tag = &self.tree.nodes.get(id)?.tag;
        let NodeKind::Scalar { value, plain } = self.resolved(id)? else { return None };
        let key = match resolver::resolve(tag, value, *plain).ok()?.1 {
            Scalar::Null => Decoded::Null,
            Scalar::Bool(value) => Decoded::Bool(value),
            Scalar::Int(value) => Decoded::Int(value),
            Scalar::Uint(value) => Decoded::Uint(value),
            Scalar::Float(value) => Decoded::Float(value),
            Scalar::Str => return Some(value.clone()),
        };
        decode::key_text(&key)
    }

    fn span(&self, id: NodeId) -> Option<Span> {
        let node = self.tree.nodes.get(id)?;
        let (start, end) = (node.start.position(), node.end.position());
        Some(Span { start: self.origin.place(start), end: self.origin.place(end) })
    }
}
