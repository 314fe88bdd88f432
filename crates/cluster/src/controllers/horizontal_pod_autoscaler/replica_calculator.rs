//! How many replicas the use of a resource asks for.
//!
//! Source: pkg/controller/podautoscaler/replica_calculator.go, metrics/utilization.go, metrics/client.go (v1.37).

use crate::controllers::pods;
use crate::world::Cx;
use podlab_api::quantity::Quantity;
use podlab_api::selector::label::Selector;
use podlab_api::time::unix_seconds;
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long after its start a pod's CPU counts only where it is ready.
///
/// Source: `--horizontal-pod-autoscaler-cpu-initialization-period`.
const CPU_INITIALIZATION_PERIOD: SimDuration = SimDuration::from_secs(300);
/// How long after its start a pod that turned unready counts as one that never was ready.
///
/// Source: `--horizontal-pod-autoscaler-initial-readiness-delay`.
const DELAY_OF_INITIAL_READINESS_STATUS: SimDuration = SimDuration::from_secs(30);

/// How far use may be from its target without a change.
#[derive(Clone, Copy)]
pub(super) struct Tolerances {
    pub(super) scale_down: f64,
    pub(super) scale_up: f64,
}

impl Tolerances {
    fn is_within(self, ratio: f64) -> bool {
        1.0 - self.scale_down <= ratio && ratio <= 1.0 + self.scale_up
    }
}

/// What is asked: a resource of pods, or of one of their containers.
pub(super) struct Query<'a> {
    pub(super) namespace: &'a str,
    pub(super) selector: &'a Selector,
    /// `cpu` or `memory`.
    pub(super) resource: &'a str,
    /// Empty for whole pods.
    pub(super) container: &'a str,
    pub(super) tolerances: Tolerances,
}

/// What was found: the replicas it asks for, the share of the requests in percent where that was asked, and the
/// average in thousandths.
pub(super) struct Proposal {
    pub(super) replicas: i64,
    pub(super) utilization: Option<i64>,
    pub(super) average: i64,
}

struct Metric {
    value: i64,
    at: SimTime,
    window: SimDuration,
}

type PodMetrics = BTreeMap<String, Metric>;

/// What is to be reached.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// Percent of the requests.
    Utilization(i64),
    /// Thousandths a pod.
    Average(i64),
}

/// The replicas that the use of a resource asks for.
///
/// # Errors
/// What is missing, in the controller's words.
pub(super) fn replicas(
    query: &Query<'_>,
    target: Target,
    current: i64,
    cx: &Cx<'_>,
) -> Result<Proposal, String> {
    let mut metrics = resource_metric(query, cx)?;
    let pods: Vec<Arc<Object>> = matching(query, cx).collect();
    if pods.is_empty() {
        return Err("no pods returned by selector while calculating replica count".to_owned());
    }
    let groups = group_pods(&pods, &metrics, query.resource, cx.now());
    metrics.retain(|name, _| !groups.ignored.contains(name) && !groups.unready.contains(name));
    if metrics.is_empty() {
        return Err("did not receive metrics for targeted pods (pods might be unready)".to_owned());
    }
    let requests = match target {
        Target::Utilization(_) => requests(&pods, query)?,
        Target::Average(_) => BTreeMap::new(),
    };
    let (ratio, utilization, average) = usage_ratio(&metrics, &requests, target)?;
    let proposal = |replicas| Proposal { replicas, utilization, average };
    let scale_up_with_unready = !groups.unready.is_empty() && ratio > 1.0;
    if !scale_up_with_unready && groups.missing.is_empty() {
        if query.tolerances.is_within(ratio) {
            return Ok(proposal(current));
        }
        return Ok(proposal(ceil(ratio * groups.ready as f64)));
    }
    let mut assume = |names: &BTreeSet<String>, value: &dyn Fn(&str) -> i64| {
        for name in names {
            let value = value(name);
            metrics.insert(name.clone(), Metric { value, at: SimTime::START, window: SimDuration::ZERO });
        }
    };
    if ratio < 1.0 {
        // On the way down a pod of which nothing is known uses all that it may.
        assume(&groups.missing, &|name| match target {
            Target::Utilization(percent) => {
                requests.get(name).copied().unwrap_or(0).saturating_mul(percent.max(100)) / 100
            }
            Target::Average(value) => value,
        });
    } else if ratio > 1.0 {
        assume(&groups.missing, &|_| 0);
    }
    if scale_up_with_unready {
        assume(&groups.unready, &|_| 0);
    }
    let (new_ratio, ..) = usage_ratio(&metrics, &requests, target)?;
    let turned = (ratio < 1.0 && new_ratio > 1.0) || (ratio > 1.0 && new_ratio < 1.0);
    if query.tolerances.is_within(new_ratio) || turned {
        return Ok(proposal(current));
    }
    let replicas = ceil(new_ratio * metrics.len() as f64);
    let against = (new_ratio < 1.0 && replicas > current) || (new_ratio > 1.0 && replicas < current);
    Ok(proposal(if against { current } else { replicas }))
}

fn ceil(value: f64) -> i64 {
    value.ceil().clamp(0.0, f64::from(i32::MAX)) as i64
}

fn matching<'a>(query: &'a Query<'_>, cx: &'a Cx<'_>) -> impl Iterator<Item = Arc<Object>> + 'a {
    let pods = cx.api.store().list(&kinds::POD);
    pods.filter(|pod| pod.namespace() == query.namespace && query.selector.matches(&***pod)).cloned()
}

