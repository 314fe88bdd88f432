//! From an HTTP request to the cluster's door and back.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/installer.go, handlers (v1.37).

use crate::body::ReplyBody;
use crate::discovery;
use crate::exchange::HttpRequest;
use crate::exec::exec;
use crate::host::Host;
use crate::identity::{Identity, identity};
use crate::list::{self, Page};
use crate::logs::logs;
use crate::negotiate::{Accepts, Encoding, Form, accept};
use crate::paths::{discover, other};
use crate::portforward::port_forward;
use crate::protobuf;
use crate::proxy::proxy;
use crate::query::{ListQuery, Query, check_write, list_query, request_options};
use crate::refuse::{method_not_allowed, not_acceptable, stopped};
use crate::render::{self, IncludeObject, ListMeta, Style};
use crate::rendered::Rendered;
use crate::reply::{self, Reply};
use crate::sent::{read_body, read_bytes, read_options, read_patch};
use crate::stream_socket::{Content, carry, wish};
use crate::watch::watch;
use hyper::Method;
use hyper::body::Incoming;
use hyper::header::ACCEPT;
use podlab_api::door::{Gvr, PatchType, Request, RequestOptions, ResponseBody, Timestamp, Verb};
use podlab_api::route::{Route, Target, route};
use podlab_api::versions;
use podlab_api::{Door, Kind, Status, kinds};
use podlab_cluster::Cluster;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

/// What every handler needs.
pub(crate) struct App {
    pub host: Host,
    pub rendered: Arc<Rendered>,
    pub address: SocketAddr,
}

/// A request that has been read.
struct Call {
    target: Target,
    query: Query,
    accepts: Accepts,
    style: Style,
    identity: Identity,
}

/// Answers a request.
pub(crate) async fn handle(app: Arc<App>, request: hyper::Request<Incoming>) -> Reply {
    let header = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let accepts = accept(header);
    let encoding = accepts.as_ref().map_or(Encoding::Json, |accepts| accepts.encoding);
    let Some(route) = route(request.uri().path()) else { return reply::text(400, "400 Bad Request") };
    let answer = match route {
        Route::Resource(target) => match accepts {
            Ok(accepts) => resource(app, target, accepts, request).await,
            Err(status) => Err(status),
        },
        _ if !matches!(*request.method(), Method::GET | Method::HEAD) => Err(method_not_allowed()),
        Route::Other(parts) => {
            let target = request.uri().path_and_query().map_or("", |target| target.as_str());
            let defined = match parts.first().is_some_and(|first| first == "openapi") {
                true => defined(&app).await,
                false => Vec::new(),
            };
            Ok(other(&parts, target, header, &defined))
        }
        of_discovery => match accepts {
            Ok(accepts) => {
                let defined = defined(&app).await;
                Ok(discover(app.address, &defined, &of_discovery, accepts))
            }
            Err(status) => Err(status),
        },
    };
    answer.unwrap_or_else(|status| reply::status(&status, encoding))
}

/// The kinds that definitions make now.
async fn defined(app: &App) -> Vec<&'static Kind> {
    let kinds = app.host.look(|cluster| cluster.world().api.defined_kinds().to_vec()).await;
    kinds.unwrap_or_default()
}

