//! The controllers, one file each, under Kubernetes' own names.
//!
//! Each is plain data with `observe` (sees a change, plans) and `handle` (acts). A new one needs its file, a
//! field in [`Controllers`] and a variant in [`ControllerEvent`].

mod cluster_role_aggregation;
mod controller_ref;
mod cron_job;
mod daemon_set;
mod deployment;
mod disruption;
mod endpoint_slice;
mod endpoint_slice_mirroring;
mod endpoints;
mod garbage_collector;
mod history;
mod horizontal_pod_autoscaler;
mod job;
mod local_path_provisioner;
mod namespace;
mod node_lifecycle;
mod persistent_volume;
mod pod_control;
mod pod_gc;
mod pod_template_hash;
mod pods;
mod pv_protection;
mod pvc_protection;
mod queue;
mod rate_limiter;
mod replica_set;
mod resource_quota;
mod root_ca_cert_publisher;
mod service_account;
mod services;
mod standing;
mod stateful_set;
mod taint_eviction;
mod trigger_time;
mod ttl;
mod ttl_after_finished;
mod values;

pub(crate) use controller_ref::selector_from;
pub(crate) use endpoint_slice::slices_of;
pub(crate) use local_path_provisioner::PROVISIONER as LOCAL_PATH_PROVISIONER;
pub(crate) use standing::Standing;

use crate::observe::{Upcoming, UpcomingKind};
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_sim::SimTime;

/// What a controller plans.
#[derive(Clone, Debug)]
pub enum ControllerEvent {
    /// The namespace controller looks at a namespace that is going.
    Namespace(String),
    /// The garbage collector looks at the dependents of an owner that is gone, by its uid.
    OwnerGone(String),
    /// The garbage collector looks at an object that waits for its dependents.
    Foreground(garbage_collector::ObjectKey),
    /// The quota controller reckons a quota.
    ResourceQuota(Key),
    /// The node lifecycle controller looks at nodes.
    MonitorNodeHealth,
    /// It follows a node's change.
    NodeUpdated(String),
    /// It taints nodes NoExecute.
    TaintNodes,
    /// The taint eviction controller sees a node's new taints.
    NodeTainted(String),
    /// It sees a pod on a node that has taints.
    PodOnTaintedNode(Key),
    /// It evicts a pod.
    EvictPod(Key),
    /// The pod garbage collector looks at a node that is gone.
    PodGc(String),
    /// The endpoint controllers look at a Service.
    Service(Key),
    /// Endpoints that somebody wrote are mirrored.
    MirrorEndpoints(Key),
    /// The volume controller looks at a claim.
    Claim(Key),
    /// It looks at a volume.
    Volume(Key),
    /// A volume is made for a claim.
    ProvisionLocalPath(Key),
    /// A released volume is taken away.
    DeleteLocalPath(Key),
    /// A claim that is being deleted may go.
    PvcProtection(Key),
    /// A volume that is being deleted may go.
    PvProtection(Key),
    /// The ReplicaSet controller looks at one.
    ReplicaSet(Key),
    /// The replication controller looks at a ReplicationController.
    ReplicationController(Key),
    /// The Deployment controller looks at one.
    Deployment(Key),
    /// The DaemonSet controller looks at one.
    DaemonSet(Key),
    /// The disruption controller looks at a budget.
    Disruption(Key),
    /// It looks at a pod that is marked as going and does not.
    StalePodDisruption(Key),
    /// A node gets its annotation of how long caches hold.
    NodeTtl(String),
    /// A Job that is over may have had its time.
    TtlAfterFinished(Key),
    /// The CronJob controller looks at one.
    CronJob(Key),
    /// The Job controller looks at one.
    Job(Key),
    /// It looks at a pod that no Job counts any more.
    JobOrphanPod(Key),
    /// The StatefulSet controller looks at one.
    StatefulSet(Key),
    /// A ClusterRole gathers the rules of others.
    ClusterRole(Key),
    /// The autoscaler's turn has come.
    HorizontalPodAutoscaler(Key),
}

