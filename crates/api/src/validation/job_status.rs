//! What may be written into a job's status.
//!
//! Source: pkg/apis/batch/validation/validation.go `ValidateJobStatusUpdate`, pkg/registry/batch/job/strategy.go
//! `getStatusValidationOptions` (v1.37).

use super::Errors;
use super::batch::{count_indexes, indexes_of};
use super::field::{BadValue, FieldError, Path};
use super::go_json::internal_json;
use super::meta::non_negative;
use crate::schema::tree::{at, flag, has, int, list, text};
use serde_json::Value;

fn is(job: &Value, condition: &str, status: &str) -> bool {
    list(job, "status.conditions")
        .iter()
        .any(|one| text(one, "type") == condition && text(one, "status") == status)
}

fn is_true(job: &Value, condition: &str) -> bool {
    is(job, condition, "True")
}

fn is_finished(job: &Value) -> bool {
    is_true(job, "Complete") || is_true(job, "Failed")
}

/// A rule holds for what changes: it may be broken for a while where the spec has changed below a status.
pub(crate) fn validate(errors: &mut Errors, job: &Value, old: &Value) {
    let path = Path::new("status");
    let (status, before, spec) = (at(job, "status"), at(old, "status"), at(job, "spec"));
    let number = |value: &Value, name: &str| int(value, name).unwrap_or(0);
    let changed = |name: &str| at(status, name) != at(before, name);
    let turned = |condition: &str| is_true(job, condition) != is_true(old, condition);
    let conditions = path.child("conditions");
    let told = |errors: &mut Errors, detail: &str| {
        errors.push(FieldError::invalid(&conditions, BadValue::Omitted, detail));
    };
    for name in ["active", "succeeded", "failed", "ready", "terminating"] {
        non_negative(errors, number(status, name), &path.child(name));
    }
    let uncounted = path.child("uncountedTerminatedPods");
    let mut seen: Vec<&str> = Vec::new();
    for name in ["succeeded", "failed"] {
        let path = uncounted.child(name);
        for (i, uid) in list(at(status, "uncountedTerminatedPods"), name).iter().enumerate() {
            let uid = uid.as_str().unwrap_or("");
            if uid.is_empty() {
                errors.push(FieldError::invalid(&path.index(i), uid, "must not be empty"));
            } else if seen.contains(&uid) {
                errors.push(FieldError::duplicate(&path.index(i), uid));
            } else {
                seen.push(uid);
            }
        }
    }
    let (complete, failed) = (is_true(job, "Complete"), is_true(job, "Failed"));
    let (failure, success) = (is_true(job, "FailureTarget"), is_true(job, "SuccessCriteriaMet"));
    let finished = is_finished(job);
    let finish_changed = finished != is_finished(old);
    if (turned("Complete") || turned("Failed")) && complete && failed {
        told(errors, "cannot set Complete=True and Failed=true conditions");
    }
    if (turned("Complete") || turned("FailureTarget")) && complete && failure {
        told(errors, "cannot set Complete=True and FailureTarget=true conditions");
    }
    let completion = path.child("completionTime");
    let time = |name: &str| at(status, name).clone();
    if turned("Complete") || changed("completionTime") {
        if has(status, "completionTime") && !complete {
            let detail = "cannot set completionTime when there is no Complete=True condition";
            errors.push(FieldError::invalid(&completion, time("completionTime"), detail));
        }
        if !has(status, "completionTime") && complete {
            errors.push(FieldError::required(&completion, "completionTime is required for Complete jobs"));
        }
    }
    if (changed("startTime") || changed("completionTime"))
        && has(status, "startTime")
        && has(status, "completionTime")
        // Both are in UTC and to the second by now.
        && text(status, "completionTime") < text(status, "startTime")
    {
        let detail = "must be equal to or after `startTime`";
        errors.push(FieldError::invalid(&completion, time("completionTime"), detail));
    }
    if (turned("Failed") || changed("failedIndexes")) && failed && !failure {
        told(errors, "cannot set Failed=True condition without the FailureTarget=true condition");
    }
    if (turned("Complete") || turned("SuccessCriteriaMet")) && complete && !success {
        told(errors, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
    }
    if (finish_changed || changed("active")) && finished && number(status, "active") > 0 {
        let detail = "active>0 is invalid for finished job";
        errors.push(FieldError::invalid(&path.child("active"), number(status, "active"), detail));
    }
    let nothing_to_do = flag(spec, "suspend") && int(spec, "completions") == Some(0);
    if (finish_changed || changed("startTime")) && !nothing_to_do && finished && !has(status, "startTime") {
        errors.push(FieldError::required(&path.child("startTime"), "startTime is required for finished job"));
    }
    let waiting = at(status, "uncountedTerminatedPods");
    if (finish_changed || changed("uncountedTerminatedPods"))
        && finished
        && !(list(waiting, "failed").is_empty() && list(waiting, "succeeded").is_empty())
    {
        let shown = BadValue::Json(internal_json("batch.UncountedTerminatedPods", waiting));
        errors.push(FieldError::invalid(&uncounted, shown, "must be empty for finished job"));
    }
    validate_indexes(errors, spec, status, before, &path);
    if (finish_changed || changed("terminating")) && finished && number(status, "terminating") > 0 {
        let detail = "terminating>0 is invalid for finished job";
        errors.push(FieldError::invalid(&path.child("terminating"), number(status, "terminating"), detail));
    }
    let ready = number(status, "ready");
    if (changed("ready") || changed("active")) && ready > number(status, "active") {
        let detail = "cannot set more ready pods than active";
        errors.push(FieldError::invalid(&path.child("ready"), ready, detail));
    }
    if success && failed {
        told(errors, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
    }
    if success && failure {
        told(errors, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
    }
    if has(spec, "successPolicy") && !success && complete {
        told(errors, "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True");
    }
    for condition in ["Failed", "Complete", "FailureTarget"] {
        if is_true(old, condition) && !is_true(job, condition) {
            told(errors, &format!("cannot disable the terminal {condition}=True condition"));
        }
    }
    let elastic =
        text(spec, "completionMode") == "Indexed" && at(spec, "completions") == at(spec, "parallelism");
    for (name, guarded) in [("failed", true), ("succeeded", !elastic)] {
        let count = number(status, name);
        if guarded && count < number(before, name) {
            let detail = format!("cannot decrease the {name} counter");
            errors.push(FieldError::invalid(&path.child(name), count, detail));
        }
    }
    if has(status, "completionTime") && has(before, "completionTime") && changed("completionTime") {
        errors.push(FieldError::invalid(&completion, time("completionTime"), "field is immutable"));
    }
    let resuming = is_true(old, "Suspended") && is(job, "Suspended", "False");
    if changed("startTime") && !resuming && has(before, "startTime") && !flag(spec, "suspend") {
        let detail = "field is immutable for unsuspended job once set";
        errors.push(FieldError::invalid(&path.child("startTime"), time("startTime"), detail));
    }
    if is_true(old, "SuccessCriteriaMet") && !success {
        told(errors, "cannot disable the SuccessCriteriaMet=True condition");
    }
    if is_true(old, "Complete") && !is_true(old, "SuccessCriteriaMet") && success {
        told(errors, "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
    }
}

fn validate_indexes(errors: &mut Errors, spec: &Value, status: &Value, before: &Value, path: &Path) {
    let (completed, failed) = (text(status, "completedIndexes"), at(status, "failedIndexes").as_str());
    let completed_changed = completed != text(before, "completedIndexes");
    let failed_changed = at(status, "failedIndexes") != at(before, "failedIndexes");
    let completions = int(spec, "completions");
    let completed_path = path.child("completedIndexes");
    let failed_path = path.child("failedIndexes");
    if let (true, Some(completions)) = (completed_changed, completions)
        && let Err(why) = count_indexes(completed, completions)
    {
        let detail = format!("error parsing completedIndexes: {why}");
        errors.push(FieldError::invalid(&completed_path, completed, detail));
    }
    if let (true, Some(completions), Some(failed)) = (failed_changed, completions, failed)
        && has(spec, "backoffLimitPerIndex")
        && let Err(why) = count_indexes(failed, completions)
    {
        let detail = format!("error parsing failedIndexes: {why}");
        errors.push(FieldError::invalid(&failed_path, failed, detail));
    }
    if completed_changed && !completed.is_empty() && text(spec, "completionMode") != "Indexed" {
        let detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
        errors.push(FieldError::invalid(&completed_path, completed, detail));
    }
    let Some(failed) = failed else { return };
    if failed_changed && !has(spec, "backoffLimitPerIndex") {
        let detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        errors.push(FieldError::invalid(&failed_path, failed, detail));
    }
    if let (true, Some(completions)) = (failed_changed || completed_changed, completions)
        && let (Ok(done), Ok(lost)) = (indexes_of(completed, completions), indexes_of(failed, completions))
    {
        let common = done.iter().flat_map(|(a, b)| lost.iter().map(move |(c, d)| (a.max(c), b.min(d))));
        if let Some((first, _)) = common.filter(|(from, to)| from <= to).min() {
            let detail = format!("failedIndexes and completedIndexes overlap at index: {first}");
            errors.push(FieldError::invalid(&failed_path, failed, detail));
        }
    }
}
