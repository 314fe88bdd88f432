//! Events to a tree of nodes in one flat list, so that nesting costs no stack.

use std::collections::BTreeMap;

use crate::error::{Mark, YamlError};
use crate::parser::{Event, EventKind, Parser};

/// Most nodes a document may have. kubectl has no such bound; a browser tab needs one.
pub(crate) const MAX_NODES: usize = 1_000_000;

/// Index of a node in its [`Tree`].
pub(crate) type NodeId = usize;

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Scalar {
        value: String,
        plain: bool,
    },
    Sequence(Vec<NodeId>),
    /// Key and value.
    Mapping(Vec<(NodeId, NodeId)>),
    Alias {
        name: String,
        target: NodeId,
    },
}

/// A node and where it stands in its document.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub kind: NodeKind,
    pub start: Mark,
    pub end: Mark,
    pub tag: String,
}

/// The first document of a text; `root` is `None` if there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub nodes: Vec<Node>,
    pub root: Option<NodeId>,
}

/// A collection whose end has not come yet.
struct Open {
    id: NodeId,
    /// Where in `pending` its children begin.
    first: usize,
}

/// Reads the first document of `text`; what comes behind it is not looked at, as in go-yaml.
pub(crate) fn compose(text: &str) -> Result<Tree, YamlError> {
    let mut parser = Parser::new(text);
    let mut next = || parser.next_event().map_err(|problem| problem.into_error());
    next()?;
    if next()?.kind == EventKind::StreamEnd {
        return Ok(Tree::default());
    }
    let mut tree = Tree::default();
    let mut anchors: BTreeMap<String, NodeId> = BTreeMap::new();
    let mut open: Vec<Open> = Vec::new();
    let mut pending: Vec<NodeId> = Vec::new();
    loop {
        let Event { kind, start, end, anchor, tag } = next()?;
        let id = tree.nodes.len();
        let kind = match kind {
            EventKind::DocumentEnd | EventKind::StreamEnd => break,
            EventKind::StreamStart | EventKind::DocumentStart => continue,
            EventKind::SequenceEnd | EventKind::MappingEnd => {
                let Some(Open { id, first }) = open.pop() else { continue };
                let children = pending.split_off(first);
                if let Some(node) = tree.nodes.get_mut(id) {
                    node.end = end;
                    match &mut node.kind {
                        NodeKind::Sequence(items) => *items = children,
                        NodeKind::Mapping(entries) => {
                            let (pairs, _) = children.as_chunks::<2>();
                            *entries = pairs.iter().map(|&[key, value]| (key, value)).collect();
                        }
                        _ => {}
                    }
                }
                pending.push(id);
                continue;
            }
            EventKind::Alias(name) => {
                let Some(&target) = anchors.get(&name) else {
                    return Err(YamlError::yaml(format!("unknown anchor '{name}' referenced")).at(start));
                };
                NodeKind::Alias { name, target }
            }
            EventKind::Scalar { value, plain } => NodeKind::Scalar { value, plain },
            EventKind::SequenceStart => NodeKind::Sequence(Vec::new()),
            EventKind::MappingStart => NodeKind::Mapping(Vec::new()),
        };
        if id >= MAX_NODES {
            return Err(YamlError::limit(format!("more than {MAX_NODES} nodes in a document")).at(start));
        }
        if let Some(anchor) = anchor {
            anchors.insert(anchor, id);
        }
        if matches!(kind, NodeKind::Sequence(_) | NodeKind::Mapping(_)) {
            open.push(Open { id, first: pending.len() });
        } else {
            pending.push(id);
        }
        tree.nodes.push(Node { kind, start, end, tag });
    }
    tree.root = pending.first().copied();
    Ok(tree)
}
