//! When some of the indexes are enough.
//!
//! Source: pkg/controller/job/success_policy.go (v1.37).

use super::super::values::int;
use super::indexes::Intervals;
use serde_json::Value;

/// The message of the first rule that is met.
pub(super) fn matched(rules: &[Value], completions: i64, succeeded: &Intervals) -> Option<String> {
    let met = |rule: &Value| {
        let count = int(rule.get("succeededCount"));
        match rule.get("succeededIndexes").and_then(Value::as_str) {
            Some(indexes) => {
                let wanted = Intervals::parse(indexes, completions);
                let common = wanted.in_common(succeeded);
                wanted.total() > 0 && (common == wanted.total() || count.is_some_and(|count| common >= count))
            }
            None => count.is_some_and(|count| succeeded.total() >= count),
        }
    };
    let index = rules.iter().position(met)?;
    Some(format!("Matched rules at index {index}"))
}
