//! Policies that validate with expressions, and their bindings. The expressions themselves are not compiled.
//!
//! Source: pkg/apis/admissionregistration/validation/validation.go (v1.37).

use super::content::{is_dns1035_label, is_dns1123_subdomain, is_path_segment_name, is_qualified_name};
use super::field::{BadValue, FieldError, Path};
use super::meta::{name_is_dns_subdomain, validate_label_selector};
use super::{Errors, invalid_each, required, supported};
use crate::schema::tree::{at, has, list, text};
use serde_json::Value;

const MAX_AUDIT_ANNOTATIONS: usize = 20;
const MAX_VALUE_EXPRESSION: usize = 5 * 1024;
const MAX_MATCH_CONDITIONS: usize = 64;

pub(super) fn validate_policy(errors: &mut Errors, policy: &Value) {
    let spec = at(policy, "spec");
    let path = Path::new("spec");
    if has(spec, "failurePolicy") {
        supported(errors, &path.child("failurePolicy"), text(spec, "failurePolicy"), &["Fail", "Ignore"]);
    } else {
        errors.push(FieldError::required(&path.child("failurePolicy"), ""));
    }
    if has(spec, "paramKind") {
        validate_param_kind(errors, at(spec, "paramKind"), &path.child("paramKind"));
    }
    let constraints = path.child("matchConstraints");
    if has(spec, "matchConstraints") {
        let resources = at(spec, "matchConstraints");
        validate_match_resources(errors, resources, &constraints);
        if list(resources, "resourceRules").is_empty() {
            errors.push(FieldError::required(&constraints.child("resourceRules"), ""));
        }
    } else {
        errors.push(FieldError::required(&constraints, ""));
    }
    validate_match_conditions(errors, list(spec, "matchConditions"), &path.child("matchConditions"));
    let variables = path.child("variables");
    for (i, variable) in list(spec, "variables").iter().enumerate() {
        validate_variable(errors, variable, &variables.index(i));
    }
    let (validations, annotations) = (list(spec, "validations"), list(spec, "auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        let detail = "validations or auditAnnotations must contain at least one item";
        errors.push(FieldError::required(&path.child("validations"), detail));
        errors.push(FieldError::required(&path.child("auditAnnotations"), detail));
        return;
    }
    let validations_path = path.child("validations");
    for (i, validation) in validations.iter().enumerate() {
        validate_validation(errors, validation, &validations_path.index(i));
    }
    let annotations_path = path.child("auditAnnotations");
    if annotations.len() > MAX_AUDIT_ANNOTATIONS {
        let shown: Vec<String> = annotations
            .iter()
            .map(|one| super::json_of("admissionregistration/v1.AuditAnnotation", one))
            .collect();
        errors.push(FieldError::invalid(
            &annotations_path,
            BadValue::Json(format!("[{}]", shown.join(","))),
            format!("must not have more than {MAX_AUDIT_ANNOTATIONS} auditAnnotations"),
        ));
    }
    for (i, annotation) in annotations.iter().enumerate() {
        let path = annotations_path.index(i);
        validate_audit_annotation(errors, text(policy, "metadata.name"), annotation, &path);
        let key = text(annotation, "key");
        if annotations.iter().take(i).any(|before| text(before, "key") == key) {
            errors.push(FieldError::duplicate(&path.child("key"), key));
        }
    }
}

pub(super) fn validate_binding(errors: &mut Errors, binding: &Value) {
    let spec = at(binding, "spec");
    let path = Path::new("spec");
    let policy = text(spec, "policyName");
    if required(errors, &path.child("policyName"), policy) {
        invalid_each(errors, &path.child("policyName"), policy, name_is_dns_subdomain(policy, false));
    }
    if has(spec, "paramRef") {
        validate_param_ref(errors, at(spec, "paramRef"), &path.child("paramRef"));
    }
    if has(spec, "matchResources") {
        validate_match_resources(errors, at(spec, "matchResources"), &path.child("matchResources"));
    }
    validate_actions(errors, list(spec, "validationActions"), &path.child("validationActions"));
}

fn validate_param_ref(errors: &mut Errors, reference: &Value, path: &Path) {
    const EXCLUSIVE: &str = "name and selector are mutually exclusive";
    let (name, selects) = (text(reference, "name"), has(reference, "selector"));
    if !name.is_empty() {
        invalid_each(errors, &path.child("name"), name, is_path_segment_name(name));
        if selects {
            errors.push(FieldError::forbidden(&path.child("name"), EXCLUSIVE));
        }
    }
    if selects {
        let path = path.child("selector");
        validate_label_selector(errors, at(reference, "selector"), &path);
        if !name.is_empty() {
            errors.push(FieldError::forbidden(&path, EXCLUSIVE));
        }
    }
    if name.is_empty() && !selects {
        errors.push(FieldError::required(path, "one of name or selector must be specified"));
    }
    let action = text(reference, "parameterNotFoundAction");
    let path = path.child("parameterNotFoundAction");
    if required(errors, &path, action) {
        supported(errors, &path, action, &["Deny", "Allow"]);
    }
}

fn validate_actions(errors: &mut Errors, actions: &[Value], path: &Path) {
    let texts: Vec<&str> = actions.iter().filter_map(Value::as_str).collect();
    for (i, action) in texts.iter().enumerate() {
        supported(errors, &path.index(i), action, &["Audit", "Deny", "Warn"]);
        if texts.iter().take(i).any(|before| before == action) {
            errors.push(FieldError::duplicate(&path.index(i), *action));
        }
    }
    if texts.contains(&"Deny") && texts.contains(&"Warn") {
        let detail = "must not contain both Deny and Warn (repeating the same validation failure information in the API \
                      response and headers serves no purpose)";
        errors.push(FieldError::invalid(path, BadValue::Value(Value::Array(actions.to_vec())), detail));
    }
    if texts.is_empty() {
        errors.push(FieldError::required(path, "at least one validation action is required"));
    }
}

fn validate_param_kind(errors: &mut Errors, kind: &Value, path: &Path) {
    let version = text(kind, "apiVersion");
    let version_path = path.child("apiVersion");
    if required(errors, &version_path, version) {
        match version.matches('/').count() {
            0 | 1 => {
                let (group, name) = match version {
                    "/" => ("", ""),
                    version => version.split_once('/').unwrap_or(("", version)),
                };
                if !group.is_empty() {
                    joined(errors, &version_path, group, &is_dns1123_subdomain(group));
                }
                if name.is_empty() {
                    errors.push(FieldError::invalid(&version_path, version, "version must be specified"));
                } else {
                    joined(errors, &version_path, name, &is_dns1035_label(name));
                }
            }
            _ => {
                let detail = format!("unexpected GroupVersion string: {version}");
                errors.push(FieldError::invalid(&version_path, version, detail));
            }
        }
    }
    let name = text(kind, "kind");
    if required(errors, &path.child("kind"), name) {
        let messages = is_dns1035_label(&name.to_lowercase());
        if !messages.is_empty() {
            let detail = format!("may have mixed case, but should otherwise match: {}", messages.join(","));
            errors.push(FieldError::invalid(&path.child("kind"), name, detail));
        }
    }
}

fn joined(errors: &mut Errors, path: &Path, value: &str, messages: &[String]) {
    if !messages.is_empty() {
        errors.push(FieldError::invalid(path, value, messages.join(",")));
    }
}

fn validate_match_resources(errors: &mut Errors, resources: &Value, path: &Path) {
    if has(resources, "matchPolicy") {
        let policy = text(resources, "matchPolicy");
        supported(errors, &path.child("matchPolicy"), policy, &["Equivalent", "Exact"]);
    } else {
        errors.push(FieldError::required(&path.child("matchPolicy"), ""));
    }
    for selector in ["namespaceSelector", "objectSelector"] {
        if has(resources, selector) {
            validate_label_selector(errors, at(resources, selector), &path.child(selector));
        } else {
            errors.push(FieldError::required(&path.child(selector), ""));
        }
    }
    for rules in ["resourceRules", "excludeResourceRules"] {
        let path = path.child(rules);
        for (i, rule) in list(resources, rules).iter().enumerate() {
            validate_named_rule(errors, rule, &path.index(i));
        }
    }
}

fn texts<'a>(value: &'a Value, field: &str) -> Vec<&'a str> {
    list(value, field).iter().filter_map(Value::as_str).collect()
}

