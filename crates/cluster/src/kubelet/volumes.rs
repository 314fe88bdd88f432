//! A pod's volumes: mounting, trying again, keeping their content up to date.
//!
//! Source: pkg/kubelet/volumemanager, pkg/volume/{configmap,secret,downwardapi,projected} (v1.37).

use super::KubeletEvent;
use super::env_vars::{config_map_data, field_value, resource_value, secret_data};
use super::kill::find_container;
use super::pod_worker::{Env, PodWorker};
use super::projected;
use crate::latency;
use crate::recorder::{EventType, InvolvedObject};
use crate::runtime::{VolumeFile, VolumeId};
use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, HostPathVolumeSource, KeyToPath, PodSpec, Volume, VolumeProjection,
};
use podlab_api::resources::{PodResourcesOptions, pod_limits};
use podlab_api::{Quantity, kinds};
use podlab_sim::{SimDuration, SimTime, Slot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The first wait after a mount that failed.
///
/// Source: pkg/util/goroutinemap/exponentialbackoff/exponential_backoff.go (v1.37).
const FIRST_RETRY: SimDuration = SimDuration::from_millis(500);
/// The longest.
const LAST_RETRY: SimDuration = SimDuration::from_secs(122);
/// The reconciler goes round every 100 ms: a retry comes at its next round.
const RECONCILER: SimDuration = SimDuration::from_millis(100);

/// Where a pod's volumes stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Volumes {
    started: bool,
    /// Volumes not mounted yet: name → its next try.
    waiting: BTreeMap<String, Retry>,
    mounted: bool,
    slot: Option<Slot>,
    /// The resourceVersions of the objects that the content was made from.
    sources: u64,
}

#[derive(Clone, Copy, Debug)]
struct Retry {
    at: SimTime,
    wait: SimDuration,
}

/// Whether everything is there.
pub(crate) fn all_mounted(w: &PodWorker) -> bool {
    w.volumes.mounted
}

/// What the runtime calls a volume of the pod.
pub(crate) fn volume_id(w: &PodWorker, name: &str) -> VolumeId {
    ["pods/", &w.uid, "/", name].concat().into()
}

/// The pod's spec, to keep while the worker changes.
fn spec_of(w: &PodWorker) -> Arc<PodSpec> {
    w.pod.pod_spec().cloned().unwrap_or_default()
}

/// Begins to mount; on later syncs brings content up to date.
pub(crate) fn start(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if w.volumes.mounted {
        refresh(env, w);
        return;
    }
    if w.volumes.started {
        return;
    }
    w.volumes.started = true;
    let spec = spec_of(w);
    let list = spec.volumes.as_deref().unwrap_or(&[]);
    if list.is_empty() {
        w.volumes.mounted = true;
        super::eviction::start(env, w);
        return;
    }
    let at = env.cx.now() + latency::VOLUME_RECONCILE;
    w.volumes.waiting = list.iter().map(|v| (v.name.clone(), Retry { at, wait: FIRST_RETRY })).collect();
    w.volumes.slot = Some(env.cx.at(at, KubeletEvent::Mount { pod: env.ix }.into()));
}

/// Tries what is due.
pub(crate) fn on_mount(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    let now = env.cx.now();
    w.volumes.slot = None;
    if !w.volumes.started {
        return;
    }
    w.volumes.sources = sources(env, w);
    for volume in spec_of(w).volumes.iter().flatten() {
        if let Some(retry) = w.volumes.waiting.get(&volume.name).copied().filter(|r| r.at <= now) {
            try_set_up(env, w, volume, retry.wait);
        }
    }
    plan_retry(env, w);
    if w.volumes.waiting.is_empty() && !w.volumes.mounted {
        w.volumes.mounted = true;
        super::eviction::start(env, w);
        super::sync::on_volumes(env, w);
    }
}

/// Takes the volumes away with the pod.
pub(crate) fn unmount(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if let Some(slot) = w.volumes.slot.take() {
        env.cx.agenda.cancel(slot);
    }
    w.volumes.started = false;
    w.volumes.mounted = false;
    w.volumes.waiting.clear();
}

/// Takes away what only lived for the containers of a pod that has ended.
///
/// Source: pkg/volume/emptydir/empty_dir.go `TearDown` (v1.37).
pub(crate) fn empty(env: &mut Env<'_, '_>, w: &PodWorker) {
    for volume in spec_of(w).volumes.iter().flatten().filter(|volume| volume.empty_dir.is_some()) {
        env.runtime.remove_volume(&volume_id(w, &volume.name));
    }
}

