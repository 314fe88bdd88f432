//! Tables as the server prints them for `kubectl get`.
//!
//! Source: pkg/printers/internalversion/printers.go (v1.37); columns and cells by recording
//! cluster/tables.jsonl.

mod age;
mod cells;
mod cluster;
mod config;
mod event;
mod hpa;
mod network;
mod node;
mod not_simulated;
mod pod;
mod storage;
mod workload;

pub use age::{human_duration, since};
pub use pod::{PodCells, pod_cells};

use crate::table::{Column, Row};
use crate::{Kind, Object, Table};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// What prints the objects of a kind: its columns and one row an object.
struct Printer {
    columns: &'static [Column],
    row: RowOf,
}

/// The cells of an object at an instant.
type RowOf = fn(&Object, Timestamp) -> Vec<Value>;

const fn col(name: &'static str, kind: &'static str) -> Column {
    Column { name, kind, format: "", priority: 0 }
}

const fn wide(name: &'static str, kind: &'static str) -> Column {
    Column { name, kind, format: "", priority: 1 }
}

const NAME: Column = Column { name: "Name", kind: "string", format: "name", priority: 0 };
const AGE: Column = col("Age", "string");

/// The table that the server answers for these objects, ages reckoned at `now`.
///
/// A kind without a printer of its own shows name and age.
pub fn table(kind: &Kind, objects: &[Arc<Object>], now: Timestamp) -> Table {
    if let Some(definition) = kind.definition() {
        return definition.table(objects, now);
    }
    let printer = printer(kind);
    let rows = objects
        .iter()
        .map(|object| Row { cells: (printer.row)(object, now), object: Arc::clone(object) })
        .collect();
    Table { columns: printer.columns.to_vec(), rows, ..Table::default() }
}

/// As [`table`], for the answer to a list: the StorageClass that claims get by default is marked.
pub fn list_table(kind: &Kind, objects: &[Arc<Object>], now: Timestamp) -> Table {
    let mut table = table(kind, objects, now);
    if kind.kind == "StorageClass" && !kind.is_custom() {
        storage::mark_default(&mut table.rows);
    }
    table
}

fn printer(kind: &Kind) -> Printer {
    match (kind.group, kind.kind) {
        ("", "Pod") => Printer { columns: pod::COLUMNS, row: pod::row },
        ("", "PodTemplate") => Printer { columns: workload::POD_TEMPLATE, row: workload::pod_template },
        ("", "Node") => Printer { columns: node::COLUMNS, row: node::row },
        ("", "Namespace") => Printer { columns: cluster::NAMESPACE, row: cluster::namespace },
        ("", "Service") => Printer { columns: network::SERVICE, row: network::service },
        ("", "Endpoints") => Printer { columns: network::ENDPOINTS, row: network::endpoints },
        ("", "ConfigMap") => Printer { columns: config::CONFIG_MAP, row: config::config_map },
        ("", "Secret") => Printer { columns: config::SECRET, row: config::secret },
        ("", "Event") => Printer { columns: event::COLUMNS, row: event::row },
        ("", "ComponentStatus") => {
            Printer { columns: cluster::COMPONENT_STATUS, row: cluster::component_status }
        }
        ("", "LimitRange") => Printer { columns: cluster::CREATED, row: cluster::created },
        ("", "ResourceQuota") => Printer { columns: cluster::QUOTA, row: cluster::quota },
        ("", "ReplicationController") => {
            Printer { columns: workload::REPLICA_SET, row: workload::replica_set }
        }
        ("", "PersistentVolume") => Printer { columns: storage::VOLUME, row: storage::volume },
        ("", "PersistentVolumeClaim") => Printer { columns: storage::CLAIM, row: storage::claim },
        ("apps", "Deployment") => Printer { columns: workload::DEPLOYMENT, row: workload::deployment },
        ("apps", "ReplicaSet") => Printer { columns: workload::REPLICA_SET, row: workload::replica_set },
        ("apps", "StatefulSet") => Printer { columns: workload::STATEFUL_SET, row: workload::stateful_set },
        ("apps", "DaemonSet") => Printer { columns: workload::DAEMON_SET, row: workload::daemon_set },
        ("apps", "ControllerRevision") => Printer { columns: workload::REVISION, row: workload::revision },
        ("batch", "Job") => Printer { columns: workload::JOB, row: workload::job },
        ("batch", "CronJob") => Printer { columns: workload::CRON_JOB, row: workload::cron_job },
        ("networking.k8s.io", "Ingress") => Printer { columns: network::INGRESS, row: network::ingress },
        ("networking.k8s.io", "IngressClass") => {
            Printer { columns: network::INGRESS_CLASS, row: network::ingress_class }
        }
        ("networking.k8s.io", "NetworkPolicy") => {
            Printer { columns: network::NETWORK_POLICY, row: network::network_policy }
        }
        ("discovery.k8s.io", "EndpointSlice") => {
            Printer { columns: network::ENDPOINT_SLICE, row: network::endpoint_slice }
        }
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => {
            Printer { columns: cluster::CREATED, row: cluster::created }
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            Printer { columns: cluster::BINDING, row: cluster::binding }
        }
        ("scheduling.k8s.io", "PriorityClass") => {
            Printer { columns: cluster::PRIORITY_CLASS, row: cluster::priority_class }
        }
        ("storage.k8s.io", "StorageClass") => Printer { columns: storage::CLASS, row: storage::class },
        ("policy", "PodDisruptionBudget") => Printer { columns: cluster::BUDGET, row: cluster::budget },
        ("autoscaling", "Scale") => Printer { columns: cluster::SCALE, row: cluster::scale },
        ("autoscaling", "HorizontalPodAutoscaler") => Printer { columns: hpa::COLUMNS, row: hpa::row },
        ("coordination.k8s.io", "Lease") => Printer { columns: cluster::LEASE, row: cluster::lease },
        ("node.k8s.io", "RuntimeClass") => {
            Printer { columns: cluster::RUNTIME_CLASS, row: cluster::runtime_class }
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            Printer { columns: cluster::CRD, row: cluster::crd }
        }
        (_, "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            Printer { columns: config::WEBHOOKS, row: config::webhooks }
        }
        _ => not_simulated::printer(kind).unwrap_or(Printer { columns: config::PLAIN, row: config::plain }),
    }
}

#[cfg(test)]
mod tests;
