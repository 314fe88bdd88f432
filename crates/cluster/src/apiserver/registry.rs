//! The generic registry: create, update, delete, the same for every kind.
//!
//! Source: k8s.io/apiserver/pkg/registry/generic/registry/store.go (v1.37).

use super::strategy::{self, Writer};
use super::{ApiServer, admission, field_managers};
use crate::store::Key;
use podlab_api::door::Propagation;
use podlab_api::pod_tree::DecodedPod;
use podlab_api::time::time;
use podlab_api::{Kind, Object, Status, kinds};
use std::sync::Arc;

/// How an object is deleted.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// Seconds a pod gets to end; `None` is its own wish.
    pub grace_period_seconds: Option<i64>,
    /// What becomes of dependents; `None` is background.
    pub propagation: Option<Propagation>,
    /// Deletes only the object with this uid.
    pub uid: Option<String>,
    /// Deletes only the object at this resourceVersion.
    pub resource_version: Option<String>,
}

/// Why an update by a component did not happen.
#[derive(Debug)]
pub enum UpdateError {
    /// The object is gone, or another one has its name.
    NotFound,
    /// The API server refused.
    Refused(Box<Status>),
}

const REGISTRY_CONFLICT: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

impl ApiServer {
    /// Stores a component's new object after name, strategy, admission and validation.
    ///
    /// # Errors
    /// What the API server would answer.
    pub fn create(&mut self, object: Object) -> Result<Arc<Object>, Status> {
        self.create_as(Writer::Component, object, None, false, &mut Vec::new())
    }

    /// Stores a component's new object that is given as a tree, after filling in defaults.
    ///
    /// # Errors
    /// What the API server would answer.
    pub fn create_tree(
        &mut self,
        kind: &'static Kind,
        mut tree: serde_json::Value,
    ) -> Result<Arc<Object>, Status> {
        super::decode::apply_defaults(kind, &mut tree);
        let serde_json::Value::Object(fields) = tree else {
            return Err(Status::bad_request("not an object"));
        };
        let object =
            Object::from_fields(kind, fields).map_err(|error| Status::bad_request(error.to_string()))?;
        self.create(object)
    }

