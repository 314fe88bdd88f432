//! The store: every object, by kind and key, with a bounded history of changes.
//!
//! It knows nothing of rules: what may be written is decided in [`crate::apiserver`].
//!
//! **Invariant:** each write gets the next resourceVersion; the history holds the latest writes in that
//! order without a gap.

mod history;

pub use history::{Change, History};

use podlab_api::door::ChangeType;
use podlab_api::{Kind, Object};
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Namespace and name of an object; the namespace is empty for cluster-scoped kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// `metadata.namespace`.
    pub namespace: Arc<str>,
    /// `metadata.name`.
    pub name: Arc<str>,
}

impl Key {
    /// The key of a namespace and a name.
    pub fn new(namespace: &str, name: &str) -> Key {
        Key { namespace: namespace.into(), name: name.into() }
    }

    /// The key of an object.
    pub fn of(object: &Object) -> Key {
        Key::new(object.namespace(), object.name())
    }
}

/// A key to look for, without making one.
trait Sought {
    fn parts(&self) -> (&str, &str);
}

impl Sought for Key {
    fn parts(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }
}

impl Sought for (&str, &str) {
    fn parts(&self) -> (&str, &str) {
        *self
    }
}

impl<'a> Borrow<dyn Sought + 'a> for Key {
    fn borrow(&self) -> &(dyn Sought + 'a) {
        self
    }
}

// Ordered as `Key` is, which maps rely on.
impl PartialEq for dyn Sought + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for dyn Sought + '_ {}

impl PartialOrd for dyn Sought + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Sought + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

/// All objects of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// kind → key → object.
    objects: BTreeMap<&'static Kind, BTreeMap<Key, Arc<Object>>>,
    /// node name → keys of the pods bound to it.
    pods_by_node: BTreeMap<String, BTreeSet<Key>>,
    /// owner uid → (kind, key) of its dependents.
    by_owner: BTreeMap<String, BTreeSet<(&'static Kind, Key)>>,
    /// Pods that no controller owns, which one may adopt.
    loose_pods: BTreeSet<Key>,
    /// The changes that watches can still see.
    history: History,
    resource_version: u64,
}

impl Store {
    /// The version of the latest write.
    pub fn resource_version(&self) -> u64 {
        self.resource_version
    }

    /// Sets the version from which writes count on; it never goes back.
    pub fn advance_resource_version(&mut self, to: u64) {
        self.resource_version = self.resource_version.max(to);
    }

    /// The changes that are still known.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// One object.
    pub fn get(&self, kind: &'static Kind, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.objects.get(kind)?.get(&(namespace, name) as &dyn Sought)
    }

    /// One object by its key.
    pub fn get_key(&self, kind: &'static Kind, key: &Key) -> Option<&Arc<Object>> {
        self.objects.get(kind)?.get(key)
    }

    /// All objects of a kind, ordered by namespace, then name.
    pub fn list(&self, kind: &'static Kind) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.get(kind).into_iter().flat_map(|of_kind| of_kind.values())
    }

