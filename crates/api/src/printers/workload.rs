//! What runs pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs and their kin.

use super::cells::{age, ago, at, containers, field, int, labels, list, name, or, selector, text};
use super::{AGE, NAME, col, human_duration, wide};
use crate::Object;
use crate::table::Column;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

const CONTAINERS: Column = wide("Containers", "string");
const IMAGES: Column = wide("Images", "string");
const SELECTOR: Column = wide("Selector", "string");

pub(super) static DEPLOYMENT: &[Column] = &[
    NAME,
    col("Ready", "string"),
    col("Up-to-date", "string"),
    col("Available", "string"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) fn deployment(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let (names, images) = containers(at(spec, &["template", "spec"]));
    vec![
        name(object),
        format!("{}/{}", int(status, &["readyReplicas"]), int(spec, &["replicas"])).into(),
        int(status, &["updatedReplicas"]).into(),
        int(status, &["availableReplicas"]).into(),
        age(object, now),
        names.into(),
        images.into(),
        selector(at(spec, &["selector"])).into(),
    ]
}

pub(super) static REPLICA_SET: &[Column] = &[
    NAME,
    col("Desired", "integer"),
    col("Current", "integer"),
    col("Ready", "integer"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

/// ReplicaSets, and ReplicationControllers, whose selector is a plain map.
pub(super) fn replica_set(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let (names, images) = containers(at(spec, &["template", "spec"]));
    let chosen = at(spec, &["selector"]);
    let chosen = if object.kind.kind == "ReplicationController" { labels(chosen) } else { selector(chosen) };
    vec![
        name(object),
        int(spec, &["replicas"]).into(),
        int(status, &["replicas"]).into(),
        int(status, &["readyReplicas"]).into(),
        age(object, now),
        names.into(),
        images.into(),
        chosen.into(),
    ]
}

pub(super) static STATEFUL_SET: &[Column] = &[NAME, col("Ready", "string"), AGE, CONTAINERS, IMAGES];

pub(super) fn stateful_set(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let (names, images) = containers(at(spec, &["template", "spec"]));
    let ready = format!("{}/{}", int(status, &["readyReplicas"]), int(spec, &["replicas"]));
    vec![name(object), ready.into(), age(object, now), names.into(), images.into()]
}

pub(super) static DAEMON_SET: &[Column] = &[
    NAME,
    col("Desired", "integer"),
    col("Current", "integer"),
    col("Ready", "integer"),
    col("Up-to-date", "integer"),
    col("Available", "integer"),
    col("Node Selector", "string"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) fn daemon_set(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let pod = at(spec, &["template", "spec"]);
    let (names, images) = containers(pod);
    vec![
        name(object),
        int(status, &["desiredNumberScheduled"]).into(),
        int(status, &["currentNumberScheduled"]).into(),
        int(status, &["numberReady"]).into(),
        int(status, &["updatedNumberScheduled"]).into(),
        int(status, &["numberAvailable"]).into(),
        labels(at(pod, &["nodeSelector"])).into(),
        age(object, now),
        names.into(),
        images.into(),
        selector(at(spec, &["selector"])).into(),
    ]
}

pub(super) static JOB: &[Column] = &[
    NAME,
    col("Status", "string"),
    col("Completions", "string"),
    col("Duration", "string"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) fn job(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let (names, images) = containers(at(spec, &["template", "spec"]));
    let is = |type_: &str| {
        list(status, &["conditions"])
            .iter()
            .any(|c| text(c, &["type"]) == type_ && text(c, &["status"]) == "True")
    };
    let state = if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if object.is_terminating() {
        "Terminating"
    } else if is("Suspended") {
        "Suspended"
    } else if is("FailureTarget") {
        "FailureTarget"
    } else if is("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    };
    let succeeded = int(status, &["succeeded"]);
    let completions = match at(spec, &["completions"]).as_i64() {
        Some(wanted) => format!("{succeeded}/{wanted}"),
        None => match int(spec, &["parallelism"]) {
            n if n > 1 => format!("{succeeded}/1 of {n}"),
            _ => format!("{succeeded}/1"),
        },
    };
    let instant = |key: &str| text(status, &[key]).parse::<Timestamp>().ok();
    let duration = match (instant("startTime"), instant("completionTime")) {
        (None, _) => String::new(),
        (Some(start), end) => human_duration(end.unwrap_or(now).as_nanosecond() - start.as_nanosecond()),
    };
    vec![
        name(object),
        state.into(),
        completions.into(),
        duration.into(),
        age(object, now),
        names.into(),
        images.into(),
        selector(at(spec, &["selector"])).into(),
    ]
}

pub(super) static CRON_JOB: &[Column] = &[
    NAME,
    col("Schedule", "string"),
    col("Timezone", "string"),
    col("Suspend", "boolean"),
    col("Active", "integer"),
    col("Last Schedule", "string"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) fn cron_job(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let job = at(spec, &["jobTemplate", "spec"]);
    let (names, images) = containers(at(job, &["template", "spec"]));
    let suspend = match at(spec, &["suspend"]).as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    vec![
        name(object),
        text(spec, &["schedule"]).into(),
        or(text(spec, &["timeZone"]), "<none>").into(),
        suspend.into(),
        list(status, &["active"]).len().into(),
        ago(at(status, &["lastScheduleTime"]), now).unwrap_or_else(|| "<none>".to_owned()).into(),
        age(object, now),
        names.into(),
        images.into(),
        selector(at(job, &["selector"])).into(),
    ]
}

pub(super) static REVISION: &[Column] = &[NAME, col("Controller", "string"), col("Revision", "string"), AGE];

pub(super) fn revision(object: &Object, now: Timestamp) -> Vec<Value> {
    let owner = object.metadata.owner_references.iter().flatten().find(|o| o.controller == Some(true));
    let controller = owner.map_or("<none>".to_owned(), |o| {
        let kind = o.kind.to_lowercase();
        match o.api_version.split_once('/') {
            Some((group, _)) => format!("{kind}.{group}/{}", o.name),
            None => format!("{kind}/{}", o.name),
        }
    });
    vec![name(object), controller.into(), int(field(object, "revision"), &[]).into(), age(object, now)]
}

pub(super) static POD_TEMPLATE: &[Column] =
    &[NAME, col("Containers", "string"), col("Images", "string"), col("Pod Labels", "string")];

pub(super) fn pod_template(object: &Object, _now: Timestamp) -> Vec<Value> {
    let template = field(object, "template");
    let (names, images) = containers(at(template, &["spec"]));
    vec![name(object), names.into(), images.into(), labels(at(template, &["metadata", "labels"])).into()]
}
