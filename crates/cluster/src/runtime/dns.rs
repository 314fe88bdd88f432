//! Names: what CoreDNS serves of a cluster.
//!
//! Source: Kubernetes docs, "DNS for Services and Pods"; CoreDNS, plugin/kubernetes and plugin/backend_lookup.go.

use super::network::{address_of, endpoints, is_ip, is_ready};
use crate::apiserver::ApiServer;
use podlab_api::{Object, kinds};
use podlab_shell::{DnsAnswer, DnsData, DnsRecord, DnsReply, DnsType, NetError};
use serde_json::Value;

const ZONE: &str = "cluster.local";
/// Names that stand for names are followed so far.
const MAX_ALIASES: u8 = 8;
/// A name with fewer dots is tried under the search list first: `ndots` of a pod's `resolv.conf`.
const NDOTS: usize = 5;

/// Looks a name up as a pod of `namespace` would.
///
/// # Errors
/// [`NetError::NameNotFound`].
pub(super) fn resolve(api: &ApiServer, namespace: &str, name: &str) -> Result<DnsAnswer, NetError> {
    let plain = name.trim_end_matches('.');
    if is_ip(plain) {
        return Ok(DnsAnswer { name: plain.to_owned(), addresses: vec![plain.to_owned()] });
    }
    let reply = query(api, namespace, name, DnsType::A, true)?;
    let addresses: Vec<String> =
        reply.answers.into_iter().filter_map(|record| address(record.data)).collect();
    // Nothing outside the cluster has an address here.
    if addresses.is_empty() {
        Err(NetError::NameNotFound)
    } else {
        Ok(DnsAnswer { name: reply.name, addresses })
    }
}

fn address(data: DnsData) -> Option<String> {
    match data {
        DnsData::A(address) => Some(address),
        _ => None,
    }
}

/// The records of one type that a name has, as it is or completed as for a pod of `namespace`.
///
/// # Errors
/// [`NetError::NameNotFound`].
pub(super) fn query(
    api: &ApiServer,
    namespace: &str,
    name: &str,
    wanted: DnsType,
    search: bool,
) -> Result<DnsReply, NetError> {
    let plain = name.trim_end_matches('.');
    let mut candidates = vec![plain.to_owned()];
    if search && !name.ends_with('.') {
        let searched = [format!("{namespace}.svc.{ZONE}"), format!("svc.{ZONE}"), ZONE.to_owned()];
        let at = if plain.matches('.').count() < NDOTS { 0 } else { 1 };
        candidates.splice(at..at, searched.iter().map(|domain| format!("{plain}.{domain}")));
    }
    let found = candidates.into_iter().find_map(|full| {
        let (answers, additional) = records(api, &full, wanted, MAX_ALIASES)?;
        Some(DnsReply { name: full, answers, additional })
    });
    found.ok_or(NetError::NameNotFound)
}

type Records = (Vec<DnsRecord>, Vec<DnsRecord>);

/// What a whole name has: answers, and addresses of the names in these. `None` for a name that does not exist.
fn records(api: &ApiServer, full: &str, wanted: DnsType, aliases: u8) -> Option<Records> {
    let a = |address: String| DnsRecord { name: full.to_owned(), data: DnsData::A(address) };
    let only = |addresses: Vec<String>| match wanted {
        DnsType::A => (addresses.into_iter().map(a).collect(), Vec::new()),
        _ => Records::default(),
    };
    if let Some(rest) = full.strip_suffix(".in-addr.arpa") {
        return names_of(api, full, rest, wanted);
    }
    if let Some(rest) = full.strip_suffix(ZONE).and_then(|rest| rest.strip_suffix(".svc.")) {
        let parts: Vec<&str> = rest.split('.').collect();
        let (port, pod, name, namespace) = match parts.as_slice() {
            [name, namespace] => (None, None, *name, *namespace),
            [pod, name, namespace] => (None, Some(*pod), *name, *namespace),
            [port, protocol, name, namespace] => {
                let port = (port.strip_prefix('_')?, protocol.strip_prefix('_')?);
                (Some(port), None, *name, *namespace)
            }
            _ => return None,
        };
        let service = api.store().get(&kinds::SERVICE, namespace, name)?;
        let spec = service.field("spec")?;
        if spec.get("type").and_then(Value::as_str) == Some("ExternalName") {
            return alias(api, full, spec.get("externalName")?.as_str()?, wanted, aliases);
        }
        let hosts = hosts_of(api, service, pod);
        if hosts.is_empty() {
            return None;
        }
        return match (port, wanted) {
            (port, DnsType::Srv) => services(full, port, &hosts),
            (Some(_), _) => None,
            (None, _) => Some(only(hosts.into_iter().map(|host| host.address).collect())),
        };
    }
    if let Some(rest) = full.strip_suffix(ZONE).and_then(|rest| rest.strip_suffix(".pod.")) {
        let ip = rest.split('.').next()?.replace('-', ".");
        return is_ip(&ip).then(|| only(vec![ip]));
    }
    // Names of nodes are known to nobody but the nodes' own hosts file.
    let node = api.store().get(&kinds::NODE, "", full)?;
    Some(only(vec![node.internal_ip()?.to_owned()]))
}

/// What stands behind a name: the whole name of one host, its address and its ports.
struct Host<'a> {
    name: String,
    address: String,
    ports: &'a [Value],
}

