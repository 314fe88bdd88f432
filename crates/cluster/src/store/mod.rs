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
use std::collections::btree_map::Entry;
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

/// Objects of one kind in one namespace, by name.
type Names = BTreeMap<Arc<str>, Arc<Object>>;
/// Objects of one kind: the namespaces that have some, in order.
type Namespaces = Vec<(Arc<str>, Names)>;

/// All objects of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// What there is of each kind, ordered by kind.
    objects: Vec<(&'static Kind, Namespaces)>,
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

    /// Notes that the components have seen the changes up to a version: the oldest of them may be forgotten.
    pub(crate) fn see(&mut self, version: u64) {
        self.history.see(version);
    }

    /// One object.
    pub fn get(&self, kind: &'static Kind, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.names(kind, namespace)?.get(name)
    }

    /// One object by its key.
    pub fn get_key(&self, kind: &'static Kind, key: &Key) -> Option<&Arc<Object>> {
        self.get(kind, &key.namespace, &key.name)
    }

    /// All objects of a kind, ordered by namespace, then name.
    pub fn list(&self, kind: &'static Kind) -> impl Iterator<Item = &Arc<Object>> {
        self.of_kind(kind).iter().flat_map(|(_, names)| names.values())
    }

    /// The objects of a kind in one namespace, ordered by name.
    pub fn list_namespace<'a>(
        &'a self,
        kind: &'static Kind,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        self.names(kind, namespace).into_iter().flat_map(BTreeMap::values)
    }

    /// How many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.objects.iter().flat_map(|(_, of_kind)| of_kind).map(|(_, names)| names.len()).sum()
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: &'static Kind) -> usize {
        self.of_kind(kind).iter().map(|(_, names)| names.len()).sum()
    }

    /// Every object, kind by kind.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.iter().flat_map(|(_, of_kind)| of_kind).flat_map(|(_, names)| names.values())
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
        let before = self.replace(&object);
        match &before {
            None => self.index(&object),
            Some(before) if before.metadata.owner_references != object.metadata.owner_references => {
                self.unindex(before);
                self.index(&object);
            }
            Some(before) if node_of(before) != node_of(&object) => {
                self.unindex_node(before);
                self.index_node(&object);
            }
            Some(_) => {}
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

    /// Writes an object where there is none of its name; gives it back where there is one.
    ///
    /// # Errors
    /// The place is taken.
    pub fn put_new(&mut self, mut object: Object) -> Result<Arc<Object>, Box<Object>> {
        let version = self.resource_version + 1;
        let name = object.name().into();
        let object = match self.names_mut(object.kind, object.namespace()).entry(name) {
            Entry::Occupied(_) => return Err(Box::new(object)),
            Entry::Vacant(place) => {
                object.metadata.resource_version = Some(version.to_string());
                place.insert(Arc::new(object)).clone()
            }
        };
        self.resource_version = version;
        self.index(&object);
        self.history.push(Change {
            resource_version: version,
            change: ChangeType::Added,
            before: None,
            object: object.clone(),
        });
        Ok(object)
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
        let object = Arc::new(object);
        if let Some(before) = self.replace(&object) {
            self.unindex(&before);
        }
        self.index(&object);
        self.history.start_after(self.resource_version);
    }

    /// Takes an object out; its last state carries the resourceVersion of the deletion.
    pub fn remove(&mut self, kind: &'static Kind, key: &Key) -> Option<Arc<Object>> {
        let index = self.kind_index(kind)?;
        let (_, of_kind) = self.objects.get_mut(index)?;
        let place = find_namespace(of_kind, &key.namespace).ok()?;
        let names = &mut of_kind[place].1;
        let before = names.remove(&key.name)?;
        if names.is_empty() {
            of_kind.remove(place);
        }
        self.unindex(&before);
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

    fn kind_index(&self, kind: &'static Kind) -> Option<usize> {
        self.objects.iter().position(|(known, _)| *known == kind)
    }

    fn of_kind(&self, kind: &'static Kind) -> &[(Arc<str>, Names)] {
        self.kind_index(kind).and_then(|index| self.objects.get(index)).map_or(&[], |(_, of_kind)| of_kind)
    }

    fn names(&self, kind: &'static Kind, namespace: &str) -> Option<&Names> {
        let of_kind = self.of_kind(kind);
        of_kind.get(find_namespace(of_kind, namespace).ok()?).map(|(_, names)| names)
    }

    /// The objects of a kind in a namespace, to put one among them.
    fn names_mut(&mut self, kind: &'static Kind, namespace: &str) -> &mut Names {
        let index = self.kind_index(kind).unwrap_or_else(|| {
            let index = self.objects.partition_point(|(k, _)| *k < kind);
            self.objects.insert(index, (kind, Vec::new()));
            index
        });
        let (_, of_kind) = &mut self.objects[index];
        let place = find_namespace(of_kind, namespace).unwrap_or_else(|place| {
            of_kind.insert(place, (namespace.into(), Names::new()));
            place
        });
        &mut of_kind[place].1
    }

    /// Puts an object in its place and gives back the one that was there.
    fn replace(&mut self, object: &Arc<Object>) -> Option<Arc<Object>> {
        let names = self.names_mut(object.kind, object.namespace());
        match names.get_mut(object.name()) {
            Some(slot) => Some(std::mem::replace(slot, object.clone())),
            None => names.insert(object.name().into(), object.clone()),
        }
    }

    fn index(&mut self, object: &Object) {
        for owner in object.metadata.owner_references.iter().flatten() {
            self.by_owner.entry(owner.uid.clone()).or_default().insert((object.kind, Key::of(object)));
        }
        if *object.kind == podlab_api::kinds::POD
            && !object.metadata.owner_references.iter().flatten().any(|owner| owner.controller == Some(true))
        {
            self.loose_pods.insert(Key::of(object));
        }
        self.index_node(object);
    }

    fn index_node(&mut self, object: &Object) {
        if let Some(node) = node_of(object) {
            let key = Key::of(object);
            match self.pods_by_node.get_mut(node) {
                Some(keys) => {
                    keys.insert(key);
                }
                None => {
                    self.pods_by_node.insert(node.to_owned(), BTreeSet::from([key]));
                }
            }
        }
    }

    fn unindex(&mut self, object: &Object) {
        let key = Key::of(object);
        for owner in object.metadata.owner_references.iter().flatten() {
            if let Some(set) = self.by_owner.get_mut(&owner.uid) {
                set.remove(&(object.kind, key.clone()));
                if set.is_empty() {
                    self.by_owner.remove(&owner.uid);
                }
            }
        }
        if *object.kind == podlab_api::kinds::POD {
            self.loose_pods.remove(&key);
        }
        self.unindex_node(object);
    }

    fn unindex_node(&mut self, object: &Object) {
        if let Some(set) = node_of(object).and_then(|node| self.pods_by_node.get_mut(node)) {
            set.remove(&Key::of(object));
        }
    }
}

/// The place of a namespace among those of a kind, or where it would be.
fn find_namespace(of_kind: &[(Arc<str>, Names)], namespace: &str) -> Result<usize, usize> {
    of_kind.binary_search_by(|(known, _)| (**known).cmp(namespace))
}

/// The node a pod is bound to.
fn node_of(object: &Object) -> Option<&str> {
    object.node_name()
}
