//! Volumes: what outlives a container and is shared between those of a pod.

use super::Runtime;
use super::cri::{ContainerId, VolumeFile, VolumeId};
use super::node_use::{Counted, NodePlace, NodeUses};
use crate::world::Cx;
use podlab_shell::{Content, Ino, Kind, ROOT, Volume};
use podlab_sim::SimTime;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A termination message is cut here.
///
/// Source: pkg/kubelet/container/runtime.go `MaxContainerTerminationMessageLength` (v1.37).
const TERMINATION_MESSAGE: usize = 4096;

/// The volumes by id. What the kubelet has written into one is kept as it was said, and becomes a tree of files when
/// somebody looks into it: few programs read their pod's token.
#[derive(Clone, Debug, Default)]
pub(super) struct Volumes(BTreeMap<VolumeId, Held>);

#[derive(Clone, Debug, Default)]
struct Held {
    made: OnceLock<Volume>,
    /// What it is made from, while it is not.
    written: Option<(Vec<VolumeFile>, SimTime)>,
    /// The node that has been told of so much in it.
    counted: Option<(NodePlace, Counted)>,
}

impl Held {
    fn get(&self) -> &Volume {
        self.made.get_or_init(|| match &self.written {
            Some((files, now)) => {
                let mut volume = empty(*now);
                write(&mut volume, files, *now);
                volume
            }
            None => Volume::default(),
        })
    }
}

impl Volumes {
    pub(super) fn contains_key(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Volume> {
        self.0.get(id).map(Held::get)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Volume> {
        let held = self.0.get_mut(id)?;
        held.get();
        held.written = None;
        held.made.get_mut()
    }

    fn insert(&mut self, id: VolumeId, volume: Volume) {
        self.0.insert(id, Held { made: OnceLock::from(volume), ..Held::default() });
    }

    /// Whether a container may fill the volume: what the kubelet has written itself it may not.
    pub(super) fn can_grow(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|held| held.written.is_none())
    }

    /// Tells the volume's node what is in it now.
    pub(super) fn count(&mut self, id: &str, node: Option<NodePlace>, nodes: &mut NodeUses) {
        let (Some(held), Some(node)) = (self.0.get_mut(id), node) else { return };
        let Some(volume) = held.made.get() else { return };
        let bytes = volume.used_bytes();
        let now = match &*volume.device {
            "tmpfs" => Counted { memory: bytes, disk: 0 },
            _ => Counted { memory: 0, disk: bytes },
        };
        // A volume of several nodes lies where it was used first.
        let (node, before) = held.counted.unwrap_or((node, Counted::default()));
        if before != now {
            nodes.count(Some(node), before, now);
            held.counted = Some((node, now));
        }
    }

    fn remove(&mut self, id: &str, nodes: &mut NodeUses) {
        if let Some(Held { counted: Some((node, before)), .. }) = self.0.remove(id) {
            nodes.count(Some(node), before, Counted::default());
        }
    }
}

/// An empty volume that all may write.
fn empty(now: SimTime) -> Volume {
    let mut volume = Volume::new(now, "/dev/vda1");
    volume.set_mode(ROOT, 0o777);
    volume
}

/// Replaces all files of a volume at once, as the kubelet's atomic writer does: the files lie behind the link `..data`.
///
/// Source: pkg/volume/util/atomic_writer.go `Write` (v1.37).
fn write(volume: &mut Volume, files: &[VolumeFile], now: SimTime) {
    let stamp = podlab_api::time::time_nanos(now.as_nanos()).strftime("%Y_%m_%d_%H_%M_%S").to_string();
    let data = format!("..{stamp}.{:09}", now.as_nanos().rem_euclid(1_000_000_000));
    let old: Vec<String> = match volume.get(ROOT).map(|root| &root.kind) {
        Some(Kind::Dir(entries)) => entries.keys().cloned().collect(),
        _ => Vec::new(),
    };
    for name in old {
        let _ = volume.remove_all(ROOT, &name, now);
    }
    let dir = volume.make_dirs(&data, now).unwrap_or(ROOT);
    for file in files {
        let content = Content { bytes: file.bytes.clone(), zeros: 0 };
        let _ = volume.put_in(dir, &file.path, Kind::File(content), file.mode, now);
    }
    let _ = volume.put("..data", Kind::Symlink(data), 0o777, now);
    for file in files {
        let top = file.path.split('/').next().unwrap_or("");
        if volume.child(ROOT, top).is_none() {
            let _ = volume.put(top, Kind::Symlink(["..data/", top].concat()), 0o777, now);
        }
    }
}

impl Runtime {
    /// Makes an empty volume that all may write, or leaves the one that is there.
    pub fn ensure_volume(&mut self, id: &VolumeId, cx: &Cx<'_>) {
        if !self.volumes.contains_key(id) {
            self.volumes.insert(id.clone(), empty(cx.now()));
        }
    }

    /// Keeps a volume in memory, with room for so many bytes; `None` for as many as there are.
    pub fn back_with_memory(&mut self, id: &VolumeId, size: Option<u64>) {
        if let Some(volume) = self.volumes.get_mut(id) {
            volume.capacity = size;
            volume.device = "tmpfs".into();
        }
    }

