//! Who owns which fields, at the door: what clients write is noted, what they apply is merged and checked for conflicts.
//!
//! Components don't come by here. What they write is told from the object when somebody asks
//! (`podlab_api::managed_fields::managers_of`), so that it costs them nothing.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/create.go, update.go, patch.go (v1.37).

use super::ApiServer;
use super::bodies::PATCH_OPTIONS;
use super::handlers::Sent;
use podlab_api::door::RequestOptions;
use podlab_api::managed_fields::{
    Context, Managed, Manager, Managers, Operation, Reset, Set, Typed, apply, managers_of, update, zero_of,
};
use podlab_api::{Kind, Object, Status, StatusCause};
use serde_json::{Value, json};
use std::sync::Arc;

/// Who writes where a request names no field manager: the program that all requests come from.
const DEFAULT_MANAGER: &str = "kubectl";

/// What an apply makes of an object.
pub(super) struct Applied {
    /// The object; `None` where it stays as it is.
    pub object: Option<Value>,
    /// Who owns its fields then.
    pub managed: Arc<Managed>,
}

fn name(options: &RequestOptions) -> &str {
    options.field_manager.as_deref().filter(|name| !name.is_empty()).unwrap_or(DEFAULT_MANAGER)
}

/// Notes on a client's new object who made it, before admission fills in more.
pub(super) fn created(sent: &mut Sent, options: &RequestOptions) {
    let manager = name(options).into();
    sent.object.managed = Some(Arc::new(Managed::Created { manager, sent: sent.object.body.clone() }));
}

/// What an apply under no name is told.
///
/// Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go `ValidatePatchOptions` (v1.37).
pub(super) fn manager_required() -> Status {
    let cause = StatusCause {
        reason: "FieldValueRequired".to_owned(),
        message: "Required value: is required for apply patch".to_owned(),
        field: "fieldManager".to_owned(),
    };
    Status::invalid(&PATCH_OPTIONS, "", vec![cause])
}

/// What a write to a resource or subresource resets, and nobody comes to own by it.
///
/// Source: `GetResetFields` of pkg/registry/*/*/strategy.go (v1.37).
fn reset(kind: &Kind, subresource: &str) -> Reset {
    let fields = |paths: &[&[&str]]| {
        Reset(paths.iter().fold(Set::default(), |all, path| all.union(&Set::of_fields(path))))
    };
    match subresource {
        "" if kind.kind == "CertificateSigningRequest" && !kind.is_custom() => {
            fields(&[&["spec"], &["status"]])
        }
        "" if kind.subresources.contains(&"status") => fields(&[&["status"]]),
        "status" if kind.is_custom() => fields(&[&["metadata"], &["spec"]]),
        "status" => match kind.kind {
            "CertificateSigningRequest" => fields(&[&["spec"], &["status", "conditions"]]),
            "Deployment" => fields(&[&["spec"], &["metadata", "labels"]]),
            "Pod" => {
                fields(&[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]])
            }
            "PodCertificateRequest"
            | "PodGroup"
            | "ServiceCIDR"
            | "StorageVersionMigration"
            | "ResourceClaim"
            | "DeviceTaintRule"
            | "VolumeAttachment"
            | "CSINode"
            | "FlowSchema"
            | "PriorityLevelConfiguration"
            | "ValidatingAdmissionPolicy" => fields(&[&["metadata"], &["spec"]]),
            _ => fields(&[&["spec"]]),
        },
        "approval" => fields(&[&["spec"], &["status", "certificate"]]),
        _ => fields(&[]),
    }
}

/// The managers that a request's body names for the object: `None` where it says nothing of them.
fn sent_managers(sent: &Value) -> Option<Managers> {
    let entries = sent.pointer("/metadata/managedFields")?.as_array()?;
    if entries.is_empty()
        || matches!(entries.as_slice(), [one] if one.as_object().is_some_and(|e| e.is_empty()))
    {
        return Some(Managers::default());
    }
    Managers::decode(entries).ok().filter(|managers| !managers.is_empty())
}

/// Whether a patch speaks of `metadata.managedFields`, so that it has to find them in the object.
pub(super) fn concerns(patch: &Value) -> bool {
    match patch {
        Value::Array(operations) => operations.iter().any(|operation| {
            ["path", "from"].iter().any(|key| {
                operation
                    .get(*key)
                    .and_then(Value::as_str)
                    .is_some_and(|path| path.starts_with("/metadata/managedFields"))
            })
        }),
        patch => patch.pointer("/metadata/managedFields").is_some(),
    }
}

/// The managers of an object as they are read from the store.
pub(super) fn read_back(object: &Object) -> Managers {
    managers_of(object).read_back()
}

pub(super) fn known(managers: Managers, live: &Managers) -> Arc<Managed> {
    let only_times = managers.same_but_for_times(live);
    Arc::new(Managed::Known { managers, as_of: None, only_times })
}

/// Keeps the object as it is stored with its managers, so that later changes can be told to be components'.
pub(super) fn settle(object: &mut Object, old: Option<&Object>) {
    let Some(managed) = &object.managed else { return };
    if old.and_then(|old| old.managed.as_ref()).is_some_and(|before| Arc::ptr_eq(before, managed)) {
        return;
    }
    let Managed::Known { managers, as_of: None, .. } = managed.as_ref() else { return };
    let managers = managers.clone();
    object.managed = None;
    let as_of = Some(Box::new(object.clone()));
    object.managed = Some(Arc::new(Managed::Known { managers, as_of, only_times: false }));
}

