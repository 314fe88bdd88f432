//! PodSecurity against what a real API server said of random pods (`data/pod_security.jsonl`, recorded).

use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn pods_are_judged_as_recorded() {
    let mut differences = Vec::new();
    for line in include_str!("data/pod_security.jsonl").lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let mut cluster = Cluster::new(Settings { profile: Profile::Controllers, ..Settings::default() });
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "psa", "labels": record["labels"]}});
        cluster.request(Request::create(&kinds::NAMESPACE, "", namespace)).into_object().unwrap();
        cluster.run_until(cluster.sim_now() + Duration::from_secs(2), || true);
        let answer = cluster.request(Request::create(&kinds::POD, "psa", record["pod"].clone()));
        let warnings = json!(answer.warnings);
        let message = answer.into_object().err().map(|status| status.message).unwrap_or_default();
        if message != record["message"] || warnings != record["warnings"] {
            differences.push(format!(
                "{}\n  got  {message} {warnings}\n  want {} {}",
                record["pod"], record["message"], record["warnings"]
            ));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
