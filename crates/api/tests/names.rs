//! Rules for names against Kubernetes' own test tables.

use podlab_api::validation::content;
use serde_json::Value;
use std::path::PathBuf;

fn table(name: &str) -> Option<Value> {
    let root = std::env::var_os("PODLAB_TRUTH")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/truth"));
    let text = std::fs::read_to_string(root.join("tables").join(name)).ok();
    if text.is_none() {
        println!("skipped: no {name}");
    }
    serde_json::from_str(&text?).ok()
}

fn check(name: &str, rule: fn(&str) -> Vec<String>) {
    let Some(table) = table("names_and_labels.json") else { return };
    for (suffixes, good) in [
        (["goodValues", "successCases"].as_slice(), true),
        (["badValues", "errorCases", "failureCases"].as_slice(), false),
    ] {
        let mut seen = 0;
        for suffix in suffixes {
            let rows = table["tables"][format!("{name}.{suffix}")].as_array().cloned().unwrap_or_default();
            for value in rows.iter().filter_map(Value::as_str).filter(|v| !v.starts_with("$go:")) {
                seen += 1;
                assert_eq!(rule(value).is_empty(), good, "{name} {value:?}: {:?}", rule(value));
            }
        }
        assert!(seen > 0, "{name} has no rows");
    }
}

#[test]
fn labels_and_subdomains_are_told_apart_as_in_kubernetes() {
    check("validation.TestIsDNS1123Label", content::is_dns1123_label);
    check("validation.TestIsDNS1123Subdomain", content::is_dns1123_subdomain);
    check("validation.TestIsDNS1035Label", content::is_dns1035_label);
    check("validation.TestIsWildcardDNS1123Subdomain", content::is_wildcard_dns1123_subdomain);
}

#[test]
fn label_keys_and_values_follow_the_tables() {
    check("validation.TestIsQualifiedName", content::is_qualified_name);
    check("validation.TestIsValidLabelValue", content::is_valid_label_value);
}

#[test]
fn names_of_ports_headers_keys_and_variables_follow_the_tables() {
    check("validation.TestIsValidPortName", content::is_valid_port_name);
    check("validation.TestIsHTTPHeaderName", content::is_http_header_name);
    check("validation.TestIsValidPercent", content::is_valid_percent);
    check("validation.TestIsConfigMapKey", content::is_config_map_key);
    check("validation.TestIsRelaxedEnvVarName", content::is_relaxed_env_var_name);
    check("content.TestIsCIdentifier", content::is_c_identifier);
}

#[test]
fn owner_references_are_refused_as_in_kubernetes() {
    let Some(tables) = table("object_meta_validation.json") else { return };
    let cases = tables["tables"]["TestValidateObjectMetaOwnerReferences"].as_array().cloned();
    let cases = cases.unwrap_or_default();
    assert!(!cases.is_empty());
    for case in &cases {
        let metadata = serde_json::json!({
            "name": "test", "namespace": "test", "ownerReferences": case["ownerReferences"],
        });
        let object = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
        let errors = podlab_api::validation::validate_create("v1", "ConfigMap", &object);
        let wrong = case["expectError"].as_bool().unwrap_or(false);
        assert_eq!(wrong, !errors.is_empty(), "{}: {errors:?}", case["description"]);
        let message = case["expectedErrorMessage"].as_str().unwrap_or("");
        for error in &errors {
            assert!(error.to_string().contains(message), "{}: {error}", case["description"]);
        }
    }
}
