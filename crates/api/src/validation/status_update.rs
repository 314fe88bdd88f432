//! What may be written into a status through its subresource.
//!
//! Source: the `Validate…StatusUpdate` functions of pkg/apis/*/validation/validation.go (v1.37).

use super::field::{BadValue, FieldError, Path};
use super::meta::{self, non_negative};
use super::warnings::ip_warning;
use super::{Errors, config, content, ip, supported};
use crate::schema::tree::{at, has, int, list, map, text};
use serde_json::Value;
use std::net::IpAddr;

/// Checks an object whose status is to replace that of `old`; all but what a status write may touch is `old`'s.
pub(crate) fn validate(errors: &mut Errors, api_version: &str, kind: &str, new: &Value, old: &Value) {
    let metadata = Path::new("metadata");
    // A disruption budget's metadata is not looked at, a stateful set's is looked at last.
    if !matches!(kind, "PodDisruptionBudget" | "StatefulSet" | "CronJob") {
        meta::validate_object_meta_update(errors, new, old, &metadata);
    }
    let path = Path::new("status");
    let (status, before) = (at(new, "status"), at(old, "status"));
    match (api_version, kind) {
        ("v1", "Pod") => validate_pod(errors, new, old, &path),
        ("v1", "Node") => config::validate_node_update(errors, new, old),
        ("v1", "Namespace") => validate_namespace(errors, new),
        ("v1", "Service") => validate_service(errors, new, old, &path),
        ("v1", "ReplicationController") | ("apps/v1", "ReplicaSet") => {
            validate_replicas(errors, status, &path, &["fullyLabeledReplicas"], false);
        }
        ("apps/v1", "Deployment") => {
            validate_replicas(errors, status, &path, &["updatedReplicas"], true);
            not_decremented(errors, status, before, &path);
        }
        ("apps/v1", "DaemonSet") => {
            for name in [
                "currentNumberScheduled",
                "numberMisscheduled",
                "desiredNumberScheduled",
                "numberReady",
                "observedGeneration",
                "updatedNumberScheduled",
                "numberAvailable",
                "numberUnavailable",
                "collisionCount",
            ] {
                non_negative(errors, number(status, name), &path.child(name));
            }
            not_decremented(errors, status, before, &path);
        }
        ("apps/v1", "StatefulSet") => {
            validate_stateful_set(errors, status, &path);
            meta::validate_object_meta_update(errors, new, old, &metadata);
            not_decremented(errors, status, before, &path);
        }
        ("batch/v1", "Job") => super::job_status::validate(errors, new, old),
        ("v1", "ResourceQuota") => {
            for field in ["hard", "used"] {
                config::validate_quota_amounts(errors, map(status, field), &path.child(field));
            }
        }
        ("v1", "PersistentVolumeClaim") => validate_claim(errors, new, &path),
        ("networking.k8s.io/v1", "Ingress") => {
            let path = path.child("loadBalancer");
            let known = addresses(at(before, "loadBalancer.ingress"), "ip");
            for (i, ingress) in list(status, "loadBalancer.ingress").iter().enumerate() {
                let path = path.child("ingress");
                validate_ingress_point(errors, ingress, &known, &path.index(i), |_, _| {});
            }
        }
        ("autoscaling/v2", "HorizontalPodAutoscaler") => {
            let conditions = path.child("conditions");
            for (i, condition) in list(status, "conditions").iter().enumerate() {
                let path = conditions.index(i);
                let generation = number(condition, "observedGeneration");
                non_negative(errors, generation, &path.child("observedGeneration"));
            }
            for name in ["currentReplicas", "desiredReplicas"] {
                non_negative(errors, number(status, name), &path.child(name));
            }
        }
        ("policy/v1", "PodDisruptionBudget") => {
            for name in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
                non_negative(errors, number(status, name), &path.child(name));
            }
        }
        _ => {}
    }
}

/// Warnings about addresses that are written otherwise than is usual.
pub(crate) fn warnings(kind: &str, new: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    match kind {
        "Pod" => {
            let status = Path::new("status");
            for field in ["podIPs", "hostIPs"] {
                let path = status.child(field);
                for (i, address) in list(at(new, "status"), field).iter().enumerate() {
                    let path = path.index(i);
                    ip_warning(&mut warnings, text(address, "ip"), &path.child("ip"));
                }
            }
        }
        "Service" | "Ingress" => {
            let path = Path::new("status.loadBalancer.ingress");
            for (i, point) in list(new, "status.loadBalancer.ingress").iter().enumerate() {
                ip_warning(&mut warnings, text(point, "ip"), &path.index(i));
            }
        }
        _ => {}
    }
    warnings
}