impl ControllerEvent {
    /// Whether what it brings about goes by what pods use.
    pub(crate) fn reads_metrics(&self) -> bool {
        matches!(self, ControllerEvent::HorizontalPodAutoscaler(_))
    }
}

/// The state of all controllers.
#[derive(Clone, Debug)]
pub struct Controllers {
    namespace: namespace::NamespaceController,
    garbage_collector: garbage_collector::GarbageCollector,
    resource_quota: resource_quota::ResourceQuotaController,
    node_lifecycle: node_lifecycle::NodeLifecycleController,
    taint_eviction: taint_eviction::TaintEvictionController,
    endpoints: services::EndpointControllers,
    pod_gc: pod_gc::PodGcController,
    persistent_volume: persistent_volume::PersistentVolumeController,
    local_path_provisioner: local_path_provisioner::LocalPathProvisioner,
    pvc_protection: pvc_protection::PvcProtectionController,
    pv_protection: pv_protection::PvProtectionController,
    replica_set: replica_set::ReplicaSetController,
    replication: replica_set::ReplicaSetController,
    deployment: deployment::DeploymentController,
    daemon_set: daemon_set::DaemonSetController,
    disruption: disruption::DisruptionController,
    ttl_after_finished: ttl_after_finished::TtlAfterFinishedController,
    cron_job: cron_job::CronJobController,
    job: job::JobController,
    stateful_set: stateful_set::StatefulSetController,
    horizontal_pod_autoscaler: horizontal_pod_autoscaler::HorizontalController,
    cluster_role_aggregation: cluster_role_aggregation::ClusterRoleAggregationController,
}

impl Default for Controllers {
    fn default() -> Controllers {
        Controllers {
            namespace: Default::default(),
            garbage_collector: Default::default(),
            resource_quota: Default::default(),
            node_lifecycle: Default::default(),
            taint_eviction: Default::default(),
            endpoints: Default::default(),
            pod_gc: Default::default(),
            persistent_volume: Default::default(),
            local_path_provisioner: Default::default(),
            pvc_protection: Default::default(),
            pv_protection: Default::default(),
            replica_set: Default::default(),
            replication: replica_set::ReplicaSetController::replication(),
            deployment: Default::default(),
            daemon_set: Default::default(),
            disruption: Default::default(),
            ttl_after_finished: Default::default(),
            cron_job: Default::default(),
            job: Default::default(),
            stateful_set: Default::default(),
            horizontal_pod_autoscaler: Default::default(),
            cluster_role_aggregation: Default::default(),
        }
    }
}

