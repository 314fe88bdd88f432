//! The network: addresses, names, Services, and requests from the node.
//!
//! Every pod reaches every pod, as far as NetworkPolicies let it ([`super::network_policy`]). A Service's address, or a node port, is turned into the address of one of its
//! endpoints, as kube-proxy does; names are [`super::dns`]'s. Both go by the EndpointSlices.

use super::Runtime;
use super::cri::ContainerId;
use super::host::Written;
use super::served::{Known, cut};
use crate::apiserver::{ApiServer, CLUSTER_IPS};
use crate::controllers::slices_of;
use crate::world::Cx;
use podlab_api::{Object, kinds};
use podlab_shell::{Health, HttpRequest, HttpResponse, NetError};
use podlab_sim::{SimDuration, SimTime};
use serde_json::Value;
use std::sync::Arc;

/// A GET request of a probe or hook.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpGet {
    /// `http` or `https`.
    pub scheme: String,
    /// Address or name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// Header fields in order, `User-Agent` and `Accept` among them.
    pub headers: Vec<(String, String)>,
}

/// The answer to a GET request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpAnswer {
    /// Status code.
    pub status: u16,
    /// Header fields in order.
    pub headers: Vec<(String, String)>,
    /// Body, at most 10 KiB.
    pub body: Vec<u8>,
    /// How long the server took; a probe compares it with its timeout.
    pub took: SimDuration,
}

const BODY: usize = 10 << 10;

/// What the addresses of nodes begin with.
pub(super) const NODES: &str = "172.18.";

impl Runtime {
    /// The container that listens on a port of an address; `None` where none does.
    ///
    /// # Errors
    /// No pod has the address.
    pub(super) fn listener(&self, address: &str, port: u16) -> Result<Option<ContainerId>, NetError> {
        let Some(sandbox) = self.addresses.get(address).and_then(|id| self.sandboxes.get(id)) else {
            // A node's own address: pods of the host network listen there.
            let on_host = self
                .sandboxes
                .values()
                .filter(|s| s.config.host_network && s.ip.as_deref() == Some(address))
                .flat_map(|s| &s.containers)
                .find(|id| self.listens(id, port));
            return match on_host {
                Some(id) => Ok(Some(id.clone())),
                None if address.starts_with(NODES) => Ok(None),
                None => Err(NetError::Unreachable),
            };
        };
        Ok(sandbox.containers.iter().find(|id| self.listens(id, port)).cloned())
    }

    /// Whether a container can't listen on a port because another one of its pod does, or where it uses its node's network
    /// another one that does so too.
    pub(super) fn is_port_taken(&self, own: &ContainerId, port: u16) -> bool {
        let sandbox = self.containers.get(own).and_then(|c| self.sandboxes.get(&c.sandbox));
        let Some(sandbox) = sandbox else { return false };
        let taken = |ids: &[ContainerId]| ids.iter().any(|id| id != own && self.listens(id, port));
        if !sandbox.config.host_network {
            return taken(&sandbox.containers);
        }
        let on_node = self.sandboxes.values().filter(|s| s.config.host_network && s.ip == sandbox.ip);
        on_node.into_iter().any(|s| taken(&s.containers))
    }

    fn listens(&self, id: &ContainerId, port: u16) -> bool {
        let container = self.containers.get(id).filter(|c| c.is_running());
        container.and_then(|c| c.machine.as_ref()).is_some_and(|m| m.listening().contains(&port))
    }

    pub(super) fn is_address(&self, address: &str) -> bool {
        self.addresses.contains_key(address) || address.starts_with(NODES)
    }

