//! The list of readers.

use anyhow::Result;

use super::report::{Figure, Recording};
use super::{
    controllers, defaults, golden, kubelet, manifests, scheduling, seed_transcript, server_tables, tables,
    validation,
};

/// Compares one file, or one folder, with podlab.
pub(super) type Reader = fn(&Recording<'_>) -> Result<Vec<Figure>>;

/// Path below the folder of recordings → reader. A folder here is one figure, read whole.
const READERS: &[(&str, Reader)] = &[
    ("cluster/controllers.jsonl", controllers::read),
    ("cluster/defaults.jsonl", defaults::read),
    ("cluster/kubelet.jsonl", kubelet::read),
    ("cluster/scheduling.jsonl", scheduling::read),
    ("cluster/seed_transcript.jsonl", seed_transcript::read),
    ("cluster/tables.jsonl", server_tables::read),
    ("cluster/validation.jsonl", validation::read),
    ("commands.jsonl", seed_transcript::commands),
    ("kubectl/kubectl-golden-server.jsonl", golden::with_server),
    ("kubectl/kubectl-golden.jsonl", golden::without_server),
    ("kubectl/seed-commands-golden.jsonl", golden::seed_commands),
    ("seed-yaml", manifests::seed_yaml),
    ("tables/field_selectors.json", tables::field_selectors::read),
    ("tables/human_duration.json", tables::human_duration::read),
    ("tables/int_or_string.json", tables::int_or_string::read),
    ("tables/jsonpath.json", tables::jsonpath::read),
    ("tables/kubectl_get.json", tables::kubectl_get::read),
    ("tables/kubectl_label_taint.json", tables::kubectl_label_taint::read),
    ("tables/kubectl_oracles.json", tables::kubectl_oracles::read),
    ("tables/kubectl_rollout_status.json", tables::kubectl_rollout_status::read),
    ("tables/kubectl_run_set.json", tables::kubectl_run_set::read),
    ("tables/label_selector_objects.json", tables::label_selector_objects::read),
    ("tables/label_selectors.json", tables::label_selectors::read),
    ("tables/names_and_labels.json", tables::names_and_labels::read),
    ("tables/node_affinity_helpers.json", tables::node_affinity_helpers::read),
    ("tables/object_meta_validation.json", tables::object_meta_validation::read),
    ("tables/plugin_interpodaffinity.json", tables::scheduler_plugins::read),
    ("tables/plugin_nodeaffinity.json", tables::scheduler_plugins::read),
    ("tables/plugin_nodename.json", tables::scheduler_plugins::read),
    ("tables/plugin_nodeports.json", tables::scheduler_plugins::read),
    ("tables/plugin_noderesourcesfit.json", tables::scheduler_plugins::read),
    ("tables/plugin_nodeunschedulable.json", tables::scheduler_plugins::read),
    ("tables/plugin_podtopologyspread.json", tables::scheduler_plugins::read),
    ("tables/plugin_tainttoleration.json", tables::scheduler_plugins::read),
    ("tables/pod_requests_limits.json", tables::pod_requests_limits::read),
    ("tables/pod_status_column.json", tables::pod_status_column::read),
    ("tables/qos.json", tables::qos::read),
    ("tables/quantities.json", tables::quantities::read),
    ("tables/strategic_merge_patch.json", tables::strategic_merge_patch::read),
    ("website-examples", manifests::website_examples),
];

/// What lies among the recordings and is none: descriptions, states that records refer to, counts.
pub(super) const IGNORED: &[&str] = &[
    "CONFORMANCE.md",
    "README.md",
    "cluster/tables-state.json",
    "commands-frequency.json",
    "dataset.json",
    "tables/SUMMARY.txt",
];

/// The reader of a file or folder.
pub(super) fn reader(name: &str) -> Option<Reader> {
    READERS.iter().find(|(path, _)| *path == name).map(|(_, reader)| *reader)
}
