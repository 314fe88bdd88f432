//! `--sort-by`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/get/sorter.go (v1.37).

use super::relaxed;
use crate::error::{Result, message};
use podlab_api::quantity::Quantity;
use podlab_api::stable_sort::stable_sort_by;
use serde_json::Value;

/// The order of objects by what a path finds in them: stable, objects without it first.
///
/// # Errors
/// The path cannot be read, or none of the objects has the field.
pub(crate) fn order(objects: &[Value], field: &str) -> Result<Vec<usize>> {
    let path = relaxed(field)?;
    let mut keys: Vec<Option<Value>> = Vec::new();
    for object in objects {
        let found = path.find_results(object).ok();
        keys.push(found.and_then(|groups| groups.first().and_then(|g| g.first().map(|i| i.to_value()))));
    }
    if !objects.is_empty() && keys.iter().all(Option::is_none) {
        let full = podlab_api::jsonpath::relaxed_json_path_expression(field).unwrap_or_default();
        return message(format!("couldn't find any field with path {full:?} in the list of objects"));
    }
    let key = |at: &usize| keys.get(*at).and_then(Option::as_ref);
    // What is compared here is not transitive where quantities and other texts meet.
    Ok(stable_sort_by((0..objects.len()).collect(), &|a, b| match (key(a), key(b)) {
        (None, _) => true,
        (_, None) => false,
        (Some(a), Some(b)) => is_less(a, b),
    }))
}

/// Source: sorter.go `isLess`, for what JSON holds.
fn is_less(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, b) => !b.is_null(),
        (_, Value::Null) => false,
        (Value::Number(a), Value::Number(b)) => a.as_f64() < b.as_f64(),
        (Value::String(a), Value::String(b)) => match (Quantity::parse(a), Quantity::parse(b)) {
            (Ok(x), Ok(y)) => x.as_f64() < y.as_f64(),
            _ => a < b,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sorted(values: Vec<Value>) -> Vec<Value> {
        let objects: Vec<Value> = values.into_iter().map(|v| json!({"v": v})).collect();
        let order = order(&objects, "v").unwrap();
        order.iter().map(|at| objects[*at]["v"].clone()).collect()
    }

    #[test]
    fn nothing_comes_first_then_quantities_by_amount_and_texts_by_their_letters() {
        assert_eq!(sorted(vec![json!("b"), json!(null), json!("a")]), [json!(null), json!("a"), json!("b")]);
        assert_eq!(
            sorted(vec![json!("1Gi"), json!("2Mi"), json!("100m")]),
            [json!("100m"), json!("2Mi"), json!("1Gi")]
        );
        assert_eq!(sorted(vec![json!("a2"), json!("a10")]), [json!("a10"), json!("a2")]);
        assert_eq!(sorted(vec![json!(10), json!(9), json!(-1)]), [json!(-1), json!(9), json!(10)]);
    }

    #[test]
    fn values_without_an_order_are_sorted_all_the_same() {
        let kinds = [
            json!(null),
            json!("10"),
            json!("9x"),
            json!("1Ki"),
            json!(3),
            json!("z"),
            json!({"a": 1}),
            json!([1]),
            json!(true),
        ];
        let mut seed = 7usize;
        let values: Vec<Value> = (0..400)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                kinds[(seed >> 33) % kinds.len()].clone()
            })
            .collect();
        assert_eq!(sorted(values).len(), 400);
    }
}