/// The Service itself where it has an address, else its ready endpoints; one of them where `pod` names it.
fn hosts_of<'a>(api: &'a ApiServer, service: &'a Object, pod: Option<&str>) -> Vec<Host<'a>> {
    let own = format!("{}.{}.svc.{ZONE}", service.name(), service.namespace());
    let field = |name: &str| service.field("spec").and_then(|spec| spec.get(name));
    let ip = field("clusterIP").and_then(Value::as_str).unwrap_or("");
    if pod.is_none() && ip != "None" {
        let ports = field("ports").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        return if ip.is_empty() {
            Vec::new()
        } else {
            vec![Host { name: own, address: ip.to_owned(), ports }]
        };
    }
    let ready = endpoints(api, service).filter(|(endpoint, _)| is_ready(endpoint));
    let named = ready.filter_map(|(endpoint, ports)| {
        let address = address_of(endpoint)?;
        Some((endpoint_name(endpoint, address), address, ports))
    });
    named
        .filter(|(name, ..)| pod.is_none_or(|pod| pod == name))
        .map(|(name, address, ports)| Host {
            name: format!("{name}.{own}"),
            address: address.to_owned(),
            ports,
        })
        .collect()
}

/// Source: CoreDNS, plugin/kubernetes `endpointHostname`: its hostname, else its address with dashes.
fn endpoint_name(endpoint: &Value, address: &str) -> String {
    let hostname = endpoint.get("hostname").and_then(Value::as_str);
    hostname.map_or_else(|| address.replace(['.', ':'], "-"), str::to_owned)
}

/// The name that another Service stands for, and what that has.
fn alias(api: &ApiServer, full: &str, other: &str, wanted: DnsType, aliases: u8) -> Option<Records> {
    let other = other.trim_end_matches('.');
    let record = DnsRecord { name: full.to_owned(), data: DnsData::Cname(other.to_owned()) };
    match wanted {
        DnsType::Cname => Some((vec![record], Vec::new())),
        DnsType::A => {
            let further = (aliases > 0).then(|| records(api, other, wanted, aliases - 1)).flatten();
            Some((std::iter::once(record).chain(further.unwrap_or_default().0).collect(), Vec::new()))
        }
        _ => Some(Records::default()),
    }
}

/// Ports: all of a Service's, or those of a name and protocol.
fn services(full: &str, port: Option<(&str, &str)>, hosts: &[Host<'_>]) -> Option<Records> {
    let text = |entry: &Value, field: &str, otherwise: &str| {
        entry.get(field).and_then(Value::as_str).unwrap_or(otherwise).to_owned()
    };
    let is_asked = |entry: &Value| {
        port.is_none_or(|(name, protocol)| {
            text(entry, "name", "") == name && text(entry, "protocol", "TCP").eq_ignore_ascii_case(protocol)
        })
    };
    let mut found = Vec::new();
    for host in hosts {
        for entry in host.ports.iter().filter(|entry| is_asked(entry)) {
            let number = entry.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
            found.extend(number.map(|number| (host, number)));
        }
    }
    let share = u16::try_from(100 / found.len().max(1)).unwrap_or(1).max(1);
    let answers: Vec<DnsRecord> = found
        .iter()
        .map(|(host, port)| {
            let data = DnsData::Srv { weight: share, port: *port, target: host.name.clone() };
            DnsRecord { name: full.to_owned(), data }
        })
        .collect();
    let mut additional: Vec<DnsRecord> = Vec::new();
    for (host, _) in &found {
        let record = DnsRecord { name: host.name.clone(), data: DnsData::A(host.address.clone()) };
        if !additional.contains(&record) {
            additional.push(record);
        }
    }
    (!answers.is_empty()).then_some((answers, additional))
}

/// The names of an address that stands backwards in `rest`.
///
/// Source: CoreDNS, plugin/kubernetes/reverse.go `serviceRecordForIP`: the Service's, else those of its endpoint in every
/// Service.
fn names_of(api: &ApiServer, full: &str, rest: &str, wanted: DnsType) -> Option<Records> {
    let parts: Vec<&str> = rest.rsplit('.').collect();
    let ip = parts.join(".");
    let all = || api.store().list(&kinds::SERVICE);
    let has_ip = |service: &Object| {
        service.field("spec").and_then(|s| s.get("clusterIP")).and_then(Value::as_str) == Some(ip.as_str())
    };
    let mut names: Vec<String> = all()
        .filter(|service| has_ip(service))
        .map(|service| format!("{}.{}.svc.{ZONE}", service.name(), service.namespace()))
        .collect();
    if names.is_empty() {
        for service in all() {
            let behind = endpoints(api, service).filter(|(endpoint, _)| address_of(endpoint) == Some(&ip));
            names.extend(behind.map(|(endpoint, _)| {
                let name = endpoint_name(endpoint, &ip);
                format!("{name}.{}.{}.svc.{ZONE}", service.name(), service.namespace())
            }));
        }
        names.dedup();
    }
    if names.is_empty() {
        return None;
    }
    let record = |name: String| DnsRecord { name: full.to_owned(), data: DnsData::Ptr(name) };
    Some(match wanted {
        DnsType::Ptr => (names.into_iter().map(record).collect(), Vec::new()),
        _ => Records::default(),
    })
}
