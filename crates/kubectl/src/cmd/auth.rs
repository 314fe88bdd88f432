//! `kubectl auth can-i` and `whoami`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/auth/cani.go, whoami.go (v1.37).

use super::discovery::served;
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::policy_rules;
use crate::print::tabwriter::TabWriter;
use crate::print::{self, Format, Order};
use crate::resource;
use crate::value::{at, list, plain, text};
use podlab_api::Request;
use podlab_api::door::{Gvr, Verb};
use serde_json::{Value, json};

const RESOURCE_VERBS: [&str; 16] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "impersonate",
    "*",
    "approve",
    "sign",
    "escalate",
    "attest",
];

const URL_VERBS: [&str; 8] = ["get", "put", "post", "head", "options", "delete", "patch", "*"];

/// Asks a question of the API server: nothing is kept.
fn review(cx: &mut Cx<'_>, group: &'static str, resource: &'static str, body: Value) -> Result<Value> {
    let gvr = Gvr { group: group.into(), version: "v1".into(), resource: resource.into() };
    cx.object(Request::new(Verb::Create, gvr).body(body))
}

/// The resource that a word names.
#[derive(Default)]
struct Asked {
    group: String,
    resource: String,
    /// `None` where nobody knows it.
    namespaced: Option<bool>,
}

fn resource_for(cx: &mut Cx<'_>, word: &str) -> Asked {
    if word == "*" {
        return Asked { resource: word.to_owned(), namespaced: Some(true), ..Asked::default() };
    }
    if let Some(kind) = resource::lookup(word).or_else(|| resource::lookup_in(&cx.defined(), word)) {
        let (group, resource) = (kind.group.to_owned(), kind.plural.to_owned());
        return Asked { group, resource, namespaced: Some(kind.namespaced) };
    }
    let lower = word.to_lowercase();
    if let Some(asked) = served(cx, &lower) {
        let (group, resource, namespaced) = asked;
        return Asked { group, resource, namespaced: Some(namespaced) };
    }
    if lower != "users" && lower != "groups" {
        let said = match lower.split_once('.') {
            None => format!("the server doesn't have a resource type '{lower}'"),
            Some((name, group)) => {
                format!("the server doesn't have a resource type '{name}' in group '{group}'")
            }
        };
        cx.errln(&format!("Warning: {said}\n"));
    }
    Asked { resource: word.to_owned(), ..Asked::default() }
}

pub(crate) fn can_i(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let (quiet, everywhere) = (parsed.bool("quiet"), parsed.bool("all-namespaces"));
    let subresource = parsed.str("subresource").to_owned();
    let namespace = if everywhere { String::new() } else { cx.namespace.clone() };
    if parsed.bool("list") {
        if !parsed.args.is_empty() {
            return message("list option must be specified with no arguments");
        }
        if quiet || everywhere || !subresource.is_empty() {
            return message(
                "list option can't be specified with neither quiet, all-namespaces nor subresource options",
            );
        }
        cx.discover(1)?;
        return access_list(cx, parsed, &namespace);
    }
    let [verb, what] = parsed.args.as_slice() else {
        return message(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        );
    };
    cx.discover(1)?;
    let spec = if what.starts_with('/') {
        if !subresource.is_empty() {
            return message("--subresource can not be used with NonResourceURL");
        }
        if !URL_VERBS.contains(&verb.as_str()) {
            cx.errln(&format!("Warning: verb '{verb}' is not a known verb\n"));
        }
        json!({"nonResourceAttributes": {"verb": verb, "path": what}})
    } else {
        let (word, name) = what.split_once('/').unwrap_or((what, ""));
        let asked = resource_for(cx, word);
        if !everywhere {
            if asked.namespaced == Some(false) {
                let resource = &asked.resource;
                let group = match asked.group.as_str() {
                    "" => String::new(),
                    group => format!(" in group '{group}'"),
                };
                cx.errln(&format!("Warning: resource '{resource}' is not namespace scoped{group}\n"));
            }
            if !RESOURCE_VERBS.contains(&verb.as_str()) {
                cx.errln(&format!("Warning: verb '{verb}' is not a known verb\n"));
            }
        }
        json!({"resourceAttributes": {"namespace": namespace, "verb": verb, "group": asked.group,
            "resource": asked.resource, "subresource": subresource, "name": name}})
    };
    if parsed.bool("no-headers") {
        return message("--no-headers cannot be set without --list specified");
    }
    let answer = review(cx, "authorization.k8s.io", "selfsubjectaccessreviews", json!({"spec": spec}))?;
    let allowed = at(&answer, &["status", "allowed"]).as_bool().unwrap_or(false);
    if !quiet {
        let mut said = if allowed { "yes" } else { "no" }.to_owned();
        for key in ["reason", "evaluationError"] {
            let why = text(&answer, &["status", key]);
            if !allowed && !why.is_empty() {
                said.push_str(&format!(" - {why}"));
            }
        }
        cx.outln(&said);
    }
    Ok(Flow::Done(i32::from(!allowed)))
}

fn access_list(cx: &mut Cx<'_>, parsed: &Parsed, namespace: &str) -> Result<Flow> {
    let body = json!({"spec": {"namespace": namespace}});
    let answer = review(cx, "authorization.k8s.io", "selfsubjectrulesreviews", body)?;
    let status = at(&answer, &["status"]);
    if at(status, &["incomplete"]).as_bool() == Some(true) {
        let why = text(status, &["evaluationError"]).to_owned();
        cx.errln(&format!("Warning: the list may be incomplete: {why}"));
    }
    let rules = [list(status, &["resourceRules"]), list(status, &["nonResourceRules"])].concat();
    let mut table = TabWriter::table();
    if !parsed.bool("no-headers") {
        table.write("Resources\tNon-Resource URLs\tResource Names\tVerbs\n");
    }
    for row in policy_rules::rows(&rules) {
        table.write(&format!("{row}\n"));
    }
    let text = table.flush();
    cx.out(&text);
    done()
}

pub(crate) fn whoami(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let format = print::format(cx, parsed, false)?;
    cx.discover(1)?;
    let answer = match review(cx, "authentication.k8s.io", "selfsubjectreviews", json!({})) {
        Err(Error::Status(status)) if status.reason == "Forbidden" => {
            return message(
                "the selfsubjectreviews API is not enabled in the cluster or you do not have permission to call it",
            );
        }
        answer => answer?,
    };
    if !matches!(format, Format::Human) {
        let text = print::object(&format, &answer, Order::Typed)?;
        cx.out(&text);
        return done();
    }
    let info = at(&answer, &["status", "userInfo"]);
    let words = |value: &Value| {
        let words: Vec<String> = value.as_array().into_iter().flatten().map(plain).collect();
        words.join(" ")
    };
    let mut table = TabWriter::table();
    table.write("ATTRIBUTE\tVALUE\n");
    for (title, key) in [("Username", "username"), ("UID", "uid")] {
        if !text(info, &[key]).is_empty() {
            table.write(&format!("{title}\t{}\n", text(info, &[key])));
        }
    }
    if !list(info, &["groups"]).is_empty() {
        table.write(&format!("Groups\t[{}]\n", words(at(info, &["groups"]))));
    }
    for (key, values) in at(info, &["extra"]).as_object().into_iter().flatten() {
        table.write(&format!("Extra: {key}\t[{}]\n", words(values)));
    }
    let text = table.flush();
    cx.out(&text);
    done()
}