fn validate_named_rule(errors: &mut Errors, rule: &Value, path: &Path) {
    let names = texts(rule, "resourceNames");
    let names_path = path.child("resourceNames");
    for (i, name) in names.iter().enumerate() {
        invalid_each(errors, &names_path.index(i), name, is_path_segment_name(name));
        if names.iter().take(i).any(|before| before == name) {
            errors.push(FieldError::duplicate(&names_path.index(i), *name));
        }
    }
    let shown = |field: &str| BadValue::Value(at(rule, field).clone());
    let lonely_star = |errors: &mut Errors, field: &str, what: &str| {
        let all = texts(rule, field);
        if all.is_empty() {
            errors.push(FieldError::required(&path.child(field), ""));
        }
        if all.len() > 1 && all.contains(&"*") {
            let detail = format!("if '*' is present, must not specify other {what}");
            errors.push(FieldError::invalid(&path.child(field), shown(field), detail));
        }
    };
    lonely_star(errors, "operations", "operations");
    let operations = path.child("operations");
    for (i, operation) in texts(rule, "operations").into_iter().enumerate() {
        let known = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
        supported(errors, &operations.index(i), operation, &known);
    }
    lonely_star(errors, "apiGroups", "API groups");
    lonely_star(errors, "apiVersions", "API versions");
    let versions = path.child("apiVersions");
    for (i, version) in texts(rule, "apiVersions").into_iter().enumerate() {
        required(errors, &versions.index(i), version);
    }
    validate_resources(errors, rule, &path.child("resources"));
    if has(rule, "scope") {
        supported(errors, &path.child("scope"), text(rule, "scope"), &["*", "Cluster", "Namespaced"]);
    }
}

