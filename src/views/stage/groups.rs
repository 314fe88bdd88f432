//! Pods by the workloads that keep them alive: what the Workloads view shows, made from the cluster's objects. Views of
//! objects are kept while the object is the same.

use super::model::{Model, PodView, Same, Views, views};
use crate::state::Lab;
use crate::state::workloads::{KINDS, ServiceView, SliceView, Workload, service_view, slice_view, workload};
use podlab_api::kinds::{ENDPOINT_SLICE, SERVICE};
use std::collections::{BTreeMap, HashMap};

/// A workload with what it owns.
#[derive(Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) head: Same<Workload>,
    /// ReplicaSets of a Deployment, Jobs of a CronJob: the newest first.
    pub(crate) children: Vec<Group>,
    /// Its own pods, the oldest first.
    pub(crate) pods: Vec<Same<PodView>>,
}

impl Group {
    /// How many pods it has, those of what it owns too.
    pub(crate) fn count(&self) -> usize {
        self.pods.len() + self.children.iter().map(Group::count).sum::<usize>()
    }
}

/// A Service and how many of its endpoints get traffic.
#[derive(Clone, PartialEq)]
pub(crate) struct Answering {
    pub(crate) service: Same<ServiceView>,
    pub(crate) ready: usize,
    pub(crate) all: usize,
}

/// What a namespace has.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Space {
    pub(crate) services: Vec<Answering>,
    pub(crate) groups: Vec<Group>,
    /// Pods that no workload owns.
    pub(crate) loose: Vec<Same<PodView>>,
}

/// Everything of the Workloads view, by namespace; what Kubernetes itself brings comes last.
pub(crate) struct Groups {
    pub(crate) spaces: Vec<(String, Space)>,
}

/// Views of objects that were shown last.
#[derive(Default)]
pub(crate) struct GroupCache {
    workloads: [Views<Workload>; KINDS.len()],
    services: Views<ServiceView>,
    slices: Views<SliceView>,
}

impl Groups {
    /// Of what the lab shows; `namespace`: only that one's. The pods are those of the model.
    pub(crate) fn of(lab: &Lab, model: &Model, namespace: Option<&str>, cache: &mut GroupCache) -> Groups {
        let store = lab.shown().world().api.store();
        let shown = |of: &str| namespace.is_none_or(|ns| ns == of);
        let mut spaces: BTreeMap<String, Space> = BTreeMap::new();

        let mut endpoints: HashMap<(String, String), (usize, usize)> = HashMap::new();
        for slice in views(store.list(&ENDPOINT_SLICE), &mut cache.slices, |object| slice_view(object)) {
            let count = endpoints.entry((slice.namespace.clone(), slice.service.clone())).or_default();
            *count = (count.0 + slice.ready, count.1 + slice.all);
        }
        for service in views(store.list(&SERVICE), &mut cache.services, |object| service_view(object)) {
            if shown(&service.namespace) {
                let key = (service.namespace.clone(), service.name.clone());
                let (ready, all) = endpoints.get(&key).copied().unwrap_or_default();
                spaces.entry(key.0).or_default().services.push(Answering { service, ready, all });
            }
        }

        let pods = model.columns.iter().flat_map(|c| &c.pods).chain(&model.queue);
        let mut pods: Vec<Same<PodView>> = pods.cloned().collect();
        pods.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
        let mut owned: HashMap<String, Vec<Same<PodView>>> = HashMap::new();
        let mut loose = Vec::new();
        let mut heads: Vec<Same<Workload>> = Vec::new();
        for (kind, before) in KINDS.iter().zip(&mut cache.workloads) {
            let all = views(store.list(kind), before, |object| workload(object));
            heads.extend(all.into_iter().filter(|head| shown(&head.namespace)));
        }
        let known: HashMap<&str, &str> = heads.iter().map(|h| (h.uid.as_str(), h.kind)).collect();
        for pod in pods {
            if known.contains_key(pod.owner.as_str()) {
                owned.entry(pod.owner.clone()).or_default().push(pod);
            } else {
                loose.push(pod);
            }
        }
        // Only these own others of the kinds shown; any other owner is somebody's own arrangement, which may be a ring.
        let is_child = |head: &Workload| {
            let owner = known.get(head.owner.as_str());
            matches!((head.kind, owner), ("ReplicaSet", Some(&"Deployment")) | ("Job", Some(&"CronJob")))
        };
        let mut children: HashMap<String, Vec<Group>> = HashMap::new();
        let mut roots = Vec::new();
        for head in &heads {
            let pods = owned.remove(&head.uid).unwrap_or_default();
            let group = Group { head: head.clone(), children: Vec::new(), pods };
            if is_child(head) {
                children.entry(head.owner.clone()).or_default().push(group);
            } else {
                roots.push(group);
            }
        }
        for mut group in roots {
            group.children = children.remove(&group.head.uid).unwrap_or_default();
            group.children.sort_by_key(|g| std::cmp::Reverse((g.head.revision, g.head.created)));
            spaces.entry(group.head.namespace.clone()).or_default().groups.push(group);
        }
        for pod in loose {
            spaces.entry(pod.namespace.clone()).or_default().loose.push(pod);
        }
        for space in spaces.values_mut() {
            space.groups.sort_by(|a, b| (a.head.order, &a.head.name).cmp(&(b.head.order, &b.head.name)));
        }
        let mut spaces: Vec<(String, Space)> = spaces.into_iter().collect();
        spaces.sort_by_key(|(name, _)| is_system(name));
        Groups { spaces }
    }
}

