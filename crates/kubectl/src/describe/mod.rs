//! `kubectl describe`: what is told of an object, by kind.
//!
//! Source: k8s.io/kubectl/pkg/describe/describe.go (v1.37); texts by recording cluster/tables.jsonl.

mod config;
mod generic;
mod network;
mod node;
mod pod;
mod policy;
mod storage;
mod workload;

use crate::cmd::events::interval;
use crate::cx::Cx;
use crate::error::Result;
use crate::print::tabwriter::TabWriter;
use crate::resource::Info;
use crate::value::{at, list, name, namespace, text};
use k8s_openapi::jiff::Timestamp;
use podlab_api::{Request, kinds};
use serde_json::Value;

/// The longest line of an annotation.
const MAX_ANNOTATION: usize = 140;

/// A text that is aligned once it is whole.
pub(crate) struct Out {
    writer: TabWriter,
    now: Timestamp,
}

impl Out {
    fn new(now: Timestamp) -> Out {
        Out { writer: TabWriter::describe(), now }
    }

    /// One line, `level` times two spaces in.
    fn line(&mut self, level: usize, text: impl AsRef<str>) {
        self.writer.write(&"  ".repeat(level));
        self.writer.write(text.as_ref());
        self.writer.write("\n");
    }

    fn finish(mut self) -> String {
        self.writer.flush()
    }

    /// `Labels: a=b`, one a line.
    fn labels(&mut self, title: &str, labels: &Value) {
        let pairs: Vec<String> = labels
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or("")))
            .collect();
        self.many(title, &pairs);
    }

    /// A title with one text a line.
    fn many(&mut self, title: &str, texts: &[String]) {
        if texts.is_empty() {
            self.line(0, format!("{title}:\t<none>"));
        }
        for (i, text) in texts.iter().enumerate() {
            self.line(0, if i == 0 { format!("{title}:\t{text}") } else { format!("\t{text}") });
        }
    }

    fn annotations(&mut self, title: &str, annotations: &Value) {
        let shown: Vec<(&String, &str)> = annotations
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(k, _)| *k != crate::cmd::apply::LAST_APPLIED)
            .map(|(k, v)| (k, v.as_str().unwrap_or("")))
            .collect();
        if shown.is_empty() {
            self.line(0, format!("{title}:\t<none>"));
        }
        for (i, (key, value)) in shown.into_iter().enumerate() {
            let head = if i == 0 { format!("{title}:\t") } else { "\t".to_owned() };
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.len() + key.len() + 2 > MAX_ANNOTATION || value.contains('\n') {
                self.line(0, format!("{head}{key}:"));
                for part in value.split('\n') {
                    let short: String = part.chars().take(MAX_ANNOTATION - 2).collect();
                    let dots = if short.len() < part.len() { "..." } else { "" };
                    self.line(0, format!("\t  {short}{dots}"));
                }
            } else {
                self.line(0, format!("{head}{key}: {value}"));
            }
        }
    }

    /// Name, namespace, labels, annotations.
    fn head(&mut self, object: &Value) {
        self.line(0, format!("Name:\t{}", name(object)));
        if !namespace(object).is_empty() {
            self.line(0, format!("Namespace:\t{}", namespace(object)));
        }
        self.marks(object);
    }

    fn marks(&mut self, object: &Value) {
        self.labels("Labels", at(object, &["metadata", "labels"]));
        self.annotations("Annotations", at(object, &["metadata", "annotations"]));
    }

    /// What happened to an object lately.
    fn events(&mut self, events: &[Value]) {
        if events.is_empty() {
            self.line(0, "Events:\t<none>");
            return;
        }
        self.line(0, "Events:");
        self.line(1, "Type\tReason\tAge\tFrom\tMessage");
        self.line(1, "----\t------\t----\t----\t-------");
        for event in events {
            let from = match text(event, &["source", "component"]) {
                "" => text(event, &["reportingComponent"]),
                from => from,
            };
            let mut said = text(event, &["message"]).trim().to_owned();
            let path = text(event, &["involvedObject", "fieldPath"]);
            if !path.is_empty() {
                said = format!("{path}: {said}");
            }
            let when = interval(event, self.now);
            self.line(
                1,
                format!("{}\t{}\t{when}\t{from}\t{said}", text(event, &["type"]), text(event, &["reason"])),
            );
        }
    }
}

/// An instant as describe writes it.
fn time(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(at) => at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
        Err(_) => "<unknown>".to_owned(),
    }
}

fn ago(text: &str, now: Timestamp) -> String {
    match text.parse::<Timestamp>() {
        Ok(then) => podlab_api::printers::since(then, now),
        Err(_) => "<unknown>".to_owned(),
    }
}

fn or<'a>(text: &'a str, none: &'a str) -> &'a str {
    if text.is_empty() { none } else { text }
}

/// `a=b,c=d` of a map; `<none>` where it is empty.
fn pairs(map: &Value) -> String {
    let pairs: Vec<String> = map
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or("")))
        .collect();
    or(&pairs.join(","), "<none>").to_owned()
}

