//! Job and CronJob.
//!
//! Source: pkg/apis/batch/validation/validation.go (v1.37).

use super::field::{BadValue, FieldError, Path};
use super::go_json::{internal_json, json_of};
use super::meta::{self, immutable_as, name_is_dns_subdomain, non_negative, selector_matches};
use super::workload::validate_template;
use super::{Errors, content, cron, supported};
use crate::schema::tree::{at, flag, has, int, list, map, text};
use serde_json::Value;

const MAX_INDEXED: i64 = 100_000;
const MAX_HIGH: i64 = 10_000;

pub(crate) fn validate_job(errors: &mut Errors, job: &Value) {
    let meta_path = Path::new("metadata");
    meta::validate_object_meta(errors, job, true, name_is_dns_subdomain, &meta_path);
    meta::validate_kube_finalizers(errors, job, &meta_path);
    validate_generated_selector(errors, job);
    let path = Path::new("spec");
    validate_spec_with_selector(errors, at(job, "spec"), &path);
    validate_name_allows_completions(errors, job);
}

/// An indexed job's pods are named after it, with a number behind.
fn validate_name_allows_completions(errors: &mut Errors, job: &Value) {
    let completions = int(job, "spec.completions").unwrap_or(0);
    if text(job, "spec.completionMode") != "Indexed" || completions <= 0 {
        return;
    }
    let name = text(job, "metadata.name");
    let host = format!("{name}-{}", completions - 1);
    if !content::is_dns1123_label(&host).is_empty() {
        let path = Path::new("metadata");
        let detail = format!("will not able to create pod with invalid DNS label: {host}");
        errors.push(FieldError::invalid(&path.child("name"), name, detail));
    }
}

fn validate_generated_selector(errors: &mut Errors, job: &Value) {
    let selector = at(job, "spec.selector");
    if flag(job, "spec.manualSelector") || selector.is_null() {
        return;
    }
    let (uid, name) = (text(job, "metadata.uid"), text(job, "metadata.name"));
    if uid.is_empty() {
        errors.push(FieldError::required(&Path::new("metadata.uid"), ""));
    }
    let labels = at(job, "spec.template.metadata.labels");
    let path = Path::new("spec.template.metadata");
    let labels_path = path.child("labels");
    let mut expected = serde_json::Map::new();
    for (key, value) in [
        ("controller-uid", uid),
        ("job-name", name),
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
    ] {
        expected.insert(key.to_owned(), value.into());
        let path = labels_path.key(key);
        match labels.get(key).and_then(Value::as_str) {
            None => errors.push(FieldError::required(&path, format!("must be '{value}'"))),
            Some(found) if found != value => {
                errors.push(FieldError::invalid(&path, labels.clone(), format!("must be '{value}'")));
            }
            Some(_) => {}
        }
    }
    if !selector_matches(selector, &expected) {
        let shown = BadValue::Json(json_of("meta/v1.LabelSelector", selector));
        errors.push(FieldError::invalid(&Path::new("spec.selector"), shown, "`selector` not auto-generated"));
    }
}

fn validate_spec_with_selector(errors: &mut Errors, spec: &Value, path: &Path) {
    validate_spec(errors, spec, path);
    let selector = at(spec, "selector");
    let selector_path = path.child("selector");
    if selector.is_null() {
        errors.push(FieldError::required(&selector_path, ""));
    } else {
        meta::validate_label_selector(errors, selector, &selector_path);
    }
    if !super::workload::is_unparsable(selector)
        && !selector_matches(selector, map(spec, "template.metadata.labels"))
    {
        let labels = at(spec, "template.metadata.labels").clone();
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid(&path.child("template.metadata.labels"), labels, detail));
    }
}