fn number(value: &Value, name: &str) -> i64 {
    int(value, name).unwrap_or(0)
}

fn addresses<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().map(|one| text(one, name)).collect()
}

fn not_greater(errors: &mut Errors, status: &Value, name: &str, than: &str, words: &str, path: &Path) {
    let value = number(status, name);
    if value > number(status, than) {
        errors.push(FieldError::invalid(&path.child(name), value, format!("cannot be greater than {words}")));
    }
}

/// Numbers of pods, of which none is more than all.
fn validate_replicas(errors: &mut Errors, status: &Value, path: &Path, own: &[&str], deployment: bool) {
    let order: &[&str] = match deployment {
        true => &[
            "observedGeneration",
            "replicas",
            "updatedReplicas",
            "readyReplicas",
            "availableReplicas",
            "unavailableReplicas",
            "terminatingReplicas",
            "collisionCount",
        ],
        false => &[
            "replicas",
            "fullyLabeledReplicas",
            "readyReplicas",
            "availableReplicas",
            "observedGeneration",
            "terminatingReplicas",
        ],
    };
    for name in order {
        non_negative(errors, number(status, name), &path.child(name));
    }
    for name in own.iter().chain(&["readyReplicas", "availableReplicas"]) {
        not_greater(errors, status, name, "replicas", "status.replicas", path);
    }
    not_greater(errors, status, "availableReplicas", "readyReplicas", "readyReplicas", path);
}

fn validate_stateful_set(errors: &mut Errors, status: &Value, path: &Path) {
    let counts = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
    non_negative(errors, number(status, "replicas"), &path.child("replicas"));
    for name in counts.iter().chain(&["observedGeneration", "collisionCount"]) {
        non_negative(errors, number(status, name), &path.child(name));
    }
    for name in counts {
        not_greater(errors, status, name, "replicas", "status.replicas", path);
    }
    not_greater(errors, status, "availableReplicas", "readyReplicas", "status.readyReplicas", path);
}

fn not_decremented(errors: &mut Errors, status: &Value, before: &Value, path: &Path) {
    let value = number(status, "collisionCount");
    if int(before, "collisionCount").is_some_and(|before| !has(status, "collisionCount") || value < before) {
        errors.push(FieldError::invalid(&path.child("collisionCount"), value, "cannot be decremented"));
    }
}

fn validate_namespace(errors: &mut Errors, new: &Value) {
    let (phase, gone) = (text(new, "status.phase"), has(new, "metadata.deletionTimestamp"));
    let (wanted, word) = if gone { ("Terminating", "not empty") } else { ("Active", "empty") };
    if phase != wanted {
        let detail = format!("may only be '{wanted}' if `deletionTimestamp` is {word}");
        errors.push(FieldError::invalid(&Path::new("status.Phase"), phase, detail));
    }
}

/// One point of a load balancer; `rest` is asked between its address and its name.
fn validate_ingress_point(
    errors: &mut Errors,
    ingress: &Value,
    known: &[&str],
    path: &Path,
    rest: impl FnOnce(&mut Errors, &Path),
) {
    let (address, name) = (text(ingress, "ip"), text(ingress, "hostname"));
    if !address.is_empty() {
        ip::validate_ip_legacy(errors, &path.child("ip"), address, known);
    }
    rest(errors, path);
    if !name.is_empty() {
        let path = path.child("hostname");
        super::invalid_each(errors, &path, name, content::is_dns1123_subdomain(name));
        if ip::is_ip_sloppy(name) {
            errors.push(FieldError::invalid(&path, name, "must be a DNS name, not an IP address"));
        }
    }
}

