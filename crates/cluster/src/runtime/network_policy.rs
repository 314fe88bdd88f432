//! NetworkPolicies: which connections a network plugin that enforces them lets through.
//!
//! A pod that no policy selects for a direction is open in it; one that some policies select lets through what one of
//! them names. What a pod sends to itself, and what comes from the node it is on, is never held up. What is held up
//! gets no answer at all, so that the one who asks runs into a timeout.
//!
//! Source: Kubernetes docs, "Network Policies"; staging/src/k8s.io/api/networking/v1/types.go (v1.37).

use super::Runtime;
use super::cri::SandboxConfig;
use crate::apiserver::ApiServer;
use crate::controllers::selector_from;
use podlab_api::{Object, kinds};
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;

/// One end of a connection.
pub(super) enum End {
    /// A pod with an address of its own.
    Pod { object: Arc<Object>, address: String, node: String },
    /// A node, or a pod in its network: no selector finds it, only an `ipBlock` can.
    Node(String),
    /// Something else.
    Address(String),
}

impl End {
    fn address(&self) -> &str {
        match self {
            End::Pod { address, .. } | End::Node(address) | End::Address(address) => address,
        }
    }
}

/// What is to be opened: the port that the target listens on, after any Service.
#[derive(Clone, Copy)]
pub(super) struct Connection<'a> {
    pub(super) from: &'a End,
    pub(super) to: &'a End,
    pub(super) port: u16,
    pub(super) udp: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Ingress,
    Egress,
}

impl Runtime {
    /// What stands at an address.
    pub(super) fn end_at(&self, api: &ApiServer, address: &str) -> End {
        match self.addresses.get(address).and_then(|id| self.sandboxes.get(id)) {
            Some(sandbox) => self.end_of(api, &sandbox.config, address),
            None if address.starts_with(super::network::NODES) => End::Node(address.to_owned()),
            None => End::Address(address.to_owned()),
        }
    }

    /// The pod of a sandbox as an end of a connection.
    pub(super) fn end_of(&self, api: &ApiServer, config: &SandboxConfig, address: &str) -> End {
        match api.store().get(&kinds::POD, &config.namespace, &config.name) {
            Some(object) if !config.host_network => {
                End::Pod { object: object.clone(), address: address.to_owned(), node: config.node.clone() }
            }
            _ => End::Node(address.to_owned()),
        }
    }
}

/// Whether the policies of both ends let a connection through.
pub(super) fn allows(api: &ApiServer, connection: Connection<'_>) -> bool {
    let Connection { from, to, .. } = connection;
    if from.address() == to.address() || api.store().list(&kinds::NETWORK_POLICY).next().is_none() {
        return true;
    }
    passes(api, from, Direction::Egress, connection)
        && (comes_from_own_node(api, connection) || passes(api, to, Direction::Ingress, connection))
}

fn comes_from_own_node(api: &ApiServer, Connection { from, to, .. }: Connection<'_>) -> bool {
    let (End::Node(address), End::Pod { node, .. }) = (from, to) else { return false };
    let node = api.store().get(&kinds::NODE, "", node);
    let addresses = node.and_then(|node| node.node_status()).and_then(|status| status.addresses.as_ref());
    addresses.is_some_and(|addresses| addresses.iter().any(|known| known.address == *address))
}

/// Whether the policies of one end let a connection through in a direction.
fn passes(api: &ApiServer, end: &End, direction: Direction, connection: Connection<'_>) -> bool {
    let End::Pod { object: pod, .. } = end else { return true };
    let mut isolated = false;
    for policy in api.store().list(&kinds::NETWORK_POLICY) {
        let Some(spec) = policy.field("spec") else { continue };
        if policy.namespace() != pod.namespace() || !has_type(spec, direction) || !selects(spec, pod) {
            continue;
        }
        isolated = true;
        let rules = spec.get(if direction == Direction::Ingress { "ingress" } else { "egress" });
        if list(rules).iter().any(|rule| admits(api, rule, policy.namespace(), direction, connection)) {
            return true;
        }
    }
    !isolated
}