/// Forgets the content of a pod that is gone.
pub(crate) fn remove(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    unmount(env, w);
    for volume in spec_of(w).volumes.iter().flatten() {
        env.runtime.remove_volume(&volume_id(w, &volume.name));
    }
}

/// Whether a source of mounted content has changed.
pub(crate) fn is_stale(env: &Env<'_, '_>, w: &PodWorker) -> bool {
    sources(env, w) != w.volumes.sources
}

/// Writes content anew where one of its sources has changed.
///
/// Mounted volumes are set up again with every sync of the pod, which is how a ConfigMap's change comes to
/// its files after up to a resync period.
fn refresh(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    let sources = sources(env, w);
    if sources == w.volumes.sources {
        return;
    }
    w.volumes.sources = sources;
    for volume in spec_of(w).volumes.iter().flatten() {
        let has_content = volume.config_map.is_some()
            || volume.secret.is_some()
            || volume.downward_api.is_some()
            || volume.projected.is_some();
        if has_content && !w.volumes.waiting.contains_key(&volume.name) {
            try_set_up(env, w, volume, FIRST_RETRY);
        }
    }
    plan_retry(env, w);
}

/// A kubelet that has just begun finds the volumes of its pods and mounts them again. Of a pod that it does not sync, since it
/// is to end or has ended, it knows no ConfigMaps and Secrets: mostly it says so once, unless the pod is gone before.
///
/// Source: pkg/kubelet/volumemanager/reconciler/reconstruct.go, pkg/kubelet/util/manager/watch_based_manager.go `Get` (v1.37);
/// recordings `node-kubelet-stopped-runtime-stays` (both pods) and `node-stopped-tolerations` (none).
pub(crate) fn find_again(env: &mut Env<'_, '_>, w: &PodWorker) {
    let ended = w.job.is_none() && w.next_work.is_some() || w.work != super::pod_worker::WorkType::Sync;
    if !ended || w.sandboxes.is_empty() || env.cx.draw("volumes", &w.uid, 0).unit() > SAYS_SO {
        return;
    }
    let Some(spec) = w.pod.pod_spec() else { return };
    for volume in spec.volumes.iter().flatten() {
        let mut unknown: Vec<String> = Vec::new();
        let mut name = |name: &str| {
            unknown.push(format!("object {:?}/{name:?} not registered", w.pod.namespace()));
        };
        if let Some(map) = &volume.config_map {
            name(&map.name);
        }
        if let Some(secret) = volume.secret.as_ref().and_then(|secret| secret.secret_name.as_ref()) {
            name(secret);
        }
        for source in volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten()) {
            if let Some(map) = &source.config_map {
                name(&map.name);
            }
            if let Some(secret) = &source.secret {
                name(&secret.name);
            }
        }
        let why = match unknown.as_slice() {
            [] => continue,
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let text = format!("MountVolume.SetUp failed for volume {:?} : {why}", volume.name);
        let about = InvolvedObject::of(&w.pod);
        env.node.recorder.event(env.cx.api, &about, EventType::Warning, "FailedMount", &text);
    }
}

/// How often a pod that is not synced after a restart has the news of its volumes.
const SAYS_SO: f64 = 0.8;

/// Makes a volume ready, or says why not and plans another try; files that were there stay.
fn try_set_up(env: &mut Env<'_, '_>, w: &mut PodWorker, volume: &Volume, wait: SimDuration) {
    match set_up(env, w, volume) {
        Ok(()) => {
            w.volumes.waiting.remove(&volume.name);
        }
        Err(why) => {
            let text = format!("MountVolume.SetUp failed for volume {:?} : {why}", volume.name);
            let about = InvolvedObject::of(&w.pod);
            env.node.recorder.event(env.cx.api, &about, EventType::Warning, "FailedMount", &text);
            let at = env.cx.now() + wait + RECONCILER / 2;
            let wait = (wait * 2).min(LAST_RETRY);
            w.volumes.waiting.insert(volume.name.clone(), Retry { at, wait });
        }
    }
}

fn plan_retry(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if let Some(slot) = w.volumes.slot.take() {
        env.cx.agenda.cancel(slot);
    }
    if let Some(at) = w.volumes.waiting.values().map(|r| r.at).min() {
        w.volumes.slot = Some(env.cx.at(at, KubeletEvent::Mount { pod: env.ix }.into()));
    }
}

