//! `kubectl auth reconcile`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/auth/reconcile.go, k8s.io/component-helpers/auth/rbac/reconciliation (v1.37).

use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, done};
use crate::error::{Result, message};
use crate::flags::Parsed;
use crate::print::{Format, Order};
use crate::resource::{Builder, Info};
use crate::value::{at, list, plain, text};
use podlab_api::Request;
use serde_json::{Value, json};

/// A rule's lists, by name in Go and in JSON.
const LISTS: [(&str, &str); 5] = [
    ("Verbs", "verbs"),
    ("APIGroups", "apiGroups"),
    ("Resources", "resources"),
    ("ResourceNames", "resourceNames"),
    ("NonResourceURLs", "nonResourceURLs"),
];

struct Outcome {
    object: Value,
    operation: &'static str,
    missing: Vec<String>,
    extra: Vec<String>,
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let builder = Builder::new(cx, parsed).args(&[]);
    if !builder.has_files() {
        return message("must specify one of -f and -k");
    }
    let mut reporter = Reporter::new(cx, parsed)?;
    let human = matches!(reporter.format, Format::Human);
    for item in builder.resolve(cx)?.items {
        let info = item?;
        let (binding, removes) = match info.kind.kind {
            "Role" | "ClusterRole" => (false, parsed.bool("remove-extra-permissions")),
            "RoleBinding" | "ClusterRoleBinding" => (true, parsed.bool("remove-extra-subjects")),
            // Other kinds are left as they are.
            _ => continue,
        };
        let outcome = reconcile(cx, &info, binding, removes, reporter.dry_run)?;
        reporter.report(cx, &outcome.object, "reconciled", Order::Sorted)?;
        if !human || outcome.operation.is_empty() {
            continue;
        }
        cx.outln(&format!("\treconciliation required {}", outcome.operation));
        let what = if binding { "subjects" } else { "rules" };
        for (word, all) in [("missing", "added", &outcome.missing), ("extra", "removed", &outcome.extra)]
            .map(|(word, did, all)| (format!("\t{word} {what} {did}:"), all))
        {
            if !all.is_empty() {
                cx.outln(&word);
            }
            for one in all {
                cx.outln(&format!("\t\t{one}"));
            }
        }
    }
    done()
}

fn reconcile(cx: &mut Cx<'_>, info: &Info, binding: bool, removes: bool, dry: DryRun) -> Result<Outcome> {
    let field = if binding { "subjects" } else { "rules" };
    let wanted = list(&info.object, &[field]).to_vec();
    let shown = |all: &[Value]| all.iter().map(|v| if binding { subject(v) } else { rule(v) }).collect();
    let send = |cx: &mut Cx<'_>, mut request: Request, local: Value| {
        request.options.dry_run = dry == DryRun::Server;
        if dry == DryRun::Client { Ok(local) } else { cx.object(request) }
    };
    let live = match cx.get(info.kind, &info.namespace, &info.name) {
        Ok(live) => live,
        Err(error) if error.is_not_found() => {
            let request = Request::create(info.kind, &info.namespace, info.object.clone());
            let object = send(cx, request, info.object.clone())?;
            return Ok(Outcome { object, operation: "create", missing: shown(&wanted), extra: Vec::new() });
        }
        Err(error) => return Err(error),
    };
    if binding && at(&live, &["roleRef"]) != at(&info.object, &["roleRef"]) {
        if dry != DryRun::Client {
            let mut delete = Request::delete(info.kind, &info.namespace, &info.name);
            delete.options.dry_run = dry == DryRun::Server;
            cx.ask(delete)?;
        }
        let mut next = live.clone();
        next["roleRef"] = at(&info.object, &["roleRef"]).clone();
        let bare = json!({"name": info.name});
        let mut fresh = next.clone();
        fresh["metadata"] = bare;
        let request = Request::create(info.kind, &info.namespace, fresh);
        let object = send(cx, request, next)?;
        return Ok(Outcome { object, operation: "recreate", missing: Vec::new(), extra: Vec::new() });
    }
    let has = list(&live, &[field]).to_vec();
    let lacking = |owned: &[Value], needed: &[Value]| -> Vec<Value> {
        if binding {
            return needed
                .iter()
                .filter(|n| !owned.iter().any(|o| subject(o) == subject(n)))
                .cloned()
                .collect();
        }
        needed.iter().flat_map(single).filter(|n| !owned.iter().any(|o| covers(o, n))).collect()
    };
    let missing = lacking(&has, &wanted);
    let extra = if removes { lacking(&wanted, &has) } else { Vec::new() };
    let mut next = live.clone();
    let mut changed = !missing.is_empty() || !extra.is_empty();
    for key in ["labels", "annotations"] {
        for (name, value) in at(&info.object, &["metadata", key]).as_object().into_iter().flatten() {
            if at(&next, &["metadata", key, name]) != value {
                crate::value::slot(&mut next, &["metadata", key])[name] = value.clone();
                changed = true;
            }
        }
    }
    if !changed {
        return Ok(Outcome { object: live, operation: "", missing: Vec::new(), extra: Vec::new() });
    }
    let all = if removes { wanted } else { has.into_iter().chain(missing.iter().cloned()).collect() };
    next[field] = Value::Array(all);
    let request = Request::update(info.kind, &info.namespace, &info.name, next.clone());
    let object = send(cx, request, next)?;
    Ok(Outcome { object, operation: "update", missing: shown(&missing), extra: shown(&extra) })
}