fn validate_service(errors: &mut Errors, new: &Value, old: &Value, path: &Path) {
    let balancer = path.child("loadBalancer");
    let path = balancer.child("ingress");
    let points = list(new, "status.loadBalancer.ingress");
    if text(new, "spec.type") != "LoadBalancer" && !points.is_empty() {
        let detail = "may only be used when `spec.type` is 'LoadBalancer'";
        errors.push(FieldError::forbidden(&path, detail));
        return;
    }
    let known = addresses(at(old, "status.loadBalancer.ingress"), "ip");
    for (i, point) in points.iter().enumerate() {
        let (has_ip, mode) = (!text(point, "ip").is_empty(), at(point, "ipMode").as_str());
        validate_ingress_point(errors, point, &known, &path.index(i), |errors, path| {
            let path = path.child("ipMode");
            match (has_ip, mode) {
                (true, None) => {
                    errors.push(FieldError::required(&path, "must be specified when `ip` is set"));
                }
                (false, Some(_)) => {
                    errors.push(FieldError::forbidden(&path, "may not be specified when `ip` is not set"));
                }
                (true, Some(mode)) => supported(errors, &path, mode, &["Proxy", "VIP"]),
                (false, None) => {}
            }
        });
    }
}

fn validate_claim(errors: &mut Errors, new: &Value, path: &Path) {
    if list(new, "spec.accessModes").is_empty() {
        errors.push(FieldError::required(&Path::new("Spec.accessModes"), ""));
    }
    let status = at(new, "status");
    let amount = |errors: &mut Errors, value: &Value, path: &Path| {
        let quantity = super::resources::quantity(value);
        if quantity.signum() < 0 {
            let detail = "must be a valid resource quantity";
            errors.push(FieldError::invalid(path, quantity.value(), detail));
        }
    };
    let capacity = path.child("capacity");
    for (name, value) in map(status, "capacity") {
        amount(errors, value, &capacity.key(name));
    }
    let statuses = path.child("allocatedResourceStatuses");
    for (name, value) in map(status, "allocatedResourceStatuses") {
        validate_claim_key(errors, name, &statuses);
        const STATUSES: [&str; 5] = [
            "ControllerResizeInProgress",
            "ControllerResizeInfeasible",
            "NodeResizeInProgress",
            "NodeResizeInfeasible",
            "NodeResizePending",
        ];
        if !STATUSES.contains(&value.as_str().unwrap_or("")) {
            errors.push(FieldError::not_supported(&statuses, name.as_str(), &STATUSES));
        }
    }
    let allocated = path.child("allocatedResources");
    for (name, value) in map(status, "allocatedResources") {
        let before = errors.len();
        validate_claim_key(errors, name, &allocated);
        if errors.len() == before {
            amount(errors, value, &allocated.key(name));
        }
    }
}

fn validate_claim_key(errors: &mut Errors, name: &str, path: &Path) {
    let before = errors.len();
    super::invalid_each(errors, path, name, content::is_qualified_name(name));
    if errors.len() == before && super::is_native(name) && name != "storage" {
        errors.push(FieldError::not_supported(path, name, &["storage"]));
    }
}

fn validate_pod(errors: &mut Errors, new: &Value, old: &Value, path: &Path) {
    let (status, before) = (at(new, "status"), at(old, "status"));
    super::pod_update::validate_annotation_updates(errors, new, old);
    let conditions = path.child("conditions");
    for (i, condition) in list(status, "conditions").iter().enumerate() {
        let path = conditions.index(i);
        let generation = number(condition, "observedGeneration");
        if generation < 0 {
            let detail = "must be a non-negative integer";
            errors.push(FieldError::invalid(&path.child("observedGeneration"), generation, detail));
        }
        let name = text(condition, "type");
        if !matches!(name, "PodScheduled" | "Ready" | "Initialized") {
            super::invalid_each(errors, &path.child("Type"), name, content::is_qualified_name(name));
        }
    }
    let nominated = text(status, "nominatedNodeName");
    if !nominated.is_empty() && nominated != text(before, "nominatedNodeName") {
        let path = path.child("nominatedNodeName");
        super::invalid_each(errors, &path, nominated, meta::name_is_dns_subdomain(nominated, false));
        if !text(old, "spec.nodeName").is_empty() {
            let detail = "may not be set on pods that are already bound to a node";
            errors.push(FieldError::forbidden(&path, detail));
        }
    }
    let generation = number(status, "observedGeneration");
    if generation < 0 {
        let detail = "must be a non-negative integer";
        errors.push(FieldError::invalid(&path.child("observedGeneration"), generation, detail));
    }
    if text(status, "qosClass") != text(before, "qosClass") {
        let shown = text(status, "qosClass");
        errors.push(FieldError::invalid(&path.child("qosClass"), shown, "field is immutable"));
    }
    for field in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
        validate_transitions(errors, field, new, old, &path.child(field));
    }
    validate_claim_statuses(errors, new, &path.child("resourceClaimStatuses"));
    validate_addresses(errors, status, before, ("podIPs", "podIP"), path);
    validate_addresses(errors, status, before, ("hostIPs", "hostIP"), path);
    for field in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
        let path = path.child(field);
        for (i, container) in list(status, field).iter().enumerate() {
            validate_user(errors, container, text(new, "spec.os.name"), &path.index(i));
        }
    }
    for (field, containers) in
        [("containerStatuses", "spec.containers"), ("initContainerStatuses", "spec.initContainers")]
    {
        let path = path.child(field);
        for (i, container) in list(status, field).iter().enumerate() {
            let path = path.index(i);
            validate_allocated(
                errors,
                container,
                list(new, containers),
                &path.child("allocatedResourcesStatus"),
            );
        }
    }
    let ephemeral = path.child("ephemeralContainerStatuses");
    for (i, container) in list(status, "ephemeralContainerStatuses").iter().enumerate() {
        if !list(container, "allocatedResourcesStatus").is_empty() {
            let path = ephemeral.index(i);
            let detail = "must not be specified in container status";
            errors.push(FieldError::forbidden(&path.child("allocatedResourcesStatus"), detail));
        }
    }
}

