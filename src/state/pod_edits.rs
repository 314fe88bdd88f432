//! Small changes to a pod's manifest, as a person would make them in an editor. Each takes the manifest and gives the
//! changed one, or nothing where there is nothing to change.

use podlab_api::Quantity;
use serde_json::{Map, Value, json};

fn spec(manifest: &mut Value) -> Option<&mut Map<String, Value>> {
    manifest.get_mut("spec")?.as_object_mut()
}

/// Thousandths of cpu, else whole units.
fn units(resource: &str, value: &Value) -> i64 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Ok(quantity) = Quantity::parse(text.trim()) else { return 0 };
    if resource == "cpu" { quantity.milli_value() } else { quantity.value() }
}

/// What a container, or the pod as a whole, asks for: its request, or its limit where it names no request.
fn asked(holder: &Value, resource: &str) -> i64 {
    let of = |list: &str| holder.get("resources")?.get(list)?.get(resource);
    of("requests").or_else(|| of("limits")).map_or(0, |value| units(resource, value))
}

/// Extended resources and huge pages cannot be requested below their limit.
fn is_bound_to_limit(resource: &str) -> bool {
    resource.contains('/') || resource.starts_with("hugepages-")
}

fn ask(holder: &mut Value, resource: &str, amount: i64) {
    let quantity = super::inspect::amount(resource, amount);
    let Some(resources) = holder.get_mut("resources").and_then(Value::as_object_mut) else { return };
    let lists: &[&str] = if is_bound_to_limit(resource) { &["limits", "requests"] } else { &["requests"] };
    for list in lists {
        let in_list = resources.contains_key(*list) || *list == "requests";
        if let Some(list) = in_list.then(|| resources.entry(*list).or_insert_with(|| json!({})))
            && let Some(list) = list.as_object_mut()
        {
            list.insert(resource.to_owned(), json!(quantity));
        }
    }
}

/// Lowers what the pod asks for in all to `most`: containers that ask for much give first.
pub fn asking_at_most(mut manifest: Value, resource: &str, most: i64) -> Option<Value> {
    let spec_value = manifest.get_mut("spec")?;
    let own = asked(spec_value, resource);
    if own > most {
        ask(spec_value, resource, most);
    }
    for container in spec_value.get_mut("initContainers").and_then(Value::as_array_mut).into_iter().flatten()
    {
        if asked(container, resource) > most {
            ask(container, resource, most);
        }
    }
    let containers = spec_value.get_mut("containers")?.as_array_mut()?;
    let sum: i64 = containers.iter().map(|c| asked(c, resource)).sum();
    let mut excess = sum.saturating_sub(most);
    let mut order: Vec<usize> = (0..containers.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(asked(&containers[*index], resource)));
    for index in order {
        let has = asked(&containers[index], resource);
        let gives = has.min(excess);
        if gives > 0 {
            ask(&mut containers[index], resource, has - gives);
            excess -= gives;
        }
    }
    (most > 0).then_some(manifest)
}

/// Tolerates a taint.
pub fn tolerating(mut manifest: Value, key: &str, value: &str, effect: &str) -> Option<Value> {
    let mut one = json!({ "key": key, "effect": effect });
    one["operator"] = json!(if value.is_empty() { "Exists" } else { "Equal" });
    if !value.is_empty() {
        one["value"] = json!(value);
    }
    let list = spec(&mut manifest)?.entry("tolerations").or_insert_with(|| json!([]));
    list.as_array_mut()?.push(one);
    Some(manifest)
}

/// Takes a scheduling gate away.
pub fn without_gate(mut manifest: Value, gate: &str) -> Option<Value> {
    let gates = manifest.pointer_mut("/spec/schedulingGates")?.as_array_mut()?;
    gates.retain(|g| g.get("name").and_then(Value::as_str) != Some(gate));
    Some(manifest)
}

/// Wishes no longer for a node's label by `nodeSelector`.
pub fn without_node_selector(mut manifest: Value, key: &str) -> Option<Value> {
    let spec = spec(&mut manifest)?;
    let labels = spec.get_mut("nodeSelector")?.as_object_mut()?;
    labels.remove(key)?;
    if labels.is_empty() {
        spec.remove("nodeSelector");
    }
    Some(manifest)
}

/// Requires a label no longer in a term of node affinity. A term that asks for nothing would match no node, so then
/// nothing is required any more.
pub fn without_node_affinity(mut manifest: Value, term: usize, key: &str) -> Option<Value> {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    let affinity = manifest.pointer_mut("/spec/affinity/nodeAffinity")?.as_object_mut()?;
    let term = affinity.get_mut(REQUIRED)?.get_mut("nodeSelectorTerms")?.get_mut(term)?.as_object_mut()?;
    if let Some(expressions) = term.get_mut("matchExpressions").and_then(Value::as_array_mut) {
        expressions.retain(|e| e.get("key").and_then(Value::as_str) != Some(key));
        if expressions.is_empty() {
            term.remove("matchExpressions");
        }
    }
    if term.is_empty() {
        affinity.remove(REQUIRED);
    }
    Some(manifest)
}

/// Names another node in the terms of node affinity that name one.
pub fn naming_node(mut manifest: Value, node: &str) -> Option<Value> {
    let path = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let terms = manifest.pointer_mut(path)?.as_array_mut()?;
    let mut changed = false;
    for field in terms.iter_mut().filter_map(|t| t.get_mut("matchFields")?.as_array_mut()).flatten() {
        if field.get("operator").and_then(Value::as_str) == Some("In") {
            field["values"] = json!([node]);
            changed = true;
        }
    }
    changed.then_some(manifest)
}