/// A label selector as text.
fn selector(value: &Value) -> String {
    let parsed = serde_json::from_value(value.clone()).ok();
    podlab_api::selector::label_selector::format_label_selector(parsed.as_ref())
}

/// The owner that controls an object, `ReplicaSet/web-1`.
fn controller(object: &Value) -> Option<String> {
    list(object, &["metadata", "ownerReferences"])
        .iter()
        .find(|o| at(o, &["controller"]).as_bool() == Some(true))
        .map(|o| format!("{}/{}", text(o, &["kind"]), text(o, &["name"])))
}

/// The events about an object, oldest first.
fn events_of(cx: &mut Cx<'_>, object: &Value) -> Vec<Value> {
    let uid = text(object, &["metadata", "uid"]);
    // Nodes' own events carry the node's name for its uid.
    let uid = if text(object, &["kind"]) == "Node" { "" } else { uid };
    let mut selector =
        format!("involvedObject.name={},involvedObject.kind={}", name(object), text(object, &["kind"]));
    if !namespace(object).is_empty() {
        selector.push_str(&format!(",involvedObject.namespace={}", namespace(object)));
    }
    if !uid.is_empty() {
        selector.push_str(&format!(",involvedObject.uid={uid}"));
    }
    let mut request = Request::list(&kinds::EVENT, namespace(object));
    request.options.field_selector = Some(selector);
    let mut events: Vec<Value> = match cx.list(request) {
        Ok(list) => list.items.iter().map(|o| o.to_value()).collect(),
        Err(_) => Vec::new(),
    };
    let key = |e: &Value| text(e, &["lastTimestamp"]).to_owned();
    events.sort_by_key(key);
    events
}

/// Tells all about an object.
pub(crate) fn describe(cx: &mut Cx<'_>, info: &Info, show_events: bool) -> Result<String> {
    let object = &info.object;
    let mut out = Out::new(cx.now());
    let events = if show_events { Some(events_of(cx, object)) } else { None };
    let mut with_events = true;
    match (info.kind.group, info.kind.kind) {
        ("", "Pod") => pod::pod(&mut out, object),
        ("", "Node") => node::node(cx, &mut out, object)?,
        ("", "Namespace") => {
            config::namespace(cx, &mut out, object)?;
            with_events = false;
        }
        ("", "Service") => network::service(cx, &mut out, object)?,
        ("", "Endpoints") => network::endpoints(&mut out, object),
        ("discovery.k8s.io", "EndpointSlice") => network::endpoint_slice(&mut out, object),
        ("networking.k8s.io", "Ingress") => network::ingress(cx, &mut out, object)?,
        ("networking.k8s.io", "IngressClass") => network::ingress_class(&mut out, object),
        ("networking.k8s.io", "NetworkPolicy") => {
            network::network_policy(&mut out, object);
            with_events = false;
        }
        ("", "ConfigMap") => config::config_map(&mut out, object),
        ("", "Secret") => {
            config::secret(&mut out, object);
            with_events = false;
        }
        ("", "ServiceAccount") => config::service_account(&mut out, object),
        ("", "LimitRange") => {
            config::limit_range(&mut out, object);
            with_events = false;
        }
        ("", "ResourceQuota") => {
            config::quota(&mut out, object);
            with_events = false;
        }
        ("", "PersistentVolume") => storage::volume(&mut out, object),
        ("", "PersistentVolumeClaim") => storage::claim(cx, &mut out, object)?,
        ("storage.k8s.io", "StorageClass") => storage::class(&mut out, object),
        ("apps", "Deployment") => workload::deployment(cx, &mut out, object)?,
        ("apps", "ReplicaSet") | ("", "ReplicationController") => {
            workload::replica_set(cx, &mut out, object)?
        }
        ("apps", "StatefulSet") => workload::stateful_set(cx, &mut out, object)?,
        ("apps", "DaemonSet") => workload::daemon_set(cx, &mut out, object)?,
        ("batch", "Job") => workload::job(&mut out, object),
        ("batch", "CronJob") => workload::cron_job(&mut out, object),
        ("policy", "PodDisruptionBudget") => policy::budget(&mut out, object),
        ("scheduling.k8s.io", "PriorityClass") => policy::priority_class(&mut out, object),
        ("autoscaling", "HorizontalPodAutoscaler") => policy::autoscaler(&mut out, object),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => {
            policy::role(&mut out, object);
            with_events = false;
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            policy::binding(&mut out, object);
            with_events = false;
        }
        _ => generic::generic(&mut out, object),
    }
    if with_events && let Some(events) = events {
        out.events(&events);
    }
    Ok(out.finish())
}

/// A pod template by itself, as `rollout history --revision` shows it.
pub(crate) fn pod_template_alone(template: &Value) -> String {
    let mut out = Out::new(Timestamp::UNIX_EPOCH);
    pod::template(&mut out, template);
    out.finish()
}
