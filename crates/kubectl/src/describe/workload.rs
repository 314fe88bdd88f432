//! Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs.

use super::pod::template;
use super::{Out, controller, pairs, selector, time};
use crate::cx::Cx;
use crate::error::Result;
use crate::value::{at, int, list, name, namespace, plain, text};
use podlab_api::duration::human_duration;
use podlab_api::kinds;
use serde_json::Value;

fn created(out: &mut Out, object: &Value) {
    out.line(0, format!("CreationTimestamp:\t{}", time(text(object, &["metadata", "creationTimestamp"]))));
}

fn conditions(out: &mut Out, status: &Value) {
    let all = list(status, &["conditions"]);
    if all.is_empty() {
        return;
    }
    out.line(0, "Conditions:");
    out.line(1, "Type\tStatus\tReason");
    out.line(1, "----\t------\t------");
    for c in all {
        out.line(1, format!("{} \t{}\t{}", text(c, &["type"]), text(c, &["status"]), text(c, &["reason"])));
    }
}

/// How many pods of a selector are in which phase.
fn pods_status(cx: &mut Cx<'_>, out: &mut Out, object: &Value) -> Result<()> {
    let chosen = match text(object, &["kind"]) {
        "ReplicationController" => pairs(at(object, &["spec", "selector"])),
        _ => selector(at(object, &["spec", "selector"])),
    };
    let uid = text(object, &["metadata", "uid"]);
    let mut counts = [0_usize; 4];
    for pod in cx.select(&kinds::POD, namespace(object), if chosen == "<none>" { "" } else { &chosen })? {
        let owned = list(&pod, &["metadata", "ownerReferences"])
            .iter()
            .any(|o| text(o, &["uid"]) == uid && at(o, &["controller"]).as_bool() == Some(true));
        let slot = match text(&pod, &["status", "phase"]) {
            "Running" => 0,
            "Pending" => 1,
            "Succeeded" => 2,
            "Failed" => 3,
            _ => continue,
        };
        if owned && let Some(count) = counts.get_mut(slot) {
            *count += 1;
        }
    }
    let [running, waiting, succeeded, failed] = counts;
    out.line(
        0,
        format!(
            "Pods Status:\t{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed"
        ),
    );
    Ok(())
}

fn sets_text(sets: &[&Value]) -> String {
    let all: Vec<String> = sets
        .iter()
        .map(|rs| {
            format!(
                "{} ({}/{} replicas created)",
                name(rs),
                int(rs, &["status", "replicas"]),
                int(rs, &["spec", "replicas"])
            )
        })
        .collect();
    if all.is_empty() { "<none>".to_owned() } else { all.join(", ") }
}

pub(super) fn deployment(cx: &mut Cx<'_>, out: &mut Out, object: &Value) -> Result<()> {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", namespace(object)));
    created(out, object);
    out.marks(object);
    out.line(0, format!("Selector:\t{}", selector(at(spec, &["selector"]))));
    out.line(
        0,
        format!(
            "Replicas:\t{} desired | {} updated | {} total | {} available | {} unavailable",
            int(spec, &["replicas"]),
            int(status, &["updatedReplicas"]),
            int(status, &["replicas"]),
            int(status, &["availableReplicas"]),
            int(status, &["unavailableReplicas"])
        ),
    );
    out.line(0, format!("StrategyType:\t{}", text(spec, &["strategy", "type"])));
    out.line(0, format!("MinReadySeconds:\t{}", int(spec, &["minReadySeconds"])));
    let rolling = at(spec, &["strategy", "rollingUpdate"]);
    if rolling.is_object() {
        out.line(
            0,
            format!(
                "RollingUpdateStrategy:\t{} max unavailable, {} max surge",
                plain(at(rolling, &["maxUnavailable"])),
                plain(at(rolling, &["maxSurge"]))
            ),
        );
    }
    template(out, at(spec, &["template"]));
    conditions(out, status);
    let uid = text(object, &["metadata", "uid"]);
    let sets = cx.select(&kinds::REPLICA_SET, namespace(object), &selector(at(spec, &["selector"])))?;
    let owned: Vec<&Value> = sets
        .iter()
        .filter(|rs| list(rs, &["metadata", "ownerReferences"]).iter().any(|o| text(o, &["uid"]) == uid))
        .collect();
    if !owned.is_empty() {
        let bare = |t: &Value| {
            let mut t = t.clone();
            crate::value::remove(&mut t, &["metadata", "labels"], "pod-template-hash");
            t
        };
        let now = bare(at(spec, &["template"]));
        let is_new = |rs: &&Value| bare(at(rs, &["spec", "template"])) == now;
        let new: Option<&Value> = owned.iter().copied().find(is_new);
        let old: Vec<&Value> =
            owned.iter().copied().filter(|rs| new.is_none_or(|n| name(n) != name(rs))).collect();
        out.line(0, format!("OldReplicaSets:\t{}", sets_text(&old)));
        out.line(0, format!("NewReplicaSet:\t{}", sets_text(&new.into_iter().collect::<Vec<_>>())));
    }
    Ok(())
}