/// Whether a write that changes nothing else changes nobody's fields either.
pub(super) fn unchanged(new: &Object, old: &Object) -> bool {
    match (&new.managed, &old.managed) {
        (Some(new), Some(old)) if Arc::ptr_eq(new, old) => true,
        (Some(new), _) => !matches!(new.as_ref(), Managed::Known { only_times: false, .. }),
        (None, _) => true,
    }
}

impl ApiServer {
    /// As [`created`], with the managers worked out at once.
    pub(super) fn record_creation(&self, sent: &mut Sent, options: &RequestOptions) {
        let mut tree = sent.tree().into_owned();
        let object = &mut sent.object;
        let kind = object.kind;
        let api_version = kind.api_version();
        let context = Context {
            ty: Typed::of(kind),
            api_version: &api_version,
            reset: reset(kind, ""),
            now: self.now.as_secs(),
        };
        let who = Manager::new(name(options), Operation::Update, &api_version, "");
        // What only the system sets is wiped before anybody looks.
        if let Some(metadata) = tree.get_mut("metadata").and_then(Value::as_object_mut) {
            for name in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
                metadata.remove(name);
            }
        }
        // What defaulting and conversion write belongs to the client as well.
        match kind.kind {
            _ if kind.is_custom() => {}
            "Namespace" => tree["metadata"]["labels"]["kubernetes.io/metadata.name"] = object.name().into(),
            "DaemonSet" => {
                tree["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = "0".into();
            }
            _ => {}
        }
        let managers = update(&context, Managers::default(), &zero_of(kind), &tree, who);
        object.managed = Some(known(managers, &Managers::default()));
    }

    /// Notes on what a client wrote who owns its fields: `body` is the body as it came, or what the patch made of the
    /// old object.
    pub(super) fn record_update(
        &self,
        sent: &mut Sent,
        old: Option<&Object>,
        body: &Value,
        subresource: Option<&str>,
        options: &RequestOptions,
    ) {
        let kind = sent.object.kind;
        let Some(old) = old else {
            created(sent, options);
            return;
        };
        let live = read_back(old);
        let subresource = subresource.unwrap_or("");
        let managers = match sent_managers(body) {
            Some(managers) if subresource.is_empty() => managers,
            _ => live.clone(),
        };
        let managers =
            self.updated_managers(kind, subresource, managers, (&old.to_value(), &sent.tree()), options);
        sent.object.managed = Some(known(managers, &live));
    }

    /// The managers of an object of a kind, or of a subresource, after a change from one tree to another.
    pub(super) fn updated_managers(
        &self,
        kind: &'static Kind,
        subresource: &str,
        managers: Managers,
        (old, new): (&Value, &Value),
        options: &RequestOptions,
    ) -> Managers {
        // An object that nobody is tracked for stays so until it is applied.
        if managers.is_empty() {
            return managers;
        }
        let api_version = kind.api_version();
        let context = Context {
            ty: Typed::of(kind),
            api_version: &api_version,
            reset: reset(kind, subresource),
            now: self.now.as_secs(),
        };
        let who = Manager::new(name(options), Operation::Update, &api_version, subresource);
        update(&context, managers, old, new, who)
    }

    /// Merges what a client applies into an object, or into an empty one where there is none.
    ///
    /// # Errors
    /// 409 where somebody else owns what would change; 400 and 500 where it can't be applied.
    pub(super) fn apply(
        &self,
        kind: &'static Kind,
        old: Option<&Arc<Object>>,
        (namespace, object): (&str, &str),
        config: &Value,
        subresource: Option<&str>,
        options: &RequestOptions,
    ) -> Result<Applied, Status> {
        let live = old.map(|old| (old.to_value(), read_back(old)));
        let before = live.as_ref().map(|(_, managers)| managers.clone()).unwrap_or_default();
        let live = live.as_ref().map(|(live, managers)| (live, managers.clone()));
        let about = (namespace, object);
        let applied = self.apply_to(kind, live, about, config, subresource.unwrap_or(""), options)?;
        Ok(Applied { object: applied.object, managed: known(applied.managers, &before) })
    }

    /// As `apply`, into a tree of a kind with its managers.
    pub(super) fn apply_to(
        &self,
        kind: &'static Kind,
        live: Option<(&Value, Managers)>,
        (namespace, object): (&str, &str),
        config: &Value,
        subresource: &str,
        options: &RequestOptions,
    ) -> Result<podlab_api::managed_fields::Applied, Status> {
        let api_version = kind.api_version();
        let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or("");
        if text("kind") != kind.kind || text("apiVersion") != api_version {
            let (group, version) = text("apiVersion").rsplit_once('/').unwrap_or(("", text("apiVersion")));
            return Err(Status::bad_request(format!(
                "invalid object type: {group}/{version}, Kind={}",
                text("kind")
            )));
        }
        let ty = Typed::of(kind);
        let zero = zero_of(kind);
        let (live, managers) = live.unwrap_or((&zero, Managers::default()));
        let context = Context {
            ty,
            api_version: &api_version,
            reset: reset(kind, subresource),
            now: self.now.as_secs(),
        };
        let who = Manager::new(name(options), Operation::Apply, &api_version, subresource);
        let metadata = |key: &str, or: &str| {
            config.get("metadata").and_then(|m| m.get(key)).and_then(Value::as_str).unwrap_or(or).to_owned()
        };
        let about = format!(
            "{}/{}; {}/{}, Kind={}",
            metadata("namespace", namespace),
            metadata("name", object),
            kind.group,
            kind.version,
            kind.kind
        );
        apply(&context, managers, (&zero, live), config, &who, options.force, &about)
    }
}

/// The body of an apply that leaves an object as it is, but for who owns its fields.
pub(super) fn as_it_is(old: &Object) -> Value {
    let mut value = old.to_value();
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("resourceVersion".to_owned(), json!(old.metadata.resource_version));
    }
    value
}