    /// An HTTP request from the node to an address: probes and hooks.
    ///
    /// # Errors
    /// Go's text of the network error (`dial tcp 10.244.0.5:80: connect: connection refused`), to be put behind
    /// `Get "http://…": `.
    ///
    /// `known` is what came of the same request before, to be given again while nothing has changed.
    pub fn http_get(
        &mut self,
        get: &Arc<HttpGet>,
        known: &mut Option<Arc<Known>>,
        cx: &mut Cx<'_>,
    ) -> Result<Arc<HttpAnswer>, String> {
        if let Some(known) = known
            && Arc::ptr_eq(&known.get, get)
            && self.still_answers(known, cx.now())
        {
            return Ok(known.answer.clone());
        }
        *known = None;
        let target = match self.listener(&get.host, get.port) {
            Ok(Some(target)) => target,
            Ok(None) => return Err(dial_error(&get.host, get.port, &NetError::ConnectionRefused)),
            Err(error) => return Err(dial_error(&get.host, get.port, &error)),
        };
        if get.scheme.eq_ignore_ascii_case("https") {
            return Err("http: server gave HTTP response to HTTPS client".to_owned());
        }
        let request = HttpRequest {
            method: "GET".to_owned(),
            scheme: "http".to_owned(),
            host: get.host.clone(),
            port: get.port,
            path: get.path.clone(),
            headers: get.headers.clone(),
            body: Vec::new(),
            client: None,
        };
        let machine = self.containers.get(&target).and_then(|c| c.machine.as_ref());
        let repeatable = machine.is_some_and(|m| m.repeatable(get.port));
        if !repeatable {
            self.changed(&target);
        }
        let (answer, written) = self.hosted(&target, cx, |host| host.serve(&get.host, get.port, &request));
        let answer = answer.map(|answer| Arc::new(short(&answer)));
        if repeatable && let Ok(answer) = &answer {
            *known = self.known(get, &target, answer, &written, cx.now());
        }
        self.hand_out(written, cx.now());
        match answer {
            Ok(answer) => Ok(answer),
            Err(NetError::Reset) => Err("EOF".to_owned()),
            Err(error) => Err(dial_error(&get.host, get.port, &error)),
        }
    }

    /// Asks over gRPC from the node for the health of a service behind an address; `None` where nothing is reached that
    /// speaks gRPC.
    pub(crate) fn grpc_health(
        &mut self,
        host: &str,
        port: u16,
        service: &str,
        cx: &mut Cx<'_>,
    ) -> Option<Health> {
        let target = self.listener(host, port).ok()??;
        self.changed(&target);
        let now = cx.now();
        let mut machine = {
            let container = self.containers.get_mut(&target)?;
            container.mark_cpu(now);
            container.machine.take()?
        };
        let (answer, written) = self.hosted(&target, cx, |host| machine.health(host, port, service));
        if let Some(container) = self.containers.get_mut(&target) {
            container.machine = Some(machine);
        }
        self.hand_out(written, now);
        answer
    }

    /// Hands a request to the server at an address, as a forwarded port does.
    ///
    /// # Errors
    /// [`NetError`].
    pub fn http(&mut self, request: &HttpRequest, cx: &mut Cx<'_>) -> Result<HttpResponse, NetError> {
        let target = self.listener(&request.host, request.port)?.ok_or(NetError::ConnectionRefused)?;
        self.changed(&target);
        let (answer, written) =
            self.hosted(&target, cx, |host| host.serve(&request.host, request.port, request));
        self.hand_out(written, cx.now());
        answer
    }

    /// Whether an answer holds that was given before; the server's log says that it was given again.
    fn still_answers(&mut self, known: &Known, now: SimTime) -> bool {
        if known.volumes != self.volume_epoch {
            return false;
        }
        let Some(container) = self.containers.get_mut_at(known.place, &known.container) else { return false };
        if container.epoch != known.epoch || !container.is_running() {
            return false;
        }
        for (stream, text) in &known.log {
            container.log.write_line(now, *stream, text);
        }
        true
    }

    /// An answer to keep; `None` where it left more than lines in the server's log.
    fn known(
        &self,
        get: &Arc<HttpGet>,
        target: &ContainerId,
        answer: &Arc<HttpAnswer>,
        written: &[Written],
        now: SimTime,
    ) -> Option<Arc<Known>> {
        let line = |bytes: &[u8]| bytes.iter().position(|b| *b == b'\n') == bytes.len().checked_sub(1);
        if written.iter().any(|(owner, sink, _, bytes)| owner != target || *sink != 0 || !line(bytes)) {
            return None;
        }
        let time = super::servers::log_time_at(now);
        let found = self.containers.get(target)?;
        Some(Arc::new(Known {
            get: get.clone(),
            // As the runtime itself holds it, so that the two are seen to be one at a glance.
            container: found.id.clone(),
            place: self.containers.place(target)?,
            epoch: found.epoch,
            volumes: self.volume_epoch,
            answer: answer.clone(),
            log: written.iter().map(|(_, _, stream, bytes)| (*stream, cut(bytes, &time))).collect(),
        }))
    }