fn validate_spec(errors: &mut Errors, spec: &Value, path: &Path) {
    for name in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        non_negative(errors, int(spec, name).unwrap_or(0), &path.child(name));
    }
    let per_index = int(spec, "backoffLimitPerIndex");
    let max_failed = int(spec, "maxFailedIndexes");
    if max_failed.is_some() && per_index.is_none() {
        let detail = "when maxFailedIndexes is specified";
        errors.push(FieldError::required(&path.child("backoffLimitPerIndex"), detail));
    }
    if has(spec, "managedBy") {
        validate_managed_by(errors, text(spec, "managedBy"), &path.child("managedBy"));
    }
    let mode = text(spec, "completionMode");
    if !mode.is_empty() {
        supported(errors, &path.child("completionMode"), mode, &["NonIndexed", "Indexed"]);
    }
    if mode == "Indexed" {
        validate_indexed(errors, spec, path);
    }
    if matches!(mode, "" | "NonIndexed") {
        for (name, value) in [("backoffLimitPerIndex", per_index), ("maxFailedIndexes", max_failed)] {
            if let Some(value) = value {
                errors.push(FieldError::invalid(
                    &path.child(name),
                    value,
                    "requires indexed completion mode",
                ));
            }
        }
    }
    if has(spec, "podFailurePolicy") {
        validate_pod_failure_policy(errors, spec, &path.child("podFailurePolicy"));
    }
    if has(spec, "successPolicy") {
        validate_success_policy(errors, spec, &path.child("successPolicy"));
    }
    if has(spec, "podReplacementPolicy") {
        let allowed: &[&str] =
            if has(spec, "podFailurePolicy") { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        let policy = text(spec, "podReplacementPolicy");
        supported(errors, &path.child("podReplacementPolicy"), policy, allowed);
    }
    validate_template(errors, at(spec, "template"), &path.child("template"));
    let restart_path = path.child("template.spec.restartPolicy");
    match text(spec, "template.spec.restartPolicy") {
        "" | "Always" => {
            let detail = r#"valid values: "OnFailure", "Never""#;
            errors.push(FieldError::required(&restart_path, detail));
        }
        policy @ ("OnFailure" | "Never") => {
            if policy != "Never" && has(spec, "podFailurePolicy") {
                let detail = r#"only "Never" is supported when podFailurePolicy is specified"#;
                errors.push(FieldError::invalid(&restart_path, policy, detail));
            }
        }
        policy => errors.push(FieldError::not_supported(&restart_path, policy, &["OnFailure", "Never"])),
    }
}

fn validate_managed_by(errors: &mut Errors, value: &str, path: &Path) {
    super::domain::validate_domain_prefixed_path(errors, value, path);
    if value.len() > 63 {
        errors.push(FieldError::too_long(path, 63));
    }
}

fn validate_indexed(errors: &mut Errors, spec: &Value, path: &Path) {
    let completions = int(spec, "completions");
    let parallelism = int(spec, "parallelism").unwrap_or(0);
    let max_failed = int(spec, "maxFailedIndexes");
    let (parallelism_path, failed_path) = (path.child("parallelism"), path.child("maxFailedIndexes"));
    if completions.is_none() {
        errors.push(FieldError::required(&path.child("completions"), "when completion mode is Indexed"));
    }
    if parallelism > MAX_INDEXED {
        let detail = format!("must be less than or equal to {MAX_INDEXED} when completion mode is Indexed");
        errors.push(FieldError::invalid(&parallelism_path, parallelism, detail));
    }
    if let Some(failed) = max_failed {
        if completions.is_some_and(|c| failed > c) {
            errors.push(FieldError::invalid(
                &failed_path,
                failed,
                "must be less than or equal to completions",
            ));
        }
        if failed > MAX_INDEXED {
            let detail = format!("must be less than or equal to {MAX_INDEXED}");
            errors.push(FieldError::invalid(&failed_path, failed, detail));
        }
    }
    if completions.unwrap_or(0) > MAX_INDEXED && has(spec, "backoffLimitPerIndex") {
        let detail = format!(
            "must be less than or equal to {MAX_HIGH} when completions are above {MAX_INDEXED} and used with backoff limit per index"
        );
        if max_failed.is_none() {
            let detail = format!("must be specified when completions is above {MAX_INDEXED}");
            errors.push(FieldError::required(&failed_path, detail));
        }
        if parallelism > MAX_HIGH {
            errors.push(FieldError::invalid(&parallelism_path, parallelism, detail.as_str()));
        }
        if let Some(failed) = max_failed.filter(|f| *f > MAX_HIGH) {
            errors.push(FieldError::invalid(&failed_path, failed, detail));
        }
    }
}