async fn resource(
    app: Arc<App>,
    target: Target,
    accepts: Accepts,
    mut request: hyper::Request<Incoming>,
) -> Result<Reply, Status> {
    let query = Query::parse(request.uri().query().unwrap_or(""));
    let other = versions::find(&target.group, &target.version, &target.resource);
    let include = IncludeObject::of(query.get("includeObject"))?;
    let style = Style { form: accepts.form, include, version: other };
    let identity = identity(request.headers());
    let mut call = Call { target, query, accepts, style, identity };
    let gvr = Gvr {
        group: call.target.group.clone().into(),
        version: call.target.version.clone().into(),
        resource: call.target.resource.clone().into(),
    };
    let kind = kinds::by_resource(&gvr.group, &gvr.version, &gvr.resource).or(other.map(|other| other.kind));
    let kind = match kind {
        Some(kind) => Some(kind),
        None => {
            let gvr = gvr.clone();
            let find = move |cluster: &mut Cluster| {
                cluster.world().api.kind_by_resource(&gvr.group, &gvr.version, &gvr.resource)
            };
            app.host.look(find).await.ok_or_else(stopped)?
        }
    };
    let Some(kind) = kind else {
        return elsewhere(&app, &call, gvr, request).await;
    };
    let mut options = request_options(&call.query)?;
    call.identity.tell(&mut options);
    if let Some(other) = other {
        options.field_selector = options.field_selector.map(|text| other.field_selector(&text));
    }
    let target = &call.target;
    let placed = !target.namespace.is_empty();
    if kind.namespaced != placed && (placed || !target.name.is_empty()) {
        return Err(Status::no_such_resource());
    }
    if kind.namespaced && !placed && request.method() != Method::GET {
        return Err(method_not_allowed());
    }
    let mut asked = Request::new(Verb::Get, kind).namespace(&target.namespace).name(&target.name);
    if !target.subresource.is_empty() {
        if !kind.subresources.contains(&target.subresource.as_str()) {
            let missing = Status::no_such_resource;
            return Err(if kind.is_custom() { Status::not_found(kind, &target.name) } else { missing() });
        }
        asked = asked.subresource(target.subresource.clone());
    }
    asked.options = options;
    let method = request.method().clone();
    if let (Some(other), &Method::POST | &Method::PUT | &Method::PATCH) = (other, &method) {
        // What is written is answered in its version already.
        asked.resource = other.served.into();
        call.style.version = None;
    }
    if !allows(&target.subresource, &method) {
        return Err(method_not_allowed());
    }
    let named = !target.name.is_empty();
    match target.subresource.as_str() {
        "log" if method == Method::GET => {
            let socket = wish(&mut request, Content::Log);
            return Ok(carry(socket, logs(&app.host, asked).await?));
        }
        "log" => return Err(method_not_allowed()),
        "exec" | "attach" if matches!(method, Method::GET | Method::POST) => {
            asked.verb = Verb::Create;
            return exec(&app.host, asked, request).await;
        }
        "portforward" if matches!(method, Method::GET | Method::POST) => {
            return port_forward(&app.host, asked, &call.query, request).await;
        }
        "proxy" if *kind == kinds::POD || *kind == kinds::SERVICE => {
            let path = request.uri().path().to_owned();
            if target.rest.is_empty() && !path.ends_with('/') && matches!(method, Method::GET | Method::HEAD)
            {
                // Relative links of the page would lead elsewhere.
                let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
                let mut moved = reply::text(301, "");
                reply::set(&mut moved, hyper::header::LOCATION, &format!("{path}/{query}"));
                return Ok(moved);
            }
            let prefix = path.strip_suffix(&target.rest).unwrap_or(&path).trim_end_matches('/').to_owned();
            let passed = passed_on(target, request).await?;
            return proxy(&app.host, kind, &asked, &prefix, passed).await;
        }
        _ => {}
    }
    match (&method, named) {
        (&Method::GET, false) => {
            let query = list_query(&call.query, &call.target)?;
            match query.watch {
                true => watch_over(&app, kind, asked, &query, &call, &mut request).await,
                false => list_of(&app, kind, asked.options, query, &call).await,
            }
        }
        (&Method::GET, true) if target.watch => {
            let list = list_query(&call.query, target)?;
            watch_over(&app, kind, asked, &list, &call, &mut request).await
        }
        (&Method::GET, true) => one(&app, asked, &call, 0).await,
        (&Method::POST, _) if !named || !target.subresource.is_empty() => {
            asked.verb = Verb::Create;
            check_write(&call.query, "CreateOptions", false)?;
            asked.body = read_body(request, kind_of(kind, &target.subresource), &mut asked.options).await?;
            one(&app, asked, &call, 0).await
        }
        (&Method::PUT, true) => {
            asked.verb = Verb::Update;
            check_write(&call.query, "UpdateOptions", false)?;
            asked.body = read_body(request, kind_of(kind, &target.subresource), &mut asked.options).await?;
            one(&app, asked, &call, 0).await
        }
        (&Method::PATCH, true) => {
            let (how, body) = read_patch(request, &mut asked.options).await?;
            check_write(&call.query, "PatchOptions", how == PatchType::Apply)?;
            asked.verb = Verb::Patch(how);
            asked.body = body;
            one(&app, asked, &call, 0).await
        }
        (&Method::DELETE, true) if target.subresource.is_empty() => {
            asked.verb = Verb::Delete;
            let body = read_options(request).await?;
            set_delete_options(&mut asked, body, &call.query)?;
            delete(&app, kind, asked, &call).await
        }
        (&Method::DELETE, false) if *kind != kinds::NAMESPACE => {
            asked.verb = Verb::DeleteCollection;
            let body = read_options(request).await?;
            set_delete_options(&mut asked, body, &call.query)?;
            delete_collection(&app, kind, asked, &call).await
        }
        (_, true) => Err(method_not_allowed()),
        (_, false) => Err(method_not_allowed()),
    }
}

