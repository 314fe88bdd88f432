//! Defaults of groups on whose kinds nothing acts.
//!
//! Source: pkg/apis/{admissionregistration,flowcontrol,resource,certificates}/v1/defaults.go,
//! k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/defaults.go (v1.37).

use crate::schema::tree::{set, set_empty, set_nil, text};
use serde_json::{Value, json};

pub(super) fn set_defaults(name: (&str, &str), value: &mut Value) {
    match name {
        ("admissionregistration/v1", "ValidatingWebhook" | "MutatingWebhook") => webhook(name.1, value),
        ("admissionregistration/v1", "ValidatingAdmissionPolicySpec" | "MutatingAdmissionPolicySpec") => {
            set_nil(value, "failurePolicy", "Fail");
        }
        ("admissionregistration/v1", "MatchResources") => {
            set_nil(value, "matchPolicy", "Equivalent");
            set_nil(value, "namespaceSelector", json!({}));
            set_nil(value, "objectSelector", json!({}));
        }
        ("admissionregistration/v1", "Rule" | "RuleWithOperations" | "NamedRuleWithOperations") => {
            set_nil(value, "scope", "*");
        }
        ("admissionregistration/v1", "ServiceReference") | ("apiregistration/v1", "ServiceReference") => {
            set_nil(value, "port", 443);
        }
        ("flowcontrol/v1", "FlowSchemaSpec") if is_zero(value, "matchingPrecedence") => {
            set(value, "matchingPrecedence", 1000);
        }
        ("flowcontrol/v1", "LimitedPriorityLevelConfiguration") => {
            set_nil(value, "nominalConcurrencyShares", 30);
            set_nil(value, "lendablePercent", 0);
        }
        ("flowcontrol/v1", "ExemptPriorityLevelConfiguration") => {
            set_nil(value, "nominalConcurrencyShares", 0);
            set_nil(value, "lendablePercent", 0);
        }
        ("resource/v1", "ExactDeviceRequest" | "DeviceSubRequest") => {
            set_empty(value, "allocationMode", "ExactCount");
            if text(value, "allocationMode") == "ExactCount" && is_zero(value, "count") {
                set(value, "count", 1);
            }
        }
        _ => {}
    }
}

fn is_zero(value: &Value, field: &str) -> bool {
    value.get(field).and_then(Value::as_i64).unwrap_or(0) == 0
}

fn webhook(kind: &str, value: &mut Value) {
    set_nil(value, "failurePolicy", "Fail");
    set_nil(value, "matchPolicy", "Equivalent");
    set_nil(value, "namespaceSelector", json!({}));
    set_nil(value, "objectSelector", json!({}));
    set_nil(value, "timeoutSeconds", 10);
    if kind == "MutatingWebhook" {
        set_nil(value, "reinvocationPolicy", "Never");
    }
}