/// A number that changes with every source.
fn sources(env: &Env<'_, '_>, w: &PodWorker) -> u64 {
    let store = env.cx.api.store();
    let namespace = w.pod.namespace();
    let version = |kind, name: &str| store.get(kind, namespace, name).map_or(0, |o| o.resource_version());
    let mut sum = 0u64;
    let mut add = |v: u64| sum = podlab_sim::splitmix64(sum ^ v);
    let mut meta = false;
    let Some(spec) = w.pod.pod_spec() else { return 0 };
    for volume in spec.volumes.iter().flatten() {
        if let Some(c) = &volume.config_map {
            add(version(&kinds::CONFIG_MAP, &c.name));
        } else if let Some(s) = &volume.secret {
            add(version(&kinds::SECRET, s.secret_name.as_deref().unwrap_or("")));
        } else if volume.downward_api.is_some() {
            meta = true;
        } else if let Some(p) = &volume.projected {
            for source in p.sources.iter().flatten() {
                if let Some(c) = &source.config_map {
                    add(version(&kinds::CONFIG_MAP, &c.name));
                }
                if let Some(s) = &source.secret {
                    add(version(&kinds::SECRET, &s.name));
                }
                if let Some(bundle) = &source.cluster_trust_bundle {
                    for bundle in projected::chosen(env, bundle).unwrap_or_default() {
                        add(bundle.resource_version());
                    }
                }
            }
        }
    }
    if meta || spec.volumes.iter().flatten().any(|v| v.projected.is_some()) {
        let hash = |map: &Option<BTreeMap<String, String>>| {
            let mut h = 0u64;
            for (k, v) in map.iter().flatten() {
                for b in k.bytes().chain([0]).chain(v.bytes()).chain([1]) {
                    h = podlab_sim::splitmix64(h ^ u64::from(b));
                }
            }
            h
        };
        add(hash(&w.pod.metadata.labels));
        add(hash(&w.pod.metadata.annotations));
    }
    sum
}

/// The volume of the runtime that stands behind a pod's volume, and where in it the mount begins.
pub(crate) fn mount_source(env: &mut Env<'_, '_>, w: &PodWorker, name: &str) -> Option<(VolumeId, String)> {
    let spec = w.pod.pod_spec()?;
    let volume = spec.volumes.iter().flatten().find(|v| v.name == name)?;
    if let Some(host) = &volume.host_path {
        return Some((
            env.runtime.host_volume(&env.node.name, env.cx),
            host.path.trim_matches('/').to_owned(),
        ));
    }
    if let Some(claim) = &volume.persistent_volume_claim {
        let bound = claimed_volume(env, w, &claim.claim_name).ok()?;
        return Some((format!("pv/{bound}").into(), String::new()));
    }
    Some((volume_id(w, name), String::new()))
}

/// The name of the PersistentVolume behind a claim.
fn claimed_volume(env: &Env<'_, '_>, w: &PodWorker, claim: &str) -> Result<String, String> {
    let store = env.cx.api.store();
    let object = store
        .get(&kinds::PERSISTENT_VOLUME_CLAIM, w.pod.namespace(), claim)
        .ok_or_else(|| format!("persistentvolumeclaim {claim:?} not found"))?;
    let volume = object.field("spec").and_then(|s| s.get("volumeName")).and_then(serde_json::Value::as_str);
    match volume {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(format!("PVC {}/{claim} is not bound", w.pod.namespace())),
    }
}

/// Makes a volume ready.
fn set_up(env: &mut Env<'_, '_>, w: &PodWorker, volume: &Volume) -> Result<(), String> {
    if let Some(host) = &volume.host_path {
        return check_host_path(env, host);
    }
    if let Some(claim) = &volume.persistent_volume_claim {
        let bound = claimed_volume(env, w, &claim.claim_name)?;
        env.runtime.ensure_volume(&format!("pv/{bound}").into(), env.cx);
        return Ok(());
    }
    let id = volume_id(w, &volume.name);
    let files = content(env, w, volume)?;
    let group = w.pod.pod_spec().and_then(|s| s.security_context.as_ref()?.fs_group);
    let group = group.and_then(|group| u32::try_from(group).ok());
    let given = group.and(files.clone()).unwrap_or_default();
    match files {
        Some(files) => env.runtime.write_volume(&id, files, env.cx),
        None => env.runtime.ensure_volume(&id, env.cx),
    }
    if volume.empty_dir.as_ref().is_some_and(|e| e.medium.as_deref() == Some("Memory")) {
        let size = memory_size(env, w, volume);
        env.runtime.back_with_memory(&id, size);
    }
    if let Some(group) = group {
        env.runtime.give_volume(&id, group, &given);
    }
    Ok(())
}

