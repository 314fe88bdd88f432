//! `tables/kubectl_run_set.json`: `kubectl run` and `kubectl set image`.

use anyhow::Result;
use podlab_api::kinds;
use serde_json::{Value, json};

use super::bench::{Bench, refused, says, texts};
use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(
        recording,
        &[
            ("run.TestExpose", Use::Compare(expose)),
            (
                "run.TestGetImagePullPolicyErrorListsValidValues",
                Use::Compare(|row| names_value(row, "image-pull-policy")),
            ),
            ("run.TestGetRestartPolicy", Use::Compare(restart_policy)),
            (
                "run.TestGetRestartPolicyErrorListsValidValues",
                Use::Compare(|row| names_value(row, "restart")),
            ),
            ("run.TestOverride", Use::Compare(override_pod)),
            ("run.TestParseEnv", Use::Compare(parse_env)),
            ("run.TestParseLabels.errorCases", Use::Compare(parse_labels)),
            ("run.TestParseLabels.successCases", Use::Compare(parse_labels)),
            ("run.TestRunArgsFollowDashRules", Use::Compare(dashes)),
            ("run.TestRunValidations", Use::CompareAll(run_validations)),
            ("set_image.TestSetImageRemote.inputs", Use::CompareAll(set_image)),
            ("set_image.TestSetImageRemoteWithSpecificContainers.inputs", Use::CompareAll(set_image)),
            ("set_image.TestSetImageValidation", Use::CompareAll(set_image_validation)),
        ],
    )
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn names_value(row: &Row<'_>, flag: &str) -> Outcome {
    let output = Bench::new(&[]).run(["run", "test", "--image=busybox", &format!("--{flag}=foo")]);
    says(row.as_text(), &output)
}

/// The policy of the pod that was made; an attached one is waited for in vain.
fn restart_policy(row: &Row<'_>) -> Outcome {
    let restart = format!("--restart={}", row.text("input"));
    let mut arguments = vec!["run", "test", "--image=busybox", &restart];
    if row.flag("interactive") {
        arguments.push("-i");
    }
    let mut bench = Bench::new(&[]);
    let output = bench.run(arguments);
    if row.flag("expectErr") {
        return refused(true, &output);
    }
    let pod = bench.live(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "test"}}));
    let policy = pod.pointer("/spec/restartPolicy").and_then(Value::as_str).unwrap_or_default();
    Outcome::equal(row.text("expected"), policy)
}

fn dashes(row: &Row<'_>) -> Outcome {
    let mut arguments = vec!["run", "--image=busybox", "--dry-run=client"];
    let words = texts(row.field("args"));
    match usize::try_from(row.int("argsLenAtDash")) {
        Ok(at) => {
            arguments.extend(words.iter().take(at));
            arguments.push("--");
            arguments.extend(words.iter().skip(at));
        }
        Err(_) => arguments.extend(&words),
    }
    refused(row.flag("expectError"), &Bench::new(&[]).run(arguments))
}

fn expose(row: &Row<'_>) -> Outcome {
    let image = format!("--image={}", row.text("imageName"));
    let port = format!("--port={}", row.text("port"));
    let labels = format!("--labels={}", row.text("labels"));
    let mut arguments = vec!["run", "-n", "ns", "--expose", "--dry-run=client", "-oyaml", &image, &port];
    if !row.text("labels").is_empty() {
        arguments.push(&labels);
    }
    if row.flag("command") {
        arguments.push("--command");
    }
    arguments.extend(texts(row.field("args")));
    Outcome::equal(row.text("expectedOutput"), Bench::new(&[]).run(arguments).stdout)
}

fn run_validations(row: &Row<'_>) -> Outcome {
    let image = match row.text("image") {
        "" if !row.field("args").is_null() => {
            return Outcome::Skipped("the parser of flags refuses a line without --image before".to_owned());
        }
        "" => "--image=busybox".to_owned(),
        image => format!("--image={image}"),
    };
    let mut arguments = vec!["run", &image];
    arguments.extend(texts(row.field("args")));
    for (field, flag) in [("rm", "--rm"), ("attach", "--attach"), ("stdin", "--stdin"), ("tty", "--tty")] {
        if row.flag(field) {
            arguments.push(flag);
        }
    }
    // The one value of this table that was not evaluated is the constant for a client's dry run.
    if !row.field("dryRun").is_null() {
        arguments.push("--dry-run=client");
    }
    says(row.text("expectedErr"), &Bench::new(&[]).run(arguments))
}