impl Controllers {
    /// Carries out what was planned.
    pub fn handle(&mut self, event: ControllerEvent, cx: &mut Cx<'_>) {
        match event {
            ControllerEvent::Namespace(name) => self.namespace.sync(&name, cx),
            ControllerEvent::OwnerGone(uid) => self.garbage_collector.owner_gone(&uid, cx),
            ControllerEvent::Foreground(key) => self.garbage_collector.foreground(&key, cx),
            ControllerEvent::ResourceQuota(key) => self.resource_quota.sync(&key, cx),
            ControllerEvent::MonitorNodeHealth => self.node_lifecycle.monitor_node_health(cx),
            ControllerEvent::NodeUpdated(name) => self.node_lifecycle.node_updated(&name, cx),
            ControllerEvent::TaintNodes => self.node_lifecycle.taint_nodes(cx),
            ControllerEvent::NodeTainted(name) => self.taint_eviction.node_tainted(&name, cx),
            ControllerEvent::PodOnTaintedNode(key) => self.taint_eviction.pod_on_tainted_node(&key, cx),
            ControllerEvent::EvictPod(key) => self.taint_eviction.evict(&key, cx),
            ControllerEvent::PodGc(node) => self.pod_gc.collect(&node, cx),
            ControllerEvent::Service(key) => self.endpoints.sync(&key, cx),
            ControllerEvent::MirrorEndpoints(key) => self.endpoints.sync_mirror(&key, cx),
            ControllerEvent::Claim(key) => self.persistent_volume.sync_claim(&key, cx),
            ControllerEvent::Volume(key) => self.persistent_volume.sync_volume(&key, cx),
            ControllerEvent::ProvisionLocalPath(key) => self.local_path_provisioner.sync_claim(&key, cx),
            ControllerEvent::DeleteLocalPath(key) => self.local_path_provisioner.sync_volume(&key, cx),
            ControllerEvent::PvcProtection(key) => self.pvc_protection.sync(&key, cx),
            ControllerEvent::PvProtection(key) => self.pv_protection.sync(&key, cx),
            ControllerEvent::ReplicaSet(key) => self.replica_set.sync(&key, cx),
            ControllerEvent::ReplicationController(key) => self.replication.sync(&key, cx),
            ControllerEvent::Deployment(key) => self.deployment.sync(&key, cx),
            ControllerEvent::DaemonSet(key) => self.daemon_set.sync(&key, cx),
            ControllerEvent::Disruption(key) => self.disruption.sync(&key, cx),
            ControllerEvent::StalePodDisruption(key) => self.disruption.sync_stale(&key, cx),
            ControllerEvent::NodeTtl(node) => ttl::sync(&node, cx),
            ControllerEvent::TtlAfterFinished(key) => self.ttl_after_finished.sync(&key, cx),
            ControllerEvent::CronJob(key) => self.cron_job.sync(&key, cx),
            ControllerEvent::Job(key) => self.job.sync(&key, cx),
            ControllerEvent::JobOrphanPod(key) => self.job.sync_orphan(&key, cx),
            ControllerEvent::StatefulSet(key) => self.stateful_set.sync(&key, cx),
            ControllerEvent::HorizontalPodAutoscaler(key) => self.horizontal_pod_autoscaler.sync(&key, cx),
            ControllerEvent::ClusterRole(key) => self.cluster_role_aggregation.sync(&key, cx),
        }
    }