fn validate_resources(errors: &mut Errors, rule: &Value, path: &Path) {
    let resources = texts(rule, "resources");
    if resources.is_empty() {
        errors.push(FieldError::required(path, ""));
    }
    // What `x/*` and `*/x` have named so far.
    let (mut all_of, mut everywhere) = (Vec::new(), Vec::new());
    let mut plain = false;
    for (i, resource) in resources.iter().enumerate() {
        if !required(errors, &path.index(i), resource) {
            continue;
        }
        let Some((main, sub)) = resource.split_once('/') else {
            plain = *resource != "*";
            continue;
        };
        if all_of.contains(&main) {
            let detail = format!("if '{main}/*' is present, must not specify {resource}");
            errors.push(FieldError::invalid(&path.index(i), *resource, detail));
        }
        if everywhere.contains(&sub) {
            let detail = format!("if '*/{sub}' is present, must not specify {resource}");
            errors.push(FieldError::invalid(&path.index(i), *resource, detail));
        }
        if sub == "*" {
            all_of.push(main);
        }
        if main == "*" {
            everywhere.push(sub);
        }
    }
    let shown = || BadValue::Value(at(rule, "resources").clone());
    if resources.len() > 1 && resources.contains(&"*/*") {
        let detail = "if '*/*' is present, must not specify other resources";
        errors.push(FieldError::invalid(path, shown(), detail));
    }
    if plain && resources.contains(&"*") {
        let detail = "if '*' is present, must not specify other resources without subresources";
        errors.push(FieldError::invalid(path, shown(), detail));
    }
}

fn validate_match_conditions(errors: &mut Errors, conditions: &[Value], path: &Path) {
    if conditions.len() > MAX_MATCH_CONDITIONS {
        errors.push(FieldError::too_many(path, conditions.len(), MAX_MATCH_CONDITIONS));
    }
    for (i, condition) in conditions.iter().enumerate() {
        let path = path.index(i);
        required(errors, &path.child("expression"), text(condition, "expression").trim());
        let name = text(condition, "name");
        if required(errors, &path.child("name"), name) {
            invalid_each(errors, &path.child("name"), name, is_qualified_name(name));
            if conditions.iter().take(i).any(|before| text(before, "name") == name) {
                errors.push(FieldError::duplicate(&path.child("name"), name));
            }
        }
    }
}

fn validate_variable(errors: &mut Errors, variable: &Value, path: &Path) {
    let name = text(variable, "name");
    if name.trim().is_empty() {
        errors.push(FieldError::required(&path.child("name"), "name is not specified"));
    } else if !is_cel_identifier(name) {
        errors.push(FieldError::invalid(&path.child("name"), name, "must be a valid CEL identifier"));
    }
    if text(variable, "expression").trim().is_empty() {
        errors.push(FieldError::required(&path.child("expression"), "expression is not specified"));
    }
}

