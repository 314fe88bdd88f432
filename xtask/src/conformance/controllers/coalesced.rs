//! Two runs of one script, whose controllers looked a few milliseconds earlier or later.
//!
//! A controller writes what it finds when its turn comes: of three pods that become ready one after the other it counts
//! 1, 2, 3 or at once 3. Two sequences of states agree where
//! - what is not status (spec, labels, owners, finalizers, annotations, deletion) goes through the same states,
//! - the last status is the same, unless the object is deleted,
//! - the conditions go through the same steps, of which one run may have left some out,
//! - so do the turning points of every count, and
//! - so does every other part of a status.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Whether one sequence is the other with some of its members left out.
fn one_in_other<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut rest = long.iter();
    short.iter().all(|wanted| rest.any(|found| found == wanted))
}

fn without_repeats<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for item in items {
        if kept.last() != Some(&item) {
            kept.push(item);
        }
    }
    kept
}

/// Parts that a controller keeps up to date, in objects of which they are no `status`.
const FOLLOWING: [&str; 4] = ["status", "endpoints", "subsets", "ports"];

fn fixed(state: &Value) -> Value {
    let mut state = state.clone();
    if let Some(fields) = state.as_object_mut() {
        for part in FOLLOWING {
            fields.remove(part);
        }
    }
    state
}

fn followed(state: &Value) -> Map<String, Value> {
    let mut parts = Map::new();
    for part in FOLLOWING {
        match (part, state.get(part)) {
            ("status", Some(Value::Object(status))) => parts.extend(status.clone()),
            (_, Some(value)) => {
                parts.insert(part.to_owned(), value.clone());
            }
            (_, None) => {}
        }
    }
    parts
}

/// The values of one part over time.
fn over_time(states: &[Map<String, Value>], part: &str) -> Vec<Value> {
    let values = states.iter().map(|state| state.get(part).cloned().unwrap_or_default());
    let values = without_repeats(values.map(|value| match value {
        Value::Array(mut items) if part == "conditions" => {
            // Their order is that of their latest changes.
            items.sort_by_key(|item| item.get("type").map(Value::to_string));
            Value::Array(items)
        }
        other => other,
    }));
    let number = |value: &Value| if value.is_null() { Some(0) } else { value.as_i64() };
    let numbers: Option<Vec<i64>> = values.iter().map(number).collect();
    match numbers {
        Some(numbers) => turning_points(&numbers).into_iter().map(Value::from).collect(),
        None => values,
    }
}

fn turning_points(numbers: &[i64]) -> Vec<i64> {
    let mut kept: Vec<i64> = Vec::new();
    for number in numbers {
        while let [.., before, last] = kept.as_slice()
            && (last - before).signum() == (number - last).signum()
        {
            kept.pop();
        }
        kept.push(*number);
    }
    kept
}

/// Whether two sequences of states are those of one run.
pub(super) fn agree(a: &[Value], b: &[Value]) -> bool {
    let steady = |states: &[Value]| without_repeats(states.iter().map(fixed));
    if steady(a) != steady(b) {
        return false;
    }
    let moving = |states: &[Value]| -> Vec<Map<String, Value>> {
        states.iter().filter(|state| state.is_object()).map(followed).collect()
    };
    let deleted = a.last().is_some_and(Value::is_string);
    let (a, b) = (moving(a), moving(b));
    let last =
        |states: &[Map<String, Value>], part: &str| states.last().and_then(|state| state.get(part).cloned());
    let parts: BTreeSet<&String> = a.iter().chain(&b).flat_map(Map::keys).collect();
    parts.into_iter().all(|part| {
        (deleted || last(&a, part) == last(&b, part) || part == "conditions")
            && one_in_other(&over_time(&a, part), &over_time(&b, part))
    })
}

/// Whether two texts tell of one progress, each line once for every look that was taken.
pub(in crate::conformance) fn same_progress(a: &str, b: &str) -> bool {
    let lines = |text: &str| without_repeats(text.lines().map(str::to_owned));
    let (a, b) = (lines(a), lines(b));
    let end = |lines: &[String]| lines.iter().rev().take(3).cloned().collect::<Vec<_>>();
    end(&a) == end(&b) && one_in_other(&a, &b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ready(counts: &[i64]) -> Vec<Value> {
        counts.iter().map(|count| json!({"replicas": 3, "status": {"ready": count}})).collect()
    }

    #[test]
    fn counts_may_be_skipped_but_not_changed() {
        assert!(agree(&ready(&[0, 1, 2, 3]), &ready(&[0, 3])));
        assert!(!agree(&ready(&[0, 1, 2, 3]), &ready(&[0, 2])));
        assert!(!agree(&ready(&[0, 3, 2, 3, 1, 3]), &ready(&[0, 4, 3])));
    }

    #[test]
    fn what_is_asked_for_is_never_skipped() {
        let states = |replicas: &[i64]| -> Vec<Value> {
            replicas.iter().map(|count| json!({"replicas": count, "status": {}})).collect()
        };
        assert!(!agree(&states(&[3, 2, 1]), &states(&[3, 1])));
    }
}
