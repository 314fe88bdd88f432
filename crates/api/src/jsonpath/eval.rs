//! Applies a template to data.

use std::cmp::Ordering;

use super::node::{End, Node};
use super::value::{Basic, Item};
use super::{JsonPath, JsonPathError};
use crate::go_text;

/// Results beyond this end the evaluation: a short template can ask for very many.
const MAX_RESULTS: usize = 1_000_000;

type Found<'a> = Result<Vec<Item<'a>>, JsonPathError>;

fn failure<T>(text: impl Into<String>) -> Result<T, JsonPathError> {
    Err(JsonPathError(text.into()))
}

/// One run through a template.
///
/// Ranges are loops over the template's own list of nodes, counted as Kubernetes counts them, since an `{end}` that
/// is missing or one too many shows in the output.
pub(super) struct Evaluation<'a> {
    path: &'a JsonPath,
    begin_range: usize,
    in_range: usize,
    end_range: usize,
    /// Index of the `{end}` met last.
    last_end: Option<usize>,
    found: usize,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(path: &'a JsonPath) -> Self {
        Self { path, begin_range: 0, in_range: 0, end_range: 0, last_end: None, found: 0 }
    }

    pub(super) fn run(
        &mut self,
        from: usize,
        current: Item<'a>,
    ) -> Result<Vec<Vec<Item<'a>>>, JsonPathError> {
        let nodes = &self.path.nodes;
        let mut all = Vec::new();
        let mut index = from;
        while let Some(node) = nodes.get(index) {
            let results = self.walk(vec![current.clone()], node)?;
            if self.end_range > 0 && self.end_range <= self.in_range {
                self.end_range -= 1;
                self.last_end = Some(index);
                break;
            }
            if self.begin_range > 0 {
                self.begin_range -= 1;
                self.in_range += 1;
                if results.is_empty() {
                    // Goes through the range once all the same, to find its end.
                    self.run(index + 1, Item::Nothing)?;
                }
                for value in results {
                    let value = if value.is_nil() { Item::Nothing } else { value };
                    all.extend(self.run(index + 1, value)?);
                }
                self.in_range -= 1;
                if let Some(end) = self.last_end.filter(|end| *end > index) {
                    index = end;
                }
                index += 1;
                continue;
            }
            all.push(results);
            index += 1;
        }
        Ok(all)
    }

    fn walk(&mut self, input: Vec<Item<'a>>, node: &'a Node) -> Found<'a> {
        let results = match node {
            Node::List(nodes) => self.list(input, nodes)?,
            Node::Text(text) => vec![Item::Text(text)],
            Node::Field(name) => self.field(&input, name)?,
            Node::Array { start, end, step } => array(&input, *start, *end, *step)?,
            Node::Filter { left, operator, right } => self.filter(&input, left, operator, right)?,
            Node::Int(int) => vec![Item::Int(*int); input.len()],
            Node::Float(float) => vec![Item::Float(*float); input.len()],
            Node::Bool(flag) => vec![Item::Bool(*flag); input.len()],
            Node::Wildcard => input.iter().flat_map(Item::contents).collect(),
            Node::Recursive => {
                let mut results = Vec::new();
                recursive(&input, &mut results);
                results
            }
            Node::Union(lists) => {
                let mut results = Vec::new();
                for list in lists {
                    results.extend(self.list(input.clone(), list)?);
                }
                results
            }
            Node::Identifier(name) => self.identifier(input, name)?,
        };
        self.found += results.len();
        if self.found > MAX_RESULTS { failure("too many results") } else { Ok(results) }
    }

    fn list(&mut self, input: Vec<Item<'a>>, nodes: &'a [Node]) -> Found<'a> {
        nodes.iter().try_fold(input, |current, node| self.walk(current, node))
    }

    fn identifier(&mut self, input: Vec<Item<'a>>, name: &str) -> Found<'a> {
        match name {
            "range" => {
                self.begin_range += 1;
                Ok(input)
            }
            "end" if self.in_range > 0 => {
                self.end_range += 1;
                Ok(Vec::new())
            }
            "end" => failure("not in range, nothing to end"),
            other => failure(format!("unrecognized identifier {other}")),
        }
    }

    fn field(&self, input: &[Item<'a>], name: &str) -> Found<'a> {
        let results: Vec<Item<'a>> =
            input.iter().filter_map(|value| value.object()?.get(name)).map(Item::Value).collect();
        if results.is_empty() && !input.is_empty() && !self.path.allow_missing_keys {
            return failure(format!("{name} is not found"));
        }
        Ok(results)
    }

    fn filter(
        &mut self,
        input: &[Item<'a>],
        left: &'a [Node],
        operator: &str,
        right: &'a [Node],
    ) -> Found<'a> {
        let mut results = Vec::new();
        for value in input {
            let Some(items) = value.array() else {
                let text = go_text::value(&value.to_value());
                return failure(format!("{text} is not array or slice and cannot be filtered"));
            };
            for item in items {
                let item = Item::Value(item);
                let lefts = self.list(vec![item.clone()], left);
                if operator == "exists" {
                    if lefts.is_ok_and(|lefts| !lefts.is_empty()) {
                        results.push(item);
                    }
                    continue;
                }
                let Some(left) = single(lefts?)? else { continue };
                let Some(right) = single(self.list(vec![item.clone()], right)?)? else { continue };
                if compare(&left, operator, &right)? {
                    results.push(item);
                }
            }
        }
        Ok(results)
    }
}

fn single(items: Vec<Item<'_>>) -> Result<Option<Item<'_>>, JsonPathError> {
    if items.len() > 1 {
        return failure("can only compare one element at a time");
    }
    Ok(items.into_iter().next())
}

/// The value, then all that is in it, depth first. Values without contents are left out, as texts are not.
fn recursive<'a>(input: &[Item<'a>], results: &mut Vec<Item<'a>>) {
    for value in input {
        let contents = value.contents();
        if !contents.is_empty() && results.len() <= MAX_RESULTS {
            results.push(value.clone());
            recursive(&contents, results);
        }
    }
}

fn array<'a>(input: &[Item<'a>], start: Option<i64>, end: End, step: Option<i64>) -> Found<'a> {
    let mut results = Vec::new();
    for value in input {
        if value.is_nil() {
            continue;
        }
        let Some(items) = value.array() else {
            return failure(format!("{} is not array or slice", value.go_type()));
        };
        let length = items.len() as i64;
        let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
        let start = from_end(start.unwrap_or(0));
        let end = match end {
            End::Open => length,
            End::AfterStart(0) => length,
            End::At(end) | End::AfterStart(end) => from_end(end),
        };
        if start == end {
            return Ok(results);
        }
        let out_of_bounds =
            |index: i64| failure(format!("array index out of bounds: index {index}, length {length}"));
        if start >= length || start < 0 {
            return out_of_bounds(start);
        }
        if end > length || end < 0 {
            return out_of_bounds(end.saturating_sub(1));
        }
        if start > end {
            return failure(format!("starting index {start} is greater than ending index {end}"));
        }
        let step = step.unwrap_or(1);
        if step <= 0 {
            return failure("step must be > 0");
        }
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        let slice = items.get(start as usize..end as usize).unwrap_or_default();
        results.extend(slice.iter().step_by(step).map(Item::Value));
    }
    Ok(results)
}

