//! Resource names and quantities, requests and limits.
//!
//! Source: pkg/apis/core/validation/validation.go validateResourceRequirements and around it;
//! pkg/apis/core/helper/helpers.go (v1.37).

use super::content::is_qualified_name;
use super::field::{FieldError, Path};
use super::{Errors, invalid_each};
use crate::quantity::Quantity;
use crate::schema::tree::{list, map, text};
use serde_json::Value;

/// A quantity of a decoded tree; zero where it is none.
pub(crate) fn quantity(value: &Value) -> Quantity {
    value
        .as_str()
        .and_then(|s| Quantity::parse(s).ok())
        .unwrap_or_else(|| Quantity::new(0, crate::quantity::Format::DecimalSi))
}

pub(crate) fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Whether a resource is Kubernetes' own: `cpu`, or in a domain under `kubernetes.io`.
///
/// Source: pkg/apis/core/v1/helper/helpers.go `IsNativeResource` (v1.37).
pub fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

pub(crate) fn is_overcommit_allowed(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// Whether a resource is one that devices bring, as `example.com/gpu`.
///
/// Source: pkg/apis/core/v1/helper/helpers.go `IsExtendedResourceName` (v1.37).
pub fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && is_qualified_name(&format!("requests.{name}")).is_empty()
}

const INTEGER: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

const STANDARD: [&str; 11] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "storage",
    "requests.storage",
];

pub(crate) fn is_integer_resource(name: &str) -> bool {
    INTEGER.contains(&name) || is_extended(name)
}

pub(crate) fn is_standard(name: &str) -> bool {
    INTEGER.contains(&name)
        || STANDARD.contains(&name)
        || is_huge_page(name)
        || name.starts_with("requests.hugepages-")
}

pub(crate) fn is_standard_quota(name: &str) -> bool {
    INTEGER.contains(&name)
        || STANDARD.contains(&name) && name != "storage"
        || is_huge_page(name)
        || name.starts_with("requests.hugepages-")
}

/// A name of some resource.
pub(crate) fn validate_resource_name(errors: &mut Errors, name: &str, path: &Path) -> bool {
    let before = errors.len();
    invalid_each(errors, path, name, is_qualified_name(name));
    if errors.len() == before && !name.contains('/') && !is_standard(name) {
        let detail = "must be a standard resource type or fully qualified";
        errors.push(FieldError::invalid(path, name, detail));
    }
    errors.len() == before
}