/// What the Metrics API says of the pods.
fn resource_metric(query: &Query<'_>, cx: &Cx<'_>) -> Result<PodMetrics, String> {
    let failed = |text: &str| Err(format!("unable to get metrics for resource {}: {text}", query.resource));
    if !cx.api.serves_metrics() {
        return failed(
            "unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)",
        );
    }
    let mut found = PodMetrics::new();
    let mut any = false;
    for pod in matching(query, cx) {
        let Some(usage) = cx.api.pod_usage(&pod) else { continue };
        any = true;
        let containers =
            usage.containers.iter().filter(|one| query.container.is_empty() || *one.name == *query.container);
        let mut values = containers.map(|one| match query.resource {
            "cpu" => i64::try_from(one.nanocores.div_ceil(1_000_000)).unwrap_or(i64::MAX),
            _ => i64::try_from(one.bytes).unwrap_or(i64::MAX).saturating_mul(1000),
        });
        let Some(first) = values.next() else { continue };
        let value = values.fold(first, i64::saturating_add);
        found.insert(pod.name().to_owned(), Metric { value, at: usage.at, window: usage.window });
    }
    if !any {
        return failed("no metrics returned from resource metrics API");
    }
    Ok(found)
}

struct Groups {
    ready: usize,
    unready: BTreeSet<String>,
    missing: BTreeSet<String>,
    ignored: BTreeSet<String>,
}

/// Source: replica_calculator.go `groupPods`.
fn group_pods(pods: &[Arc<Object>], metrics: &PodMetrics, resource: &str, now: SimTime) -> Groups {
    let mut groups =
        Groups { ready: 0, unready: BTreeSet::new(), missing: BTreeSet::new(), ignored: BTreeSet::new() };
    for pod in pods {
        let name = pod.name().to_owned();
        let phase = pod.pod_status().and_then(|status| status.phase.as_deref());
        if pod.is_terminating() || phase == Some("Failed") {
            groups.ignored.insert(name);
        } else if phase == Some("Pending") {
            groups.unready.insert(name);
        } else {
            match metrics.get(&name) {
                None => {
                    groups.missing.insert(name);
                }
                Some(metric) if resource == "cpu" && is_unready(pod, metric, now) => {
                    groups.unready.insert(name);
                }
                Some(_) => groups.ready += 1,
            }
        }
    }
    groups
}

fn is_unready(pod: &Object, metric: &Metric, now: SimTime) -> bool {
    let started = pod.pod_status().and_then(|status| status.start_time.as_ref()).map(unix_seconds);
    let (Some(ready), Some(started)) = (pods::condition(pod, "Ready"), started.map(SimTime::from_secs))
    else {
        return true;
    };
    let since = ready.last_transition_time.as_ref().map(unix_seconds).map_or(started, SimTime::from_secs);
    if started + CPU_INITIALIZATION_PERIOD > now {
        ready.status == "False" || metric.at < since + metric.window
    } else {
        ready.status == "False" && started + DELAY_OF_INITIAL_READINESS_STATUS > since
    }
}

/// What the pods request, in thousandths.
///
/// Source: replica_calculator.go `calculateRequests`.
fn requests(pods: &[Arc<Object>], query: &Query<'_>) -> Result<BTreeMap<String, i64>, String> {
    let (resource, wanted) = (query.resource, query.container);
    let mut all = BTreeMap::new();
    for pod in pods {
        let Some(spec) = pod.pod_spec() else { continue };
        let milli = |list: Option<&k8s_openapi::api::core::v1::ResourceRequirements>| {
            let quantity = list?.requests.as_ref()?.get(resource)?;
            Quantity::parse(&quantity.0).ok().map(|quantity| quantity.milli_value())
        };
        let level = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        if wanted.is_empty() && level.is_some_and(|requests| !requests.is_empty()) {
            let Some(request) = milli(spec.resources.as_ref()) else {
                return Err(format!("missing pod-level request for {resource} in Pod {}", pod.name()));
            };
            all.insert(pod.name().to_owned(), request);
            continue;
        }
        let sidecars = spec.init_containers.iter().flatten();
        let sidecars = sidecars.filter(|one| one.restart_policy.as_deref() == Some("Always"));
        let mut sum = 0i64;
        let mut found = wanted.is_empty();
        for container in spec.containers.iter().chain(sidecars) {
            if !wanted.is_empty() && wanted != container.name {
                continue;
            }
            let Some(request) = milli(container.resources.as_ref()) else {
                let (container, pod) = (&container.name, pod.name());
                return Err(format!("missing request for {resource} in container {container} of Pod {pod}"));
            };
            found = true;
            sum = sum.saturating_add(request);
        }
        if !found {
            return Err(format!("container {wanted} not found in Pod {}", pod.name()));
        }
        all.insert(pod.name().to_owned(), sum);
    }
    Ok(all)
}

/// The use over its target, in percent of the requests where these count, and the average.
fn usage_ratio(
    metrics: &PodMetrics,
    requests: &BTreeMap<String, i64>,
    target: Target,
) -> Result<(f64, Option<i64>, i64), String> {
    let share = match target {
        Target::Average(target) => {
            let sum = metrics.values().fold(0i64, |sum, one| sum.saturating_add(one.value));
            let average = sum / i64::try_from(metrics.len().max(1)).unwrap_or(i64::MAX);
            return Ok((average as f64 / target as f64, None, average));
        }
        Target::Utilization(share) => share,
    };
    let (mut used, mut requested, mut count) = (0i64, 0i64, 0i64);
    for (name, metric) in metrics {
        let Some(request) = requests.get(name) else { continue };
        used = used.saturating_add(metric.value);
        requested = requested.saturating_add(*request);
        count += 1;
    }
    if requested == 0 {
        return Err("no metrics returned matched known pods".to_owned());
    }
    let utilization = used.saturating_mul(100) / requested;
    Ok((utilization as f64 / share as f64, Some(utilization), used / count))
}
