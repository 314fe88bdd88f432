//! How a workload replaces its pods, worked out in pods.

use super::workload::{Counts, workload};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use podlab_api::Object;
use podlab_api::int_or_string::{Rounding, parse, scaled_value};
use serde_json::Value;

/// How pods are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Little by little.
    Rolling {
        /// How many pods are asked for.
        desired: i64,
        /// How many there may be above that.
        surge: i64,
        /// How many of them may be missing.
        unavailable: i64,
    },
    /// All old ones go before the first new one comes.
    Recreate,
    /// Each as it is deleted by somebody.
    OnDelete,
    /// One after the other from the highest number down to this one; those below keep their template.
    Ordinals {
        /// The lowest that is replaced.
        partition: i64,
        /// How many pods are asked for.
        desired: i64,
        /// How many may be missing at once.
        unavailable: i64,
    },
}

fn amount(value: Option<&Value>, usual: IntOrString, of: i64, rounding: Rounding) -> i64 {
    let value = match value {
        Some(Value::String(text)) => parse(text),
        Some(number) => number.as_i64().and_then(|n| i32::try_from(n).ok()).map_or(usual, IntOrString::Int),
        None => usual,
    };
    scaled_value(&value, of, rounding).unwrap_or(0)
}

/// How a workload replaces its pods; `None` for kinds that don't.
///
/// Source: pkg/controller/deployment/util/deployment_util.go `ResolveFenceposts`, pkg/controller/daemon/util
/// `UnavailableCount`, `SurgeCount` (v1.37): of a Deployment what may be missing is rounded down and what may be above is rounded
/// up, and where both are nothing, one may be missing.
pub fn strategy(object: &Object) -> Option<Strategy> {
    let Counts::Replicas { desired, .. } = workload(object).counts else { return None };
    let spec = object.field("spec")?;
    let is_deployment = object.kind.kind == "Deployment";
    let strategy = match object.kind.kind {
        "Deployment" => spec.get("strategy"),
        "StatefulSet" | "DaemonSet" => spec.get("updateStrategy"),
        _ => return None,
    };
    let name = strategy.and_then(|s| s.get("type")).and_then(Value::as_str).unwrap_or("RollingUpdate");
    let rolling = strategy.and_then(|s| s.get("rollingUpdate"));
    let setting = |name: &str| rolling.and_then(|r| r.get(name));
    Some(match (name, object.kind.kind) {
        ("Recreate", _) => Strategy::Recreate,
        ("OnDelete", _) => Strategy::OnDelete,
        (_, "StatefulSet") => Strategy::Ordinals {
            partition: setting("partition").and_then(Value::as_i64).unwrap_or(0),
            desired,
            unavailable: amount(setting("maxUnavailable"), IntOrString::Int(1), desired, Rounding::Down)
                .max(1),
        },
        _ => {
            let (usual, rounding) = if is_deployment {
                (parse("25%"), Rounding::Down)
            } else {
                (IntOrString::Int(1), Rounding::Up)
            };
            let usual_surge = if is_deployment { parse("25%") } else { IntOrString::Int(0) };
            let surge = amount(setting("maxSurge"), usual_surge, desired, Rounding::Up);
            let unavailable = amount(setting("maxUnavailable"), usual, desired, rounding);
            let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
            Strategy::Rolling { desired, surge, unavailable: unavailable.min(desired.max(0)) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Strategy, strategy};
    use podlab_api::Object;
    use serde_json::json;

    fn of(kind: &str, replicas: i64, settings: serde_json::Value) -> Option<Strategy> {
        let field = if kind == "Deployment" { "strategy" } else { "updateStrategy" };
        let object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"},
            "spec": {"replicas": replicas, field: settings}, "status": {"desiredNumberScheduled": replicas}});
        strategy(&Object::from_value(object).unwrap())
    }

    #[test]
    fn percentages_become_pods() {
        let rolling = |desired, surge, unavailable| Some(Strategy::Rolling { desired, surge, unavailable });
        let quarter =
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
        assert_eq!(of("Deployment", 4, quarter.clone()), rolling(4, 1, 1));
        assert_eq!(of("Deployment", 3, quarter.clone()), rolling(3, 1, 0));
        assert_eq!(of("Deployment", 10, quarter), rolling(10, 3, 2));
        let none = json!({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "5%"}});
        assert_eq!(of("Deployment", 4, none), rolling(4, 0, 1));
        assert_eq!(of("Deployment", 4, json!({"type": "Recreate"})), Some(Strategy::Recreate));
        assert_eq!(of("DaemonSet", 3, json!({"rollingUpdate": {"maxUnavailable": "50%"}})), rolling(3, 0, 2));
        assert_eq!(of("DaemonSet", 3, json!({"type": "OnDelete"})), Some(Strategy::OnDelete));
        let ordinals = json!({"rollingUpdate": {"partition": 2}});
        let expected = Strategy::Ordinals { partition: 2, desired: 5, unavailable: 1 };
        assert_eq!(of("StatefulSet", 5, ordinals), Some(expected));
        assert_eq!(of("ReplicaSet", 5, json!({})), None);
    }
}
