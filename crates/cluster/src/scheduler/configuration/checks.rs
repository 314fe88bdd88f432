//! What must hold of a configuration beside its profiles.
//!
//! Source: pkg/scheduler/apis/config/validation/validation.go, k8s.io/component-base/config/validation/validation.go,
//! config/v1alpha1/defaults.go, k8s.io/client-go/tools/leaderelection/leaderelection.go (v1.37).

use super::decode::{duration, duration_text};
use super::{listed, number};
use podlab_api::validation::content::is_qualified_name;
use podlab_api::validation::field::{FieldError, Path};
use podlab_api::validation::is_extended;
use serde_json::Value;
use std::time::Duration;

pub(super) fn client_connection(value: &Value, errors: &mut Vec<FieldError>) {
    let burst = value.get("clientConnection").and_then(|client| number(client, "burst")).unwrap_or(0);
    if burst < 0 {
        errors.push(FieldError::invalid(&Path::new("clientConnection.burst"), burst, "must be non-negative"));
    }
}

/// How one of several schedulers is chosen, with what is there by default.
struct LeaderElection<'a> {
    elects: bool,
    lease: i64,
    renew: i64,
    retry: i64,
    lock: &'a str,
}

impl LeaderElection<'_> {
    fn of(value: &Value) -> LeaderElection<'_> {
        let own = value.get("leaderElection").unwrap_or(&Value::Null);
        let nanos = |key: &str, seconds: i64| {
            let given = own.get(key).and_then(Value::as_str).and_then(|text| duration(text).ok());
            given.filter(|nanos| *nanos != 0).unwrap_or(seconds * 1_000_000_000)
        };
        let lock = own.get("resourceLock").and_then(Value::as_str).filter(|lock| !lock.is_empty());
        LeaderElection {
            elects: own.get("leaderElect").and_then(Value::as_bool).unwrap_or(true),
            lease: nanos("leaseDuration", 15),
            renew: nanos("renewDeadline", 10),
            retry: nanos("retryPeriod", 2),
            lock: lock.unwrap_or("leases"),
        }
    }
}

pub(super) fn leader_election(value: &Value, errors: &mut Vec<FieldError>) {
    let election = LeaderElection::of(value);
    if !election.elects {
        return;
    }
    let path = Path::new("leaderElection");
    let times = [
        ("leaseDuration", election.lease),
        ("renewDeadline", election.renew),
        ("retryPeriod", election.retry),
    ];
    for (field, nanos) in times {
        if nanos <= 0 {
            let text = duration_text(nanos);
            errors.push(FieldError::invalid(&path.child(field), text, "must be greater than zero"));
        }
    }
    if election.lease <= election.renew {
        let text = duration_text(election.renew);
        errors.push(FieldError::invalid(
            &path.child("leaseDuration"),
            text,
            "must be greater than `RenewDeadline`",
        ));
    }
    if election.lock != "leases" {
        let detail = "resourceLock value must be \"leases\"";
        errors.push(FieldError::invalid(&path.child("resourceLock"), election.lock, detail));
    }
}

/// What is found only when all else is there.
///
/// # Errors
/// Its text.
pub(super) fn leader_elector(value: &Value) -> Result<(), String> {
    let election = LeaderElection::of(value);
    // The factor is 1.2.
    if election.elects && i128::from(election.renew) * 10 <= i128::from(election.retry) * 12 {
        let text =
            "couldn't create leader elector: renewDeadline must be greater than retryPeriod*JitterFactor";
        return Err(text.to_owned());
    }
    Ok(())
}

pub(super) fn parallelism(value: &Value, errors: &mut Vec<FieldError>) {
    if let Some(parallelism) = number(value, "parallelism").filter(|parallelism| *parallelism <= 0) {
        let detail = "should be an integer value greater than zero";
        errors.push(FieldError::invalid(&Path::new("parallelism"), parallelism, detail));
    }
}

/// The first and the longest back-off.
pub(super) fn backoff(value: &Value, errors: &mut Vec<FieldError>) -> (Duration, Duration) {
    let initial = number(value, "podInitialBackoffSeconds").unwrap_or(1);
    let max = number(value, "podMaxBackoffSeconds").unwrap_or(10);
    if initial <= 0 {
        let path = Path::new("podInitialBackoffSeconds");
        errors.push(FieldError::invalid(&path, initial, "must be greater than 0"));
    }
    if max < initial {
        let detail = "must be greater than or equal to PodInitialBackoffSeconds";
        errors.push(FieldError::invalid(&Path::new("podMaxBackoffSeconds"), max, detail));
    }
    let seconds = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    (seconds(initial), seconds(max))
}

pub(super) fn extenders(value: &Value, errors: &mut Vec<FieldError>) {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let path = Path::new("extenders");
    let mut binders = 0;
    let mut managed: Vec<String> = Vec::new();
    for (index, extender) in listed(value, "extenders").iter().enumerate() {
        let path = path.index(index);
        let weight = number(extender, "weight").unwrap_or(0);
        if !text(extender, "prioritizeVerb").is_empty() && weight <= 0 {
            let detail = "must have a positive weight applied to it";
            errors.push(FieldError::invalid(&path.child("weight"), weight, detail));
        }
        binders += usize::from(!text(extender, "bindVerb").is_empty());
        let resources = path.child("managedResources");
        for (index, resource) in listed(extender, "managedResources").iter().enumerate() {
            let path = resources.index(index);
            let path = path.child("name");
            let name = text(resource, "name");
            let wrong = is_qualified_name(&name);
            if wrong.is_empty() && !is_extended(&name) {
                let detail = "is an invalid extended resource name";
                errors.push(FieldError::invalid(&path, name.as_str(), detail));
            }
            errors.extend(wrong.into_iter().map(|detail| FieldError::invalid(&path, name.as_str(), detail)));
            if managed.contains(&name) {
                let detail = "duplicate extender managed resource name";
                errors.push(FieldError::invalid(&path, name.as_str(), detail));
            }
            managed.push(name);
        }
    }
    if binders > 1 {
        let found = format!("found {binders} extenders implementing bind");
        errors.push(FieldError::invalid(&path, found, "only one extender can implement bind"));
    }
}