/// As Go's `%+v`.
fn subject(value: &Value) -> String {
    let part = |key: &str| text(value, &[key]).to_owned();
    format!(
        "{{Kind:{} APIGroup:{} Name:{} Namespace:{}}}",
        part("kind"),
        part("apiGroup"),
        part("name"),
        part("namespace")
    )
}

fn rule(value: &Value) -> String {
    let parts: Vec<String> = LISTS
        .iter()
        .map(|(go, key)| {
            let items: Vec<String> = list(value, &[key]).iter().map(plain).collect();
            format!("{go}:[{}]", items.join(" "))
        })
        .collect();
    format!("{{{}}}", parts.join(" "))
}

/// A rule taken apart: one verb, one group, one resource, at most one name each.
fn single(rule: &Value) -> Vec<Value> {
    let texts = |key: &str| -> Vec<String> { list(rule, &[key]).iter().map(plain).collect() };
    let mut out = Vec::new();
    for verb in texts("verbs") {
        for url in texts("nonResourceURLs") {
            out.push(json!({"verbs": [verb], "nonResourceURLs": [url]}));
        }
        for group in texts("apiGroups") {
            for resource in texts("resources") {
                let bare = json!({"verbs": [verb], "apiGroups": [group], "resources": [resource]});
                let names = texts("resourceNames");
                if names.is_empty() {
                    out.push(bare.clone());
                }
                for name in names {
                    let mut one = bare.clone();
                    one["resourceNames"] = json!([name]);
                    out.push(one);
                }
            }
        }
    }
    out
}

/// Whether a rule allows all that a single one does.
fn covers(owner: &Value, one: &Value) -> bool {
    let within = |key: &str, all: &str| {
        let owned: Vec<String> = list(owner, &[key]).iter().map(plain).collect();
        list(one, &[key]).iter().map(plain).all(|wanted| owned.iter().any(|o| o == all || *o == wanted))
    };
    let names = list(owner, &["resourceNames"]).is_empty()
        || (!list(one, &["resourceNames"]).is_empty() && within("resourceNames", ""));
    let urls = list(one, &["nonResourceURLs"]).iter().map(plain).all(|wanted| {
        list(owner, &["nonResourceURLs"])
            .iter()
            .map(plain)
            .any(|o| o == wanted || o.strip_suffix('*').is_some_and(|start| wanted.starts_with(start)))
    });
    within("verbs", "*") && within("apiGroups", "*") && within("resources", "*") && names && urls
}
