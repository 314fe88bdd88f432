//! What a Service is given when it is stored: its ClusterIP and node ports.
//!
//! Source: pkg/registry/core/service/storage/alloc.go, storage.go, pkg/registry/core/service/strategy.go (v1.37). The
//! cluster has one family, IPv4.

use super::ApiServer;
use super::allocators::CLUSTER_IPS;
use podlab_api::validation::{self, FieldError, Path};
use podlab_api::{Body, Object, Status, kinds};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

type Spec = Map<String, Value>;

/// What was handed out for a write, and what the write makes free.
#[derive(Debug, Default)]
pub(super) struct Allocation {
    taken_ips: Vec<String>,
    taken_ports: Vec<u16>,
    freed_ips: Vec<String>,
    freed_ports: Vec<u16>,
    /// Nothing is kept: an address that is wished for only has to be of the range, a port has to be free all the same.
    ///
    /// Source: pkg/registry/core/service/ipallocator/ipallocator.go `allocateService` (v1.37).
    dry_run: bool,
}

impl ApiServer {
    /// Hands out addresses for a new object; the caller commits or reverts.
    pub(super) fn begin_create(&mut self, object: &mut Object, dry_run: bool) -> Result<Allocation, Status> {
        let mut allocation = Allocation { dry_run, ..Allocation::default() };
        if !is_service(object) {
            return Ok(allocation);
        }
        let name = object.name().to_owned();
        let Some(spec) = spec_of(object) else { return Ok(allocation) };
        if let (Some(ip), true) = (cluster_ip(spec).map(str::to_owned), texts(spec, "clusterIPs").is_empty())
        {
            spec.insert("clusterIPs".to_owned(), json!([ip]));
        }
        let Some(value) = service_value(object) else { return Ok(allocation) };
        let Some(spec) = spec_of(object) else { return Ok(allocation) };
        let outcome = init_ip_families(spec, None, &value)
            .and_then(|()| self.allocate_cluster_ips(spec, &mut allocation))
            .and_then(|()| self.init_node_ports(spec, &mut allocation))
            .and_then(|()| self.init_health_check_port(spec, &mut allocation));
        self.settle(allocation, outcome, &name)
    }

    /// Carries over what a client left out, and hands out and takes back what a change of type needs.
    pub(super) fn begin_update(
        &mut self,
        object: &mut Object,
        old: &Object,
        dry_run: bool,
    ) -> Result<Allocation, Status> {
        let mut allocation = Allocation { dry_run, ..Allocation::default() };
        let Some(before) = old.field("spec").and_then(Value::as_object).filter(|_| is_service(old)) else {
            return Ok(allocation);
        };
        let name = object.name().to_owned();
        let Some(spec) = spec_of(object) else { return Ok(allocation) };
        patch_allocated_values(spec, before);
        normalize_cluster_ips(spec, before);
        let Some(value) = service_value(object) else { return Ok(allocation) };
        let Some(spec) = spec_of(object) else { return Ok(allocation) };
        let outcome = init_ip_families(spec, Some((before, &old.to_value())), &value).and_then(|()| {
            match (needs_cluster_ip(before), needs_cluster_ip(spec)) {
                (false, true) => self.allocate_cluster_ips(spec, &mut allocation)?,
                (true, false) => allocation.freed_ips.extend(cluster_ip(before).map(str::to_owned)),
                _ => {}
            }
            self.update_node_ports(spec, before, &mut allocation)
        });
        self.settle(allocation, outcome, &name)
    }

    fn settle(
        &mut self,
        allocation: Allocation,
        outcome: Result<(), Vec<FieldError>>,
        name: &str,
    ) -> Result<Allocation, Status> {
        match outcome {
            Ok(()) => Ok(allocation),
            Err(errors) => {
                self.revert(&allocation);
                Err(Status::invalid(&kinds::SERVICE, name, errors.into_iter().map(Into::into).collect()))
            }
        }
    }

    /// The write happened: what it made free can be handed out again.
    pub(super) fn commit(&mut self, allocation: &Allocation) {
        allocation.freed_ips.iter().for_each(|ip| self.release_cluster_ip(ip));
        allocation.freed_ports.iter().for_each(|port| self.release_node_port(*port));
    }