/// What has ended may run again only where something restarts it.
fn validate_transitions(errors: &mut Errors, field: &str, new: &Value, old: &Value, path: &Path) {
    let spec = at(old, "spec");
    let everywhere = ["containers", "initContainers"];
    let rules = |container: &Value| list(container, "restartPolicyRules").to_vec();
    let restarts_all = everywhere.iter().flat_map(|name| list(spec, name)).flat_map(rules);
    if field != "ephemeralContainerStatuses"
        && restarts_all.into_iter().any(|rule| text(&rule, "action") == "RestartAllContainers")
    {
        return;
    }
    let (status, before) = (at(new, "status"), at(old, "status"));
    for (i, was) in list(before, field).iter().enumerate() {
        if !has(was, "state.terminated") {
            continue;
        }
        let name = text(was, "name");
        let now = list(status, field).iter().find(|one| text(one, "name") == name);
        if now.is_none_or(|now| has(now, "state.terminated")) {
            continue;
        }
        let containers = if field == "containerStatuses" { "containers" } else { "initContainers" };
        let container = list(spec, containers).iter().find(|one| text(one, "name") == name);
        let code = number(was, "state.terminated.exitCode");
        let restarts = |container: &Value| restarts(container, spec, code);
        if field == "ephemeralContainerStatuses" || !container.is_some_and(restarts) {
            let path = path.index(i);
            let detail = "may not be transitioned to non-terminated state";
            errors.push(FieldError::forbidden(&path.child("state"), detail));
        }
    }
}

/// Source: pkg/api/v1/pod/util.go `ContainerShouldRestart` (v1.37).
fn restarts(container: &Value, spec: &Value, code: i64) -> bool {
    for rule in list(container, "restartPolicyRules") {
        let listed = list(rule, "exitCodes.values").iter().any(|value| value.as_i64() == Some(code));
        match text(rule, "exitCodes.operator") {
            "In" if listed => return true,
            "NotIn" if !listed => return true,
            _ => {}
        }
    }
    let own = text(container, "restartPolicy");
    match if own.is_empty() { text(spec, "restartPolicy") } else { own } {
        "Always" => true,
        "OnFailure" => code != 0,
        _ => false,
    }
}

fn validate_claim_statuses(errors: &mut Errors, new: &Value, path: &Path) {
    let claims = list(new, "spec.resourceClaims");
    let mut seen: Vec<&str> = Vec::new();
    for (i, status) in list(new, "status.resourceClaimStatuses").iter().enumerate() {
        let path = path.index(i);
        let name = text(status, "name");
        if !claims.iter().any(|claim| text(claim, "name") == name) {
            let detail = "must match the name of an entry in `spec.resourceClaims`";
            errors.push(FieldError::invalid(&path.child("name"), name, detail));
        }
        if seen.contains(&name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        }
        seen.push(name);
        if let Some(claim) = at(status, "resourceClaimName").as_str() {
            let messages = meta::name_is_dns_subdomain(claim, false);
            super::invalid_each(errors, &path.child("resourceClaimName"), claim, messages);
        }
    }
}

