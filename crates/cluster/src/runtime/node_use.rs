//! What containers use of their node: its memory and its disk.
//!
//! Nothing ticks: after a container's processes have run, the difference to what was counted for it before is added to
//! its node. The kubelet hears only when a node comes to the point at which its eviction manager would act, and looks
//! then as often as the real one. What nobody could run into therefore costs an addition.
//!
//! Counted are the memory of running processes and of volumes in memory; on disk the files that containers have written,
//! their logs, volumes on the node's disk and images. Inodes and process ids are not counted. What the system takes is a
//! fixed part of either.

use super::Runtime;
use super::cri::{ContainerId, Notice};
use crate::metrics::node_memory;
use crate::world::Cx;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the system itself keeps on a node's disk, in bytes: a tenth of it, and no more than this.
const SYSTEM_DISK: u64 = 8 << 30;

/// `memory.available` below which the eviction manager acts, in bytes.
///
/// Source: pkg/kubelet/eviction/defaults_linux.go `DefaultEvictionHard` (v1.37).
pub(crate) const MEMORY_AVAILABLE: u64 = 100 << 20;
/// `nodefs.available`, in percent of the disk.
///
/// Source: the same.
pub(crate) const NODEFS_AVAILABLE: u8 = 10;
/// `imagefs.available`, in percent of the disk.
///
/// Source: the same.
pub(crate) const IMAGEFS_AVAILABLE: u8 = 15;

/// So much of `capacity` bytes as a threshold in percent means, with the rounding of the kubelet's numbers of 32 bits.
///
/// Source: pkg/kubelet/eviction/api/types.go `GetThresholdQuantity`, helpers.go `parsePercentage` (v1.37).
pub(crate) fn part_of(capacity: u64, percent: u8) -> u64 {
    let part = f32::from(percent) / 100.0;
    (capacity as f64 * f64::from(part)) as u64
}

/// A node as its containers use it.
#[derive(Clone, Debug)]
pub(crate) struct NodeUse {
    name: Arc<str>,
    /// Bytes of memory.
    pub(crate) memory_capacity: u64,
    /// Bytes of the one disk that nodefs, imagefs and containerfs share.
    pub(crate) disk_capacity: u64,
    memory: u64,
    disk: u64,
    images: u64,
    /// The kubelet has been told that something runs short, and has not yet found that it no longer does.
    told: bool,
}

impl NodeUse {
    /// Bytes of memory that nobody uses.
    pub(crate) fn memory_available(&self) -> u64 {
        self.memory_capacity.saturating_sub(node_memory(self.memory_capacity).saturating_add(self.memory))
    }

    /// Bytes of the disk that nobody uses.
    pub(crate) fn disk_available(&self) -> u64 {
        let system = SYSTEM_DISK.min(self.disk_capacity / 10);
        let used = system.saturating_add(self.images).saturating_add(self.disk);
        self.disk_capacity.saturating_sub(used)
    }

    /// Whether any eviction threshold is met.
    fn is_low(&self) -> bool {
        self.memory_available() < MEMORY_AVAILABLE
            || self.disk_available() < part_of(self.disk_capacity, IMAGEFS_AVAILABLE)
    }

    /// Whether there is less memory than processes have touched.
    fn is_out_of_memory(&self) -> bool {
        let system = node_memory(self.memory_capacity);
        self.memory_capacity > 0 && self.memory > self.memory_capacity.saturating_sub(system)
    }
}

/// The place of a node among those that are known.
pub(crate) type NodePlace = usize;

/// All nodes of the cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeUses {
    by_name: BTreeMap<Arc<str>, NodePlace>,
    list: Vec<NodeUse>,
}

/// What was counted of something: bytes of memory and of the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) memory: u64,
    pub(crate) disk: u64,
}

impl NodeUses {
    pub(super) fn place(&self, name: &str) -> Option<NodePlace> {
        self.by_name.get(name).copied()
    }

    pub(super) fn get(&self, name: &str) -> Option<&NodeUse> {
        self.list.get(self.place(name)?)
    }

    /// Replaces what was counted of something by what it is now.
    pub(super) fn count(&mut self, place: Option<NodePlace>, before: Counted, now: Counted) {
        let Some(node) = place.and_then(|place| self.list.get_mut(place)) else { return };
        node.memory = node.memory.saturating_sub(before.memory).saturating_add(now.memory);
        node.disk = node.disk.saturating_sub(before.disk).saturating_add(now.disk);
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut NodeUse> {
        let place = self.place(name)?;
        self.list.get_mut(place)
    }

    pub(super) fn add_image(&mut self, name: &str, bytes: u64) {
        if let Some(node) = self.get_mut(name) {
            node.images = node.images.saturating_add(bytes);
        }
    }

    pub(super) fn set_images(&mut self, name: &str, bytes: u64) {
        if let Some(node) = self.get_mut(name) {
            node.images = bytes;
        }
    }

    /// The node's name, if its kubelet is to be told that something runs short.
    fn take_low(&mut self, place: NodePlace) -> Option<Arc<str>> {
        let node = self.list.get_mut(place).filter(|node| !node.told && node.is_low())?;
        node.told = true;
        Some(node.name.clone())
    }
}

impl Runtime {
    /// A machine to run containers on, with so many bytes of memory and disk.
    pub(crate) fn add_node(&mut self, name: &Arc<str>, memory: u64, disk: u64) {
        if self.nodes.place(name).is_some() {
            return;
        }
        self.nodes.by_name.insert(name.clone(), self.nodes.list.len());
        self.nodes.list.push(NodeUse {
            name: name.clone(),
            memory_capacity: memory,
            disk_capacity: disk,
            memory: 0,
            disk: 0,
            images: 0,
            told: false,
        });
    }

