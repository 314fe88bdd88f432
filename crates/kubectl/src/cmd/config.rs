//! `kubectl config`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/config/*.go (v1.37).

use crate::config::named;
use crate::cx::{Cx, Flow, Run, done};
use crate::error::{Error, Result, message, usage};
use crate::flags::Parsed;
use crate::print::tabwriter::TabWriter;
use crate::print::{self, Order};
use crate::value::{at, list, text};
use serde_json::{Value, json};

pub(crate) fn lookup(name: &str) -> Option<Run> {
    Some(match name {
        "view" => view,
        "current-context" => current_context,
        "get-contexts" => get_contexts,
        "get-clusters" => get_clusters,
        "get-users" => get_users,
        "use-context" => use_context,
        "set" => super::config_set::set,
        "set-cluster" => super::config_set::set_cluster,
        "set-context" => set_context,
        "set-credentials" => super::config_set::set_credentials,
        "unset" => super::config_set::unset,
        "rename-context" => rename_context,
        "delete-context" => delete_context,
        "delete-cluster" => delete_cluster,
        "delete-user" => delete_user,
        _ => return None,
    })
}

/// The file's content with all the fields that a kubeconfig has.
pub(crate) fn full(cx: &Cx<'_>) -> Value {
    let old = &cx.config.content;
    let list = |key: &str| match at(old, &[key]) {
        Value::Array(items) => Value::Array(items.clone()),
        _ => Value::Null,
    };
    json!({"apiVersion": "v1", "kind": "Config", "clusters": list("clusters"), "contexts": list("contexts"),
        "users": list("users"), "current-context": text(old, &["current-context"])})
}

pub(crate) fn save(cx: &mut Cx<'_>, content: &Value) -> Result<()> {
    let path = cx.config.path.clone();
    let mut content = content.clone();
    for key in ["clusters", "contexts", "users"] {
        match content[key].as_array_mut() {
            Some(all) if all.is_empty() => content[key] = Value::Null,
            Some(all) => all.sort_by(|a, b| text(a, &["name"]).cmp(text(b, &["name"]))),
            None => {}
        }
    }
    let content = &content;
    match cx.io.write_file(&path, podlab_yaml::to_yaml(content).as_bytes()) {
        Ok(()) => Ok(()),
        Err(_) => message(format!("open {path}: permission denied")),
    }
}

fn view(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if !parsed.args.is_empty() {
        return usage(&parsed.path, format!("unexpected arguments: [{}]", parsed.args.join(" ")));
    }
    let mut content = full(cx);
    if !parsed.bool("raw") && !parsed.bool("flatten") {
        for user in content["users"].as_array_mut().into_iter().flatten() {
            for key in ["token", "password"] {
                if !text(user, &["user", key]).is_empty() {
                    user["user"][key] = "REDACTED".into();
                }
            }
            for key in ["client-certificate-data", "client-key-data"] {
                if !text(user, &["user", key]).is_empty() {
                    user["user"][key] = "DATA+OMITTED".into();
                }
            }
        }
        for cluster in content["clusters"].as_array_mut().into_iter().flatten() {
            if !text(cluster, &["cluster", "certificate-authority-data"]).is_empty() {
                cluster["cluster"]["certificate-authority-data"] = "DATA+OMITTED".into();
            }
        }
    }
    if parsed.bool("minify") {
        let current = cx.config.current_context().to_owned();
        if current.is_empty() {
            return message("current-context must exist in order to minify");
        }
        let Some(context) = cx.config.context(&current).cloned() else {
            return message(format!("cannot locate context {current}"));
        };
        let keep = |list: &mut Value, name: &str| {
            if let Some(items) = list.as_array_mut() {
                items.retain(|e| text(e, &["name"]) == name);
            }
        };
        keep(&mut content["contexts"], &current);
        keep(&mut content["clusters"], text(&context, &["cluster"]));
        keep(&mut content["users"], text(&context, &["user"]));
    }
    let format = match print::format(cx, parsed, false)? {
        print::Format::Human => print::Format::Yaml,
        other => other,
    };
    let shown = match format {
        print::Format::Json => {
            let mut out = String::new();
            ordered(&mut out, &content, 0);
            out + "\n"
        }
        format => print::object(&format, &content, Order::Typed)?,
    };
    cx.out(&shown);
    done()
}

