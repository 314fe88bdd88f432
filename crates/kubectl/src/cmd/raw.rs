//! `kubectl get --raw`: what the API server answers at a path.
//!
//! Source: k8s.io/kubectl/pkg/rawhttp/raw.go (v1.37).

use crate::cx::{Cx, Flow, done};
use crate::error::{Result, message};
use crate::flags::Parsed;
use podlab_api::door::{Gvr, Request, ResponseBody, Verb};

use podlab_api::route::{Route, Target, route, unescape};
use podlab_api::{go_json, health, server_version};

pub(crate) fn raw(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if !parsed.args.is_empty() {
        return message("arguments may not be passed when --raw is specified");
    }
    cx.discover(1)?;
    let uri = parsed.str("raw");
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    if let Some(text) = health::answer(uri) {
        cx.out(&text);
        return done();
    }
    match route(path) {
        Some(Route::Other(parts)) if parts == ["version"] => {
            cx.out(&server_version::answer());
            done()
        }
        Some(Route::Resource(target)) if is_known(&target) => match request(target, query) {
            Some(request) => answer(cx, request),
            None => not_simulated(uri),
        },
        _ => not_simulated(path),
    }
}

fn not_simulated(path: &str) -> Result<Flow> {
    message(format!("podlab does not simulate 'kubectl get --raw {path}'"))
}

/// Objects, lists and scales; logs and connections are streams, which have commands of their own.
fn is_known(target: &Target) -> bool {
    !target.watch && target.rest.is_empty() && matches!(target.subresource.as_str(), "" | "status" | "scale")
}

/// `None` where a parameter asks for something else than to select.
fn request(target: Target, query: &str) -> Option<Request> {
    let Target { group, version, namespace, resource, name, subresource, .. } = target;
    let gvr = Gvr { group: group.into(), version: version.into(), resource: resource.into() };
    let verb = if name.is_empty() { Verb::List } else { Verb::Get };
    let mut request = Request::new(verb, gvr).namespace(&namespace);
    if !name.is_empty() {
        request = request.name(&name);
    }
    if !subresource.is_empty() {
        request.subresource = Some(subresource.into());
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = unescape(&value.replace('+', " "))?;
        match key {
            "labelSelector" => request.options.label_selector = Some(value),
            "fieldSelector" => request.options.field_selector = Some(value),
            "resourceVersion" if value.is_empty() || value == "0" => {}
            _ => return None,
        }
    }
    Some(request)
}

fn answer(cx: &mut Cx<'_>, request: Request) -> Result<Flow> {
    let mut text = String::new();
    match cx.ask(request)? {
        ResponseBody::Object(object) => go_json::object(&mut text, &object.to_managed_value()),
        ResponseBody::Value(value) => go_json::object(&mut text, &value),
        ResponseBody::Status(status) => go_json::object(&mut text, &status.to_value()),
        ResponseBody::List(list) => {
            let metadata = format!("{{\"resourceVersion\":\"{}\"}}", list.resource_version);
            let items = list.items.iter().map(|item| item.to_managed_value());
            go_json::list(&mut text, (&list.kind.api_version(), list.kind.kind), &metadata, items);
        }
        ResponseBody::Table(_) | ResponseBody::Watch(_) | ResponseBody::Stream(_) => {
            return message("unexpected answer");
        }
    }
    text.push('\n');
    cx.out(&text);
    done()
}