fn has_type(spec: &Value, direction: Direction) -> bool {
    let name = if direction == Direction::Ingress { "Ingress" } else { "Egress" };
    list(spec.get("policyTypes")).iter().any(|kind| kind == name)
}

/// A policy without a `podSelector` is for all pods of its namespace, as one with an empty one.
fn selects(spec: &Value, pod: &Object) -> bool {
    spec.get("podSelector").is_none_or(|selector| matches(selector, pod))
}

fn matches(selector: &Value, object: &Object) -> bool {
    selector_from(selector).is_some_and(|selector| selector.matches(object))
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn admits(
    api: &ApiServer,
    rule: &Value,
    namespace: &str,
    direction: Direction,
    connection: Connection<'_>,
) -> bool {
    let (peers, other) = match direction {
        Direction::Ingress => (list(rule.get("from")), connection.from),
        Direction::Egress => (list(rule.get("to")), connection.to),
    };
    let ports = list(rule.get("ports"));
    (peers.is_empty() || peers.iter().any(|peer| is_peer(api, peer, namespace, other)))
        && (ports.is_empty() || ports.iter().any(|port| is_port(port, connection)))
}

fn is_peer(api: &ApiServer, peer: &Value, namespace: &str, end: &End) -> bool {
    if let Some(block) = peer.get("ipBlock") {
        let Ok(address) = end.address().parse::<IpAddr>() else { return false };
        let within = |cidr: &Value| cidr.as_str().is_some_and(|cidr| contains(cidr, address));
        return block.get("cidr").is_some_and(within) && !list(block.get("except")).iter().any(within);
    }
    let End::Pod { object: pod, .. } = end else { return false };
    let in_namespace = match peer.get("namespaceSelector") {
        None => pod.namespace() == namespace,
        Some(selector) => {
            let of_pod = api.store().get(&kinds::NAMESPACE, "", pod.namespace());
            of_pod.is_some_and(|of_pod| matches(selector, of_pod))
        }
    };
    in_namespace && peer.get("podSelector").is_none_or(|selector| matches(selector, pod))
}

/// Whether an address lies in a block (`10.0.0.0/8`).
fn contains(cidr: &str, address: IpAddr) -> bool {
    let Some((network, bits)) = cidr.split_once('/') else { return false };
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (network.to_bits().into(), address.to_bits().into(), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let host_bits = width - bits.min(width);
    let cut = |address: u128| address.checked_shr(host_bits).unwrap_or(0);
    cut(network) == cut(address)
}

/// A rule's port: a number, a range up to `endPort`, or a name that the target's containers give a port.
fn is_port(rule: &Value, connection: Connection<'_>) -> bool {
    let protocol = rule.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
    if protocol != if connection.udp { "UDP" } else { "TCP" } {
        return false;
    }
    let port = u64::from(connection.port);
    match rule.get("port") {
        None | Some(Value::Null) => true,
        Some(Value::String(name)) => named_port(connection.to, name, protocol) == Some(connection.port),
        Some(first) => first.as_u64().is_some_and(|first| {
            let last = rule.get("endPort").and_then(Value::as_u64).unwrap_or(first);
            (first..=last).contains(&port)
        }),
    }
}

fn named_port(end: &End, name: &str, protocol: &str) -> Option<u16> {
    let End::Pod { object, .. } = end else { return None };
    let spec = object.pod_spec()?;
    let port =
        spec.containers.iter().flat_map(|container| container.ports.iter().flatten()).find(|port| {
            port.name.as_deref() == Some(name) && port.protocol.as_deref().unwrap_or("TCP") == protocol
        })?;
    u16::try_from(port.container_port).ok()
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn a_block_holds_the_addresses_whose_first_bits_are_its_own() {
        let address = "10.244.1.7".parse().unwrap();
        for (cidr, inside) in [
            ("10.244.1.0/24", true),
            ("10.244.2.0/24", false),
            ("0.0.0.0/0", true),
            ("10.244.1.7/32", true),
            ("10.244.1.6/32", false),
            ("10.244.1.6/31", true),
            ("::/0", false),
            ("10.244.1.0", false),
            ("10.244.1.0/x", false),
        ] {
            assert_eq!(contains(cidr, address), inside, "{cidr}");
        }
    }
}
