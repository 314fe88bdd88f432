//! `kubectl run`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/run/run.go (v1.37).

use super::create::bad_env_name;
use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::manifest::typed_value;
use crate::print::Order;
use crate::resource::gather;
use podlab_api::patch::{KindLookup, apply_json_patch, apply_merge_patch, apply_strategic};
use podlab_api::{Kind, Request, kinds};
use serde_json::{Map, Value, json};

/// Whether a text can name an image.
///
/// Source: github.com/distribution/reference ReferenceRegexp.
pub(crate) fn is_image(image: &str) -> bool {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    let digest_fits = digest.is_none_or(|d| {
        d.split_once(':').is_some_and(|(algorithm, hex)| {
            algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
                && algorithm.chars().all(|c| c.is_ascii_alphanumeric() || "+._-".contains(c))
                && hex.len() >= 32
                && hex.chars().all(|c| c.is_ascii_hexdigit())
        })
    });
    let slash = rest.rfind('/').map_or(0, |i| i + 1);
    let (name, tag) = match rest.get(slash..).and_then(|r| r.find(':')) {
        Some(at) => (rest.get(..slash + at).unwrap_or(""), rest.get(slash + at + 1..)),
        None => (rest, None),
    };
    let tag_fits = tag.is_none_or(|t| {
        t.len() <= 128
            && t.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && t.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    });
    let component = |text: &str| {
        let mut separators = 0;
        let mut last = ' ';
        if !text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            return false;
        }
        for c in text.chars() {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                separators = 0;
            } else if "._-".contains(c) {
                separators += 1;
                let fine = separators == 1
                    || (c == '-' && last == '-')
                    || (c == '_' && last == '_' && separators == 2);
                if !fine {
                    return false;
                }
            } else {
                return false;
            }
            last = c;
        }
        last.is_ascii_alphanumeric()
    };
    let domain = |text: &str| {
        let (host, port) = text.split_once(':').map_or((text, None), |(h, p)| (h, Some(p)));
        port.is_none_or(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_digit()))
            && host.split('.').all(|l| {
                !l.is_empty()
                    && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                    && !l.starts_with('-')
                    && !l.ends_with('-')
            })
    };
    let parts: Vec<&str> = name.split('/').collect();
    let name_fits = match parts.as_slice() {
        [] => false,
        [one] => component(one),
        [first, rest @ ..] => {
            rest.iter().all(|p| component(p))
                && (component(first) || (domain(first) && first.contains(['.', ':'])))
        }
    };
    name_fits && tag_fits && digest_fits
}

/// Applies `--overrides`.
///
/// # Errors
/// They are no JSON, or do not fit the object.
pub(crate) fn overridden(parsed: &Parsed, object: Value) -> Result<Value> {
    let overrides = parsed.str("overrides");
    if overrides.is_empty() {
        return Ok(object);
    }
    let patch = match podlab_yaml::parse_json(overrides) {
        Ok(value) => value,
        Err(error) => return message(format!("error reading overrides: {}", error.text)),
    };
    let result = match parsed.str("override-type") {
        "json" => apply_json_patch(&object, &patch).map_err(|e| e.to_string()),
        "strategic" => {
            let kind = kinds::by_gvk(
                object["apiVersion"].as_str().unwrap_or(""),
                object["kind"].as_str().unwrap_or(""),
            );
            apply_strategic(object.clone(), patch, KindLookup::new(kind.unwrap_or(&kinds::POD)))
                .map_err(|e| e.to_string())
        }
        _ => Ok(apply_merge_patch(object, &patch)),
    };
    result.or_else(message)
}