    /// Bytes of file content in a volume; `None` where there is none of that name.
    pub fn volume_used(&self, id: &VolumeId) -> Option<u64> {
        self.volumes.get(id).map(Volume::used_bytes)
    }

    /// Replaces all files of a volume at once: those of ConfigMaps, Secrets, downward API and projected volumes.
    pub fn write_volume(&mut self, id: &VolumeId, files: Vec<VolumeFile>, cx: &Cx<'_>) {
        let now = cx.now();
        match self.volumes.get_mut(id) {
            Some(volume) => {
                self.volume_epoch += 1;
                write(volume, &files, now);
            }
            None => {
                let held = Held { written: Some((files, now)), ..Held::default() };
                self.volumes.0.insert(id.clone(), held);
            }
        }
    }
    /// Gives a volume to the pod's `fsGroup`: the group may read and, where the kubelet has not written the volume's
    /// files itself, write; what is made inside belongs to it.
    ///
    /// Source: pkg/volume/volume_linux.go `changeFilePermission` (v1.37).
    pub fn give_volume(&mut self, id: &VolumeId, group: u32, files: &[VolumeFile]) {
        let Some(volume) = self.volumes.get_mut(id) else { return };
        let data = match volume.child(ROOT, "..data").and_then(|link| volume.get(link)).map(|link| &link.kind)
        {
            Some(Kind::Symlink(to)) => Some(to.clone()),
            _ => None,
        };
        let inside = data.iter().flat_map(|data| {
            let files = files.iter().map(move |file| format!("/{data}/{}", file.path));
            std::iter::once(format!("/{data}")).chain(files)
        });
        let all: Vec<Ino> =
            std::iter::once(ROOT).chain(inside.filter_map(|path| volume.lookup(&path))).collect();
        for ino in all {
            let Some((mode, uid, is_dir)) = volume.get(ino).map(|i| (i.mode, i.uid, i.is_dir())) else {
                continue;
            };
            volume.set_owner(ino, uid, group);
            let mask = if data.is_some() { 0o440 } else { 0o660 };
            volume.set_mode(ino, mode | mask | if is_dir { 0o2110 } else { 0 });
        }
    }

    /// The kind of thing at a path of a volume: `None` where there is nothing, else whether it is a directory.
    pub fn volume_path(&self, id: &VolumeId, path: &str) -> Option<bool> {
        let volume = self.volumes.get(id)?;
        Some(volume.get(volume.lookup(path)?)?.is_dir())
    }

    /// Makes a directory in a volume.
    pub fn make_volume_dir(&mut self, id: &VolumeId, path: &str, cx: &Cx<'_>) {
        self.volume_epoch += 1;
        self.ensure_volume(id, cx);
        if let Some(volume) = self.volumes.get_mut(id) {
            let _ = volume.make_dirs(path, cx.now());
        }
    }

    /// Makes an empty file in a volume (hostPath `FileOrCreate`).
    pub fn make_volume_file(&mut self, id: &VolumeId, path: &str, cx: &Cx<'_>) {
        self.volume_epoch += 1;
        self.ensure_volume(id, cx);
        if let Some(volume) = self.volumes.get_mut(id)
            && volume.lookup(path).is_none()
        {
            let _ = volume.put_file(path, b"", 0o644, cx.now());
        }
    }

    /// Forgets a volume.
    pub fn remove_volume(&mut self, id: &VolumeId) {
        self.volume_epoch += 1;
        self.volumes.remove(id, &mut self.nodes);
    }

    /// The volume that stands for a node's own disk: hostPath mounts are its `sub_path`s.
    pub fn host_volume(&mut self, node: &str, cx: &Cx<'_>) -> VolumeId {
        let id: VolumeId = format!("host/{node}").into();
        if !self.volumes.contains_key(&id) {
            let now = cx.now();
            let mut volume = Volume::new(now, "/dev/vda1");
            let dirs = [
                "bin",
                "etc/kubernetes/manifests",
                "home",
                "mnt",
                "opt",
                "root",
                "run",
                "srv",
                "tmp",
                "usr",
                "var/log",
            ];
            for dir in dirs.into_iter().chain(["var/lib/kubelet", "var/log/pods", "var/log/containers"]) {
                let _ = volume.make_dirs(dir, now);
            }
            let _ = volume.put_file("etc/hostname", format!("{node}\n").as_bytes(), 0o644, now);
            let release =
                b"PRETTY_NAME=\"Ubuntu 24.04.2 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\n";
            let _ = volume.put_file("etc/os-release", release, 0o644, now);
            if let Some(tmp) = volume.lookup("tmp") {
                volume.set_mode(tmp, 0o1777);
            }
            self.volumes.insert(id.clone(), volume);
        }
        id
    }

    /// The content of the termination message file, at most 4096 bytes; empty where there is none.
    pub fn termination_message(&self, id: &ContainerId) -> String {
        let read = || {
            let container = self.containers.get(id)?;
            let path = match container.config.termination_message_path.as_str() {
                "" => "/dev/termination-log",
                path => path,
            };
            container.machine.as_ref()?.fs().root.read_path(path)
        };
        let bytes = read().unwrap_or_default();
        let cut = bytes.len().min(TERMINATION_MESSAGE);
        String::from_utf8_lossy(&bytes[..cut]).into_owned()
    }
}