fn validate_pod_failure_policy(errors: &mut Errors, spec: &Value, path: &Path) {
    const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
    let rules = list(spec, "podFailurePolicy.rules");
    let rules_path = path.child("rules");
    if rules.len() > 20 {
        errors.push(FieldError::too_many(&rules_path, rules.len(), 20));
    }
    for (i, rule) in rules.iter().enumerate() {
        let path = rules_path.index(i);
        let action = text(rule, "action");
        let action_path = path.child("action");
        if action.is_empty() {
            let detail = r#"valid values: ["Count" "FailIndex" "FailJob" "Ignore"]"#;
            errors.push(FieldError::required(&action_path, detail));
        } else if action == "FailIndex" {
            if !has(spec, "backoffLimitPerIndex") {
                let detail = "requires the backoffLimitPerIndex to be set";
                errors.push(FieldError::invalid(&action_path, action, detail));
            }
        } else {
            supported(errors, &action_path, action, &ACTIONS);
        }
        let (codes, conditions) = (at(rule, "onExitCodes"), list(rule, "onPodConditions"));
        if !codes.is_null() {
            validate_exit_codes(errors, spec, codes, &path.child("onExitCodes"));
        }
        let conditions_path = path.child("onPodConditions");
        if conditions.len() > 20 {
            errors.push(FieldError::too_many(&conditions_path, conditions.len(), 20));
        }
        for (j, pattern) in conditions.iter().enumerate() {
            let path = conditions_path.index(j);
            let kind = text(pattern, "type");
            super::invalid_each(errors, &path.child("type"), kind, content::is_qualified_name(kind));
            let status = text(pattern, "status");
            if status.is_empty() {
                let detail = r#"valid values: ["False" "True" "Unknown"]"#;
                errors.push(FieldError::required(&path.child("status"), detail));
            } else {
                supported(errors, &path.child("status"), status, &["False", "True", "Unknown"]);
            }
        }
        let detail = match (codes.is_null(), conditions.is_empty()) {
            (false, false) => "specifying both OnExitCodes and OnPodConditions is not supported",
            (true, true) => "specifying one of OnExitCodes and OnPodConditions is required",
            _ => continue,
        };
        errors.push(FieldError::invalid(&path, BadValue::Omitted, detail));
    }
}