/// Leaves the choice of the node to the scheduler.
pub fn without_node_name(mut manifest: Value) -> Option<Value> {
    spec(&mut manifest)?.remove("nodeName")?;
    Some(manifest)
}

/// Uses another host port.
pub fn on_host_port(mut manifest: Value, from: i32, protocol: &str, to: i32) -> Option<Value> {
    let mut changed = false;
    let spec = spec(&mut manifest)?;
    let on_host = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for list in ["containers", "initContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for port in containers.filter_map(|c| c.get_mut("ports")?.as_array_mut()).flatten() {
            let own = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
            let host_port = port.get("hostPort").or(if on_host { port.get("containerPort") } else { None });
            if own == protocol && host_port.and_then(Value::as_i64) == Some(i64::from(from)) {
                port["hostPort"] = json!(to);
                if on_host {
                    port["containerPort"] = json!(to);
                }
                changed = true;
            }
        }
    }
    changed.then_some(manifest)
}

/// Allows more skew in a spread constraint.
pub fn with_max_skew(mut manifest: Value, constraint: usize, max_skew: i64) -> Option<Value> {
    let one = manifest.pointer_mut("/spec/topologySpreadConstraints")?.get_mut(constraint)?;
    one["maxSkew"] = json!(max_skew);
    Some(manifest)
}

/// Gives a pod without spread constraints one that is a preference.
pub fn with_own_soft_spread(mut manifest: Value, key: &str, max_skew: i64) -> Option<Value> {
    let labels = manifest.pointer("/metadata/labels").cloned().unwrap_or_default();
    let selector = if labels.is_null() { json!({}) } else { json!({"matchLabels": labels}) };
    let constraint = json!({"maxSkew": max_skew, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": selector});
    manifest
        .get_mut("spec")?
        .as_object_mut()?
        .insert("topologySpreadConstraints".to_owned(), json!([constraint]));
    Some(manifest)
}

/// Makes a spread constraint a preference.
pub fn with_soft_spread(mut manifest: Value, constraint: usize) -> Option<Value> {
    let one = manifest.pointer_mut("/spec/topologySpreadConstraints")?.get_mut(constraint)?;
    one["whenUnsatisfiable"] = json!("ScheduleAnyway");
    one.as_object_mut()?.remove("minDomains");
    Some(manifest)
}

/// Makes a required term of pod affinity (or anti-affinity) a preference.
pub fn with_soft_affinity(mut manifest: Value, anti: bool, term: usize) -> Option<Value> {
    let kind = if anti { "podAntiAffinity" } else { "podAffinity" };
    let rules = manifest.pointer_mut("/spec/affinity")?.get_mut(kind)?.as_object_mut()?;
    let required = rules.get_mut("requiredDuringSchedulingIgnoredDuringExecution")?.as_array_mut()?;
    if term >= required.len() {
        return None;
    }
    let term = required.remove(term);
    if required.is_empty() {
        rules.remove("requiredDuringSchedulingIgnoredDuringExecution");
    }
    let preferred = rules
        .entry("preferredDuringSchedulingIgnoredDuringExecution")
        .or_insert_with(|| json!([]))
        .as_array_mut()?;
    preferred.push(json!({"weight": 100, "podAffinityTerm": term}));
    Some(manifest)
}

/// Takes labels off the pod.
pub fn without_labels(mut manifest: Value, keys: &[&str]) -> Option<Value> {
    let labels = manifest.pointer_mut("/metadata/labels")?.as_object_mut()?;
    let before = labels.len();
    labels.retain(|key, _| !keys.contains(&key.as_str()));
    (labels.len() < before).then_some(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(spec: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "p"}}, "spec": spec})
    }

    #[test]
    fn the_greatest_container_gives_first() {
        let asking = |amount: &str| json!({"name": "c", "resources": {"requests": {"cpu": amount}}});
        let made =
            asking_at_most(pod(json!({"containers": [asking("200m"), asking("1")]})), "cpu", 700).unwrap();
        let cpu = |index: usize| made["spec"]["containers"][index]["resources"]["requests"]["cpu"].clone();
        assert_eq!((cpu(0), cpu(1)), (json!("200m"), json!("500m")));
        let limited = json!({"name": "c", "resources": {"limits": {"example.com/gpu": "3"}}});
        let made = asking_at_most(pod(json!({"containers": [limited]})), "example.com/gpu", 2).unwrap();
        let resources = &made["spec"]["containers"][0]["resources"];
        assert_eq!(resources["limits"], resources["requests"]);
        assert_eq!(resources["limits"]["example.com/gpu"], json!("2"));
    }

    #[test]
    fn a_term_that_asks_for_nothing_is_not_left() {
        let expression = json!({"key": "disk", "operator": "Exists"});
        let required = json!({"nodeSelectorTerms": [{"matchExpressions": [expression]}]});
        let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}});
        let made = without_node_affinity(pod(json!({"affinity": affinity})), 0, "disk").unwrap();
        assert_eq!(made["spec"]["affinity"]["nodeAffinity"], json!({}));
    }

    #[test]
    fn a_required_term_becomes_a_preference() {
        let term = json!({"topologyKey": "zone", "labelSelector": {}});
        let affinity = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
        let made = with_soft_affinity(pod(json!({"affinity": affinity})), true, 0).unwrap();
        let path = "/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/weight";
        assert_eq!(made.pointer(path), Some(&json!(100)));
        assert!(with_soft_affinity(made, true, 0).is_none());
    }
}