    /// The write did not happen: what was handed out for it is free again.
    pub(super) fn revert(&mut self, allocation: &Allocation) {
        allocation.taken_ips.iter().for_each(|ip| self.release_cluster_ip(ip));
        allocation.taken_ports.iter().for_each(|port| self.release_node_port(*port));
    }

    fn allocate_cluster_ips(&mut self, spec: &mut Spec, all: &mut Allocation) -> Result<(), Vec<FieldError>> {
        if !needs_cluster_ip(spec) || texts(spec, "clusterIPs").first() == Some(&"None") {
            return Ok(());
        }
        let wanted = texts(spec, "clusterIPs").first().map(|ip| (*ip).to_owned()).unwrap_or_default();
        let ip = if wanted.is_empty() {
            // A full range leaves the service without an address: 65,000 services are out of reach.
            let Some(ip) = self.allocate_cluster_ip() else { return Ok(()) };
            ip
        } else if self.reserve_cluster_ip(&wanted) {
            wanted
        } else if all.dry_run && wanted.starts_with(CLUSTER_IPS) {
            return Ok(());
        } else {
            let why = match wanted.starts_with(CLUSTER_IPS) {
                true => "provided IP is already allocated",
                false => "the provided network does not match the current range",
            };
            let shown = spec.get("clusterIPs").cloned().unwrap_or_default();
            let why = format!("failed to allocate IP {wanted}: {why}");
            return Err(vec![FieldError::invalid(&Path::new("spec.clusterIPs"), shown, why)]);
        };
        spec.insert("clusterIP".to_owned(), ip.as_str().into());
        match spec.get_mut("clusterIPs").and_then(Value::as_array_mut).and_then(|ips| ips.first_mut()) {
            Some(first) => *first = ip.as_str().into(),
            None => {
                spec.insert("clusterIPs".to_owned(), json!([ip]));
            }
        }
        all.taken_ips.push(ip);
        Ok(())
    }

    fn take_node_port(
        &mut self,
        index: usize,
        wanted: i64,
        all: &mut Allocation,
    ) -> Result<u16, Vec<FieldError>> {
        let refuse = |why: &str| {
            let ports = Path::new("spec.ports");
            vec![FieldError::invalid(&ports.index(index).child("nodePort"), wanted, why.to_owned())]
        };
        let port = u16::try_from(wanted).ok().filter(|port| super::allocators::NODE_PORTS.contains(port));
        let Some(port) = port else {
            return Err(refuse(
                "provided port is not in the valid range. The range of valid ports is 30000-32767",
            ));
        };
        if !self.reserve_node_port(port) {
            return Err(refuse("provided port is already allocated"));
        }
        all.taken_ports.push(port);
        Ok(port)
    }

    fn next_node_port(&mut self, all: &mut Allocation) -> i64 {
        let port = self.allocate_node_port();
        all.taken_ports.extend(port);
        port.map_or(0, i64::from)
    }

    /// Ports of the same number and another protocol share a node port.
    fn init_node_ports(&mut self, spec: &mut Spec, all: &mut Allocation) -> Result<(), Vec<FieldError>> {
        if !needs_node_port(spec) {
            return Ok(());
        }
        let allocates = should_allocate_node_ports(spec);
        let mut ports = ports(spec).to_vec();
        let mut of_port: BTreeMap<i64, i64> = BTreeMap::new();
        for index in 0..ports.len() {
            let (number, wanted) =
                ports.get(index).map_or((0, 0), |port| (int(port, "port"), int(port, "nodePort")));
            if wanted == 0 && !allocates {
                continue;
            }
            let chosen = match of_port.get(&number) {
                Some(known) if wanted == 0 => *known,
                Some(known) if wanted == *known => continue,
                Some(_) => i64::from(self.take_node_port(index, wanted, all)?),
                None => {
                    let requested = ports.iter().filter(|port| int(port, "port") == number);
                    let requested = requested.map(|port| int(port, "nodePort")).find(|port| *port != 0);
                    let chosen = match requested {
                        Some(requested) => i64::from(self.take_node_port(index, requested, all)?),
                        None => self.next_node_port(all),
                    };
                    of_port.insert(number, chosen);
                    chosen
                }
            };
            if let Some(port) = ports.get_mut(index).and_then(Value::as_object_mut) {
                port.insert("nodePort".to_owned(), chosen.into());
            }
        }
        spec.insert("ports".to_owned(), Value::Array(ports));
        Ok(())
    }