    /// Stores what a client sent, optionally without keeping it; `decoded` is what a pod was made from, where that is at
    /// hand, and warnings are added to `warnings`.
    ///
    /// # Errors
    /// What the API server would answer.
    pub fn create_with(
        &mut self,
        object: Object,
        decoded: Option<DecodedPod>,
        dry_run: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Object>, Status> {
        self.create_as(Writer::Client, object, decoded, dry_run, warnings)
    }

    fn create_as(
        &mut self,
        writer: Writer,
        mut object: Object,
        mut decoded: Option<DecodedPod>,
        dry_run: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Object>, Status> {
        let kind = object.kind;
        if !kind.namespaced {
            object.metadata.namespace = None;
        }
        let uid = self.draw("uid").uuid();
        object.metadata.uid = Some(uid);
        object.metadata.creation_timestamp = Some(time(self.now.as_secs()));
        object.metadata.deletion_timestamp = None;
        object.metadata.deletion_grace_period_seconds = None;
        object.metadata.resource_version = None;
        object.metadata.self_link = None;
        if admission::admit_create(self, &mut object)? == admission::Filled::More {
            decoded = None;
        }
        self.confirm_no_escalation(&object, None)?;
        if object.name().is_empty() && object.metadata.generate_name.is_some() {
            // Source: k8s.io/apiserver/pkg/storage/names/generate.go: the base is cut to 58 characters.
            let base: String =
                object.metadata.generate_name.as_deref().unwrap_or("").chars().take(58).collect();
            let suffix = self.draw(&base).suffix(5);
            object.metadata.name = Some(format!("{base}{suffix}"));
        }
        let allocation = self.begin_create(&mut object, dry_run)?;
        let stored = self.create_begun(writer, object, decoded, dry_run, warnings);
        if stored.is_err() || dry_run {
            self.revert(&allocation);
        }
        stored
    }

    /// The rest of a creation, once addresses are handed out.
    fn create_begun(
        &mut self,
        writer: Writer,
        mut object: Object,
        decoded: Option<DecodedPod>,
        dry_run: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Object>, Status> {
        let kind = object.kind;
        strategy::prepare_for_create(&mut object);
        self.validate_create(writer, &mut object, decoded, warnings)?;
        let charges = admission::validate_create(self, &object, warnings)?;
        // What is charged is written before the object, so that its place has to be free by then.
        if (dry_run || !charges.is_empty())
            && self.store.get(kind, object.namespace(), object.name()).is_some()
        {
            return Err(Status::already_exists(kind, object.name()));
        }
        strategy::default_stored(&mut object);
        if dry_run {
            return Ok(Arc::new(object));
        }
        admission::charge(self, charges);
        field_managers::settle(&mut object, None);
        self.store.put_new(object).map_err(|object| Status::already_exists(kind, object.name()))
    }

    /// Validates a new object; one that is like a pod which was accepted lately is valid as well.
    fn validate_create(
        &mut self,
        writer: Writer,
        object: &mut Object,
        decoded: Option<DecodedPod>,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        let may_be_known = self.accepted.concerns(writer);
        if may_be_known && let Some(known) = self.accepted.warnings(object) {
            warnings.extend_from_slice(known);
            return Ok(());
        }
        let found = strategy::validate_create(object, decoded, writer)?;
        if may_be_known {
            self.accepted.keep_valid(object, &found);
        }
        warnings.extend(found);
        Ok(())
    }

    /// Replaces a component's object through the main resource.
    ///
    /// # Errors
    /// What the API server would answer: not found, conflict, invalid.
    pub fn update(&mut self, object: Object) -> Result<Arc<Object>, Status> {
        self.update_as(Writer::Component, object, None, false, &mut Vec::new())
    }

    /// Replaces the status of a component's object.
    ///
    /// # Errors
    /// What the API server would answer: not found, conflict.
    pub fn update_status(&mut self, object: Object) -> Result<Arc<Object>, Status> {
        self.update_as(Writer::Component, object, Some("status"), false, &mut Vec::new())
    }

    /// Replaces an object by what a client sent, through the main resource or a subresource (`status`).
    ///
    /// # Errors
    /// What the API server would answer: not found, conflict, invalid.
    pub fn update_with(
        &mut self,
        object: Object,
        subresource: Option<&str>,
        dry_run: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Object>, Status> {
        self.update_as(Writer::Client, object, subresource, dry_run, warnings)
    }

    fn update_as(
        &mut self,
        writer: Writer,
        mut object: Object,
        subresource: Option<&str>,
        dry_run: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Object>, Status> {
        let kind = object.kind;
        let old = self.store.get(kind, object.namespace(), object.name());
        let Some(old) = old.map(|old| super::definitions::in_version(kind, old)) else {
            return Err(Status::not_found(kind, object.name()));
        };
        match object.metadata.resource_version.as_deref().filter(|v| !v.is_empty()) {
            Some(version) if Some(version) != old.metadata.resource_version.as_deref() => {
                return Err(Status::conflict(kind, object.name(), REGISTRY_CONFLICT));
            }
            Some(_) => {}
            None if strategy::allow_unconditional_update(kind) => {
                object.metadata.resource_version.clone_from(&old.metadata.resource_version);
            }
            None => return Err(strategy::version_required(&object)),
        }
        if let Some(uid) = object.metadata.uid.as_deref().filter(|u| !u.is_empty())
            && uid != old.uid()
        {
            let why =
                format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", old.uid());
            return Err(Status::conflict(kind, object.name(), &why));
        }
        keep_system_metadata(&mut object, &old);
        if object.managed.is_none() {
            object.managed.clone_from(&old.managed);
        }
        admission::admit_update(self, &mut object, &old, subresource);
        self.confirm_no_escalation(&object, Some(&old))?;
        let allocation = match subresource {
            None => self.begin_update(&mut object, &old, dry_run)?,
            Some(_) => Default::default(),
        };
        let stored = self.update_begun(writer, object, old, subresource, dry_run, warnings);
        match stored {
            Ok(_) if !dry_run => self.commit(&allocation),
            _ => self.revert(&allocation),
        }
        stored
    }

    /// The rest of an update, once addresses are handed out.
    fn update_begun(
        &mut self,
        writer: Writer,
        mut object: Object,
        old: Arc<Object>,
        subresource: Option<&str>,
        dry_run: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Object>, Status> {
        let kind = object.kind;
        strategy::prepare_for_update(&mut object, &old, subresource);
        strategy::validate_update(&object, &old, subresource, writer, warnings)?;
        let charges = admission::validate_update(self, &object, &old, subresource, warnings)?;
        if dry_run {
            return Ok(Arc::new(object));
        }
        admission::charge(self, charges);
        if same_but_for_version(&object, &old) && field_managers::unchanged(&object, &old) {
            // The real store does not write what would change nothing.
            return Ok(old);
        }
        if object.is_terminating()
            && object.metadata.finalizers.as_deref().unwrap_or(&[]).is_empty()
            && object.metadata.deletion_grace_period_seconds.unwrap_or(0) == 0
            && namespace_is_finalized(&object)
        {
            // The last finalizer is gone: so is the object, in the state before.
            let key = Key::of(&object);
            return self.finish_delete(kind, &key).ok_or_else(|| Status::not_found(kind, &key.name));
        }
        field_managers::settle(&mut object, Some(&old));
        Ok(self.store.put(object))
    }

    /// Replaces the status of an object that is kept as a tree, whatever its version.
    ///
    /// # Errors
    /// As [`ApiServer::modify`].
    pub(crate) fn write_status(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        status: serde_json::Value,
    ) -> Result<Arc<Object>, UpdateError> {
        self.modify(kind, namespace, name, Some("status"), |object| {
            if let podlab_api::Body::Tree(fields) = &mut object.body {
                Arc::make_mut(fields).insert("status".to_owned(), status);
            }
        })
    }

    /// Changes an object in place, for components: no conflict is possible, since time does not pass
    /// between reading and writing.
    ///
    /// # Errors
    /// It is gone, or the API server refuses the change.
    pub fn modify(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        subresource: Option<&str>,
        change: impl FnOnce(&mut Object),
    ) -> Result<Arc<Object>, UpdateError> {
        let Some(old) = self.store.get(kind, namespace, name) else {
            return Err(UpdateError::NotFound);
        };
        let mut object = (**old).clone();
        change(&mut object);
        self.update_as(Writer::Component, object, subresource, false, &mut Vec::new())
            .map_err(|status| UpdateError::Refused(Box::new(status)))
    }

    /// Begins or completes the deletion of an object; gives its last state.
    ///
    /// # Errors
    /// What the API server would answer.
    pub fn delete(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Arc<Object>, Status> {
        let Some(old) = self.store.get(kind, namespace, name).cloned() else {
            return Err(Status::not_found(kind, name));
        };
        check_preconditions(&old, options)?;
        admission::admit_delete(kind, namespace, name)?;
        let key = Key::of(&old);
        if *kind == kinds::POD {
            return self.delete_pod(&old, options);
        }
        let mut finalizers = old.metadata.finalizers.clone().unwrap_or_default();
        let wanted = match options.propagation {
            Some(Propagation::Foreground) => Some("foregroundDeletion"),
            Some(Propagation::Orphan) => Some("orphan"),
            _ => None,
        };
        if self.settings.profile.has_all_controllers()
            && let Some(finalizer) = wanted
            && !finalizers.iter().any(|f| f == finalizer)
            && self.store.dependents(old.uid()).next().is_some()
        {
            finalizers.push(finalizer.to_owned());
        }
        if *kind == kinds::CUSTOM_RESOURCE_DEFINITION {
            ApiServer::mark_definition(&mut finalizers);
        }
        if finalizers.is_empty() && namespace_is_finalized(&old) {
            return self.finish_delete(kind, &key).ok_or_else(|| Status::not_found(kind, name));
        }
        if old.is_terminating() {
            return Ok(old);
        }
        let mut object = (*old).clone();
        object.metadata.finalizers = (!finalizers.is_empty()).then_some(finalizers);
        object.metadata.deletion_timestamp = Some(time(self.now.as_secs()));
        object.metadata.deletion_grace_period_seconds = Some(0);
        bump_generation(&mut object);
        strategy::on_delete_begins(&mut object);
        Ok(self.store.put(object))
    }

    /// Takes an object out of the store and gives back what it held.
    pub(crate) fn finish_delete(&mut self, kind: &'static Kind, key: &Key) -> Option<Arc<Object>> {
        let last = self.store.remove(kind, key)?;
        self.release_for(&last);
        Some(last)
    }
}

/// Source: k8s.io/apiserver/pkg/registry/rest/delete.go `BeforeDelete` (v1.37), which names the kind for the resource.
pub(super) fn check_preconditions(old: &Object, options: &DeleteOptions) -> Result<(), Status> {
    let version = old.metadata.resource_version.as_deref().unwrap_or("");
    let what = |field: &str, wanted: &Option<String>, own: &str, done: &str| {
        let wanted = wanted.as_deref().filter(|wanted| *wanted != own)?;
        Some(format!(
            "the {field} in the precondition ({wanted}) does not match the {field} in record ({own}). The object might \
             have been {done}"
        ))
    };
    let broken = what("UID", &options.uid, old.uid(), "deleted and then recreated")
        .or_else(|| what("ResourceVersion", &options.resource_version, version, "modified"));
    let Some(why) = broken else { return Ok(()) };
    let mut status = Status::conflict(old.kind, old.name(), &why);
    status.message =
        format!("Operation cannot be fulfilled on {} {:?}: {why}", old.kind.group_kind(), old.name());
    if let Some(details) = &mut status.details {
        details.kind = old.kind.kind.to_owned();
    }
    Err(status)
}

/// Counts a change of the desired state, for the kinds that count.
pub(super) fn bump_generation(object: &mut Object) {
    if let Some(generation) = &mut object.metadata.generation {
        *generation += 1;
    }
}

/// What no client may change.
///
/// Source: k8s.io/apiserver/pkg/registry/rest/update.go `BeforeUpdate` (v1.37).
fn keep_system_metadata(object: &mut Object, old: &Object) {
    let meta = &mut object.metadata;
    meta.uid.clone_from(&old.metadata.uid);
    meta.creation_timestamp.clone_from(&old.metadata.creation_timestamp);
    meta.deletion_timestamp.clone_from(&old.metadata.deletion_timestamp);
    meta.deletion_grace_period_seconds = old.metadata.deletion_grace_period_seconds;
    meta.generation = old.metadata.generation;
    meta.generate_name.clone_from(&old.metadata.generate_name);
    meta.self_link = None;
}

fn same_but_for_version(new: &Object, old: &Object) -> bool {
    use podlab_api::Body;
    let bodies = match (&new.body, &old.body) {
        (
            Body::Pod { spec: a, node_name: on_a, status: b },
            Body::Pod { spec: c, node_name: on_c, status: d },
        ) => a == c && on_a == on_c && b == d,
        (Body::Node { spec: a, status: b }, Body::Node { spec: c, status: d }) => a == c && b == d,
        (Body::Event(a), Body::Event(b)) => a == b,
        (Body::Tree(a), Body::Tree(b)) => a == b,
        _ => false,
    };
    let (a, b) = (&new.metadata, &old.metadata);
    // Every field but the resourceVersion, which differs by nature.
    bodies
        && a.name == b.name
        && a.namespace == b.namespace
        && a.uid == b.uid
        && a.labels == b.labels
        && a.annotations == b.annotations
        && a.generation == b.generation
        && a.generate_name == b.generate_name
        && a.owner_references == b.owner_references
        && a.finalizers == b.finalizers
        && a.creation_timestamp == b.creation_timestamp
        && a.deletion_timestamp == b.deletion_timestamp
        && a.deletion_grace_period_seconds == b.deletion_grace_period_seconds
        && a.managed_fields == b.managed_fields
        && a.self_link == b.self_link
}

/// A namespace stays until its own finalizer, in `spec`, is taken away by the namespace controller.
fn namespace_is_finalized(object: &Object) -> bool {
    *object.kind != kinds::NAMESPACE
        || object
            .field("spec")
            .and_then(|s| s.get("finalizers"))
            .and_then(|f| f.as_array())
            .is_none_or(|f| f.is_empty())
}