fn labels(spec: &str) -> Result<Map<String, Value>> {
    let mut out = Map::new();
    for part in spec.split(',').filter(|_| !spec.is_empty()) {
        match part.split('=').collect::<Vec<_>>().as_slice() {
            ["", _] => return message("unexpected empty label key"),
            [key, value] => {
                out.insert((*key).to_owned(), (*value).into());
            }
            _ => return message(format!("unexpected label spec: {part}")),
        }
    }
    Ok(out)
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let interactive = parsed.bool("stdin");
    let (annotations, _) = super::label::pairs(&parsed.list("annotations"), "annotations", false)?;
    let given_labels = labels(parsed.str("labels"))?;
    let mut env: Vec<Value> = Vec::new();
    for pair in parsed.list("env") {
        match pair.split_once('=') {
            Some((key, value)) if bad_env_name(key).is_none() => {
                env.push(json!({"name": key, "value": value}))
            }
            _ => return message(format!("invalid env: {pair}")),
        }
    }
    let restart = match parsed.str("restart") {
        "" => {
            if interactive {
                "OnFailure"
            } else {
                "Always"
            }
        }
        text @ ("Always" | "OnFailure" | "Never") => text,
        other => {
            return message(format!(
                "invalid restart policy: {other}, valid values are: Always, OnFailure, Never"
            ));
        }
    };
    let pull = match parsed.str("image-pull-policy") {
        text @ ("" | "Always" | "IfNotPresent" | "Never") => text,
        other => {
            return message(format!(
                "invalid image pull policy: {other}, valid values are: Always, IfNotPresent, Never"
            ));
        }
    };
    let attach = if parsed.changed("attach") { parsed.bool("attach") } else { interactive };
    let mut reporter = Reporter::new(cx, parsed)?;
    let Some(name) = parsed.args.first().filter(|_| parsed.dash != Some(0)).cloned() else {
        return message("NAME is required for run");
    };
    let image = parsed.str("image");
    if image.is_empty() {
        return message("--image is required");
    }
    if !is_image(image) {
        return message(format!("invalid image name {image:?}: invalid reference format"));
    }
    let tty = parsed.bool("tty");
    if tty && !interactive {
        return message("-i/--stdin is required for containers with -t/--tty=true");
    }
    let port = parsed.str("port");
    if parsed.bool("expose") && port.is_empty() {
        return message("--port must be set when exposing a service");
    }
    if !port.is_empty() && port.parse::<i64>().is_err() {
        return message("--port must be a number");
    }
    if !attach && parsed.bool("rm") {
        return message("--rm should only be used for attached containers");
    }
    if attach && reporter.dry_run != DryRun::None {
        return message(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
        );
    }
    cx.discover(1)?;
    let mut container = json!({"name": name, "image": image});
    if !env.is_empty() {
        container["env"] = env.into();
    }
    if interactive {
        container["stdin"] = true.into();
        if !parsed.bool("leave-stdin-open") {
            container["stdinOnce"] = true.into();
        }
    }
    if tty {
        container["tty"] = true.into();
    }
    if !pull.is_empty() {
        container["imagePullPolicy"] = pull.into();
    }
    if parsed.bool("privileged") {
        container["securityContext"] = json!({"privileged": true});
    }
    let words = parsed.args.get(1..).unwrap_or(&[]);
    if !words.is_empty() {
        container[if parsed.bool("command") { "command" } else { "args" }] = words.into();
    }
    let number: i64 = port.parse().unwrap_or(0);
    if !port.is_empty() {
        container["ports"] = json!([{"containerPort": number}]);
    }
    let pod_labels = if given_labels.is_empty() {
        Map::from_iter([("run".to_owned(), name.clone().into())])
    } else {
        given_labels.clone()
    };
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": pod_labels},
        "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart}});
    if !annotations.is_empty() {
        pod["metadata"]["annotations"] = json!(annotations);
    }
    let pod = overridden(parsed, typed_value(&pod).or_else(message)?)?;
    let pod = generated(cx, parsed, reporter.dry_run, &kinds::POD, typed_value(&pod).or_else(message)?)?;
    let mut objects = vec![pod];
    let mut errors: Vec<Error> = Vec::new();
    if parsed.bool("expose") {
        let mut service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": pod_labels, "ports": [{"port": number, "protocol": "TCP", "targetPort": number}]}});
        if !given_labels.is_empty() {
            service["metadata"]["labels"] = Value::Object(given_labels);
        }
        match generated(
            cx,
            parsed,
            reporter.dry_run,
            &kinds::SERVICE,
            typed_value(&service).or_else(message)?,
        ) {
            Ok(service) => objects.push(service),
            Err(error) => errors.push(error),
        }
    }
    if attach {
        gather(errors)?;
        return super::attach::after_run(cx, parsed, &name, restart, objects.len() > 1);
    }
    if reporter.dry_run != DryRun::Client && !matches!(reporter.format, crate::print::Format::Human) {
        // Answers come in the types' own form.
    }
    for object in &objects {
        let verb = "created";
        reporter.report(cx, object, verb, Order::Typed)?;
    }
    gather(errors)?;
    done()
}

fn generated(
    cx: &mut Cx<'_>,
    parsed: &Parsed,
    dry_run: DryRun,
    kind: &'static Kind,
    mut object: Value,
) -> Result<Value> {
    if dry_run == DryRun::Client {
        if cx.enforce_namespace {
            object["metadata"]["namespace"] = cx.namespace.clone().into();
        }
        return Ok(object);
    }
    if parsed.bool("save-config") {
        super::apply::annotate(&mut object);
    }
    let mut request = Request::create(kind, &cx.namespace.clone(), object);
    request.options.dry_run = dry_run == DryRun::Server;
    request.options.field_manager = Some(parsed.str("field-manager").to_owned());
    cx.object(request)
}