fn validate_exit_codes(errors: &mut Errors, spec: &Value, codes: &Value, path: &Path) {
    let operator = text(codes, "operator");
    let operator_path = path.child("operator");
    if operator.is_empty() {
        errors.push(FieldError::required(&operator_path, r#"valid values: ["In" "NotIn"]"#));
    } else {
        supported(errors, &operator_path, operator, &["In", "NotIn"]);
    }
    if has(codes, "containerName") {
        let name = text(codes, "containerName");
        let known = list(spec, "template.spec.containers")
            .iter()
            .chain(list(spec, "template.spec.initContainers"))
            .any(|c| text(c, "name") == name);
        if !known {
            let detail = "must be one of the container or initContainer names in the pod template";
            errors.push(FieldError::invalid(&path.child("containerName"), name, detail));
        }
    }
    let values: Vec<i64> = list(codes, "values").iter().filter_map(Value::as_i64).collect();
    let values_path = path.child("values");
    let shown = || at(codes, "values").clone();
    if values.is_empty() {
        errors.push(FieldError::invalid(&values_path, shown(), "at least one value is required"));
    } else if values.len() > 255 {
        errors.push(FieldError::too_many(&values_path, values.len(), 255));
    }
    let mut seen: Vec<i64> = Vec::new();
    for (i, value) in values.iter().enumerate() {
        let path = values_path.index(i);
        if operator == "In" && *value == 0 {
            errors.push(FieldError::invalid(&path, 0, "must not be 0 for the In operator"));
        }
        if seen.contains(value) {
            errors.push(FieldError::duplicate(&path, *value));
        } else {
            seen.push(*value);
        }
    }
    if !values.is_sorted() {
        errors.push(FieldError::invalid(&values_path, shown(), "must be ordered"));
    }
}

fn validate_success_policy(errors: &mut Errors, spec: &Value, path: &Path) {
    let policy = at(spec, "successPolicy");
    if text(spec, "completionMode") != "Indexed" {
        let shown = BadValue::Json(internal_json("batch.SuccessPolicy", policy));
        errors.push(FieldError::invalid(path, shown, "requires indexed completion mode"));
        return;
    }
    let completions = int(spec, "completions").unwrap_or(0);
    let rules = list(policy, "rules");
    let rules_path = path.child("rules");
    if rules.is_empty() {
        let detail = "at least one rules must be specified when the successPolicy is specified";
        errors.push(FieldError::required(&rules_path, detail));
    }
    if rules.len() > 20 {
        errors.push(FieldError::too_many(&rules_path, rules.len(), 20));
    }
    for (i, rule) in rules.iter().enumerate() {
        let path = rules_path.index(i);
        let (count, indexes) = (int(rule, "succeededCount"), at(rule, "succeededIndexes").as_str());
        if count.is_none() && indexes.is_none() {
            let detail = "at least one of succeededCount or succeededIndexes must be specified";
            errors.push(FieldError::required(&path, detail));
        }
        let mut total = 0;
        if let Some(indexes) = indexes {
            match count_indexes(indexes, completions) {
                Ok(n) => total = n,
                Err(why) => {
                    let detail = format!("error parsing succeededIndexes: {why}");
                    errors.push(FieldError::invalid(&path.child("succeededIndexes"), indexes, detail));
                }
            }
        }
        if let Some(count) = count {
            let path = path.child("succeededCount");
            non_negative(errors, count, &path);
            if count > completions {
                let detail = format!(
                    "must be less than or equal to {completions} (the number of specified completions)"
                );
                errors.push(FieldError::invalid(&path, count, detail));
            }
            if indexes.is_some() && count > total {
                let detail = format!(
                    "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
                );
                errors.push(FieldError::invalid(&path, count, detail));
            }
        }
    }
}

/// How many indexes `1,3-5` names.
///
/// Source: pkg/apis/batch/validation/validation.go validateIndexesFormat (v1.37).
pub(super) fn count_indexes(text: &str, completions: i64) -> Result<i64, String> {
    Ok(indexes_of(text, completions)?.iter().map(|(from, to)| to - from + 1).sum())
}

/// The intervals that `1,3-5` names.
pub(super) fn indexes_of(text: &str, completions: i64) -> Result<Vec<(i64, i64)>, String> {
    let mut intervals: Vec<(i64, i64)> = Vec::new();
    if text.is_empty() {
        return Ok(intervals);
    }
    let number = |s: &str| {
        s.parse::<i64>()
            .map_err(|_| format!("cannot convert string to integer for index: {}", crate::go_text::quote(s)))
    };
    for interval in text.split(',') {
        let limits: Vec<&str> = interval.split('-').collect();
        let (x, y) = match limits.as_slice() {
            [one] => (number(one)?, number(one)?),
            [from, to] => (number(from)?, number(to)?),
            _ => {
                return Err(format!(
                    "the fragment {} violates the requirement that an index interval can have at most two parts separated by '-'",
                    crate::go_text::quote(interval)
                ));
            }
        };
        for n in [x, y] {
            if n >= completions {
                return Err(format!("too large index: {}", crate::go_text::quote(&n.to_string())));
            }
        }
        if limits.len() == 2 && x >= y {
            return Err(format!("non-increasing order, previous: {x}, current: {y}"));
        }
        if let Some((_, previous)) = intervals.last().filter(|(_, last)| *last >= x) {
            return Err(format!("non-increasing order, previous: {previous}, current: {x}"));
        }
        intervals.push((x, y));
    }
    Ok(intervals)
}

pub(crate) fn validate_cron_job(errors: &mut Errors, object: &Value, old: Option<&Value>) {
    let path = Path::new("spec");
    let spec = at(object, "spec");
    let schedule = text(spec, "schedule");
    let schedule_path = path.child("schedule");
    if !schedule.is_empty() {
        if let Err(why) = cron::parse_schedule(schedule) {
            errors.push(FieldError::invalid(&schedule_path, schedule, why));
        }
        if schedule.contains("TZ") {
            let allowed = old.is_some_and(|o| text(o, "spec.schedule").contains("TZ"));
            if !allowed {
                let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
                errors.push(FieldError::invalid(&schedule_path, schedule, detail));
            } else if has(spec, "timeZone") {
                let detail = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
                errors.push(FieldError::invalid(&schedule_path, schedule, detail));
            }
        }
    }
    if let Some(seconds) = int(spec, "startingDeadlineSeconds") {
        non_negative(errors, seconds, &path.child("startingDeadlineSeconds"));
    }
    if old.is_none_or(|o| at(o, "spec.timeZone") != at(spec, "timeZone")) {
        validate_time_zone(errors, spec, &path.child("timeZone"));
    }
    let policies = ["Allow", "Forbid", "Replace"];
    let policy = text(spec, "concurrencyPolicy");
    super::required_supported(errors, &path.child("concurrencyPolicy"), policy, &policies);
    let template_path = path.child("jobTemplate.spec");
    let template = at(spec, "jobTemplate.spec");
    validate_spec(errors, template, &template_path);
    if has(template, "selector") {
        let shown = BadValue::Json(json_of("meta/v1.LabelSelector", at(template, "selector")));
        let detail = "`selector` will be auto-generated";
        errors.push(FieldError::invalid(&template_path.child("selector"), shown, detail));
    }
    if flag(template, "manualSelector") {
        let path = template_path.child("manualSelector");
        errors.push(FieldError::not_supported(&path, true, &["nil", "false"]));
    }
    for name in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        non_negative(errors, int(spec, name).unwrap_or(0), &path.child(name));
    }
    let name = text(object, "metadata.name");
    if old.is_none() && name.len() > 52 {
        let path = Path::new("metadata");
        errors.push(FieldError::invalid(&path.child("name"), name, "must be no more than 52 characters"));
    }
    // What generated validation says comes last.
    if schedule.is_empty() {
        let path = Path::new("spec");
        errors.push(FieldError::required(&path.child("schedule"), ""));
    }
}

fn validate_time_zone(errors: &mut Errors, spec: &Value, path: &Path) {
    let Some(zone) = at(spec, "timeZone").as_str() else { return };
    if zone.is_empty() {
        errors.push(FieldError::invalid(path, zone, "timeZone must be nil or non-empty string"));
        return;
    }
    let fits = |part: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+');
        (1..=14).contains(&part.len())
            && part != "."
            && part != ".."
            && !part.starts_with('-')
            && part.bytes().all(allowed)
    };
    if !zone.split('/').all(fits) {
        errors.push(FieldError::invalid(path, zone, format!("unknown time zone {zone}")));
        return;
    }
    if zone.eq_ignore_ascii_case("Local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.push(FieldError::invalid(path, zone, detail));
    }
    if !zone.eq_ignore_ascii_case("Local") && !super::time_zones::is_known(zone) {
        errors.push(FieldError::invalid(path, zone, format!("unknown time zone {zone}")));
    }
}

