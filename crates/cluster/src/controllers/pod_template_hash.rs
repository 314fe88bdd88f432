//! The hash of a pod template, which names ReplicaSets and the revisions of DaemonSets.
//!
//! Source: pkg/controller/controller_utils.go `ComputeHash`, pkg/util/hash/hash.go (v1.37).

use podlab_api::schema::Schema;
use serde_json::Value;

/// Source: k8s.io/apimachinery/pkg/util/rand/rand.go `alphanums`: no vowels, and nothing that looks like one.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// FNV-1a's start, for 32 bits.
const FNV_OFFSET: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

/// The hash of a template, with the count of collisions that there were if there were any.
pub(super) fn compute_hash(template: &Value, collision_count: Option<i64>) -> String {
    let schema = Schema::get();
    let dump = schema
        .type_named("core/v1.PodTemplateSpec")
        .map_or_else(|| template.to_string(), |id| schema.dump_for_hash(id, template));
    let mut hash = fnv1a(FNV_OFFSET, dump.as_bytes());
    if let Some(count) = collision_count {
        let mut bytes = [0u8; 8];
        bytes[..4].copy_from_slice(&u32::try_from(count).unwrap_or(0).to_le_bytes());
        hash = fnv1a(hash, &bytes);
    }
    safe_encode(&hash.to_string())
}

fn fnv1a(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(FNV_PRIME))
}

/// FNV-1 over 32 bits, as controller revisions are hashed.
pub(super) fn fnv1(bytes: &[u8]) -> u32 {
    bytes.iter().fold(FNV_OFFSET, |hash, byte| hash.wrapping_mul(FNV_PRIME) ^ u32::from(*byte))
}

/// Writes a text in letters that make no words.
pub(super) fn safe_encode(text: &str) -> String {
    text.bytes().map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Source: recording `deploy-rollout-default` of cluster/controllers.jsonl.
    #[test]
    fn a_template_hashes_as_recorded() {
        let template = |image: &str| {
            json!({"metadata": {"labels": {"app": "web"}, "annotations": {"sim/ready-after": "0.6"}},
                "spec": {"containers": [{"name": "nginx", "image": image, "resources": {},
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                    "imagePullPolicy": "IfNotPresent"}], "restartPolicy": "Always",
                    "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "securityContext": {},
                    "schedulerName": "default-scheduler"}})
        };
        assert_eq!(compute_hash(&template("nginx:1.27"), None), "9768d76b5");
        assert_eq!(compute_hash(&template("nginx:1.28"), None), "95468dbdd");
    }
}
