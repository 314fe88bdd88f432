//! Budgets, priorities, autoscalers, roles and bindings.

use super::{Out, selector, time};
use crate::value::{at, int, list, name, namespace, plain, text};
use serde_json::Value;

pub(super) fn budget(out: &mut Out, object: &Value) {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", namespace(object)));
    if !at(spec, &["minAvailable"]).is_null() {
        out.line(0, format!("Min available:\t{}", plain(at(spec, &["minAvailable"]))));
    } else if !at(spec, &["maxUnavailable"]).is_null() {
        out.line(0, format!("Max unavailable:\t{}", plain(at(spec, &["maxUnavailable"]))));
    }
    if at(spec, &["selector"]).is_object() {
        out.line(0, format!("Selector:\t{}", selector(at(spec, &["selector"]))));
    } else {
        out.line(0, "Selector:\t<unset>");
    }
    out.line(0, "Status:");
    for (title, field) in [
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ] {
        out.line(2, format!("{title}:\t{}", int(status, &[field])));
    }
}

pub(super) fn priority_class(out: &mut Out, object: &Value) {
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Value:\t{}", int(object, &["value"])));
    out.line(0, format!("GlobalDefault:\t{}", at(object, &["globalDefault"]).as_bool().unwrap_or(false)));
    out.line(0, format!("PreemptionPolicy:\t{}", text(object, &["preemptionPolicy"])));
    out.line(0, format!("Description:\t{}", text(object, &["description"])));
    out.line(0, format!("Annotations:\t{}", super::pairs(at(object, &["metadata", "annotations"]))));
}

pub(super) fn autoscaler(out: &mut Out, object: &Value) {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    out.head(object);
    out.line(0, format!("CreationTimestamp:\t{}", time(text(object, &["metadata", "creationTimestamp"]))));
    let target = at(spec, &["scaleTargetRef"]);
    out.line(0, format!("Reference:\t{}/{}", text(target, &["kind"]), text(target, &["name"])));
    out.line(0, "Metrics:\t( current / target )");
    for (i, metric) in list(spec, &["metrics"]).iter().enumerate() {
        let now = list(status, &["currentMetrics"]).get(i).unwrap_or(&Value::Null);
        let current = |source: &str, field: &str| {
            let shown = plain(at(now, &[source, "current", field]));
            super::or(&shown, "<unknown>").to_owned()
        };
        match text(metric, &["type"]) {
            "Resource" => {
                let own = text(metric, &["resource", "name"]);
                let goal = at(metric, &["resource", "target"]);
                let average = plain(at(goal, &["averageValue"]));
                if average.is_empty() {
                    let percent = at(now, &["resource", "current", "averageUtilization"]).as_i64();
                    let shown = match percent {
                        Some(p) => format!("{p}% ({})", current("resource", "averageValue")),
                        None => "<unknown>".to_owned(),
                    };
                    let wanted = match at(goal, &["averageUtilization"]).as_i64() {
                        Some(p) => format!("{p}%"),
                        None => "<auto>".to_owned(),
                    };
                    out.line(
                        1,
                        format!("resource {own} on pods  (as a percentage of request):\t{shown} / {wanted}"),
                    );
                } else {
                    out.line(
                        1,
                        format!(
                            "resource {own} on pods:\t{} / {average}",
                            current("resource", "averageValue")
                        ),
                    );
                }
            }
            "Pods" => out.line(
                1,
                format!(
                    "{:?} on pods:\t{} / {}",
                    text(metric, &["pods", "metric", "name"]),
                    current("pods", "averageValue"),
                    plain(at(metric, &["pods", "target", "averageValue"]))
                ),
            ),
            "Object" => {
                let on = at(metric, &["object", "describedObject"]);
                let average = plain(at(metric, &["object", "target", "averageValue"]));
                let field = if average.is_empty() { "value" } else { "averageValue" };
                let kind = if average.is_empty() { "target value" } else { "target average value" };
                out.line(
                    1,
                    format!(
                        "{:?} on {}/{} ({kind}):\t{} / {}",
                        text(metric, &["object", "metric", "name"]),
                        text(on, &["kind"]),
                        text(on, &["name"]),
                        current("object", field),
                        plain(at(metric, &["object", "target", field]))
                    ),
                );
            }
            _ => out.line(1, "<unknown metric type>"),
        }
    }
    let min = plain(at(spec, &["minReplicas"]));
    out.line(0, format!("Min replicas:\t{}", super::or(&min, "<unset>")));
    out.line(0, format!("Max replicas:\t{}", int(spec, &["maxReplicas"])));
    out.line(
        0,
        format!(
            "{} pods:\t{} current / {} desired",
            text(target, &["kind"]),
            int(status, &["currentReplicas"]),
            int(status, &["desiredReplicas"])
        ),
    );
    let conditions = list(status, &["conditions"]);
    if !conditions.is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus\tReason\tMessage");
        out.line(1, "----\t------\t------\t-------");
        for c in conditions {
            out.line(
                1,
                format!(
                    "{}\t{}\t{}\t{}",
                    text(c, &["type"]),
                    text(c, &["status"]),
                    text(c, &["reason"]),
                    text(c, &["message"])
                ),
            );
        }
    }
}

pub(super) fn role(out: &mut Out, object: &Value) {
    out.line(0, format!("Name:\t{}", name(object)));
    out.marks(object);
    out.line(0, "PolicyRule:");
    out.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    out.line(1, "---------\t-----------------\t--------------\t-----");
    for row in crate::policy_rules::rows(list(object, &["rules"])) {
        out.line(1, row);
    }
}

pub(super) fn binding(out: &mut Out, object: &Value) {
    out.line(0, format!("Name:\t{}", name(object)));
    out.marks(object);
    out.line(0, "Role:");
    out.line(1, format!("Kind:\t{}", text(object, &["roleRef", "kind"])));
    out.line(1, format!("Name:\t{}", text(object, &["roleRef", "name"])));
    out.line(0, "Subjects:");
    out.line(1, "Kind\tName\tNamespace");
    out.line(1, "----\t----\t---------");
    for s in list(object, &["subjects"]) {
        out.line(1, format!("{}\t{}\t{}", text(s, &["kind"]), text(s, &["name"]), text(s, &["namespace"])));
    }
}