/// What may not change in a job.
pub(crate) fn validate_job_update(errors: &mut Errors, job: &Value, old: &Value) {
    let path = Path::new("spec");
    let (new_spec, old_spec) = (at(job, "spec"), at(old, "spec"));
    validate_spec_with_selector(errors, new_spec, &path);
    let completions_path = path.child("completions");
    if text(new_spec, "completionMode") != "Indexed" {
        meta::immutable(errors, at(new_spec, "completions"), at(old_spec, "completions"), &completions_path);
    } else if at(new_spec, "completions") != at(old_spec, "completions")
        && has(new_spec, "completions")
        && at(new_spec, "completions") != at(new_spec, "parallelism")
    {
        let detail = "can only be modified in tandem with spec.parallelism";
        errors.push(FieldError::invalid(&completions_path, at(new_spec, "completions").clone(), detail));
    }
    let selector = at(new_spec, "selector");
    let shown = BadValue::Json(json_of("meta/v1.LabelSelector", selector));
    immutable_as(errors, selector, at(old_spec, "selector"), shown, &path.child("selector"));
    validate_template_update(errors, new_spec, old_spec, flag(old_spec, "suspend"), &path);
    for (name, internal) in [
        ("completionMode", ""),
        ("podFailurePolicy", "batch.PodFailurePolicy"),
        ("backoffLimitPerIndex", ""),
        ("managedBy", ""),
        ("successPolicy", "batch.SuccessPolicy"),
    ] {
        let new = at(new_spec, name);
        let shown = if internal.is_empty() || new.is_null() {
            BadValue::Value(new.clone())
        } else {
            BadValue::Json(internal_json(internal, new))
        };
        immutable_as(errors, new, at(old_spec, name), shown, &path.child(name));
    }
    validate_name_allows_completions(errors, job);
}