/// How much fits into an emptyDir in memory: its limit, or less where the pod or the node has less.
///
/// Source: pkg/volume/emptydir/empty_dir.go `calculateEmptyDirMemorySize` (v1.37).
fn memory_size(env: &mut Env<'_, '_>, w: &PodWorker, volume: &Volume) -> Option<u64> {
    let bytes = |quantity: &Quantity| u64::try_from(quantity.value()).ok().filter(|n| *n > 0);
    let limit = volume.empty_dir.as_ref()?.size_limit.as_ref();
    let own = limit.and_then(|limit| bytes(&Quantity::try_from(limit).ok()?));
    let of_pod = w.pod.pod_spec().and_then(|spec| {
        let all_limited = spec.containers.iter().all(|c| {
            c.resources.as_ref().and_then(|r| r.limits.as_ref()).is_some_and(|l| l.contains_key("memory"))
        });
        let limits = all_limited.then(|| pod_limits(spec, None, &PodResourcesOptions::default()))?;
        bytes(limits.get("memory")?)
    });
    let status = env.cx.api.store().get(&kinds::NODE, "", &env.node.name)?.node_status()?;
    let of_node = env.node.allocatable(status).get("memory").and_then(bytes);
    [own, of_pod, of_node].into_iter().flatten().min()
}

/// Source: pkg/volume/hostpath/host_path.go `checkTypeInternal` (v1.37).
fn check_host_path(env: &mut Env<'_, '_>, host: &HostPathVolumeSource) -> Result<(), String> {
    let volume = env.runtime.host_volume(&env.node.name, env.cx);
    let path = host.path.trim_matches('/');
    let found = if path.is_empty() { Some(true) } else { env.runtime.volume_path(&volume, path) };
    let fail = |what: &str| {
        let path = &host.path;
        let it_is = match found {
            Some(true) => "Directory",
            Some(false) => "File",
            None => {
                return Err(format!(
                    "hostPath type check failed, {path} is not a {what}, unable to determine its type: path {path:?} does not exist"
                ));
            }
        };
        Err(format!("hostPath type check failed: {path} is not a {what}, it's a {it_is}"))
    };
    match host.type_.as_deref().unwrap_or("") {
        "" => {
            if found.is_none() {
                env.runtime.make_volume_dir(&volume, path, env.cx);
            }
            Ok(())
        }
        "DirectoryOrCreate" => match found {
            None => {
                env.runtime.make_volume_dir(&volume, path, env.cx);
                Ok(())
            }
            Some(true) => Ok(()),
            Some(false) => fail("directory"),
        },
        "Directory" if found != Some(true) => fail("directory"),
        "File" if found != Some(false) => fail("file"),
        "FileOrCreate" if found == Some(true) => fail("file"),
        "Socket" => fail("socket file"),
        "CharDevice" => fail("character device"),
        "BlockDevice" => fail("block device"),
        _ => Ok(()),
    }
}

/// The files of a volume; `None` for volumes that begin empty.
fn content(env: &Env<'_, '_>, w: &PodWorker, volume: &Volume) -> Result<Option<Vec<VolumeFile>>, String> {
    let made: [VolumeProjection; 1];
    let mut projections: &[VolumeProjection] = &[];
    let mode;
    if let Some(c) = &volume.config_map {
        mode = c.default_mode;
        made = [VolumeProjection {
            config_map: Some(k8s_openapi::api::core::v1::ConfigMapProjection {
                name: c.name.clone(),
                items: c.items.clone(),
                optional: c.optional,
            }),
            ..VolumeProjection::default()
        }];
        projections = &made;
    } else if let Some(s) = &volume.secret {
        mode = s.default_mode;
        made = [VolumeProjection {
            secret: Some(k8s_openapi::api::core::v1::SecretProjection {
                name: s.secret_name.clone().unwrap_or_default(),
                items: s.items.clone(),
                optional: s.optional,
            }),
            ..VolumeProjection::default()
        }];
        projections = &made;
    } else if let Some(d) = &volume.downward_api {
        mode = d.default_mode;
        made = [VolumeProjection {
            downward_api: Some(k8s_openapi::api::core::v1::DownwardAPIProjection { items: d.items.clone() }),
            ..VolumeProjection::default()
        }];
        projections = &made;
    } else if let Some(p) = &volume.projected {
        mode = p.default_mode;
        projections = p.sources.as_deref().unwrap_or(projections);
    } else {
        return Ok(None);
    }
    let mode = u32::try_from(mode.unwrap_or(0o644)).unwrap_or(0o644);
    let mut files = Vec::new();
    for projection in projections {
        project(env, w, projection, mode, &mut files)?;
    }
    Ok(Some(files))
}

