//! `kubectl set env`.

use super::{Change, change, containers, pod_spec};
use crate::cmd::create::bad_env_name;
use crate::cx::{Cx, Flow, done};
use crate::error::{Result, message, usage};
use crate::flags::Parsed;
use crate::resource::Builder;
use crate::value::{at, list, name, text};
use podlab_api::kinds;
use serde_json::{Value, json};

struct Update {
    set: Vec<Value>,
    remove: Vec<String>,
}

fn parse(cx: &Cx<'_>, words: &[String]) -> Result<Update> {
    let mut out = Update { set: Vec::new(), remove: Vec::new() };
    for word in words {
        if word == "-" {
            let text = String::from_utf8_lossy(cx.stdin).into_owned();
            for line in text.lines() {
                let line = line.split('#').next().unwrap_or("");
                if let Some((key, value)) = line.split_once('=') {
                    out.set.push(json!({"name": key, "value": value}));
                }
            }
        } else if let Some((key, value)) = word.split_once('=') {
            if let Some(why) = bad_env_name(key) {
                return message(format!("{key:?} is not a valid key name: {why}"));
            }
            out.set.push(json!({"name": key, "value": value}));
        } else if let Some(key) = word.strip_suffix('-') {
            out.remove.push(key.to_owned());
        } else {
            return message(format!("unknown environment variable: {word}"));
        }
    }
    if out.remove.iter().any(|key| out.set.iter().any(|e| e["name"] == key.as_str())) {
        return message("can not both modify and remove the same environment variable in the same command");
    }
    Ok(out)
}

fn from_object(cx: &mut Cx<'_>, parsed: &Parsed, update: &mut Update) -> Result<()> {
    let from = parsed.str("from").to_owned();
    if from.is_empty() {
        return Ok(());
    }
    let keys = parsed.list("keys");
    let found = Builder::new(cx, parsed).args(&[from]).fetch_typed(cx)?;
    for item in found.items {
        let info = item?;
        let (field, data) = if info.kind == &kinds::SECRET {
            ("secretKeyRef", at(&info.object, &["data"]))
        } else if info.kind == &kinds::CONFIG_MAP {
            ("configMapKeyRef", at(&info.object, &["data"]))
        } else {
            return message("unsupported resource specified in --from");
        };
        for key in data.as_object().into_iter().flatten().map(|(k, _)| k) {
            if !keys.is_empty() && !keys.iter().any(|k| k.trim() == key) {
                continue;
            }
            let env: String = key
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                .collect();
            update.set.push(json!({"name": env, "valueFrom": {field: {"key": key, "name": info.name}}}));
        }
    }
    Ok(())
}

fn reference(from: &Value) -> String {
    let part = |path: &[&str]| text(from, path).to_owned();
    if from.get("configMapKeyRef").is_some() {
        format!("configmap {}, key {}", part(&["configMapKeyRef", "name"]), part(&["configMapKeyRef", "key"]))
    } else if from.get("secretKeyRef").is_some() {
        format!("secret {}, key {}", part(&["secretKeyRef", "name"]), part(&["secretKeyRef", "key"]))
    } else if from.get("fieldRef").is_some() {
        format!("field path {}", part(&["fieldRef", "fieldPath"]))
    } else if from.get("resourceFieldRef").is_some() {
        let container = part(&["resourceFieldRef", "containerName"]);
        let prefix = if container.is_empty() { String::new() } else { format!("{container}/") };
        format!("resource field {prefix}{}", part(&["resourceFieldRef", "resource"]))
    } else {
        "invalid valueFrom".to_owned()
    }
}

fn apply(container: &mut Value, update: &Update, overwrite: bool) -> Result<()> {
    let old = list(container, &["env"]).to_vec();
    if !overwrite {
        for new in &update.set {
            let taken = old.iter().find(|e| e["name"] == new["name"]);
            if let Some(taken) = taken {
                return message(format!(
                    "'{}' already has a value ({}), and --overwrite is false",
                    text(new, &["name"]),
                    text(taken, &["value"])
                ));
            }
        }
    }
    let mut out: Vec<Value> = Vec::new();
    let mut covered: Vec<String> = update.remove.clone();
    for env in old.iter().chain(&update.set) {
        let key = text(env, &["name"]).to_owned();
        if covered.contains(&key) {
            continue;
        }
        match update.set.iter().find(|e| e["name"] == env["name"]) {
            Some(newer) => {
                covered.push(key);
                out.push(newer.clone());
            }
            None => out.push(env.clone()),
        }
    }
    container["env"] = out.into();
    Ok(())
}

pub(super) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let (mut resources, mut words) = (Vec::new(), Vec::new());
    for arg in &parsed.args {
        let is_env = (arg.contains('=') && !arg.starts_with('=')) || arg.ends_with('-');
        if is_env {
            words.push(arg.clone());
        } else if words.is_empty() {
            resources.push(arg.clone());
        } else {
            return usage(
                &parsed.path,
                format!(
                    "all resources must be specified before environment changes: {}",
                    parsed.args.join(" ")
                ),
            );
        }
    }
    let listing = parsed.bool("list");
    if parsed.list("filename").is_empty() && resources.is_empty() {
        return message("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    if listing && !parsed.str("output").is_empty() {
        return message("--list and --output may not be specified together");
    }
    if !parsed.list("keys").is_empty() && parsed.str("from").is_empty() {
        return message("when specifying --keys, a configmap or secret must be provided with --from");
    }
    if parsed.bool("resolve") {
        return message("podlab does not simulate 'kubectl set env --resolve'");
    }
    let mut all = parsed.list("env");
    all.extend(words);
    let mut update = parse(cx, &all)?;
    from_object(cx, parsed, &mut update)?;
    let prefix = parsed.str("prefix");
    if !prefix.is_empty() {
        for env in &mut update.set {
            env["name"] = format!("{prefix}{}", text(env, &["name"])).into();
        }
    }
    let selector = parsed.str("containers").to_owned();
    let overwrite = parsed.bool("overwrite");
    let how = Change {
        resources: &resources,
        verb: "env updated",
        failed: "failed to patch env update to pod template: ",
        always: false,
    };
    let flow = change(cx, parsed, &how, |cx, object, _| {
        let (kind, own) = (text(object, &["kind"]).to_owned(), name(object).to_owned());
        let spec = pod_spec(object)?;
        let chosen = containers(spec, &selector);
        if chosen.is_empty() {
            cx.errln(&format!("Warning: {kind}/{own} does not have any containers matching {selector:?}"));
            return Ok(());
        }
        for container in chosen {
            apply(container, &update, overwrite)?;
            if listing {
                cx.outln(&format!("# {kind} {own}, container {}", text(container, &["name"])));
                for env in list(container, &["env"]) {
                    let key = text(env, &["name"]);
                    match env.get("valueFrom") {
                        None | Some(Value::Null) => cx.outln(&format!("{key}={}", text(env, &["value"]))),
                        Some(from) => cx.outln(&format!("# {key} from {}", reference(from))),
                    }
                }
            } else if list(container, &["env"]).is_empty() {
                crate::value::remove(container, &[], "env");
            }
        }
        Ok(())
    })?;
    if listing {
        return done();
    }
    Ok(flow)
}