/// Fields in the order of Go's types; what is not among them follows by name.
const ORDER: [&str; 36] = [
    "kind",
    "apiVersion",
    "preferences",
    "name",
    "clusters",
    "users",
    "contexts",
    "current-context",
    "cluster",
    "user",
    "namespace",
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "act-as",
    "act-as-uid",
    "username",
    "password",
    "auth-provider",
    "exec",
    "command",
    "args",
    "env",
    "value",
    "config",
    "extensions",
];

fn ordered(out: &mut String, value: &Value, depth: usize) {
    let pad = "    ".repeat(depth + 1);
    let end = "    ".repeat(depth);
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ",\n" } else { "\n" });
                out.push_str(&pad);
                ordered(out, item, depth + 1);
            }
            out.push_str(&format!("\n{end}]"));
        }
        Value::Object(map) if !map.is_empty() => {
            // An exec plugin has its version after its environment.
            let exec = map.contains_key("command");
            let place = |key: &str| match ORDER.iter().position(|k| *k == key) {
                Some(_) if exec && key == "apiVersion" => ORDER.len(),
                found => found.unwrap_or(ORDER.len() + 1),
            };
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_by_key(|key| (place(key), (*key).clone()));
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                out.push_str(if index > 0 { ",\n" } else { "\n" });
                out.push_str(&format!("{pad}{key:?}: "));
                ordered(out, &map[key], depth + 1);
            }
            out.push_str(&format!("\n{end}}}"));
        }
        other => out.push_str(&podlab_yaml::to_json_compact(other)),
    }
}

fn current_context(cx: &mut Cx<'_>, _parsed: &Parsed) -> Result<Flow> {
    let current = cx.config.current_context().to_owned();
    if current.is_empty() {
        return message("current-context is not set");
    }
    cx.outln(&current);
    done()
}

