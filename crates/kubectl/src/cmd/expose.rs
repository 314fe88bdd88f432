//! `kubectl expose`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/expose/expose.go, pkg/polymorphichelpers (v1.37).

use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::manifest::typed_value;
use crate::print::Order;
use crate::resource::{Builder, Info, gather};
use crate::value::{at, int, list, text};
use podlab_api::{Request, kinds};
use serde_json::{Map, Value, json};

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let mut reporter = Reporter::new(cx, parsed)?;
    let builder = Builder::new(cx, parsed);
    let selected = builder.fetch_typed(cx)?;
    let mut errors: Vec<Error> = Vec::new();
    for item in selected.items {
        let result = item.and_then(|info| one(cx, parsed, &mut reporter, &info));
        errors.extend(result.err());
    }
    gather(errors)?;
    done()
}

/// `app=web,tier=front` as a map.
fn labels(spec: &str) -> Result<Map<String, Value>> {
    let mut out = Map::new();
    if spec.is_empty() {
        return message("no label spec passed");
    }
    for part in spec.split(',') {
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

fn selector(object: &Value) -> std::result::Result<Map<String, Value>, String> {
    let found = match text(object, &["kind"]) {
        "Pod" => {
            let labels = at(object, &["metadata", "labels"]).as_object().cloned().unwrap_or_default();
            if labels.is_empty() {
                return Err("the pod has no labels and cannot be exposed".to_owned());
            }
            return Ok(labels);
        }
        "Service" | "ReplicationController" => at(object, &["spec", "selector"]).clone(),
        _ => {
            let selector = at(object, &["spec", "selector"]);
            let expressions = list(selector, &["matchExpressions"]);
            if !expressions.is_empty() {
                let texts: Vec<String> = expressions
                    .iter()
                    .map(|e| {
                        let values: Vec<&str> =
                            list(e, &["values"]).iter().filter_map(Value::as_str).collect();
                        format!("{{{} {} [{}]}}", text(e, &["key"]), text(e, &["operator"]), values.join(" "))
                    })
                    .collect();
                return Err(format!(
                    "couldn't convert expressions - \"[{}]\" to map-based selector format",
                    texts.join(" ")
                ));
            }
            at(selector, &["matchLabels"]).clone()
        }
    };
    match found.as_object() {
        Some(map) if !map.is_empty() => Ok(map.clone()),
        _ => Err("invalid deployment no selectors, therefore cannot be exposed".to_owned()),
    }
}

/// Port → protocol, in the order of the containers.
fn ports(object: &Value) -> Vec<(String, String)> {
    let kind = text(object, &["kind"]);
    if kind == "Service" {
        return list(object, &["spec", "ports"])
            .iter()
            .map(|p| (int(p, &["port"]).to_string(), text(p, &["protocol"]).to_owned()))
            .collect();
    }
    let path: &[&str] =
        if kind == "Pod" { &["spec", "containers"] } else { &["spec", "template", "spec", "containers"] };
    list(object, path)
        .iter()
        .flat_map(|c| list(c, &["ports"]))
        .map(|p| (int(p, &["containerPort"]).to_string(), text(p, &["protocol"]).to_owned()))
        .collect()
}

fn one(cx: &mut Cx<'_>, parsed: &Parsed, reporter: &mut Reporter, info: &Info) -> Result<()> {
    if !["Pod", "Service", "ReplicationController", "Deployment", "ReplicaSet"].contains(&info.kind.kind) {
        return message(format!("cannot expose a {}", info.kind.group_kind()));
    }
    let object = &info.object;
    let selector = match parsed.str("selector") {
        "" => match selector(object) {
            Ok(map) => map,
            Err(why) => {
                return message(format!(
                    "couldn't retrieve selectors via --selector flag or introspection: {why}"
                ));
            }
        },
        given => labels(given)?,
    };
    let headless = parsed.str("cluster-ip") == "None";
    let known = ports(object);
    let wanted: Vec<String> = match parsed.str("port") {
        "" => known.iter().map(|(p, _)| p.clone()).collect(),
        given => given.split(',').map(str::to_owned).collect(),
    };
    if wanted.is_empty() && !headless {
        return message("couldn't find port via --port flag or introspection");
    }
    let labels = match parsed.str("labels") {
        "" => at(object, &["metadata", "labels"]).as_object().cloned().unwrap_or_default(),
        given => labels(given)?,
    };
    let mut entries: Vec<Value> = Vec::new();
    for (i, port) in wanted.iter().enumerate() {
        let Ok(number) = port.parse::<i64>() else {
            return message(format!("strconv.Atoi: parsing {port:?}: invalid syntax"));
        };
        let name =
            if wanted.len() > 1 { format!("port-{}", i + 1) } else { parsed.str("port-name").to_owned() };
        let protocol = match parsed.str("protocol") {
            "" => known
                .iter()
                .find(|(p, _)| p == port)
                .map_or("TCP", |(_, proto)| if proto.is_empty() { "TCP" } else { proto }),
            given => given,
        };
        let target = match parsed.str("target-port") {
            "" => number.into(),
            given => super::create::int_or_string(given),
        };
        let mut entry = json!({"port": number, "protocol": protocol, "targetPort": target});
        if !name.is_empty() {
            entry["name"] = name.into();
        }
        entries.push(entry);
    }
    let own = match parsed.str("name") {
        "" => info.name.chars().take(63).collect::<String>(),
        given => given.to_owned(),
    };
    let mut spec = json!({"selector": selector});
    if !entries.is_empty() {
        spec["ports"] = entries.into();
    }
    for (flag, field) in [("type", "type"), ("cluster-ip", "clusterIP")] {
        if !parsed.str(flag).is_empty() {
            spec[field] = parsed.str(flag).into();
        }
    }
    if !parsed.str("external-ip").is_empty() {
        spec["externalIPs"] = json!([parsed.str("external-ip")]);
    }
    if parsed.str("type") == "LoadBalancer" && !parsed.str("load-balancer-ip").is_empty() {
        spec["loadBalancerIP"] = parsed.str("load-balancer-ip").into();
    }
    match parsed.str("session-affinity") {
        "" => {}
        given @ ("None" | "ClientIP") => spec["sessionAffinity"] = given.into(),
        other => return message(format!("unknown session affinity: {other}")),
    }
    let mut service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": own}, "spec": spec});
    if !labels.is_empty() {
        service["metadata"]["labels"] = Value::Object(labels);
    }
    let service = super::run::overridden(parsed, service)?;
    send(cx, parsed, reporter, service)
}

/// Sends a Service that kubectl made, or only shows it.
fn send(cx: &mut Cx<'_>, parsed: &Parsed, reporter: &mut Reporter, service: Value) -> Result<()> {
    let mut service = typed_value(&service).or_else(message)?;
    if reporter.dry_run == DryRun::Client {
        if cx.enforce_namespace {
            service["metadata"]["namespace"] = cx.namespace.clone().into();
        }
        return reporter.report(cx, &service, "exposed", Order::Typed);
    }
    if parsed.bool("save-config") {
        super::apply::annotate(&mut service);
    }
    let mut request = Request::create(&kinds::SERVICE, &cx.namespace.clone(), service);
    request.options.dry_run = reporter.dry_run == DryRun::Server;
    request.options.field_manager = Some(parsed.str("field-manager").to_owned());
    let created = cx.object(request)?;
    reporter.report(cx, &created, "exposed", Order::Sorted)
}
