//! `--sort-by`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/get/sorter.go (v1.37).

use super::relaxed;
use crate::error::{Result, message};
use podlab_api::quantity::Quantity;
use serde_json::Value;
use std::cmp::Ordering;

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
    let mut order: Vec<usize> = (0..objects.len()).collect();
    order.sort_by(|a, b| {
        match (keys.get(*a).and_then(Option::as_ref), keys.get(*b).and_then(Option::as_ref)) {
            (None, None) => Ordering::Equal,
            (None, _) => Ordering::Less,
            (_, None) => Ordering::Greater,
            (Some(a), Some(b)) => compare(a, b),
        }
    });
    Ok(order)
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::String(a), Value::String(b)) => match (Quantity::parse(a), Quantity::parse(b)) {
            (Ok(x), Ok(y)) => x.as_f64().partial_cmp(&y.as_f64()).unwrap_or(Ordering::Equal),
            _ => natural(a, b),
        },
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

/// Text with numbers in it: `a2` before `a10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a, b);
    loop {
        if x.is_empty() || y.is_empty() {
            return x.len().cmp(&y.len());
        }
        let digits = |s: &str| s.chars().take_while(char::is_ascii_digit).count();
        let (dx, dy) = (digits(x), digits(y));
        if dx > 0 && dy > 0 {
            let (nx, ny) = (x.get(..dx).unwrap_or(""), y.get(..dy).unwrap_or(""));
            let (tx, ty) = (nx.trim_start_matches('0'), ny.trim_start_matches('0'));
            let order = tx.len().cmp(&ty.len()).then_with(|| tx.cmp(ty)).then_with(|| dx.cmp(&dy));
            if order != Ordering::Equal {
                return order;
            }
            x = x.get(dx..).unwrap_or("");
            y = y.get(dy..).unwrap_or("");
            continue;
        }
        let (Some(cx), Some(cy)) = (x.chars().next(), y.chars().next()) else { return Ordering::Equal };
        if cx != cy {
            return cx.cmp(&cy);
        }
        x = x.get(cx.len_utf8()..).unwrap_or("");
        y = y.get(cy.len_utf8()..).unwrap_or("");
    }
}