pub(super) fn replica_set(cx: &mut Cx<'_>, out: &mut Out, object: &Value) -> Result<()> {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", namespace(object)));
    let chosen = match text(object, &["kind"]) {
        "ReplicationController" => pairs(at(spec, &["selector"])),
        _ => selector(at(spec, &["selector"])),
    };
    out.line(0, format!("Selector:\t{chosen}"));
    out.marks(object);
    if let Some(owner) = controller(object) {
        out.line(0, format!("Controlled By:\t{owner}"));
    }
    out.line(
        0,
        format!("Replicas:\t{} current / {} desired", int(status, &["replicas"]), int(spec, &["replicas"])),
    );
    pods_status(cx, out, object)?;
    template(out, at(spec, &["template"]));
    conditions(out, status);
    Ok(())
}

pub(super) fn stateful_set(cx: &mut Cx<'_>, out: &mut Out, object: &Value) -> Result<()> {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", namespace(object)));
    created(out, object);
    out.line(0, format!("Selector:\t{}", selector(at(spec, &["selector"]))));
    out.marks(object);
    if !text(spec, &["serviceName"]).is_empty() {
        out.line(0, format!("Service Name:\t{}", text(spec, &["serviceName"])));
    }
    out.line(0, format!("Pod Management Policy:\t{}", text(spec, &["podManagementPolicy"])));
    out.line(
        0,
        format!("Replicas:\t{} desired | {} total", int(spec, &["replicas"]), int(status, &["replicas"])),
    );
    out.line(0, format!("Update Strategy:\t{}", text(spec, &["updateStrategy", "type"])));
    let rolling = at(spec, &["updateStrategy", "rollingUpdate"]);
    if rolling.is_object() {
        if let Some(partition) = at(rolling, &["partition"]).as_i64() {
            out.line(1, format!("Partition:\t{partition}"));
        }
        let most = plain(at(rolling, &["maxUnavailable"]));
        if !most.is_empty() {
            out.line(1, format!("MaxUnavailable:\t{most}"));
        }
    }
    let retention = at(spec, &["persistentVolumeClaimRetentionPolicy"]);
    if retention.is_object() {
        out.line(0, "Persistent Volume Claim Retention Policy:");
        out.line(1, format!("WhenDeleted:\t{}", text(retention, &["whenDeleted"])));
        out.line(1, format!("WhenScaled:\t{}", text(retention, &["whenScaled"])));
    }
    pods_status(cx, out, object)?;
    template(out, at(spec, &["template"]));
    let claims = list(spec, &["volumeClaimTemplates"]);
    out.line(0, if claims.is_empty() { "Volume Claims:\t<none>" } else { "Volume Claims:" });
    for claim in claims {
        out.line(0, format!("  Name:\t{}", name(claim)));
        out.line(0, format!("  StorageClass:\t{}", text(claim, &["spec", "storageClassName"])));
        out.labels("  Labels", at(claim, &["metadata", "labels"]));
        out.annotations("  Annotations", at(claim, &["metadata", "annotations"]));
        let size = plain(at(claim, &["spec", "resources", "requests", "storage"]));
        out.line(0, format!("  Capacity:\t{}", super::or(&size, "<default>")));
        let modes: Vec<&str> =
            list(claim, &["spec", "accessModes"]).iter().filter_map(Value::as_str).collect();
        out.line(0, format!("  Access Modes:\t[{}]", modes.join(" ")));
    }
    Ok(())
}

pub(super) fn daemon_set(cx: &mut Cx<'_>, out: &mut Out, object: &Value) -> Result<()> {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", namespace(object)));
    out.line(0, format!("Selector:\t{}", selector(at(spec, &["selector"]))));
    out.line(0, format!("Node-Selector:\t{}", pairs(at(spec, &["template", "spec", "nodeSelector"]))));
    out.marks(object);
    for (title, field) in [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        out.line(0, format!("{title}: {}", int(status, &[field])));
    }
    pods_status(cx, out, object)?;
    template(out, at(spec, &["template"]));
    Ok(())
}

fn unset(value: &Value) -> String {
    let shown = plain(value);
    if shown.is_empty() { "<unset>".to_owned() } else { shown }
}