fn project(
    env: &Env<'_, '_>,
    w: &PodWorker,
    projection: &VolumeProjection,
    mode: u32,
    files: &mut Vec<VolumeFile>,
) -> Result<(), String> {
    let store = env.cx.api.store();
    let namespace = w.pod.namespace();
    if let Some(c) = &projection.config_map {
        let optional = c.optional == Some(true);
        match store.get(&kinds::CONFIG_MAP, namespace, &c.name) {
            Some(object) => {
                let missing = "configmap references non-existent config key";
                pick(&config_map_data(object), c.items.as_deref(), optional, missing, mode, files)?;
            }
            None if optional => {}
            None => return Err(format!("configmap {:?} not found", c.name)),
        }
    }
    if let Some(s) = &projection.secret {
        let optional = s.optional == Some(true);
        match store.get(&kinds::SECRET, namespace, &s.name) {
            Some(object) => {
                let missing = "references non-existent secret key";
                pick(&secret_data(object), s.items.as_deref(), optional, missing, mode, files)?;
            }
            None if optional => {}
            None => return Err(format!("secret {:?} not found", s.name)),
        }
    }
    for item in projection.downward_api.iter().flat_map(|d| d.items.iter().flatten()) {
        files.push(VolumeFile {
            path: item.path.clone(),
            bytes: Arc::new(downward(env, w, item)?.into_bytes()),
            mode: item.mode.and_then(|m| u32::try_from(m).ok()).unwrap_or(mode),
        });
    }
    if let Some(token) = &projection.service_account_token {
        let account = w.pod.pod_spec().and_then(|s| s.service_account_name.clone()).unwrap_or_default();
        let text = format!("{}{namespace}.{account}.{}", crate::apiserver::MOUNTED_TOKEN, w.uid);
        files.push(VolumeFile { path: token.path.clone(), bytes: Arc::new(text.into_bytes()), mode });
    }
    if let Some(bundle) = &projection.cluster_trust_bundle {
        let bytes = Arc::new(projected::trust_anchors(env, bundle)?);
        files.push(VolumeFile { path: bundle.path.clone(), bytes, mode });
    }
    Ok(())
}

/// Takes the keys that `items` names, or all.
fn pick(
    data: &BTreeMap<String, Vec<u8>>,
    items: Option<&[KeyToPath]>,
    optional: bool,
    missing: &str,
    mode: u32,
    files: &mut Vec<VolumeFile>,
) -> Result<(), String> {
    let items = items.unwrap_or(&[]);
    if items.is_empty() {
        for (key, value) in data {
            files.push(VolumeFile { path: key.clone(), bytes: Arc::new(value.clone()), mode });
        }
        return Ok(());
    }
    for item in items {
        match data.get(&item.key) {
            Some(value) => files.push(VolumeFile {
                path: item.path.clone(),
                bytes: Arc::new(value.clone()),
                mode: item.mode.and_then(|m| u32::try_from(m).ok()).unwrap_or(mode),
            }),
            None if optional => {}
            None => return Err(format!("{missing}: {}", item.key)),
        }
    }
    Ok(())
}

fn downward(env: &Env<'_, '_>, w: &PodWorker, item: &DownwardAPIVolumeFile) -> Result<String, String> {
    if let Some(field) = &item.field_ref {
        return field_value(env, w, &field.field_path);
    }
    if let Some(resource) = &item.resource_field_ref {
        let name = resource.container_name.as_deref().unwrap_or("");
        let found = w.pod.pod_spec().and_then(|s| find_container(s, name));
        let Some((container, _)) = found else { return Err(format!("container {name} not found")) };
        return resource_value(env, w, &container, resource);
    }
    Ok(String::new())
}