    /// Sees a change in the store.
    pub fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        if !cx.settings.profile.has_all_controllers() {
            self.persistent_volume.observe(change, cx);
            self.disruption.observe(change, cx);
            return;
        }
        if *change.object.kind == podlab_api::kinds::EVENT {
            // Half of what is written: only who looks at objects of every kind looks at them.
            self.garbage_collector.observe(change, cx);
            self.resource_quota.observe(change, cx);
            return;
        }
        service_account::observe(change, cx);
        root_ca_cert_publisher::observe(change, cx);
        ttl::observe(change, cx);
        self.namespace.observe(change, cx);
        self.garbage_collector.observe(change, cx);
        self.resource_quota.observe(change, cx);
        self.node_lifecycle.observe(change, cx);
        self.taint_eviction.observe(change, cx);
        self.endpoints.observe(change, cx);
        self.pod_gc.observe(change, cx);
        self.persistent_volume.observe(change, cx);
        self.local_path_provisioner.observe(change, cx);
        self.pvc_protection.observe(change, cx);
        self.pv_protection.observe(change, cx);
        self.replica_set.observe(change, cx);
        self.replication.observe(change, cx);
        self.deployment.observe(change, cx);
        self.daemon_set.observe(change, cx);
        self.disruption.observe(change, cx);
        self.ttl_after_finished.observe(change, cx);
        self.cron_job.observe(change, cx);
        self.job.observe(change, cx);
        self.stateful_set.observe(change, cx);
        self.horizontal_pod_autoscaler.observe(change, cx);
        self.cluster_role_aggregation.observe(change, cx);
    }

    /// A node's kubelet has stopped renewing its lease, which is reckoned rather than written.
    pub(crate) fn kubelet_stopped(&mut self, node: &str, cx: &mut Cx<'_>) {
        self.node_lifecycle.kubelet_stopped(node, cx);
    }

    /// What a planned event means to a person; `None` where it means nothing.
    pub fn upcoming(&self, at: SimTime, event: &ControllerEvent) -> Option<Upcoming> {
        let of = |kind: &'static str, namespace: &str, name: &str, controller: &'static str| Upcoming {
            at,
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            what: UpcomingKind::Controller { controller },
        };
        match event {
            ControllerEvent::Namespace(name) => Some(of("Namespace", "", name, namespace::NAME)),
            ControllerEvent::MonitorNodeHealth => Some(of("", "", "", node_lifecycle::NAME)),
            ControllerEvent::EvictPod(key) => {
                Some(of("Pod", &key.namespace, &key.name, taint_eviction::NAME))
            }
            ControllerEvent::PodGc(node) => Some(of("Node", "", node, pod_gc::NAME)),
            ControllerEvent::Claim(key) => {
                Some(of("PersistentVolumeClaim", &key.namespace, &key.name, persistent_volume::NAME))
            }
            ControllerEvent::Volume(key) => {
                Some(of("PersistentVolume", "", &key.name, persistent_volume::NAME))
            }
            ControllerEvent::ProvisionLocalPath(key) => {
                let by = local_path_provisioner::PROVISIONER;
                Some(of("PersistentVolumeClaim", &key.namespace, &key.name, by))
            }
            ControllerEvent::DeleteLocalPath(key) => {
                Some(of("PersistentVolume", "", &key.name, local_path_provisioner::PROVISIONER))
            }
            ControllerEvent::PvcProtection(key) => {
                Some(of("PersistentVolumeClaim", &key.namespace, &key.name, pvc_protection::NAME))
            }
            ControllerEvent::PvProtection(key) => {
                Some(of("PersistentVolume", "", &key.name, pv_protection::NAME))
            }
            ControllerEvent::ReplicaSet(key) => {
                Some(of("ReplicaSet", &key.namespace, &key.name, replica_set::REPLICA_SET))
            }
            ControllerEvent::ReplicationController(key) => {
                Some(of("ReplicationController", &key.namespace, &key.name, replica_set::REPLICATION))
            }
            ControllerEvent::Deployment(key) => {
                Some(of("Deployment", &key.namespace, &key.name, deployment::NAME))
            }
            ControllerEvent::DaemonSet(key) => {
                Some(of("DaemonSet", &key.namespace, &key.name, daemon_set::NAME))
            }
            ControllerEvent::Disruption(key) => {
                Some(of("PodDisruptionBudget", &key.namespace, &key.name, disruption::NAME))
            }
            ControllerEvent::TtlAfterFinished(key) => {
                Some(of("Job", &key.namespace, &key.name, ttl_after_finished::NAME))
            }
            ControllerEvent::CronJob(key) => Some(of("CronJob", &key.namespace, &key.name, cron_job::NAME)),
            ControllerEvent::Job(key) => Some(of("Job", &key.namespace, &key.name, job::NAME)),
            ControllerEvent::StatefulSet(key) => {
                Some(of("StatefulSet", &key.namespace, &key.name, stateful_set::NAME))
            }
            ControllerEvent::HorizontalPodAutoscaler(key) => Some(of(
                "HorizontalPodAutoscaler",
                &key.namespace,
                &key.name,
                horizontal_pod_autoscaler::NAME,
            )),
            ControllerEvent::ClusterRole(_)
            | ControllerEvent::OwnerGone(_)
            | ControllerEvent::Foreground(_)
            | ControllerEvent::ResourceQuota(_)
            | ControllerEvent::NodeUpdated(_)
            | ControllerEvent::TaintNodes
            | ControllerEvent::NodeTainted(_)
            | ControllerEvent::PodOnTaintedNode(_)
            | ControllerEvent::Service(_)
            | ControllerEvent::JobOrphanPod(_)
            | ControllerEvent::StalePodDisruption(_)
            | ControllerEvent::NodeTtl(_)
            | ControllerEvent::MirrorEndpoints(_) => None,
        }
    }
}