    fn init_health_check_port(
        &mut self,
        spec: &mut Spec,
        all: &mut Allocation,
    ) -> Result<(), Vec<FieldError>> {
        let local = spec.get("externalTrafficPolicy").and_then(Value::as_str) == Some("Local");
        let given = spec.get("healthCheckNodePort").and_then(Value::as_i64).unwrap_or(0);
        if type_of(spec) == "LoadBalancer" && local && given == 0 {
            let port = self.next_node_port(all);
            spec.insert("healthCheckNodePort".to_owned(), port.into());
        }
        Ok(())
    }

    fn update_node_ports(
        &mut self,
        spec: &mut Spec,
        before: &Spec,
        all: &mut Allocation,
    ) -> Result<(), Vec<FieldError>> {
        let old: Vec<i64> = node_ports(before);
        if needs_node_port(spec) {
            let allocates = should_allocate_node_ports(spec);
            let mut list = ports(spec).to_vec();
            let mut taken: Vec<i64> = Vec::new();
            for (index, port) in list.iter_mut().enumerate() {
                let wanted = int(port, "nodePort");
                if wanted == 0 && allocates {
                    let next = self.next_node_port(all);
                    if let Some(port) = port.as_object_mut() {
                        port.insert("nodePort".to_owned(), next.into());
                    }
                } else if wanted != 0 && !old.contains(&wanted) && !taken.contains(&wanted) {
                    self.take_node_port(index, wanted, all)?;
                    taken.push(wanted);
                }
            }
            spec.insert("ports".to_owned(), Value::Array(list));
        }
        let kept = if needs_node_port(spec) { node_ports(spec) } else { Vec::new() };
        let freed = old.iter().filter(|port| needs_node_port(before) && !kept.contains(port));
        all.freed_ports.extend(freed.filter_map(|port| u16::try_from(*port).ok()));
        Ok(())
    }

    /// Takes back what a deleted object had been given.
    pub(super) fn release_for(&mut self, object: &Object) {
        let Some(spec) = object.field("spec").and_then(Value::as_object).filter(|_| is_service(object))
        else {
            return;
        };
        if let Some(ip) = cluster_ip(spec) {
            self.release_cluster_ip(ip);
        }
        for port in node_ports(spec).into_iter().filter_map(|port| u16::try_from(port).ok()) {
            self.release_node_port(port);
        }
    }

    /// Marks the addresses of a restored object as taken.
    pub(crate) fn reserve_for(&mut self, object: &Object) {
        let Some(spec) = object.field("spec").and_then(Value::as_object).filter(|_| is_service(object))
        else {
            return;
        };
        if let Some(ip) = cluster_ip(spec) {
            self.reserve_cluster_ip(ip);
        }
        for port in node_ports(spec).into_iter().filter_map(|port| u16::try_from(port).ok()) {
            self.reserve_node_port(port);
        }
    }
}

fn is_service(object: &Object) -> bool {
    *object.kind == kinds::SERVICE
}

fn service_value(object: &Object) -> Option<Value> {
    is_service(object).then(|| object.to_value())
}

fn spec_of(object: &mut Object) -> Option<&mut Spec> {
    let Body::Tree(map) = &mut object.body else { return None };
    Arc::make_mut(map).entry("spec").or_insert_with(|| json!({})).as_object_mut()
}

fn type_of(spec: &Spec) -> &str {
    spec.get("type").and_then(Value::as_str).unwrap_or("ClusterIP")
}

fn needs_cluster_ip(spec: &Spec) -> bool {
    type_of(spec) != "ExternalName"
}

fn needs_node_port(spec: &Spec) -> bool {
    matches!(type_of(spec), "NodePort" | "LoadBalancer")
}

fn should_allocate_node_ports(spec: &Spec) -> bool {
    type_of(spec) == "NodePort"
        || spec.get("allocateLoadBalancerNodePorts").and_then(Value::as_bool).unwrap_or(true)
}

