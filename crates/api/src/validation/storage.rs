//! PersistentVolume, PersistentVolumeClaim, StorageClass.
//!
//! Source: pkg/apis/core/validation/validation.go, pkg/apis/storage/validation/validation.go (v1.37).

use super::affinity::validate_node_selector;
use super::field::{BadValue, FieldError, Path};
use super::go_json::internal_diff;
use super::meta::{self, name_is_dns_subdomain};
use super::resources::{quantity, validate_quantity_value};
use super::volume::{self, all_required};
use super::{Errors, content, invalid_each, required, supported};
use crate::schema::tree::{at, has, list, map, set, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

fn validate_access_modes(errors: &mut Errors, spec: &Value, path: &Path) {
    let modes: Vec<&str> = list(spec, "accessModes").iter().filter_map(Value::as_str).collect();
    let path = path.child("accessModes");
    for mode in &modes {
        supported(errors, &path, mode, &ACCESS_MODES);
    }
    let others = modes.iter().any(|m| *m != "ReadWriteOncePod" && ACCESS_MODES.contains(m));
    if modes.contains(&"ReadWriteOncePod") && others {
        let detail = "may not use ReadWriteOncePod with other access modes";
        errors.push(FieldError::forbidden(&path, detail));
    }
}

fn class_name(errors: &mut Errors, spec: &Value, field: &str, path: &Path) {
    let name = text(spec, field);
    if !name.is_empty() {
        invalid_each(errors, &path.child(field), name, name_is_dns_subdomain(name, false));
    }
}

fn positive(errors: &mut Errors, value: &Value, path: &Path) -> bool {
    let quantity = quantity(value);
    if quantity.signum() <= 0 {
        errors.push(FieldError::invalid(path, quantity.to_string(), "must be greater than zero"));
    }
    quantity.signum() > 0
}

pub(crate) fn validate_claim_spec(errors: &mut Errors, spec: &Value, path: &Path) {
    if list(spec, "accessModes").is_empty() {
        let detail = "at least 1 access mode is required";
        errors.push(FieldError::required(&path.child("accessModes"), detail));
    }
    meta::validate_label_selector(errors, at(spec, "selector"), &path.child("selector"));
    validate_access_modes(errors, spec, path);
    let resources = path.child("resources");
    let storage_path = resources.key("storage");
    match map(spec, "resources.requests").get("storage") {
        None => errors.push(FieldError::required(&storage_path, "")),
        Some(size) => {
            if positive(errors, size, &storage_path) {
                validate_quantity_value(errors, "storage", size, &storage_path);
            }
        }
    }
    class_name(errors, spec, "storageClassName", path);
    if has(spec, "volumeMode") {
        supported(errors, &path.child("volumeMode"), text(spec, "volumeMode"), &["Block", "Filesystem"]);
    }
    for field in ["dataSource", "dataSourceRef"] {
        let source = at(spec, field);
        if source.is_null() {
            continue;
        }
        let path = path.child(field);
        all_required(errors, source, &["name", "kind"], &path);
        let (group, kind) = (text(source, "apiGroup"), text(source, "kind"));
        if group.is_empty() {
            if kind != "PersistentVolumeClaim" {
                let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
                errors.push(FieldError::invalid(&path, kind, detail));
            }
        } else {
            invalid_each(errors, &path.child("apiGroup"), group, content::is_dns1123_subdomain(group));
        }
        let namespace = text(source, "namespace");
        if !namespace.is_empty() {
            let messages = meta::name_is_dns_label(namespace, false);
            invalid_each(errors, &path.child("namespace"), namespace, messages);
        }
    }
    let (source, reference) = (at(spec, "dataSource"), at(spec, "dataSourceRef"));
    if !source.is_null() && !reference.is_null() {
        let detail = if !text(reference, "namespace").is_empty() {
            Some("may not be specified when dataSourceRef.namespace is specified")
        } else {
            let differs = |field| at(source, field) != at(reference, field);
            ["apiGroup", "kind", "name"].into_iter().any(differs).then_some("must match dataSourceRef")
        };
        // What is shown there is a path, which has no fields to be seen.
        let shown = || BadValue::Json("{}".to_owned());
        errors.extend(detail.map(|detail| FieldError::invalid(path, shown(), detail)));
    }
    class_name(errors, spec, "volumeAttributesClassName", path);
}

pub(crate) fn validate_claim_update(errors: &mut Errors, new: &Value, old: &Value) {
    let (mut new_spec, mut old_spec) = (at(new, "spec").clone(), at(old, "spec").clone());
    if text(&old_spec, "volumeName").is_empty() && has(&new_spec, "volumeName") {
        let name = at(&new_spec, "volumeName").clone();
        set(&mut old_spec, "volumeName", name);
    }
    if !has(&old_spec, "storageClassName") && has(&new_spec, "storageClassName") {
        // A claim made before there was a default class may be given one.
        if let Some(spec) = new_spec.as_object_mut() {
            spec.remove("storageClassName");
        }
    }
    let old_size = at(&old_spec, "resources.requests.storage").clone();
    let new_size = at(&new_spec, "resources.requests.storage").clone();
    if text(new, "status.phase") == "Bound" {
        if let Some(requests) = new_spec.pointer_mut("/resources/requests") {
            set(requests, "storage", old_size.clone());
        }
        match old_spec.get("volumeAttributesClassName").cloned() {
            Some(class) => set(&mut new_spec, "volumeAttributesClassName", class),
            None => crate::schema::tree::remove(&mut new_spec, "volumeAttributesClassName"),
        }
    }
    let path = Path::new("spec");
    if new_spec != old_spec {
        let diff = internal_diff("core.PersistentVolumeClaimSpec", &old_spec, &new_spec);
        let detail = format!(
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n{diff}"
        );
        errors.push(FieldError::forbidden(&path, detail));
    }
    if quantity(&new_size) < quantity(&old_size)
        && quantity(&new_size) <= quantity(at(old, "status.capacity.storage"))
    {
        let detail = "field can not be less than status.capacity";
        errors.push(FieldError::forbidden(&path.child("resources.requests.storage"), detail));
    }
    let modes = [new, old].map(|o| at(o, "spec.volumeMode"));
    let [new_mode, old_mode] = modes;
    meta::immutable(errors, new_mode, old_mode, &Path::new("volumeMode"));
}

type SourceRule = fn(&mut Errors, &Value, &Path);

/// Sources of a volume in the order in which they are looked at.
const SOURCES: [(&str, SourceRule); 21] = [
    ("hostPath", volume::host_path),
    ("gcePersistentDisk", |e, s, p| volume::partitioned_disk(e, s, "pdName", p)),
    ("awsElasticBlockStore", |e, s, p| volume::partitioned_disk(e, s, "volumeID", p)),
    ("glusterfs", |e, s, p| all_required(e, s, &["endpoints", "path"], p)),
    ("flocker", |_, _, _| {}),
    ("nfs", volume::nfs),
    ("rbd", |e, s, p| all_required(e, s, &["image"], p)),
    ("quobyte", |e, s, p| all_required(e, s, &["registry", "volume"], p)),
    ("cephfs", |e, s, p| {
        if list(s, "monitors").is_empty() {
            e.push(FieldError::required(&p.child("monitors"), ""));
        }
    }),
    ("iscsi", volume::iscsi),
    ("cinder", |e, s, p| all_required(e, s, &["volumeID"], p)),
    ("fc", volume::fibre_channel),
    ("flexVolume", volume::flex_volume),
    ("azureFile", |e, s, p| all_required(e, s, &["secretName", "shareName"], p)),
    ("vsphereVolume", |e, s, p| all_required(e, s, &["volumePath"], p)),
    ("photonPersistentDisk", |e, s, p| all_required(e, s, &["pdID"], p)),
    ("portworxVolume", |e, s, p| all_required(e, s, &["volumeID"], p)),
    ("azureDisk", volume::azure_disk),
    ("scaleIO", |e, s, p| all_required(e, s, &["gateway", "system", "volumeName"], p)),
    ("local", |e, s, p| {
        if required(e, &p.child("path"), text(s, "path")) {
            volume::no_backsteps(e, text(s, "path"), &p.child("path"));
        }
    }),
    ("csi", |e, s, p| {
        volume::csi_driver_name(e, text(s, "driver"), &p.child("driver"));
        required(e, &p.child("volumeHandle"), text(s, "volumeHandle"));
    }),
];

pub(crate) fn validate_volume(errors: &mut Errors, object: &Value) {
    let spec = at(object, "spec");
    let path = Path::new("spec");
    if list(spec, "accessModes").is_empty() {
        errors.push(FieldError::required(&path.child("accessModes"), ""));
    }
    validate_access_modes(errors, spec, &path);
    let capacity = map(spec, "capacity");
    let capacity_path = path.child("capacity");
    if capacity.is_empty() {
        errors.push(FieldError::required(&capacity_path, ""));
    }
    if !capacity.contains_key("storage") || capacity.len() > 1 {
        let shown = at(spec, "capacity").clone();
        errors.push(FieldError::not_supported(&capacity_path, shown, &["storage"]));
    }
    for (name, size) in capacity {
        let path = capacity_path.key(name);
        let value = quantity(size).value();
        if value < 0 {
            errors.push(FieldError::invalid(&path, value, "must be a valid resource quantity"));
        }
        positive(errors, size, &path);
    }
    let policy = text(spec, "persistentVolumeReclaimPolicy");
    let policy_path = path.child("persistentVolumeReclaimPolicy");
    if !policy.is_empty() {
        supported(errors, &policy_path, policy, &["Delete", "Recycle", "Retain"]);
    }
    if has(spec, "nodeAffinity") {
        let affinity = path.child("nodeAffinity");
        let required_path = affinity.child("required");
        if has(spec, "nodeAffinity.required") {
            validate_node_selector(errors, at(spec, "nodeAffinity.required"), true, &required_path);
        } else {
            let detail = "must specify required node constraints";
            errors.push(FieldError::required(&required_path, detail));
        }
    }
    let mut found = false;
    for (field, rule) in SOURCES {
        let source = at(spec, field);
        if source.is_null() {
            continue;
        }
        if found {
            let detail = "may not specify more than 1 volume type";
            errors.push(FieldError::forbidden(&path.child(field), detail));
            continue;
        }
        found = true;
        rule(errors, source, &path.child(field));
        if field == "local" && !has(spec, "nodeAffinity.required") {
            let detail = "Local volume requires node affinity";
            errors.push(FieldError::required(&path.child("nodeAffinity"), detail));
        }
    }
    if !found {
        errors.push(FieldError::required(&path, "must specify a volume type"));
    }
    if policy == "Recycle"
        && text(spec, "hostPath.path").trim_end_matches('/').is_empty()
        && has(spec, "hostPath")
    {
        let detail = "may not be 'recycle' for a hostPath mount of '/'";
        errors.push(FieldError::forbidden(&policy_path, detail));
    }
    class_name(errors, spec, "storageClassName", &path);
    if has(spec, "volumeMode") {
        supported(errors, &path.child("volumeMode"), text(spec, "volumeMode"), &["Block", "Filesystem"]);
    }
    if has(spec, "volumeAttributesClassName") {
        let name = text(spec, "volumeAttributesClassName");
        let class_path = path.child("volumeAttributesClassName");
        if name.is_empty() {
            errors.push(FieldError::required(&class_path, "an empty string is disallowed"));
        } else {
            invalid_each(errors, &class_path, name, name_is_dns_subdomain(name, false));
        }
        if !has(spec, "csi") {
            let detail = "has to be specified when using volumeAttributesClassName";
            errors.push(FieldError::required(&path.child("csi"), detail));
        }
    }
}

pub(crate) fn validate_volume_update(errors: &mut Errors, new: &Value, old: &Value) {
    let source = |object: &Value| {
        let mut out = serde_json::Map::new();
        for (field, _) in &SOURCES {
            if has(at(object, "spec"), field) {
                out.insert((*field).to_owned(), at(at(object, "spec"), field).clone());
            }
        }
        Value::Object(out)
    };
    let (new_source, old_source) = (source(new), source(old));
    if new_source != old_source {
        let diff = internal_diff("core.PersistentVolumeSource", &old_source, &new_source);
        let detail = format!("spec.persistentvolumesource is immutable after creation\n{diff}");
        errors.push(FieldError::forbidden(&Path::new("spec.persistentvolumesource"), detail));
    }
    meta::immutable(errors, at(new, "spec.volumeMode"), at(old, "spec.volumeMode"), &Path::new("volumeMode"));
    if has(old, "spec.nodeAffinity") && at(new, "spec.nodeAffinity") != at(old, "spec.nodeAffinity") {
        let shown = super::go_json::internal_json("core.VolumeNodeAffinity", at(new, "spec.nodeAffinity"));
        let detail = "field is immutable, except for updating from beta label to GA";
        errors.push(FieldError::invalid(&Path::new("nodeAffinity"), BadValue::Json(shown), detail));
    }
}

pub(crate) fn validate_storage_class(errors: &mut Errors, object: &Value) {
    let provisioner = text(object, "provisioner");
    let path = Path::new("provisioner");
    if required(errors, &path, provisioner) {
        invalid_each(errors, &path, provisioner, content::is_qualified_name(&provisioner.to_lowercase()));
    }
    let parameters = map(object, "parameters");
    let path = Path::new("parameters");
    if parameters.len() > 512 {
        errors.push(FieldError::too_long(&path, 512));
    }
    let mut size = 0;
    for (key, value) in parameters {
        if key.is_empty() {
            errors.push(FieldError::invalid(&path, "", "field can not be empty."));
        }
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > 256 * 1024 {
        errors.push(FieldError::too_long(&path, 256 * 1024));
    }
    let policy = text(object, "reclaimPolicy");
    if !policy.is_empty() {
        supported(errors, &Path::new("reclaimPolicy"), policy, &["Delete", "Retain"]);
    }
    let mode = text(object, "volumeBindingMode");
    super::required_supported(
        errors,
        &Path::new("volumeBindingMode"),
        mode,
        &["Immediate", "WaitForFirstConsumer"],
    );
    let mut terms: Vec<BTreeMap<&str, BTreeSet<&str>>> = Vec::new();
    for (i, topology) in list(object, "allowedTopologies").iter().enumerate() {
        let path = Path::new("allowedTopologies");
        let path = path.index(i);
        let mut term: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (j, requirement) in list(topology, "matchLabelExpressions").iter().enumerate() {
            let expressions = path.child("matchLabelExpressions");
            let path = expressions.index(j);
            if list(requirement, "values").is_empty() {
                errors.push(FieldError::required(&path.child("values"), ""));
            }
            let mut seen: BTreeSet<&str> = BTreeSet::new();
            for (k, value) in list(requirement, "values").iter().enumerate() {
                let value = value.as_str().unwrap_or("");
                if !seen.insert(value) {
                    let values = path.child("values");
                    errors.push(FieldError::duplicate(&values.index(k), value));
                }
            }
            let key = text(requirement, "key");
            invalid_each(errors, &path.child("key"), key, content::is_qualified_name(key));
            if term.insert(key, seen).is_some() {
                errors.push(FieldError::duplicate(&path.child("key"), key));
            }
        }
        // The list that terms are compared with begins with as many empty ones.
        if term.is_empty() || terms.contains(&term) {
            errors.push(FieldError::duplicate(&path.child("matchLabelExpressions"), ""));
        }
        terms.push(term);
    }
}

/// All but labels, annotations and expansion of a class stays as it is.
pub(crate) fn validate_storage_class_update(errors: &mut Errors, new: &Value, old: &Value) {
    for field in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] {
        // The generated validation, which tells this, shows no value.
        let null = BadValue::Value(Value::Null);
        meta::immutable_as(errors, at(new, field), at(old, field), null, &Path::new(field));
    }
}