pub(crate) fn validate_container_resource_name(errors: &mut Errors, name: &str, path: &Path) {
    validate_resource_name(errors, name, path);
    if !name.contains('/') {
        if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !is_huge_page(name) {
            errors.push(FieldError::invalid(path, name, "must be a standard resource for containers"));
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.push(FieldError::invalid(path, name, "doesn't follow extended resource name standard"));
    }
}

fn validate_pod_resource_name(errors: &mut Errors, name: &str, path: &Path) {
    if validate_resource_name(errors, name, path) && !matches!(name, "cpu" | "memory") && !is_huge_page(name)
    {
        errors.push(FieldError::not_supported(path, name, &["cpu", "hugepages-", "memory"]));
    }
}

/// Not negative, and whole where the resource is counted.
pub(crate) fn validate_quantity_value(errors: &mut Errors, name: &str, value: &Value, path: &Path) {
    let quantity = quantity(value);
    non_negative_quantity(errors, &quantity, path);
    if is_integer_resource(name) && quantity.milli_value() % 1000 != 0 {
        errors.push(FieldError::invalid(path, quantity.to_string(), "must be an integer"));
    }
}

pub(crate) fn non_negative_quantity(errors: &mut Errors, quantity: &Quantity, path: &Path) {
    if quantity.signum() < 0 {
        errors.push(FieldError::invalid(path, quantity.to_string(), "must be greater than or equal to 0"));
    }
}

/// Requests and limits of a container, or of a whole pod.
pub(crate) fn validate_requirements(
    errors: &mut Errors,
    requirements: &Value,
    of_pod: bool,
    claim_names: &[&str],
    path: &Path,
) {
    let limits = map(requirements, "limits");
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let (mut compute, mut huge) = (false, false);
    let mut common = |errors: &mut Errors, name: &str, value: &Value, path: &Path| {
        if of_pod {
            validate_pod_resource_name(errors, name, path);
        } else {
            validate_container_resource_name(errors, name, path);
        }
        validate_quantity_value(errors, name, value, path);
        compute |= matches!(name, "cpu" | "memory");
        huge |= is_huge_page(name);
    };
    for (name, value) in limits {
        let path = limits_path.key(name);
        common(errors, name, value, &path);
        validate_huge_page_value(errors, name, value, &path);
    }
    for (name, value) in map(requirements, "requests") {
        let path = requests_path.key(name);
        common(errors, name, value, &path);
        let request = quantity(value);
        if let Some(limit) = limits.get(name).map(quantity) {
            let detail = |rule: &str| format!("must be {rule} {name} limit of {limit}");
            if request != limit && !is_overcommit_allowed(name) {
                errors.push(FieldError::invalid(&requests_path, request.to_string(), detail("equal to")));
            } else if request > limit {
                errors.push(FieldError::invalid(
                    &requests_path,
                    request.to_string(),
                    detail("less than or equal to"),
                ));
            }
        } else if !is_overcommit_allowed(name) {
            let detail = "Limit must be set for non overcommitable resources";
            errors.push(FieldError::required(&limits_path, detail));
        }
        validate_huge_page_value(errors, name, value, &path);
    }
    if huge && !compute {
        errors.push(FieldError::forbidden(path, "HugePages require cpu or memory"));
    }
    validate_claims(errors, list(requirements, "claims"), claim_names, &path.child("claims"));
}

fn validate_huge_page_value(errors: &mut Errors, name: &str, value: &Value, path: &Path) {
    let Some(page) = name.strip_prefix("hugepages-").and_then(|size| Quantity::parse(size).ok()) else {
        return;
    };
    let (size, value) = (page.value(), quantity(value));
    if size != 0 && value.value() % size != 0 || value.signum() < 0 {
        errors.push(FieldError::invalid(
            path,
            value.to_string(),
            format!("{value} is not positive integer multiple of {name}"),
        ));
    }
}

fn validate_claims(errors: &mut Errors, claims: &[Value], pod_claims: &[&str], path: &Path) {
    let mut names: Vec<String> = Vec::new();
    for (i, claim) in claims.iter().enumerate() {
        let path = path.index(i);
        let name = text(claim, "name");
        if name.is_empty() {
            errors.push(FieldError::required(&path, ""));
            continue;
        }
        if names.iter().any(|n| n == name) {
            errors.push(FieldError::duplicate(&path, name));
        } else {
            let request = text(claim, "request");
            let mut key = name.to_owned();
            if !request.is_empty() {
                invalid_each(
                    errors,
                    &path.child("request"),
                    request,
                    super::content::is_dns1123_label(request),
                );
                key = format!("{name}/{request}");
            }
            if names.contains(&key) {
                errors.push(FieldError::duplicate(&path, key.as_str()));
            } else if request.is_empty() {
                for _ in names.iter().filter(|k| k.split_once('/').is_some_and(|(n, _)| n == name)) {
                    errors.push(FieldError::duplicate(&path, name));
                }
            }
            names.push(key);
        }
        if !pod_claims.contains(&name) {
            let mut error = FieldError::not_found(&path, name);
            error.detail = "must be one of the names in pod.spec.resourceClaims".to_owned();
            if pod_claims.is_empty() {
                error.detail.push_str(" which is empty");
            } else {
                let mut sorted = pod_claims.to_vec();
                sorted.sort_unstable();
                error.detail.push_str(": ");
                error.detail.push_str(&sorted.join(", "));
            }
            errors.push(error);
        }
    }
}