    /// Something has run in a container: what its servers said may no longer hold, nor what others say of files that
    /// it can write.
    pub(super) fn changed(&mut self, id: &ContainerId) {
        let Some(container) = self.containers.get_mut(id) else { return };
        container.epoch += 1;
        if container.config.mounts.iter().any(|mount| !mount.read_only) {
            self.volume_epoch += 1;
        }
    }

    /// Whether something listens on a TCP port.
    ///
    /// # Errors
    /// Go's text of the network error (`dial tcp 10.244.0.5:80: connect: connection refused`).
    pub fn tcp_connect(&self, host: &str, port: u16, cx: &Cx<'_>) -> Result<(), String> {
        let _ = cx;
        match self.listener(host, port) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(dial_error(host, port, &NetError::ConnectionRefused)),
            Err(error) => Err(dial_error(host, port, &error)),
        }
    }
}

/// What a probe sees of an answer.
fn short(answer: &HttpResponse) -> HttpAnswer {
    HttpAnswer {
        status: answer.status,
        headers: answer.headers.clone(),
        body: answer.body[..answer.body.len().min(BODY)].to_vec(),
        took: answer.delay,
    }
}

fn dial_error(host: &str, port: u16, error: &NetError) -> String {
    match error {
        NetError::ConnectionRefused | NetError::Own(_) => {
            format!("dial tcp {host}:{port}: connect: connection refused")
        }
        NetError::Unreachable => format!("dial tcp {host}:{port}: connect: no route to host"),
        NetError::NameNotFound => format!("dial tcp: lookup {host}: no such host"),
        NetError::NoAnswer => format!("dial tcp {host}:{port}: i/o timeout"),
        NetError::Reset => "EOF".to_owned(),
        NetError::Tls => "tls: first record does not look like a TLS handshake".to_owned(),
    }
}

/// Whether a text is an IPv4 address.
pub(super) fn is_ip(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

/// Addresses behind a Service, with its ports by name, as its slices list them.
pub(super) fn endpoints<'a>(
    api: &'a ApiServer,
    service: &'a Object,
) -> impl Iterator<Item = (&'a Value, &'a [Value])> {
    let list = |slice: &'a Object, field: &str| {
        slice.field(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
    };
    slices_of(service, api)
        .flat_map(move |slice| list(slice, "endpoints").iter().map(move |e| (e, list(slice, "ports"))))
}

fn has_condition(endpoint: &Value, name: &str, default: bool) -> bool {
    endpoint.get("conditions").and_then(|c| c.get(name)).and_then(Value::as_bool).unwrap_or(default)
}

/// Endpoints that say nothing of themselves count as ready.
pub(super) fn is_ready(endpoint: &Value) -> bool {
    has_condition(endpoint, "ready", true)
}

pub(super) fn address_of(endpoint: &Value) -> Option<&str> {
    endpoint.get("addresses")?.get(0)?.as_str()
}

/// The Service and its port that an address and port stand for: a ClusterIP, or a node with a node port.
fn service_at<'a>(
    api: &'a ApiServer,
    address: &str,
    port: u16,
) -> Option<(&'a Arc<Object>, Option<&'a Value>)> {
    let port = u64::from(port);
    let entry = |service: &'a Arc<Object>, field: &str| {
        let ports = service.field("spec")?.get("ports")?.as_array()?;
        ports.iter().find(|entry| entry.get(field).and_then(Value::as_u64) == Some(port))
    };
    let mut services = api.store().list(&kinds::SERVICE);
    if address.starts_with(CLUSTER_IPS) {
        let has_ip = |service: &&Arc<Object>| {
            let ip = service.field("spec").and_then(|s| s.get("clusterIP")).and_then(Value::as_str);
            ip == Some(address)
        };
        return services.find(has_ip).map(|service| (service, entry(service, "port")));
    }
    services.find_map(|service| Some((service, Some(entry(service, "nodePort")?))))
}