    /// What is left of a node; `None` for one that was never added.
    pub(crate) fn node_use(&self, name: &str) -> Option<&NodeUse> {
        self.nodes.get(name)
    }

    /// The kubelet has looked: it wants to hear again of what runs short later. Says whether something does now.
    pub(crate) fn node_looked_at(&mut self, name: &str) -> bool {
        let Some(node) = self.nodes.get_mut(name) else { return false };
        node.told = node.is_low();
        node.told
    }

    /// Counts what a container uses after something ran in it.
    pub(super) fn count_use(&mut self, id: &ContainerId, cx: &mut Cx<'_>) {
        let Some(container) = self.containers.get_mut(id) else { return };
        let now = container.uses();
        let (place, before) = (container.node, container.counted);
        let volumes = container.writes.clone();
        if before == now && volumes.is_empty() {
            return;
        }
        container.counted = now;
        self.nodes.count(place, before, now);
        for volume in volumes.iter() {
            self.volumes.count(volume, place, &mut self.nodes);
        }
        self.check_node(place, cx);
    }

    /// Acts on what a node's use has come to: tells the kubelet, or kills as the kernel does.
    pub(super) fn check_node(&mut self, place: Option<NodePlace>, cx: &mut Cx<'_>) {
        let Some(place) = place else { return };
        if let Some(node) = self.nodes.take_low(place) {
            self.notify(Notice::NodeLow { node }, cx);
        }
        while self.nodes.list.get(place).is_some_and(NodeUse::is_out_of_memory) {
            if !self.kill_for_memory(place, cx) {
                return;
            }
        }
    }

    /// Kills the container of the process with the highest score, since kubelets make containers end as a whole; says
    /// whether there was one.
    ///
    /// Source: the Linux kernel's mm/oom_kill.c `oom_badness`, `select_bad_process`; pkg/kubelet/kuberuntime
    /// `memory.oom.group` (v1.37).
    fn kill_for_memory(&mut self, place: NodePlace, cx: &mut Cx<'_>) -> bool {
        const PAGE: i64 = 4096;
        let Some(node) = self.nodes.list.get(place) else { return false };
        let (name, pages) = (node.name.clone(), node.memory_capacity as i64 / PAGE);
        let here = self.sandboxes.values().filter(|sandbox| *sandbox.config.node == *name);
        let containers =
            here.flat_map(|sandbox| &sandbox.containers).filter_map(|id| self.containers.get(id));
        let processes = containers.filter(|container| container.is_running()).flat_map(|container| {
            let adjust = i64::from(container.config.oom_score_adj) * (pages / 1000);
            let all = container.machine.iter().flat_map(|machine| machine.processes(cx.now()));
            all.map(move |process| {
                let points = process.memory_bytes as i64 / PAGE + adjust;
                ((points, container.started_at, &container.id), process)
            })
        });
        // Of equals the kernel takes the one that came last.
        let Some((key, process)) = processes.max_by_key(|(key, _)| *key) else { return false };
        let (id, pid) = (key.2.clone(), process.pid);
        let path = process.argv.first().map(String::as_str).unwrap_or_default();
        // The kernel keeps fifteen bytes of a program's name.
        let process: String = path.rsplit('/').next().unwrap_or_default().chars().take(15).collect();
        if let Some(container) = self.containers.get_mut(&id) {
            container.oom_killed = true;
        }
        self.kill(&id, cx);
        self.notify(Notice::SystemOom { node: name, process, pid: u64::from(pid) }, cx);
        self.containers.get(&id).is_none_or(|container| !container.is_running())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_disk_is_rounded_as_the_kubelet_does() {
        for (capacity, percent, bytes) in
            [(0, 15, 0), (100, 10, 10), (100 << 30, 10, 10_737_418_400), (100 << 30, 15, 16_106_127_999)]
        {
            let part = part_of(capacity, percent);
            assert!(part.abs_diff(bytes) <= 1000, "{percent} % of {capacity}: {part}");
        }
    }

    #[test]
    fn what_is_left_is_what_neither_system_nor_containers_use() {
        let node = NodeUse {
            name: "n".into(),
            memory_capacity: 4 << 30,
            disk_capacity: 100 << 30,
            memory: 1 << 30,
            disk: 2 << 30,
            images: 3 << 30,
            told: false,
        };
        assert_eq!(node.memory_available(), (3 << 30) - (420 << 20));
        assert_eq!(node.disk_available(), (100 - 8 - 5) << 30);
        assert!(!node.is_low() && !node.is_out_of_memory());
        let low = NodeUse { memory: (4 << 30) - (420 << 20) - (100 << 20) + 1, ..node.clone() };
        assert!(low.is_low() && !low.is_out_of_memory());
        let out = NodeUse { memory: (4 << 30) - (420 << 20) + 1, ..node };
        assert!(out.is_low() && out.is_out_of_memory());
        assert_eq!(out.memory_available(), 0);
    }
}