fn override_pod(row: &Row<'_>) -> Outcome {
    let image = format!("--image={}", row.text("imageName"));
    let overrides = format!("--overrides={}", row.text("overrides"));
    let how = format!("--override-type={}", row.text("overrideType"));
    let mut arguments =
        vec!["run", row.text("podName"), "-n", "ns", "--dry-run=client", "-oyaml", &image, &overrides];
    if !row.text("overrideType").is_empty() {
        arguments.push(&how);
    }
    Outcome::equal(row.text("expectedOutput"), Bench::new(&[]).run(arguments).stdout)
}

fn parse_labels(row: &Row<'_>) -> Outcome {
    let labels = format!("--labels={}", row.text("labels"));
    let arguments = ["run", "test", "--image=busybox", "--dry-run=client", "-ojson", &labels];
    let output = Bench::new(&[]).run(arguments);
    if row.field("expected").is_null() {
        return refused(true, &output);
    }
    let pod = json_of(&output.stdout);
    Outcome::same(row.field("expected"), pod.pointer("/metadata/labels").unwrap_or(&Value::Null))
}

fn parse_env(row: &Row<'_>) -> Outcome {
    let variables: Vec<String> =
        texts(row.field("envArray")).into_iter().map(|variable| format!("--env={variable}")).collect();
    let arguments = ["run", "test", "--image=busybox", "--dry-run=client", "-ojson"];
    let output = Bench::new(&[]).run(arguments.into_iter().chain(variables.iter().map(String::as_str)));
    if row.flag("expectErr") {
        return refused(true, &output);
    }
    let with_values = |list: &Value| -> Value {
        let variable = |variable: &Value| json!({"name": variable["name"], "value": variable.get("value").cloned().unwrap_or_else(|| json!(""))});
        list.as_array().into_iter().flatten().map(variable).collect()
    };
    let pod = json_of(&output.stdout);
    let got = pod.pointer("/spec/containers/0/env").unwrap_or(&Value::Null);
    Outcome::same(&with_values(row.field("expected")), &with_values(got))
}

fn set_image_validation(row: &Row<'_>) -> Outcome {
    let options = row.field("imageOptions");
    if options.get("FilenameOptions").is_some() {
        return Outcome::Skipped("a file of the test that is not in the table".to_owned());
    }
    let resources = texts(options.get("Resources").unwrap_or(&Value::Null));
    if resources.is_empty() {
        // set_image.go `Complete` asks its builder before `Validate` is called.
        return Outcome::Skipped("a line that names nothing fails before it is validated".to_owned());
    }
    // Several errors are a list in Go's text, and lines on the terminal.
    let errors = row.text("expectErr").trim_matches(['[', ']']);
    let output = Bench::new(&[]).run(["set", "image"].into_iter().chain(resources.iter().copied()));
    Outcome::all(errors.split(", ").map(|error| says(error, &output)))
}

/// Every version of a workload's kind is served as the newest one.
fn set_image(row: &Row<'_>) -> Outcome {
    let arguments = texts(row.field("args"));
    let resource = arguments.first().copied().unwrap_or_default();
    let Some(kind) = kinds::ALL.iter().find(|kind| kind.singular == resource || kind.plural == resource)
    else {
        return Outcome::equal("a kind", resource);
    };
    let mut object = row.field("object").clone();
    object["apiVersion"] = json!(kind.api_version());
    object["kind"] = json!(kind.kind);
    complete(&mut object);
    let mut bench = Bench::created(std::slice::from_ref(&object));
    let output = bench.run(["set", "image"].into_iter().chain(arguments.iter().copied()));
    let live = bench.live(&object);
    let (wanted, image) = arguments.last().and_then(|last| last.split_once('=')).unwrap_or_default();
    let spec = ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec", "/spec"]
        .into_iter()
        .find_map(|path| live.pointer(path).filter(|spec| spec.get("containers").is_some()));
    let lists = ["containers", "initContainers"].into_iter().filter_map(|list| spec?.get(list)?.as_array());
    let images = lists.flatten().map(|container| {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        let got = container.get("image").and_then(Value::as_str).unwrap_or_default();
        let expected = if wanted == "*" || wanted == name { image } else { name };
        Outcome::equal(format!("{name}: {expected}"), format!("{name}: {got}"))
    });
    Outcome::all([refused(false, &output)].into_iter().chain(images))
}

/// What a server asks of a workload; the test's own server asks nothing.
fn complete(object: &mut Value) {
    let labels = json!({"app": "nginx"});
    match object["kind"].as_str() {
        Some("CronJob") => {
            object["spec"]["schedule"] = json!("* * * * *");
            object["spec"]["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] = json!("Never");
        }
        Some("ReplicationController") => {
            object["spec"]["selector"] = labels.clone();
            object["spec"]["template"]["metadata"] = json!({"labels": labels});
        }
        Some("Pod") => {}
        _ => {
            object["spec"]["selector"] = json!({"matchLabels": labels});
            object["spec"]["template"]["metadata"] = json!({"labels": labels});
        }
    }
}
