//! What a Service is given when it is stored: its ClusterIP and node ports.
//!
//! Source: pkg/registry/core/service/storage/alloc.go (v1.37).

use super::ApiServer;
use podlab_api::{Body, Object, Status, kinds};
use serde_json::{Value, json};
use std::sync::Arc;

impl ApiServer {
    /// Hands out addresses for a new object; with `dry_run` nothing stays taken.
    pub(super) fn allocate_for(&mut self, object: &mut Object, dry_run: bool) -> Result<(), Status> {
        if *object.kind != kinds::SERVICE {
            return Ok(());
        }
        let Body::Tree(map) = &mut object.body else { return Ok(()) };
        let map = Arc::make_mut(map);
        let Some(spec) = map.entry("spec").or_insert_with(|| json!({})).as_object_mut() else {
            return Ok(());
        };
        let kind = spec.get("type").and_then(Value::as_str).unwrap_or("ClusterIP").to_owned();
        if kind == "ExternalName" {
            return Ok(());
        }
        let mut taken = Vec::new();
        match spec.get("clusterIP").and_then(Value::as_str) {
            None | Some("") => {
                if let Some(ip) = self.allocate_cluster_ip() {
                    spec.insert("clusterIP".to_owned(), ip.as_str().into());
                    spec.insert("clusterIPs".to_owned(), json!([ip]));
                    taken.push(ip);
                }
            }
            Some("None") => {
                spec.insert("clusterIPs".to_owned(), json!(["None"]));
            }
            Some(ip) => {
                let ip = ip.to_owned();
                if !self.reserve_cluster_ip(&ip) {
                    let cause = podlab_api::StatusCause {
                        reason: "FieldValueInvalid".to_owned(),
                        message: format!(
                            "Invalid value: {}: failed to allocate IP {ip}: provided IP is already allocated",
                            json!([ip])
                        ),
                        field: "spec.clusterIPs".to_owned(),
                    };
                    return Err(Status::invalid(
                        &kinds::SERVICE,
                        object.metadata.name.as_deref().unwrap_or(""),
                        vec![cause],
                    ));
                }
                spec.insert("clusterIPs".to_owned(), json!([ip]));
                taken.push(ip);
            }
        }
        spec.entry("ipFamilies").or_insert_with(|| json!(["IPv4"]));
        spec.entry("ipFamilyPolicy").or_insert_with(|| json!("SingleStack"));
        let mut ports = Vec::new();
        if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
            for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                let Some(port) = port.as_object_mut() else { continue };
                match port.get("nodePort").and_then(Value::as_u64).and_then(|p| u16::try_from(p).ok()) {
                    Some(chosen) if chosen != 0 => {
                        if self.reserve_node_port(chosen) {
                            ports.push(chosen);
                        }
                    }
                    _ => {
                        if let Some(free) = self.allocate_node_port() {
                            port.insert("nodePort".to_owned(), free.into());
                            ports.push(free);
                        }
                    }
                }
            }
        }
        if dry_run {
            for ip in taken {
                self.release_cluster_ip(&ip);
            }
            for port in ports {
                self.release_node_port(port);
            }
        }
        Ok(())
    }

    /// Takes back what a deleted object had been given.
    pub(super) fn release_for(&mut self, object: &Object) {
        if *object.kind != kinds::SERVICE {
            return;
        }
        let Some(spec) = object.field("spec") else { return };
        if let Some(ip) = spec.get("clusterIP").and_then(Value::as_str) {
            self.release_cluster_ip(ip);
        }
        for port in spec.get("ports").and_then(Value::as_array).into_iter().flatten() {
            if let Some(port) =
                port.get("nodePort").and_then(Value::as_u64).and_then(|p| u16::try_from(p).ok())
            {
                self.release_node_port(port);
            }
        }
    }

    /// Marks the addresses of a restored object as taken.
    pub(crate) fn reserve_for(&mut self, object: &Object) {
        if *object.kind != kinds::SERVICE {
            return;
        }
        let Some(spec) = object.field("spec") else { return };
        if let Some(ip) = spec.get("clusterIP").and_then(Value::as_str) {
            self.reserve_cluster_ip(ip);
        }
        for port in spec.get("ports").and_then(Value::as_array).into_iter().flatten() {
            if let Some(port) =
                port.get("nodePort").and_then(Value::as_u64).and_then(|p| u16::try_from(p).ok())
            {
                self.reserve_node_port(port);
            }
        }
    }
}