fn is_cel_identifier(name: &str) -> bool {
    const RESERVED: [&str; 20] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
    ];
    let letters = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    letters && !RESERVED.contains(&name) && name != "while"
}

fn validate_validation(errors: &mut Errors, validation: &Value, path: &Path) {
    const BLANK: &str = "must be non-empty if specified";
    if text(validation, "expression").trim().is_empty() {
        errors.push(FieldError::required(&path.child("expression"), "expression is not specified"));
    }
    let is_blank = |text: &str| !text.is_empty() && text.trim().is_empty();
    let expression = text(validation, "messageExpression");
    if is_blank(expression) {
        errors.push(FieldError::invalid(&path.child("messageExpression"), expression, BLANK));
    }
    let message = text(validation, "message");
    if is_blank(message) {
        errors.push(FieldError::invalid(&path.child("message"), message, BLANK));
    } else if message.trim().contains(['\n', '\r']) {
        errors.push(FieldError::invalid(&path.child("message"), message, "must not contain line breaks"));
    }
    if has(validation, "reason") {
        let reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
        supported(errors, &path.child("reason"), text(validation, "reason"), &reasons);
    }
}

fn validate_audit_annotation(errors: &mut Errors, policy: &str, annotation: &Value, path: &Path) {
    let key = text(annotation, "key");
    if policy.is_empty() {
        errors.push(FieldError::invalid(&path.child("key"), key, "requires metadata.name be non-empty"));
    } else {
        let whole = format!("{policy}/{key}");
        invalid_each(errors, &path.child("key"), &whole, is_qualified_name(&whole));
    }
    let expression = text(annotation, "valueExpression").trim();
    let path = path.child("valueExpression");
    if expression.is_empty() {
        errors.push(FieldError::required(&path, "valueExpression is not specified"));
    } else if expression.len() > MAX_VALUE_EXPRESSION {
        let detail = format!("must not exceed {MAX_VALUE_EXPRESSION} bytes in length");
        errors.push(FieldError::required(&path, detail));
    }
}

#[cfg(test)]
mod tests {
    use crate::validation::validate_create;
    use serde_json::json;

    fn told(kind: &str, spec: &serde_json::Value) -> Vec<String> {
        let mut object = json!({"metadata": {"name": "a"}, "spec": spec});
        crate::defaults::apply("admissionregistration.k8s.io/v1", kind, &mut object);
        let errors = validate_create("admissionregistration.k8s.io/v1", kind, &object);
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_policy_needs_resources_and_something_to_say() {
        assert_eq!(
            told("ValidatingAdmissionPolicy", &json!({})),
            [
                "spec.matchConstraints: Required value",
                "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
                "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
            ]
        );
        let rule = json!({"apiGroups": ["apps", "*"], "apiVersions": ["v1"], "operations": ["CREATE", "MAKE"],
            "resources": ["pods/*", "pods/status"]});
        let spec = json!({"matchConstraints": {"resourceRules": [rule]}, "variables": [{"name": "if", "expression": "1"}],
            "validations": [{"expression": "true", "reason": "Odd", "message": "a\nb"}]});
        assert_eq!(
            told("ValidatingAdmissionPolicy", &spec),
            [
                r#"spec.matchConstraints.resourceRules[0].operations[1]: Unsupported value: "MAKE": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE""#,
                r#"spec.matchConstraints.resourceRules[0].apiGroups: Invalid value: ["apps","*"]: if '*' is present, must not specify other API groups"#,
                r#"spec.matchConstraints.resourceRules[0].resources[1]: Invalid value: "pods/status": if 'pods/*' is present, must not specify pods/status"#,
                r#"spec.variables[0].name: Invalid value: "if": must be a valid CEL identifier"#,
                r#"spec.validations[0].message: Invalid value: "a\nb": must not contain line breaks"#,
                r#"spec.validations[0].reason: Unsupported value: "Odd": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge""#,
            ]
        );
    }

    #[test]
    fn a_binding_says_what_to_do_without_parameters() {
        let spec = json!({"policyName": "a", "validationActions": ["Deny", "Warn"], "paramRef": {}});
        assert_eq!(
            told("ValidatingAdmissionPolicyBinding", &spec),
            [
                "spec.paramRef: Required value: one of name or selector must be specified",
                "spec.paramRef.parameterNotFoundAction: Required value",
                r#"spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)"#,
            ]
        );
    }
}