pub(super) fn job(out: &mut Out, object: &Value) {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", namespace(object)));
    out.line(0, format!("Selector:\t{}", selector(at(spec, &["selector"]))));
    out.marks(object);
    if let Some(owner) = controller(object) {
        out.line(0, format!("Controlled By:\t{owner}"));
    }
    out.line(0, format!("Parallelism:\t{}", unset(at(spec, &["parallelism"]))));
    out.line(0, format!("Completions:\t{}", unset(at(spec, &["completions"]))));
    if !text(spec, &["completionMode"]).is_empty() {
        out.line(0, format!("Completion Mode:\t{}", text(spec, &["completionMode"])));
    }
    if let Some(suspend) = at(spec, &["suspend"]).as_bool() {
        out.line(0, format!("Suspend:\t{suspend}"));
    }
    if let Some(limit) = at(spec, &["backoffLimit"]).as_i64() {
        out.line(0, format!("Backoff Limit:\t{limit}"));
    }
    if let Some(ttl) = at(spec, &["ttlSecondsAfterFinished"]).as_i64() {
        out.line(0, format!("TTL Seconds After Finished:\t{ttl}"));
    }
    let (start, end) = (text(status, &["startTime"]), text(status, &["completionTime"]));
    if !start.is_empty() {
        out.line(0, format!("Start Time:\t{}", time(start)));
    }
    if !end.is_empty() {
        out.line(0, format!("Completed At:\t{}", time(end)));
    }
    let parse = |t: &str| t.parse::<k8s_openapi::jiff::Timestamp>().ok();
    if let (Some(start), Some(end)) = (parse(start), parse(end)) {
        let nanos = end.as_nanosecond() - start.as_nanosecond();
        out.line(0, format!("Duration:\t{}", human_duration(i64::try_from(nanos).unwrap_or(0))));
    }
    if let Some(deadline) = at(spec, &["activeDeadlineSeconds"]).as_i64() {
        out.line(0, format!("Active Deadline Seconds:\t{deadline}s"));
    }
    let (active, succeeded, failed) =
        (int(status, &["active"]), int(status, &["succeeded"]), int(status, &["failed"]));
    match at(status, &["ready"]).as_i64() {
        Some(ready) => out.line(
            0,
            format!(
                "Pods Statuses:\t{active} Active ({ready} Ready) / {succeeded} Succeeded / {failed} Failed"
            ),
        ),
        None => {
            out.line(0, format!("Pods Statuses:\t{active} Active / {succeeded} Succeeded / {failed} Failed"));
        }
    }
    if text(spec, &["completionMode"]) == "Indexed" {
        let done = text(status, &["completedIndexes"]);
        let done = if done.is_empty() {
            "<none>".to_owned()
        } else if done.len() > 50 {
            let cut = done.get(..50).unwrap_or(done);
            format!("{}...", cut.rsplit_once(',').map_or(cut, |(head, _)| head))
        } else {
            done.to_owned()
        };
        out.line(0, format!("Completed Indexes:\t{done}"));
    }
    template(out, at(spec, &["template"]));
}

pub(super) fn cron_job(out: &mut Out, object: &Value) {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    let job = at(spec, &["jobTemplate", "spec"]);
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", namespace(object)));
    out.marks(object);
    out.line(0, format!("Schedule:\t{}", text(spec, &["schedule"])));
    out.line(0, format!("Concurrency Policy:\t{}", text(spec, &["concurrencyPolicy"])));
    let suspend = match at(spec, &["suspend"]).as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    out.line(0, format!("Suspend:\t{suspend}"));
    out.line(0, format!("Time Zone:\t{}", unset(at(spec, &["timeZone"]))));
    out.line(
        0,
        format!("Successful Job History Limit:\t{}", unset(at(spec, &["successfulJobsHistoryLimit"]))),
    );
    out.line(0, format!("Failed Job History Limit:\t{}", unset(at(spec, &["failedJobsHistoryLimit"]))));
    match at(spec, &["startingDeadlineSeconds"]).as_i64() {
        Some(seconds) => out.line(0, format!("Starting Deadline Seconds:\t{seconds}s")),
        None => out.line(0, "Starting Deadline Seconds:\t<unset>"),
    }
    if at(job, &["selector"]).is_object() {
        out.line(0, format!("Selector:\t{}", selector(at(job, &["selector"]))));
    } else {
        out.line(0, "Selector:\t<unset>");
    }
    out.line(0, format!("Parallelism:\t{}", unset(at(job, &["parallelism"]))));
    out.line(0, format!("Completions:\t{}", unset(at(job, &["completions"]))));
    if let Some(deadline) = at(job, &["activeDeadlineSeconds"]).as_i64() {
        out.line(0, format!("Active Deadline Seconds:\t{deadline}s"));
    }
    template(out, at(job, &["template"]));
    match text(status, &["lastScheduleTime"]) {
        "" => out.line(0, "Last Schedule Time:\t<unset>"),
        last => out.line(0, format!("Last Schedule Time:\t{}", time(last))),
    }
    let active: Vec<&str> = list(status, &["active"]).iter().map(|j| text(j, &["name"])).collect();
    out.line(0, format!("Active Jobs:\t{}", super::or(&active.join(", "), "<none>")));
}