    /// The objects of a kind in one namespace, ordered by name.
    pub fn list_namespace<'a>(
        &'a self,
        kind: &'static Kind,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        self.objects
            .get(kind)
            .into_iter()
            .flat_map(move |of_kind| of_kind.range(Key::new(namespace, "")..))
            .take_while(move |(key, _)| *key.namespace == *namespace)
            .map(|(_, object)| object)
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: &'static Kind) -> usize {
        self.objects.get(kind).map_or(0, BTreeMap::len)
    }

    /// Every object, kind by kind.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values().flat_map(|of_kind| of_kind.values())
    }

    /// The pods bound to a node, ordered by namespace, then name.
    pub fn pods_on_node<'a>(&'a self, node: &str) -> impl Iterator<Item = &'a Arc<Object>> {
        self.pods_by_node
            .get(node)
            .into_iter()
            .flatten()
            .filter_map(|key| self.get_key(&podlab_api::kinds::POD, key))
    }

    /// The objects that name `uid` among their owners.
    pub fn dependents<'a>(&'a self, uid: &str) -> impl Iterator<Item = &'a Arc<Object>> {
        self.by_owner.get(uid).into_iter().flatten().filter_map(|(kind, key)| self.get_key(kind, key))
    }

    /// The pods of a namespace that no controller owns, ordered by name.
    pub fn pods_without_controller<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        self.loose_pods
            .range(Key::new(namespace, "")..)
            .take_while(move |key| *key.namespace == *namespace)
            .filter_map(|key| self.get_key(&podlab_api::kinds::POD, key))
    }

    /// Writes an object under its key with the next resourceVersion and gives it back as stored.
    pub fn put(&mut self, mut object: Object) -> Arc<Object> {
        self.resource_version += 1;
        object.metadata.resource_version = Some(self.resource_version.to_string());
        let object = Arc::new(object);
        let of_kind = self.objects.entry(object.kind).or_default();
        let before = match of_kind.get_mut(&(object.namespace(), object.name()) as &dyn Sought) {
            Some(slot) => Some(std::mem::replace(slot, object.clone())),
            None => {
                let key = Key::of(&object);
                of_kind.insert(key.clone(), object.clone());
                self.index(&object, key);
                None
            }
        };
        if let Some(before) = &before
            && !same_place(before, &object)
        {
            let key = Key::of(&object);
            self.unindex(before, &key);
            self.index(&object, key);
        }
        let change = if before.is_some() { ChangeType::Modified } else { ChangeType::Added };
        self.history.push(Change {
            resource_version: self.resource_version,
            change,
            before,
            object: object.clone(),
        });
        object
    }

    /// Puts an object exactly as it is, its resourceVersion included: for restoring a saved state. Watches
    /// do not see it.
    pub fn restore(&mut self, mut object: Object) {
        self.advance_resource_version(object.resource_version());
        // An object without a version could never be written again.
        if object.metadata.resource_version.as_deref().is_none_or(str::is_empty) {
            self.resource_version += 1;
            object.metadata.resource_version = Some(self.resource_version.to_string());
        }
        let key = Key::of(&object);
        let object = Arc::new(object);
        if let Some(before) = self.objects.entry(object.kind).or_default().insert(key.clone(), object.clone())
        {
            self.unindex(&before, &key);
        }
        self.index(&object, key);
        self.history.start_after(self.resource_version);
    }

    /// Takes an object out; its last state carries the resourceVersion of the deletion.
    pub fn remove(&mut self, kind: &'static Kind, key: &Key) -> Option<Arc<Object>> {
        let before = self.objects.get_mut(kind)?.remove(key)?;
        self.unindex(&before, key);
        self.resource_version += 1;
        let mut last = (*before).clone();
        last.metadata.resource_version = Some(self.resource_version.to_string());
        let last = Arc::new(last);
        self.history.push(Change {
            resource_version: self.resource_version,
            change: ChangeType::Deleted,
            before: Some(before),
            object: last.clone(),
        });
        Some(last)
    }

    fn index(&mut self, object: &Object, key: Key) {
        for owner in object.metadata.owner_references.iter().flatten() {
            self.by_owner.entry(owner.uid.clone()).or_default().insert((object.kind, key.clone()));
        }
        if *object.kind == podlab_api::kinds::POD
            && !object.metadata.owner_references.iter().flatten().any(|owner| owner.controller == Some(true))
        {
            self.loose_pods.insert(key.clone());
        }
        if let Some(node) = object.pod_spec().and_then(|s| s.node_name.as_ref()).filter(|n| !n.is_empty()) {
            match self.pods_by_node.get_mut(node) {
                Some(keys) => {
                    keys.insert(key);
                }
                None => {
                    self.pods_by_node.insert(node.clone(), BTreeSet::from([key]));
                }
            }
        }
    }

    fn unindex(&mut self, object: &Object, key: &Key) {
        for owner in object.metadata.owner_references.iter().flatten() {
            if let Some(set) = self.by_owner.get_mut(&owner.uid) {
                set.remove(&(object.kind, key.clone()));
                if set.is_empty() {
                    self.by_owner.remove(&owner.uid);
                }
            }
        }
        if *object.kind == podlab_api::kinds::POD {
            self.loose_pods.remove(key);
        }
        if let Some(node) = object.pod_spec().and_then(|s| s.node_name.as_ref())
            && let Some(set) = self.pods_by_node.get_mut(node)
        {
            set.remove(key);
        }
    }
}

/// Whether both are found by the same node and owners.
fn same_place(a: &Object, b: &Object) -> bool {
    let node = |o: &Object| o.pod_spec().and_then(|s| s.node_name.clone());
    let same_node = match (a.pod_spec(), b.pod_spec()) {
        (Some(a), Some(b)) if Arc::ptr_eq(a, b) => true,
        _ => node(a) == node(b),
    };
    same_node && a.metadata.owner_references == b.metadata.owner_references
}