/// Compares as Go's templates do: only values of one type, and only numbers and texts have an order.
fn compare(left: &Item<'_>, operator: &str, right: &Item<'_>) -> Result<bool, JsonPathError> {
    let (left, right) = (left.basic(), right.basic());
    let wrong_type = || failure("invalid type for comparison");
    let incompatible = || failure("incompatible types for comparison");
    if !matches!(operator, "<" | ">" | "==" | "!=" | "<=" | ">=") {
        return failure(format!("unrecognized filter operator {operator}"));
    }
    if matches!(left, Basic::Other) || matches!(right, Basic::Other) {
        return wrong_type();
    }
    let order = match (left, right) {
        (Basic::Bool(left), Basic::Bool(right)) => {
            return match operator {
                "==" => Ok(left == right),
                "!=" => Ok(left != right),
                _ => wrong_type(),
            };
        }
        (Basic::Int(left), Basic::Int(right)) => Some(left.cmp(&right)),
        (Basic::Uint(left), Basic::Uint(right)) => Some(left.cmp(&right)),
        (Basic::Int(left), Basic::Uint(right)) => Some(i128::from(left).cmp(&i128::from(right))),
        (Basic::Uint(left), Basic::Int(right)) => Some(i128::from(left).cmp(&i128::from(right))),
        (Basic::Float(left), Basic::Float(right)) => left.partial_cmp(&right),
        (Basic::Text(left), Basic::Text(right)) => Some(left.cmp(right)),
        _ => return incompatible(),
    };
    let less = order == Some(Ordering::Less);
    let equal = order == Some(Ordering::Equal);
    Ok(match operator {
        "<" => less,
        "<=" => less || equal,
        ">" => !(less || equal),
        ">=" => !less,
        "==" => equal,
        _ => !equal,
    })
}
