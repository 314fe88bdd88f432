//! `kubectl taint`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/taint/taint.go, utils.go (v1.37).

use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message, usage};
use crate::flags::Parsed;
use crate::print::Order;
use crate::resource::{Builder, Info, gather, mapping};
use crate::value::{list, slot, text};
use podlab_api::door::PatchType;
use podlab_api::selector::content::{label_key_errors, label_value_errors};
use podlab_api::{Request, kinds};
use serde_json::{Value, json};

#[derive(Clone, PartialEq)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

fn parse(spec: &str) -> std::result::Result<Taint, String> {
    let mut taint = Taint { key: String::new(), value: String::new(), effect: String::new() };
    match spec.split(':').collect::<Vec<_>>().as_slice() {
        [key] => taint.key = (*key).to_owned(),
        [main, effect] => {
            if !["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(effect) {
                return Err(format!("invalid taint effect: {effect}, unsupported taint effect"));
            }
            taint.effect = (*effect).to_owned();
            match main.split('=').collect::<Vec<_>>().as_slice() {
                [key] => taint.key = (*key).to_owned(),
                [key, value] => {
                    let errors = label_value_errors(value);
                    if !errors.is_empty() {
                        return Err(format!("invalid taint spec: {spec}, {}", errors.join("; ")));
                    }
                    taint.key = (*key).to_owned();
                    taint.value = (*value).to_owned();
                }
                _ => return Err(format!("invalid taint spec: {spec}")),
            }
        }
        _ => return Err(format!("invalid taint spec: {spec}")),
    }
    let errors = label_key_errors(&taint.key);
    if !errors.is_empty() {
        return Err(format!("invalid taint spec: {spec}, {}", errors.join("; ")));
    }
    Ok(taint)
}

fn parse_all(words: &[String]) -> std::result::Result<(Vec<Taint>, Vec<Taint>), String> {
    let (mut add, mut remove): (Vec<Taint>, Vec<Taint>) = (Vec::new(), Vec::new());
    for word in words {
        if let Some(spec) = word.strip_suffix('-') {
            remove.push(Taint { value: String::new(), ..parse(spec)? });
            continue;
        }
        let taint = parse(word)?;
        if taint.effect.is_empty() {
            return Err(format!("invalid taint spec: {word}"));
        }
        if add.iter().any(|t| t.key == taint.key && t.effect == taint.effect) {
            return Err(format!(
                "duplicated taints with the same key and effect: {{{} {} {} <nil>}}",
                taint.key, taint.value, taint.effect
            ));
        }
        add.push(taint);
    }
    Ok((add, remove))
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let mut reporter = Reporter::new(cx, parsed)?;
    reporter.separate = false;
    let (mut resources, mut words): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for arg in &parsed.args {
        if arg.contains(['=', ':']) || arg.ends_with('-') {
            words.push(arg.clone());
        } else if words.is_empty() {
            resources.push(arg.clone());
        } else {
            return message(format!("all resources must be specified before taint changes: {arg}"));
        }
    }
    let Some(first) = resources.first() else {
        return message("one or more resources must be specified as <resource> <name>");
    };
    if words.is_empty() {
        return message("at least one taint update is required");
    }
    let (add, remove) = match parse_all(&words) {
        Ok(both) => both,
        Err(why) => return usage(&parsed.path, why),
    };
    cx.discover(2)?;
    let kind = mapping(cx, first)?;
    if kind != &kinds::NODE {
        return message(format!(
            "invalid resource type {}, only node types are supported",
            first.to_lowercase()
        ));
    }
    let conflicts: Vec<String> = add
        .iter()
        .flat_map(|a| remove.iter().map(move |r| (a, r)))
        .filter(|(a, r)| a.key == r.key && (r.effect.is_empty() || a.effect == r.effect))
        .map(|(_, r)| format!("{}={}", r.key, r.effect))
        .collect();
    if !conflicts.is_empty() {
        return message(format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            conflicts.join(", ")
        ));
    }
    let (all, selector) = (parsed.bool("all"), parsed.str("selector"));
    if all && !selector.is_empty() {
        return message("setting 'all' parameter with a non empty selector is prohibited");
    }
    if !all && selector.is_empty() && resources.len() < 2 {
        return message("at least one resource name must be specified since 'all' parameter is not set");
    }
    let named = if all || !selector.is_empty() { vec!["nodes".to_owned()] } else { resources.clone() };
    let builder = Builder::new(cx, parsed).args(&named).all(all);
    let mut errors: Vec<Error> = Vec::new();
    for item in builder.fetch_typed(cx)?.items {
        let result = item.and_then(|info| one(cx, parsed, &mut reporter, &info, &add, &remove));
        errors.extend(result.err());
    }
    gather(errors)?;
    done()
}

fn one(
    cx: &mut Cx<'_>,
    parsed: &Parsed,
    reporter: &mut Reporter,
    info: &Info,
    add: &[Taint],
    remove: &[Taint],
) -> Result<()> {
    let old = list(&info.object, &["spec", "taints"]).to_vec();
    let is = |v: &Value, t: &Taint| text(v, &["key"]) == t.key && text(v, &["effect"]) == t.effect;
    let overwrite = parsed.bool("overwrite");
    if !overwrite {
        let taken: Vec<&str> =
            add.iter().filter(|t| old.iter().any(|v| is(v, t))).map(|t| t.key.as_str()).collect();
        if !taken.is_empty() {
            return message(format!(
                "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
                info.name,
                taken.join(",")
            ));
        }
    }
    let mut new: Vec<Value> = add
        .iter()
        .map(|t| {
            let mut taint = json!({"key": t.key, "effect": t.effect});
            if !t.value.is_empty() {
                taint["value"] = t.value.clone().into();
            }
            taint
        })
        .collect();
    let fresh = add.len();
    new.extend(old.iter().filter(|v| !add.iter().any(|t| is(v, t))).cloned());
    let added = old.len() != new.len();
    let _ = fresh;
    let mut missing = Vec::new();
    let mut deleted = false;
    for taint in remove {
        let before = new.len();
        new.retain(|v| {
            !(text(v, &["key"]) == taint.key
                && (taint.effect.is_empty() || text(v, &["effect"]) == taint.effect))
        });
        deleted = new.len() != before;
        if !deleted {
            let shown = if taint.effect.is_empty() {
                taint.key.clone()
            } else {
                format!("{}:{}", taint.key, taint.effect)
            };
            missing.push(Error::Message(format!("taint {shown:?} not found")));
        }
    }
    gather(missing)?;
    let verb = if (added && deleted) || overwrite {
        "modified"
    } else if added {
        "tainted"
    } else {
        "untainted"
    };
    let mut object = info.object.clone();
    if new.is_empty() {
        crate::value::remove(&mut object, &["spec"], "taints");
    } else {
        slot(&mut object, &["spec"])["taints"] = new.clone().into();
    }
    if reporter.dry_run != DryRun::Client {
        let taints = if new.is_empty() { Value::Null } else { new.into() };
        let patch = json!({"spec": {"taints": taints}});
        let mut request = Request::patch(info.kind, "", &info.name, PatchType::StrategicMerge, patch);
        request.options.dry_run = reporter.dry_run == DryRun::Server;
        request.options.field_manager = Some(parsed.str("field-manager").to_owned());
        object = cx.object(request)?;
    }
    reporter.report(cx, &object, verb, Order::Typed)
}