/// Whether a namespace is one that Kubernetes itself begins with, or that a cluster of this sort does.
fn is_system(namespace: &str) -> bool {
    namespace.starts_with("kube-") || namespace == "local-path-storage"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::stage::model::Cache;
    use std::time::Duration;

    fn groups(lab: &mut Lab, namespace: Option<&str>, cache: &mut GroupCache) -> Groups {
        let model = Model::of(lab, namespace, &mut Cache::default());
        Groups::of(lab, &model, namespace, cache)
    }

    fn pass(lab: &mut Lab, seconds: u64) {
        lab.jump(lab.live().sim_now() + Duration::from_secs(seconds), &mut || true);
    }

    #[test]
    fn a_deployment_stands_over_its_replica_sets_and_these_over_their_pods() {
        let mut lab = Lab::default();
        lab.enter("kubectl create deployment web --image=nginx:1.27 --replicas=3");
        lab.enter("kubectl run alone --image=nginx");
        lab.enter("kubectl create cronjob tidy --image=busybox --schedule='* * * * *' -- sleep 100");
        lab.enter("kubectl expose deployment web --port=80");
        pass(&mut lab, 65);
        lab.enter("kubectl set image deployment/web nginx=nginx:1.28");
        pass(&mut lab, 60);
        let mut cache = GroupCache::default();
        let shown = groups(&mut lab, Some("default"), &mut cache);
        let [(name, space)] = shown.spaces.as_slice() else { panic!("{} namespaces", shown.spaces.len()) };
        assert_eq!(name, "default");
        let heads: Vec<(&str, &str)> =
            space.groups.iter().map(|g| (g.head.kind, g.head.name.as_str())).collect();
        assert_eq!(heads, [("Deployment", "web"), ("CronJob", "tidy")]);
        let web = &space.groups[0];
        let sets: Vec<(i64, usize, bool)> =
            web.children.iter().map(|g| (g.head.revision, g.pods.len(), g.head.is_empty())).collect();
        assert_eq!(sets, [(2, 3, false), (1, 0, true)]);
        assert_eq!(web.count(), 3);
        assert!(space.groups[1].count() >= 1);
        assert_eq!(space.loose.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["alone"]);
        let service = space.services.iter().find(|s| s.service.name == "web").unwrap();
        assert_eq!((service.ready, service.all), (3, 3));
        // What did not change is the same view.
        let again = groups(&mut lab, Some("default"), &mut cache);
        assert!(again.spaces[0].1.groups[0].head == web.head);
    }

    #[test]
    fn all_namespaces_are_shown_with_what_kubernetes_brings_last() {
        let mut lab = Lab::default();
        lab.enter("kubectl create namespace team");
        lab.enter("kubectl create deployment web --image=nginx -n team");
        pass(&mut lab, 5);
        let all = groups(&mut lab, None, &mut GroupCache::default());
        let names: Vec<&str> = all.spaces.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.first().copied(), Some("default"));
        let (team, system) =
            (names.iter().position(|n| *n == "team"), names.iter().position(|n| *n == "kube-system"));
        assert!(team < system, "{names:?}");
        let (_, system) = all.spaces.iter().find(|(name, _)| name == "kube-system").unwrap();
        assert!(system.groups.iter().any(|g| g.head.kind == "DaemonSet" && g.count() == 3));
        // Static pods are owned by their node.
        assert!(system.loose.iter().any(|p| p.name.starts_with("etcd-")));
    }

    #[test]
    fn owners_in_a_ring_are_all_shown() {
        let mut lab = Lab::default();
        lab.edit("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: a\n  ownerReferences:\n  - {apiVersion: apps/v1, kind: ReplicaSet, name: b, uid: x, controller: true}\nspec:\n  replicas: 0\n  selector: {matchLabels: {a: a}}\n  template:\n    metadata: {labels: {a: a}}\n    spec: {containers: [{name: c, image: nginx}]}\n");
        assert!(lab.apply().ok());
        let shown = groups(&mut lab, Some("default"), &mut GroupCache::default());
        assert_eq!(shown.spaces[0].1.groups.len(), 1);
    }
}