/// What the port of a node leads to where a container there has asked for it (`hostPort`): the pod's address and the
/// container's port. `node` is the node's address, `asked` the one that was asked for: it, or its loopback.
///
/// Source: the CNI plugin portmap, which container runtimes run for every pod.
pub(super) fn host_port(
    api: &ApiServer,
    node: &str,
    asked: &str,
    port: u16,
    udp: bool,
) -> Option<(String, u16)> {
    if port == 0 || !node.starts_with(NODES) {
        return None;
    }
    let protocol = if udp { "UDP" } else { "TCP" };
    let store = api.store();
    let node = store.list(&kinds::NODE).find(|object| object.internal_ip() == Some(node))?;
    store.pods_on_node(node.name()).find_map(|pod| {
        let (spec, status) = (pod.pod_spec()?, pod.pod_status()?);
        if status.phase.as_deref() != Some("Running") || spec.host_network == Some(true) {
            return None;
        }
        let mut ports = spec.containers.iter().flat_map(|container| container.ports.iter().flatten());
        let found = ports.find(|entry| {
            entry.host_port == Some(i32::from(port))
                && entry.protocol.as_deref().unwrap_or("TCP") == protocol
                && entry.host_ip.as_deref().is_none_or(|ip| matches!(ip, "" | "0.0.0.0") || ip == asked)
        })?;
        Some((status.pod_ip.clone()?, u16::try_from(found.container_port).ok()?))
    })
}

/// Whether a Service has the address.
pub(super) fn is_service_address(api: &ApiServer, address: &str) -> bool {
    service_at(api, address, 0).is_some()
}

/// What an address and port lead to.
pub(super) enum Forwarded<'a> {
    /// Nothing stands for them.
    Direct,
    /// A Service, the name of its port, and the endpoints that a connection may go to; never none.
    Service(&'a Object, &'a str, Vec<(String, u16)>),
}

/// The endpoints that a Service's address and port, or a node port, stand for.
///
/// Source: pkg/proxy (v1.37): those that are ready, those that are going where no other is left; refused where there is
/// none.
pub(super) fn forward<'a>(api: &'a ApiServer, address: &str, port: u16) -> Result<Forwarded<'a>, NetError> {
    let is_service = address.starts_with(CLUSTER_IPS);
    let is_node_port = address.starts_with(NODES) && port >= 30000;
    if !is_service && !is_node_port {
        return Ok(Forwarded::Direct);
    }
    let Some((service, entry)) = service_at(api, address, port) else {
        return if is_service { Err(NetError::NoAnswer) } else { Ok(Forwarded::Direct) };
    };
    let Some(entry) = entry else {
        // Nothing answers for a port that the Service does not have.
        return Err(if port == 0 { NetError::NoAnswer } else { NetError::ConnectionRefused });
    };
    let name = entry.get("name").and_then(Value::as_str).unwrap_or("");
    let target = |(endpoint, ports): (&Value, &[Value])| {
        let named = |p: &&Value| p.get("name").and_then(Value::as_str).unwrap_or("") == name;
        let port = ports.iter().find(named)?.get("port").and_then(Value::as_u64)?;
        Some((address_of(endpoint)?.to_owned(), u16::try_from(port).ok()?))
    };
    let all: Vec<(&Value, &[Value])> = endpoints(api, service).collect();
    let ready = all.iter().copied().filter(|(endpoint, _)| is_ready(endpoint));
    let mut targets: Vec<(String, u16)> = ready.filter_map(target).collect();
    if targets.is_empty() {
        let going = |endpoint: &Value| {
            has_condition(endpoint, "serving", false) && has_condition(endpoint, "terminating", false)
        };
        targets = all.iter().copied().filter(|(endpoint, _)| going(endpoint)).filter_map(target).collect();
    }
    match targets.is_empty() {
        true => Err(NetError::ConnectionRefused),
        false => Ok(Forwarded::Service(service, name, targets)),
    }
}