fn validate_template_update(errors: &mut Errors, new: &Value, old: &Value, suspended: bool, path: &Path) {
    let (new_template, old_template) = (at(new, "template"), at(old, "template"));
    if !suspended {
        let shown = BadValue::Json(internal_json("core.PodTemplateSpec", new_template));
        immutable_as(errors, new_template, old_template, shown, &path.child("template"));
        return;
    }
    // A suspended job may change where its pods go and what they ask for.
    let mut allowed = at(old_template, "spec").clone();
    let new_spec = at(new_template, "spec");
    if let Some(spec) = allowed.as_object_mut() {
        for name in ["nodeSelector", "tolerations", "schedulingGates"] {
            match new_spec.get(name) {
                Some(value) => spec.insert(name.to_owned(), value.clone()),
                None => spec.remove(name),
            };
        }
        for name in ["containers", "initContainers"] {
            let new_containers = list(new_spec, name);
            let Some(containers) = spec.get_mut(name).and_then(Value::as_array_mut) else { continue };
            if containers.len() != new_containers.len() {
                continue;
            }
            for (container, new) in containers.iter_mut().zip(new_containers) {
                if text(container, "name") == text(new, "name") {
                    crate::schema::tree::set(container, "resources", at(new, "resources").clone());
                }
            }
        }
        let affinity = new_spec.get("affinity").cloned();
        match (affinity, spec.contains_key("affinity")) {
            (Some(new), true) => {
                if let Some(affinity) = spec.get_mut("affinity") {
                    match new.get("nodeAffinity") {
                        Some(node) => crate::schema::tree::set(affinity, "nodeAffinity", node.clone()),
                        None => crate::schema::tree::remove(affinity, "nodeAffinity"),
                    }
                }
            }
            (Some(new), false) => {
                let node = at(&new, "nodeAffinity").clone();
                spec.insert("affinity".to_owned(), serde_json::json!({"nodeAffinity": node}));
            }
            (None, true) => {
                if let Some(affinity) = spec.get_mut("affinity") {
                    crate::schema::tree::remove(affinity, "nodeAffinity");
                }
                if at(&Value::Object(spec.clone()), "affinity").as_object().is_some_and(|m| m.is_empty()) {
                    spec.remove("affinity");
                }
            }
            (None, false) => {}
        }
    }
    let shown = BadValue::Json(internal_json("core.PodSpec", new_spec));
    immutable_as(errors, new_spec, &allowed, shown, &path.child("template.spec"));
}