fn get_contexts(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let output = parsed.str("output").to_owned();
    if !output.is_empty() && output != "name" {
        return message(format!(
            "--output {output} is not available in kubectl config get-contexts; resetting to default output format"
        ));
    }
    let mut names: Vec<String> =
        list(&cx.config.content, &["contexts"]).iter().map(|c| text(c, &["name"]).to_owned()).collect();
    names.sort();
    let mut missing = Vec::new();
    if !parsed.args.is_empty() {
        missing = parsed.args.iter().filter(|a| !names.contains(a)).cloned().collect();
        names.retain(|n| parsed.args.contains(n));
    }
    if output == "name" {
        for name in &names {
            cx.outln(name);
        }
    } else {
        let mut table = TabWriter::table();
        if !parsed.bool("no-headers") {
            table.write("CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
        }
        let current = cx.config.current_context().to_owned();
        for name in &names {
            let context = cx.config.context(name).cloned().unwrap_or(Value::Null);
            let mark = if *name == current { "*" } else { "" };
            table.write(&format!(
                "{mark}\t{name}\t{}\t{}\t{}\n",
                text(&context, &["cluster"]),
                text(&context, &["user"]),
                text(&context, &["namespace"])
            ));
        }
        let shown = table.flush();
        cx.out(&shown);
    }
    let missing = missing.into_iter().map(|name| Error::Message(format!("context {name} not found")));
    crate::resource::gather(missing.collect())?;
    done()
}

fn names(cx: &mut Cx<'_>, key: &str) -> Result<Flow> {
    cx.outln("NAME");
    let mut names: Vec<String> =
        list(&cx.config.content, &[key]).iter().map(|c| text(c, &["name"]).to_owned()).collect();
    names.sort();
    for name in names {
        cx.outln(&name);
    }
    done()
}

fn get_clusters(cx: &mut Cx<'_>, _parsed: &Parsed) -> Result<Flow> {
    names(cx, "clusters")
}

fn get_users(cx: &mut Cx<'_>, _parsed: &Parsed) -> Result<Flow> {
    names(cx, "users")
}

fn use_context(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let [name] = parsed.args.as_slice() else {
        return super::config_set::misused(cx, parsed, "Unexpected");
    };
    if cx.config.context(name).is_none() {
        return message(format!("no context exists with the name: {name:?}"));
    }
    let mut content = full(cx);
    content["current-context"] = name.clone().into();
    save(cx, &content)?;
    cx.outln(&format!("Switched to context {name:?}."));
    done()
}

fn set_context(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let current = parsed.bool("current");
    let name = match (parsed.args.as_slice(), current) {
        ([one], false) => one.clone(),
        ([], true) => {
            let name = cx.config.current_context().to_owned();
            if name.is_empty() {
                return message("no current context is set");
            }
            name
        }
        ([], false) => return message("you must specify a non-empty context name or --current"),
        ([_, ..], true) => return message("you cannot specify both a context name and --current"),
        (_, false) => return super::config_set::misused(cx, parsed, "Unexpected"),
    };
    let mut content = full(cx);
    let exists = named(&content, "contexts", &name).is_some();
    if !content["contexts"].is_array() {
        content["contexts"] = json!([]);
    }
    if !exists && let Some(list) = content["contexts"].as_array_mut() {
        list.push(json!({"name": name, "context": {"cluster": "", "user": ""}}));
    }
    for entry in content["contexts"].as_array_mut().into_iter().flatten() {
        if text(entry, &["name"]) != name {
            continue;
        }
        for (flag, field) in [("cluster", "cluster"), ("user", "user"), ("namespace", "namespace")] {
            if parsed.changed(flag) {
                entry["context"][field] = parsed.str(flag).into();
            }
        }
        if text(entry, &["context", "namespace"]).is_empty() {
            crate::value::remove(entry, &["context"], "namespace");
        }
    }
    save(cx, &content)?;
    cx.outln(&format!("Context {name:?} {}.", if exists { "modified" } else { "created" }));
    done()
}

fn rename_context(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let [old, new] = parsed.args.as_slice() else {
        return super::config_set::misused(cx, parsed, "Unexpected");
    };
    if cx.config.context(old).is_none() {
        return message(format!("cannot rename the context {old:?}, it's not in {}", cx.config.path));
    }
    if cx.config.context(new).is_some() {
        return message(format!(
            "cannot rename the context {old:?}, the context {new:?} already exists in {}",
            cx.config.path
        ));
    }
    let mut content = full(cx);
    for entry in content["contexts"].as_array_mut().into_iter().flatten() {
        if text(entry, &["name"]) == *old {
            entry["name"] = new.clone().into();
        }
    }
    if text(&content, &["current-context"]) == *old {
        content["current-context"] = new.clone().into();
    }
    save(cx, &content)?;
    cx.outln(&format!("Context {old:?} renamed to {new:?}."));
    done()
}

fn delete(cx: &mut Cx<'_>, parsed: &Parsed, key: &str, word: &str) -> Result<Flow> {
    let [name] = parsed.args.as_slice() else {
        if word == "user" {
            return usage(&parsed.path, "user to delete is required");
        }
        cx.out(&crate::help::text(parsed, &[]));
        return done();
    };
    let path = cx.config.path.clone();
    if named(&cx.config.content, key, name).is_none() {
        let shown = if path.starts_with('/') { path } else { path.clone() };
        return message(format!("cannot delete {word} {name}, not in {shown}"));
    }
    if key == "contexts" && cx.config.current_context() == name {
        cx.errln("warning: this removed your active context, use \"kubectl config use-context\" to select a different one");
    }
    let mut content = full(cx);
    if let Some(list) = content[key].as_array_mut() {
        list.retain(|e| text(e, &["name"]) != name);
    }
    save(cx, &content)?;
    cx.outln(&format!("deleted {word} {name} from {path}"));
    done()
}

fn delete_context(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    delete(cx, parsed, "contexts", "context")
}

fn delete_cluster(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    delete(cx, parsed, "clusters", "cluster")
}

fn delete_user(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    delete(cx, parsed, "users", "user")
}