fn cluster_ip(spec: &Spec) -> Option<&str> {
    spec.get("clusterIP").and_then(Value::as_str).filter(|ip| !ip.is_empty())
}

fn texts<'a>(spec: &'a Spec, field: &str) -> Vec<&'a str> {
    spec.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn ports(spec: &Spec) -> &[Value] {
    spec.get("ports").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn int(port: &Value, field: &str) -> i64 {
    port.get(field).and_then(Value::as_i64).unwrap_or(0)
}

fn node_ports(spec: &Spec) -> Vec<i64> {
    let all = ports(spec).iter().map(|port| int(port, "nodePort"));
    let health = spec.get("healthCheckNodePort").and_then(Value::as_i64);
    all.chain(health).filter(|port| *port != 0).collect()
}

fn same(spec: &Spec, before: &Spec, field: &str) -> bool {
    spec.get(field).filter(|value| !value.is_null()) == before.get(field).filter(|value| !value.is_null())
}

/// Fills in what was allocated and the client did not send.
///
/// Source: storage.go `patchAllocatedValues` (v1.37).
fn patch_allocated_values(spec: &mut Spec, before: &Spec) {
    if needs_cluster_ip(before) && needs_cluster_ip(spec) {
        for field in ["clusterIP", "clusterIPs"] {
            let empty = match spec.get(field) {
                None | Some(Value::Null) => true,
                Some(Value::String(text)) => text.is_empty(),
                Some(Value::Array(items)) => items.is_empty(),
                Some(_) => false,
            };
            if let (true, Some(value)) = (empty, before.get(field)) {
                spec.insert(field.to_owned(), value.clone());
            }
        }
    }
    if needs_node_port(before) && needs_node_port(spec) {
        let numbers =
            |spec: &Spec| -> Vec<i64> { ports(spec).iter().map(|port| int(port, "nodePort")).collect() };
        let (old, new) = (numbers(before), numbers(spec));
        let by_name: BTreeMap<&str, i64> = ports(before)
            .iter()
            .map(|port| (port.get("name").and_then(Value::as_str).unwrap_or(""), int(port, "nodePort")))
            .collect();
        for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
            let known = by_name.get(port.get("name").and_then(Value::as_str).unwrap_or("")).copied();
            let known = known.filter(|known| *known != 0 && !(old.contains(known) && new.contains(known)));
            if let (0, Some(known), Some(port)) = (int(port, "nodePort"), known, port.as_object_mut()) {
                port.insert("nodePort".to_owned(), known.into());
            }
        }
    }
    if let (None, Some(port)) = (spec.get("healthCheckNodePort"), before.get("healthCheckNodePort"))
        && type_of(spec) == "LoadBalancer"
    {
        spec.insert("healthCheckNodePort".to_owned(), port.clone());
    }
}

/// Keeps `clusterIP` and `clusterIPs` in step for clients that know only the first.
///
/// Source: storage.go `normalizeClusterIPs` (v1.37), its part for updates.
fn normalize_cluster_ips(spec: &mut Spec, before: &Spec) {
    if same(spec, before, "clusterIP") || !same(spec, before, "clusterIPs") {
        return;
    }
    match cluster_ip(spec).map(str::to_owned) {
        Some(ip) => {
            spec.insert("clusterIPs".to_owned(), json!([ip]));
        }
        None => {
            spec.remove("clusterIPs");
        }
    }
}