fn validate_addresses(
    errors: &mut Errors,
    status: &Value,
    before: &Value,
    (field, one): (&str, &str),
    path: &Path,
) {
    let path = path.child(field);
    let (own, all) = (text(status, one), addresses(at(status, field), "ip"));
    let known = addresses(at(before, field), "ip");
    let pod = one == "podIP";
    if !pod {
        let Some(first) = all.first() else { return };
        if own != *first {
            let path = path.index(0);
            errors.push(FieldError::invalid(&path.child("ip"), *first, "must be equal to `hostIP`"));
        }
    }
    for (i, address) in all.iter().enumerate() {
        ip::validate_ip_legacy(errors, &path.index(i), address, &known);
    }
    let shown = || {
        let shown = all.iter().map(|ip| serde_json::json!({"IP": ip}).to_string()).collect::<Vec<_>>();
        BadValue::Json(if all.is_empty() { "null".to_owned() } else { format!("[{}]", shown.join(",")) })
    };
    if all.len() > 1 {
        let parsed: Option<Vec<IpAddr>> =
            all.iter().map(|ip| ip::parse_ip(&mut Errors::new(), &path, ip)).collect();
        let dual =
            parsed.is_some_and(|ips| ips.iter().any(IpAddr::is_ipv4) && ips.iter().any(IpAddr::is_ipv6));
        if !dual || all.len() > 2 {
            let detail = "may specify no more than one IP for each IP family";
            errors.push(FieldError::invalid(&path, shown(), detail));
        }
    }
    if !pod {
        return;
    }
    match (own.is_empty(), all.first()) {
        (true, Some(_)) | (false, None) => {
            let detail = "podIP and podIPs must either both be set or both be unset";
            errors.push(FieldError::invalid(&path, shown(), detail));
        }
        (false, Some(first)) if own != *first => {
            let path = path.index(0);
            errors.push(FieldError::invalid(&path.child("ip"), *first, "must be equal to `podIP`"));
        }
        _ => {}
    }
}

fn validate_user(errors: &mut Errors, container: &Value, os: &str, path: &Path) {
    let user = at(container, "user.linux");
    if user.is_null() {
        return;
    }
    let parent = path.child("user");
    let path = parent.child("linux");
    if os == "windows" {
        errors.push(FieldError::forbidden(&path, "cannot be set for a windows pod"));
        return;
    }
    let uid = number(user, "uid");
    let most = i64::from(u32::MAX);
    if !(0..=most).contains(&uid) {
        let detail = format!("must be between 0 and {most}, inclusive");
        errors.push(FieldError::invalid(&path.child("uid"), uid, detail));
    }
    let gid = number(user, "gid");
    super::invalid_number(errors, &path.child("gid"), gid, content::is_valid_id(gid));
    let groups = path.child("supplementalGroups");
    for (i, group) in list(user, "supplementalGroups").iter().enumerate() {
        let group = group.as_i64().unwrap_or(0);
        super::invalid_number(errors, &groups.index(i), group, content::is_valid_id(group));
    }
}

fn validate_allocated(errors: &mut Errors, status: &Value, containers: &[Value], path: &Path) {
    let container = containers.iter().find(|one| text(one, "name") == text(status, "name"));
    for (i, allocated) in list(status, "allocatedResourcesStatus").iter().enumerate() {
        let path = path.index(i);
        let name = text(allocated, "name");
        if let Some(container) = container {
            let (found, detail) = match name.strip_prefix("claim:") {
                Some(claim) => (
                    list(container, "resources.claims").iter().any(|one| {
                        let (name, request) = (text(one, "name"), text(one, "request"));
                        claim == name && request.is_empty() || claim == format!("{name}/{request}")
                    }),
                    "must match one of the container's resource claims as 'claim:<claimName>/<requestName>' when container.resources.claims[*].request is set or 'claim:<claimName>' when it is empty",
                ),
                None => (
                    map(container, "resources.requests").contains_key(name),
                    "must match one of the container's resource requests",
                ),
            };
            if !found {
                errors.push(FieldError::invalid(&path.child("name"), name, detail));
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        let resources = path.child("resources");
        for (j, resource) in list(allocated, "resources").iter().enumerate() {
            let path = resources.index(j);
            let health = text(resource, "health");
            supported(errors, &path.child("health"), health, &["Healthy", "Unhealthy", "Unknown"]);
            if at(resource, "message").as_str() == Some("") {
                errors.push(FieldError::required(&path.child("message"), "must be non-empty if specified"));
            }
            let id = text(resource, "resourceID");
            if seen.contains(&id) {
                errors.push(FieldError::duplicate(&path.child("resourceID"), id));
            }
            seen.push(id);
        }
    }
}