/// A deletion's options are those of its body, as kubectl's; without one they are those of the query.
fn set_delete_options(asked: &mut Request, body: Value, query: &Query) -> Result<(), Status> {
    if body.is_null() {
        return check_write(query, "DeleteOptions", false);
    }
    let directives = body.get("dryRun").and_then(Value::as_array);
    asked.options.dry_run = directives.is_some_and(|all| all.iter().any(|one| one == "All"));
    asked.options.grace_period_seconds = None;
    asked.options.propagation = None;
    asked.body = body;
    Ok(())
}

/// Whether a subresource knows a method; what is passed on or connected knows its own.
fn allows(subresource: &str, method: &Method) -> bool {
    match subresource {
        "binding" | "eviction" | "token" => method == Method::POST,
        "finalize" => method == Method::PUT,
        "approval" | "ephemeralcontainers" | "resize" | "scale" | "status" => {
            method != Method::POST && method != Method::DELETE
        }
        _ => true,
    }
}

/// The kind that is sent to a resource or subresource.
fn kind_of(kind: &'static Kind, subresource: &str) -> &'static str {
    match subresource {
        "binding" => "Binding",
        "eviction" => "Eviction",
        "scale" => "Scale",
        "token" => "TokenRequest",
        _ => kind.kind,
    }
}

/// What is passed on to a server in a pod.
async fn passed_on(target: &Target, request: hyper::Request<Incoming>) -> Result<HttpRequest, Status> {
    let path = match request.uri().query() {
        Some(query) => format!("/{}?{query}", target.rest),
        None => format!("/{}", target.rest),
    };
    let headers = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let method = request.method().to_string();
    Ok(HttpRequest { method, path, headers, body: read_bytes(request.into_body()).await? })
}

/// What no kind of the registry is: metrics, reviews, paths that do not exist.
async fn elsewhere(
    app: &App,
    call: &Call,
    resource: Gvr,
    request: hyper::Request<Incoming>,
) -> Result<Reply, Status> {
    let served = discovery::served();
    let known = served.iter().find(|one| {
        one.group == resource.group && one.version == resource.version && one.plural == resource.resource
    });
    let Some(known) = known else {
        if served.iter().any(|one| one.group == resource.group) {
            return Err(Status::no_such_resource());
        }
        return Ok(reply::not_found());
    };
    let verb = match (request.method(), call.target.name.is_empty()) {
        (&Method::POST, true) => Verb::Create,
        (&Method::GET, true) => Verb::List,
        (&Method::GET, false) => Verb::Get,
        _ => return Err(method_not_allowed()),
    };
    let word = match verb {
        Verb::Create => "create",
        Verb::List => "list",
        _ => "get",
    };
    if !known.verbs.contains(&word) {
        return Err(method_not_allowed());
    }
    // An answer that is no object has no columns and no metadata.
    let is_review = matches!(known.group.as_str(), "authentication.k8s.io" | "authorization.k8s.io");
    if is_review && call.accepts.form != Form::Objects {
        return Err(not_acceptable());
    }
    let mut asked = Request::new(verb, resource).namespace(&call.target.namespace).name(&call.target.name);
    asked.options = request_options(&call.query)?;
    call.identity.tell(&mut asked.options);
    if verb == Verb::Create {
        asked.body = read_body(request, &known.kind, &mut asked.options).await?;
        if asked.resource.resource == "bindings" {
            let name = asked.body.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("").to_owned();
            asked.resource = Gvr::from(&kinds::POD);
            asked = asked.name(&name).subresource("binding");
            return one(app, asked, call, 0).await;
        }
    }
    one(app, asked, call, 0).await
}

/// Has the cluster's thread do something; a request that only reads changes nothing.
async fn ask<T: Send + 'static>(
    app: &App,
    verb: Verb,
    work: impl FnOnce(&mut Cluster) -> T + Send + 'static,
) -> Result<T, Status> {
    match verb {
        Verb::Get | Verb::List | Verb::Watch => app.host.look(work).await,
        _ => app.host.act(work).await,
    }
    .ok_or_else(stopped)
}

/// A request whose answer is one object or tree; `code` replaces the answer's own where it is not 0.
async fn one(app: &App, asked: Request, call: &Call, code: u16) -> Result<Reply, Status> {
    let (mut response, now) =
        ask(app, asked.verb, move |cluster| (cluster.request(asked), cluster.now())).await?;
    if code != 0 {
        response.code = code;
    }
    present(response, now, call)
}