/// Source: alloc.go `initIPFamilyFields` (v1.37), for a cluster of one family.
fn init_ip_families(
    spec: &mut Spec,
    before: Option<(&Spec, &Value)>,
    service: &Value,
) -> Result<(), Vec<FieldError>> {
    if !needs_cluster_ip(spec) {
        return Ok(());
    }
    let headless = spec.get("clusterIP").and_then(Value::as_str) == Some("None");
    let selectorless =
        spec.get("selector").and_then(Value::as_object).is_none_or(|selector| selector.is_empty());
    if spec.get("ipFamilyPolicy").is_none_or(Value::is_null) {
        let policy = before.and_then(|(before, _)| before.get("ipFamilyPolicy")).cloned();
        let default = if headless && selectorless { "RequireDualStack" } else { "SingleStack" };
        spec.insert("ipFamilyPolicy".to_owned(), policy.unwrap_or_else(|| default.into()));
    }
    let errors = validation::validate_service_cluster_ips(service, before.map(|(_, old)| old));
    if !errors.is_empty() {
        return Err(errors);
    }
    let policy = spec.get("ipFamilyPolicy").and_then(Value::as_str).unwrap_or("").to_owned();
    let policy_path = Path::new("spec.ipFamilyPolicy");
    let mut errors = Vec::new();
    let mut families: Vec<String> = texts(spec, "ipFamilies").into_iter().map(str::to_owned).collect();
    let ips = texts(spec, "clusterIPs");
    if policy == "SingleStack" {
        for (several, what) in [(ips.len() == 2, "cluster IPs"), (families.len() == 2, "IP families")] {
            if several {
                let why = format!(
                    "must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
                );
                errors.push(FieldError::invalid(&policy_path, policy.as_str(), why));
            }
        }
    }
    for (index, ip) in ips.iter().take_while(|ip| **ip != "None").enumerate().skip(families.len()) {
        if ip.contains(':') {
            let shown = spec.get("clusterIPs").cloned().unwrap_or_default();
            let path = Path::new("spec.clusterIPs");
            let why = "IPv6 is not configured on this cluster";
            errors.push(FieldError::invalid(&path.index(index), shown, why.to_owned()));
        } else {
            families.push("IPv4".to_owned());
        }
    }
    if errors.is_empty() && headless && selectorless {
        if families.is_empty() {
            families.push("IPv4".to_owned());
        }
        if families.len() < 2 && policy != "SingleStack" {
            let other = if families.iter().any(|family| family == "IPv4") { "IPv6" } else { "IPv4" };
            families.push(other.to_owned());
        }
        spec.insert("ipFamilies".to_owned(), json!(families));
        return Ok(());
    }
    if errors.is_empty() {
        if policy == "RequireDualStack" {
            let why = "this cluster is not configured for dual-stack services";
            errors.push(FieldError::invalid(&policy_path, policy.as_str(), why.to_owned()));
        }
        for (index, family) in families.iter().enumerate().filter(|(_, family)| *family != "IPv4") {
            let path = Path::new("spec.ipFamilies");
            let why = "not configured on this cluster";
            errors.push(FieldError::invalid(&path.index(index), family.as_str(), why.to_owned()));
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if families.is_empty() {
        families.push("IPv4".to_owned());
    }
    spec.insert("ipFamilies".to_owned(), json!(families));
    Ok(())
}

/// Takes away what the new type has no use for, where the client did not change it.
///
/// Source: strategy.go `dropTypeDependentFields` (v1.37).
pub(super) fn drop_type_dependent_fields(map: &mut Map<String, Value>, old: &Map<String, Value>) {
    let Some(before) = old.get("spec").and_then(Value::as_object) else { return };
    let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if needs_cluster_ip(before) && !needs_cluster_ip(spec) {
        if same(spec, before, "clusterIP") && same(spec, before, "clusterIPs") {
            spec.remove("clusterIP");
            spec.remove("clusterIPs");
        }
        for field in ["ipFamilies", "ipFamilyPolicy"] {
            if same(spec, before, field) {
                spec.remove(field);
            }
        }
        // Shown where it was defaulted before; dropped on every read of this type.
        spec.remove("internalTrafficPolicy");
    }
    let known = node_ports(before);
    if needs_node_port(before)
        && !needs_node_port(spec)
        && ports(spec).iter().map(|port| int(port, "nodePort")).all(|port| port == 0 || known.contains(&port))
    {
        for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(port) = port.as_object_mut() {
                port.remove("nodePort");
            }
        }
    }
    if type_of(before) == "LoadBalancer" && type_of(spec) != "LoadBalancer" {
        for field in ["healthCheckNodePort", "allocateLoadBalancerNodePorts", "loadBalancerClass"] {
            if same(spec, before, field) {
                spec.remove(field);
            }
        }
    }
    if needs_node_port(before) && !needs_node_port(spec) && same(spec, before, "externalTrafficPolicy") {
        spec.remove("externalTrafficPolicy");
    }
    if type_of(spec) != "LoadBalancer" {
        map.insert("status".to_owned(), json!({"loadBalancer": {}}));
    }
}
