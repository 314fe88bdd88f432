//! Which pods a node under pressure takes.

use super::*;
use serde_json::{Value, json};

const BOTH: [Condition; 2] = [Condition::MemoryPressure, Condition::DiskPressure];
const MEMORY: [Condition; 1] = [Condition::MemoryPressure];
const DISK: [Condition; 1] = [Condition::DiskPressure];

fn refused(conditions: &[Condition], mut spec: Value, annotations: Value) -> Option<String> {
    if spec.get("containers").is_none() {
        spec["containers"] = json!([{"name": "c"}]);
    }
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "annotations": annotations}, "spec": spec});
    let pod = Object::from_value(pod).unwrap();
    refusal(&conditions.iter().copied().collect(), &pod, false)
}

#[test]
fn a_node_short_of_memory_refuses_pods_that_ask_for_none() {
    let asks = json!([{"name": "c", "resources": {"requests": {"cpu": "1m"}}}]);
    let tolerates = |effect: &str| json!([{"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": effect}]);
    let said = |names: &str| Some(format!("The node had condition: [{names}]. "));
    let none = || json!({});
    for (conditions, spec, annotations, expected) in [
        (&[][..], json!({}), none(), None),
        (&MEMORY, json!({}), none(), said("MemoryPressure")),
        (&MEMORY, json!({"containers": asks}), none(), None),
        (&MEMORY, json!({"tolerations": tolerates("NoSchedule")}), none(), None),
        (&MEMORY, json!({"tolerations": tolerates("NoExecute")}), none(), said("MemoryPressure")),
        (&MEMORY, json!({"priority": 2_000_000_000}), none(), None),
        (&MEMORY, json!({"priority": 1_999_999_999}), none(), said("MemoryPressure")),
        (&MEMORY, json!({}), json!({"kubernetes.io/config.mirror": "x"}), None),
        (&DISK, json!({"containers": asks}), none(), said("DiskPressure")),
        (&DISK, json!({"priority": 2_000_001_000}), none(), None),
        (&BOTH, json!({"tolerations": tolerates("NoSchedule")}), none(), said("MemoryPressure DiskPressure")),
    ] {
        assert_eq!(refused(conditions, spec.clone(), annotations), expected, "{conditions:?} {spec}");
    }
}