/// An answer as HTTP has it.
fn present(response: podlab_api::Response, now: Timestamp, call: &Call) -> Result<Reply, Status> {
    let json = match &response.body {
        ResponseBody::Object(object) => render::object(object, call.style, now),
        ResponseBody::Value(value) => render::value(value),
        ResponseBody::List(list) => {
            let meta = ListMeta { resource_version: list.resource_version, ..ListMeta::default() };
            render::list(list.kind, &list.items, &meta, call.style, now)
        }
        ResponseBody::Status(status) => {
            let mut refused = reply::status(status, call.accepts.encoding);
            reply::warn(&mut refused, &response.warnings);
            return Ok(refused);
        }
        _ => return Err(Status::internal_error("the answer has no form here")),
    };
    let mut reply = reply::document(response.code, json, call.accepts.encoding);
    reply::warn(&mut reply, &response.warnings);
    Ok(reply)
}

/// A watch, over a WebSocket where the client asks for one.
async fn watch_over(
    app: &App,
    kind: &'static Kind,
    asked: Request,
    query: &ListQuery,
    call: &Call,
    request: &mut hyper::Request<Incoming>,
) -> Result<Reply, Status> {
    let socket = wish(request, Content::Events);
    let reply = watch(app, kind, asked, query, call.style, call.accepts.encoding).await?;
    Ok(carry(socket, reply))
}

async fn list_of(
    app: &App,
    kind: &'static Kind,
    options: RequestOptions,
    query: ListQuery,
    call: &Call,
) -> Result<Reply, Status> {
    let namespace = call.target.namespace.clone();
    let page =
        ask(app, Verb::List, move |cluster| list::list(cluster, kind, &namespace, options, &query)).await??;
    let mut reply = list_reply(kind, &page, call);
    reply::warn(&mut reply, &page.warnings);
    Ok(reply)
}

/// A page of a list as HTTP has it.
fn list_reply(kind: &'static Kind, page: &Page, call: &Call) -> Reply {
    if call.accepts.encoding == Encoding::Protobuf
        && let Some(bytes) = render::list_protobuf(kind, &page.items, &page.meta, call.style)
    {
        return reply::typed(200, protobuf::MEDIA_TYPE, ReplyBody::full(bytes));
    }
    let json = render::list(kind, &page.items, &page.meta, call.style, page.now);
    reply::document(200, json, call.accepts.encoding)
}

/// Kinds whose last state is the answer to their deletion; of others it is a Status.
///
/// Source: `ReturnDeletedObject` in pkg/registry (v1.37).
fn returns_deleted_object(kind: &Kind) -> bool {
    match (kind.group, kind.kind) {
        ("", kind) => matches!(
            kind,
            "Namespace"
                | "PersistentVolume"
                | "PersistentVolumeClaim"
                | "Pod"
                | "PodTemplate"
                | "ResourceQuota"
                | "Service"
                | "ServiceAccount"
        ),
        ("resource.k8s.io", kind) => kind != "DeviceTaintRule",
        ("storage.k8s.io", kind) => kind != "CSIStorageCapacity",
        _ => false,
    }
}

async fn delete(app: &App, kind: &'static Kind, asked: Request, call: &Call) -> Result<Reply, Status> {
    let (mut response, now, gone) = ask(app, Verb::Delete, move |cluster| {
        let (namespace, name) =
            (asked.namespace.clone().unwrap_or_default(), asked.name.clone().unwrap_or_default());
        let dry_run = asked.options.dry_run;
        let response = cluster.request(asked);
        let gone = match &response.body {
            // What a dry run would have taken out at once.
            ResponseBody::Object(object) if dry_run => {
                object.metadata.finalizers.as_deref().unwrap_or_default().is_empty()
            }
            _ => cluster.world().api.store().get(kind, &namespace, &name).is_none(),
        };
        (response, cluster.now(), gone)
    })
    .await?;
    if let ResponseBody::Object(object) = &response.body
        && gone
        && !returns_deleted_object(kind)
    {
        let mut details = json!({"name": object.name(), "kind": kind.plural, "uid": object.uid()});
        if !kind.group.is_empty() {
            details["group"] = kind.group.into();
        }
        response.body = ResponseBody::Value(json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
            "status": "Success", "details": details}));
    }
    present(response, now, call)
}

async fn delete_collection(
    app: &App,
    kind: &'static Kind,
    asked: Request,
    call: &Call,
) -> Result<Reply, Status> {
    let namespace = call.target.namespace.clone();
    let query = list_query(&call.query, &call.target)?;
    let (page, response) = ask(app, Verb::DeleteCollection, move |cluster| {
        let page = list::list(cluster, kind, &namespace, asked.options.clone(), &query)?;
        Ok::<_, Status>((page, cluster.request(asked)))
    })
    .await??;
    if let ResponseBody::Status(_) = &response.body {
        return present(response, page.now, call);
    }
    let mut reply = list_reply(kind, &page, call);
    reply::warn(&mut reply, &response.warnings);
    Ok(reply)
}
