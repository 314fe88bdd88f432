//! `kubectl create deployment`, `job`, `cronjob`.

use super::{finish, name};
use crate::cx::{Cx, Flow};
use crate::error::{Result, message};
use crate::flags::Parsed;
use crate::resource::Builder;
use crate::value::{at, text};
use podlab_api::kinds;
use serde_json::{Map, Value, json};

/// A container's name by its image.
///
/// Source: k8s.io/kubectl/pkg/cmd/create/create_deployment.go buildPodSpec (v1.37).
fn container_name(cx: &Cx<'_>, image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let last = last.split(':').next().unwrap_or(last);
    let last = last.split('@').next().unwrap_or(last);
    if !last.contains(['_', '.']) {
        return last.to_owned();
    }
    format!("{}-{}", last.replace(['_', '.'], "-"), suffix(cx, image))
}

/// Five characters that the instant and the text decide.
pub(crate) fn suffix(cx: &Cx<'_>, text: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut state = cx.now().as_nanosecond() as u64 ^ 0x9e37_79b9_7f4a_7c15;
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut out = String::new();
    for _ in 0..5 {
        state ^= state >> 29;
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let at = (state >> 33) as usize % LETTERS.len();
        out.push(char::from(LETTERS.get(at).copied().unwrap_or(b'b')));
    }
    out
}

pub(super) fn deployment(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let images = parsed.list("image");
    let command = parsed.after_dash();
    if images.len() > 1 && !command.is_empty() {
        return message("cannot specify multiple --image options and command");
    }
    let mut containers: Vec<Value> = Vec::new();
    for image in &images {
        let mut container = json!({"image": image, "name": container_name(cx, image), "resources": {}});
        if !command.is_empty() {
            container["command"] = command.into();
        }
        containers.push(container);
    }
    if parsed.changed("port")
        && parsed.int("port") >= 0
        && let Some(first) = containers.first_mut()
    {
        first["ports"] = json!([{"containerPort": parsed.int("port")}]);
    }
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"replicas": parsed.int("replicas"), "selector": {"matchLabels": {"app": name}}, "strategy": {},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}},
        "status": {}});
    finish(cx, parsed, &kinds::DEPLOYMENT, object, "failed to create deployment: ")
}

fn pod_template(name: &str, image: &str, command: &[String], restart: &str) -> Value {
    let mut container = json!({"image": image, "name": name, "resources": {}});
    if !command.is_empty() {
        container["command"] = command.into();
    }
    json!({"metadata": {}, "spec": {"containers": [container], "restartPolicy": restart}})
}

pub(super) fn job(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let (image, from) = (parsed.str("image"), parsed.str("from"));
    let command = parsed.after_dash();
    if image.is_empty() == from.is_empty() {
        return message("either --image or --from must be specified");
    }
    if !command.is_empty() && !from.is_empty() {
        return message("cannot specify --from and command");
    }
    let object = if from.is_empty() {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"template": pod_template(&name, image, command, "Never")}, "status": {}})
    } else {
        let builder = Builder::new(cx, parsed).args(&[from.to_owned()]);
        let found = builder.fetch_typed(cx)?;
        let info = match found.items.into_iter().next() {
            Some(info) => info?,
            None => return message("from must be an existing cronjob"),
        };
        if info.kind != &kinds::CRON_JOB {
            return message(format!("unknown object type *{}.{}", info.kind.version, info.kind.kind));
        }
        from_cron_job(&name, &info.object)
    };
    finish(cx, parsed, &kinds::JOB, object, "failed to create job: ")
}

fn from_cron_job(name: &str, cron_job: &Value) -> Value {
    let template = at(cron_job, &["spec", "jobTemplate"]);
    let mut annotations = Map::from_iter([("cronjob.kubernetes.io/instantiate".to_owned(), "manual".into())]);
    annotations.extend(at(template, &["metadata", "annotations"]).as_object().cloned().unwrap_or_default());
    let mut meta = json!({"name": name, "annotations": annotations,
        "ownerReferences": [{"apiVersion": "batch/v1", "controller": true, "kind": "CronJob",
            "name": crate::value::name(cron_job), "uid": text(cron_job, &["metadata", "uid"])}]});
    let labels = at(template, &["metadata", "labels"]);
    if labels.is_object() {
        meta["labels"] = labels.clone();
    }
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": at(template, &["spec"]).clone(), "status": {}})
}

pub(super) fn cron_job(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let image = parsed.str("image");
    if image.is_empty() {
        return message("--image must be specified");
    }
    if parsed.str("schedule").is_empty() {
        return message("--schedule must be specified");
    }
    let restart = match parsed.str("restart") {
        "" => "OnFailure",
        text => text,
    };
    let object = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
        "spec": {"schedule": parsed.str("schedule"),
            "jobTemplate": {"metadata": {"name": name},
                "spec": {"template": pod_template(&name, image, parsed.after_dash(), restart)}}},
        "status": {}});
    finish(cx, parsed, &kinds::CRON_JOB, object, "failed to create cronjob: ")
}
