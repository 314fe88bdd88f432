//! `kubectl config`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/config/*.go (v1.37).

use crate::config::named;
use crate::cx::{Cx, Flow, Run, done};
use crate::error::{Result, message, usage};
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
        "set-context" => set_context,
        "rename-context" => rename_context,
        "delete-context" => delete_context,
        "delete-cluster" => delete_cluster,
        "delete-user" => delete_user,
        _ => return None,
    })
}

/// The file's content with all the fields that a kubeconfig has.
fn full(cx: &Cx<'_>) -> Value {
    let old = &cx.config.content;
    let list = |key: &str| match at(old, &[key]) {
        Value::Array(items) => Value::Array(items.clone()),
        _ => Value::Null,
    };
    json!({"apiVersion": "v1", "kind": "Config", "clusters": list("clusters"), "contexts": list("contexts"),
        "users": list("users"), "current-context": text(old, &["current-context"])})
}

fn save(cx: &mut Cx<'_>, content: &Value) -> Result<()> {
    let path = cx.config.path.clone();
    match cx.io.write_file(&path, podlab_yaml::to_yaml(content).as_bytes()) {
        Ok(()) => Ok(()),
        Err(_) => message(format!("open {path}: permission denied")),
    }
}

fn view(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let mut content = full(cx);
    if !parsed.bool("raw") {
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
    let shown = print::object(&format, &content, Order::Typed)?;
    cx.out(&shown);
    done()
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
        return message("output must be one of '' or 'name': ".to_owned() + &output);
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
    match missing.first() {
        Some(name) => message(format!("context {name} not found")),
        None => done(),
    }
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
        return usage(&parsed.path, format!("Unexpected args: [{}]", parsed.args.join(" ")));
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
        ([_, ..], true) => return message("cannot specify both a context name and --current"),
        (other, false) => return usage(&parsed.path, format!("Unexpected args: [{}]", other.join(" "))),
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
        return usage(&parsed.path, format!("Unexpected args: [{}]", parsed.args.join(" ")));
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
