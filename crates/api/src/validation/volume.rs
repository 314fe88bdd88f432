//! Volumes of pods.
//!
//! Source: pkg/apis/core/validation/validation.go ValidateVolumes, validateVolumeSource (v1.37).

use super::content::is_dns1123_label;
use super::field::{FieldError, Path};
use super::meta::{name_is_dns_subdomain, validate_annotations, validate_labels};
use super::resources::quantity;
use super::{Errors, content, invalid_each, invalid_number, required, required_supported, supported};
use crate::schema::tree::{Fields, at, flag, has, int, list, map, text};
use serde_json::Value;

/// The volumes of a pod by name, for the mounts to look up.
pub(crate) type Volumes<'a> = std::collections::BTreeMap<&'a str, &'a Value>;

const FILE_MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// Checks all volumes and gives those that are well-formed.
pub(crate) fn validate_volumes<'a>(
    errors: &mut Errors,
    volumes: &'a [Value],
    pod_name: &str,
    path: &Path,
) -> Volumes<'a> {
    let mut good = Volumes::new();
    for (i, fields) in volumes.iter().map(Fields::of).enumerate() {
        let volume = &fields;
        let path = path.index(i);
        let name_path = path.child("name");
        let name = volume.text("name");
        let before = errors.len();
        validate_volume_source(errors, volume, name, pod_name, &path);
        if required(errors, &name_path, name) {
            invalid_each(errors, &name_path, name, is_dns1123_label(name));
        }
        if good.contains_key(name) {
            errors.push(FieldError::duplicate(&name_path, name));
        }
        if errors.len() == before {
            good.insert(name, volume.value);
        }
        let claim = text(volume.at("persistentVolumeClaim"), "claimName");
        let created =
            |other: &Value| has(other, "ephemeral") && claim == format!("{pod_name}-{}", text(other, "name"));
        if volume.has("persistentVolumeClaim") && !pod_name.is_empty() && volumes.iter().any(created) {
            errors.push(FieldError::invalid(
                &path.child("persistentVolumeClaim.claimName"),
                claim,
                "must not reference a PVC that gets created for an ephemeral volume",
            ));
        }
    }
    good
}

type SourceRule = fn(&mut Errors, &Value, &Path);

/// Sources in the order in which they are looked at, each with the name that "more than 1" is told under.
const SOURCES: [(&str, &str, SourceRule); 30] = [
    ("emptyDir", "emptyDir", empty_dir),
    ("hostPath", "hostPath", host_path),
    ("gitRepo", "gitRepo", git_repo),
    ("gcePersistentDisk", "gcePersistentDisk", |e, s, p| partitioned_disk(e, s, "pdName", p)),
    ("awsElasticBlockStore", "awsElasticBlockStore", |e, s, p| partitioned_disk(e, s, "volumeID", p)),
    ("secret", "secret", |e, s, p| keyed(e, s, "secretName", p)),
    ("nfs", "nfs", nfs),
    ("iscsi", "iscsi", iscsi),
    ("glusterfs", "glusterfs", |e, s, p| all_required(e, s, &["endpoints", "path"], p)),
    ("flocker", "flocker", flocker),
    ("persistentVolumeClaim", "persistentVolumeClaim", |e, s, p| all_required(e, s, &["claimName"], p)),
    ("rbd", "rbd", |e, s, p| {
        if list(s, "monitors").is_empty() {
            e.push(FieldError::required(&p.child("monitors"), ""));
        }
        all_required(e, s, &["image"], p);
    }),
    ("cinder", "cinder", |e, s, p| {
        all_required(e, s, &["volumeID"], p);
        if has(s, "secretRef") {
            required(e, &p.child("secretRef.name"), text(s, "secretRef.name"));
        }
    }),
    ("cephfs", "cephFS", |e, s, p| {
        if list(s, "monitors").is_empty() {
            e.push(FieldError::required(&p.child("monitors"), ""));
        }
    }),
    ("quobyte", "quobyte", quobyte),
    ("downwardAPI", "downwarAPI", downward_api),
    ("fc", "fc", fibre_channel),
    ("flexVolume", "flexVolume", flex_volume),
    ("configMap", "configMap", |e, s, p| keyed(e, s, "name", p)),
    ("azureFile", "azureFile", |e, s, p| all_required(e, s, &["secretName", "shareName"], p)),
    ("vsphereVolume", "vsphereVolume", |e, s, p| all_required(e, s, &["volumePath"], p)),
    ("photonPersistentDisk", "photonPersistentDisk", |e, s, p| all_required(e, s, &["pdID"], p)),
    ("portworxVolume", "portworxVolume", |e, s, p| all_required(e, s, &["volumeID"], p)),
    ("azureDisk", "azureDisk", azure_disk),
    ("storageos", "storageos", storage_os),
    ("projected", "projected", projected),
    ("scaleIO", "scaleIO", |e, s, p| all_required(e, s, &["gateway", "system", "volumeName"], p)),
    ("csi", "csi", csi),
    ("ephemeral", "ephemeral", ephemeral),
    ("image", "image", |e, s, p| {
        required(e, &p.child("reference"), text(s, "reference"));
        required_supported(
            e,
            &p.child("pullPolicy"),
            text(s, "pullPolicy"),
            &["Always", "IfNotPresent", "Never"],
        );
    }),
];

fn validate_volume_source(errors: &mut Errors, volume: &Fields<'_>, name: &str, pod_name: &str, path: &Path) {
    let mut found = false;
    for (field, told, rule) in SOURCES {
        let source = volume.at(field);
        if source.is_null() {
            continue;
        }
        if found {
            errors.push(FieldError::forbidden(&path.child(told), "may not specify more than 1 volume type"));
            continue;
        }
        found = true;
        // The original tells of this one under another name than the field has.
        let told = if field == "gcePersistentDisk" { "persistentDisk" } else { field };
        rule(errors, source, &path.child(told));
        if field == "iscsi" {
            let portal = text(source, "targetPortal");
            if has(source, "initiatorName") && name.len() + 1 + portal.len() > 64 {
                errors.push(FieldError::invalid(
                    &path.child("name"),
                    name,
                    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.",
                ));
            }
        }
        if field == "ephemeral" && !pod_name.is_empty() && !name.is_empty() {
            let claim = format!("{pod_name}-{name}");
            for message in name_is_dns_subdomain(&claim, false) {
                let detail = format!("PVC name {}: {message}", crate::go_text::quote(&claim));
                errors.push(FieldError::invalid(&path.child("name"), name, detail));
            }
        }
    }
    if !found {
        errors.push(FieldError::required(path, "must specify a volume type"));
    }
}

/// `Required value` for each of these fields that is empty.
pub(crate) fn all_required(errors: &mut Errors, source: &Value, fields: &[&str], path: &Path) {
    for field in fields {
        required(errors, &path.child(field), text(source, field));
    }
}

fn file_mode(errors: &mut Errors, source: &Value, field: &str, path: &Path) {
    if let Some(mode) = int(source, field).filter(|m| !(0..=0o777).contains(m)) {
        errors.push(FieldError::invalid(&path.child(field), mode, FILE_MODE));
    }
}

fn empty_dir(errors: &mut Errors, source: &Value, path: &Path) {
    if has(source, "sizeLimit") && quantity(at(source, "sizeLimit")).signum() < 0 {
        let detail = "SizeLimit field must be a valid resource quantity";
        errors.push(FieldError::forbidden(&path.child("sizeLimit"), detail));
    }
}

pub(crate) fn host_path(errors: &mut Errors, source: &Value, path: &Path) {
    let target = text(source, "path");
    if !required(errors, &path.child("path"), target) {
        return;
    }
    no_backsteps(errors, target, &path.child("path"));
    if has(source, "type") {
        supported(
            errors,
            &path.child("type"),
            text(source, "type"),
            &[
                "",
                "BlockDevice",
                "CharDevice",
                "Directory",
                "DirectoryOrCreate",
                "File",
                "FileOrCreate",
                "Socket",
            ],
        );
    }
}

fn git_repo(errors: &mut Errors, source: &Value, path: &Path) {
    required(errors, &path.child("repository"), text(source, "repository"));
    local_descending_path(errors, text(source, "directory"), &path.child("directory"));
}

pub(crate) fn partitioned_disk(errors: &mut Errors, source: &Value, id: &str, path: &Path) {
    required(errors, &path.child(id), text(source, id));
    let partition = int(source, "partition").unwrap_or(0);
    if !(0..=255).contains(&partition) {
        let detail = content::inclusive_range_error(1, 255);
        errors.push(FieldError::invalid(&path.child("partition"), partition, detail));
    }
}

/// A Secret or ConfigMap volume.
fn keyed(errors: &mut Errors, source: &Value, name: &str, path: &Path) {
    required(errors, &path.child(name), text(source, name));
    file_mode(errors, source, "defaultMode", path);
    for (i, item) in list(source, "items").iter().enumerate() {
        key_to_path(errors, item, &path.child("items").index(i));
    }
}

fn key_to_path(errors: &mut Errors, item: &Value, path: &Path) {
    all_required(errors, item, &["key", "path"], path);
    local_non_reserved_path(errors, text(item, "path"), &path.child("path"));
    file_mode(errors, item, "mode", path);
}

pub(crate) fn nfs(errors: &mut Errors, source: &Value, path: &Path) {
    all_required(errors, source, &["server", "path"], path);
    let target = text(source, "path");
    if !target.starts_with('/') {
        errors.push(FieldError::invalid(&path.child("path"), target, "must be an absolute path"));
    }
}

pub(crate) fn iscsi(errors: &mut Errors, source: &Value, path: &Path) {
    all_required(errors, source, &["targetPortal", "iqn"], path);
    let iqn = text(source, "iqn");
    if !iqn.is_empty() && !["iqn", "eui", "naa"].iter().any(|p| iqn.starts_with(p)) {
        let detail = "must be valid format starting with iqn, eui, or naa";
        errors.push(FieldError::invalid(&path.child("iqn"), iqn, detail));
    }
    let lun = int(source, "lun").unwrap_or(0);
    invalid_number(errors, &path.child("lun"), lun, content::is_in_range(lun, 0, 255));
    if (flag(source, "chapAuthDiscovery") || flag(source, "chapAuthSession")) && !has(source, "secretRef") {
        errors.push(FieldError::required(&path.child("secretRef"), ""));
    }
}

fn flocker(errors: &mut Errors, source: &Value, path: &Path) {
    let (name, uuid) = (text(source, "datasetName"), text(source, "datasetUUID"));
    if name.is_empty() && uuid.is_empty() {
        errors.push(FieldError::required(path, "one of datasetName and datasetUUID is required"));
    }
    if !name.is_empty() && !uuid.is_empty() {
        let detail = "datasetName and datasetUUID can not be specified simultaneously";
        errors.push(FieldError::invalid(path, "resource", detail));
    }
    if name.contains('/') {
        errors.push(FieldError::invalid(&path.child("datasetName"), name, "must not contain '/'"));
    }
}

fn quobyte(errors: &mut Errors, source: &Value, path: &Path) {
    let registry = text(source, "registry");
    let detail = "must be a host:port pair or multiple pairs separated by commas";
    if registry.is_empty() {
        errors.push(FieldError::required(&path.child("registry"), detail));
    } else {
        for _ in registry.split(',').filter(|p| !p.contains(':')) {
            errors.push(FieldError::invalid(&path.child("registry"), registry, detail));
        }
    }
    required(errors, &path.child("volume"), text(source, "volume"));
}

fn downward_api(errors: &mut Errors, source: &Value, path: &Path) {
    file_mode(errors, source, "defaultMode", path);
    for file in list(source, "items") {
        downward_api_file(errors, file, path);
    }
}

fn downward_api_file(errors: &mut Errors, file: &Value, path: &Path) {
    required(errors, &path.child("path"), text(file, "path"));
    local_non_reserved_path(errors, text(file, "path"), &path.child("path"));
    if has(file, "fieldRef") {
        super::container::object_field_selector(errors, at(file, "fieldRef"), true, &path.child("fieldRef"));
        if has(file, "resourceFieldRef") {
            let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
            errors.push(FieldError::invalid(path, "resource", detail));
        }
    } else if has(file, "resourceFieldRef") {
        let path = path.child("resourceFieldRef");
        super::container::resource_field_selector(errors, at(file, "resourceFieldRef"), true, &path);
    } else {
        errors.push(FieldError::required(path, "one of fieldRef and resourceFieldRef is required"));
    }
    file_mode(errors, file, "mode", path);
}

pub(crate) fn fibre_channel(errors: &mut Errors, source: &Value, path: &Path) {
    let (wwns, wwids) = (list(source, "targetWWNs"), list(source, "wwids"));
    let path_wwns = path.child("targetWWNs");
    if wwns.is_empty() && wwids.is_empty() {
        let detail = "must specify either targetWWNs or wwids, but not both";
        errors.push(FieldError::required(&path_wwns, detail));
    }
    if !wwns.is_empty() && !wwids.is_empty() {
        let detail = "targetWWNs and wwids can not be specified simultaneously";
        errors.push(FieldError::invalid(&path_wwns, Value::from(wwns.to_vec()), detail));
    }
    if !wwns.is_empty() {
        match int(source, "lun") {
            None => {
                let detail = "lun is required if targetWWNs is specified";
                errors.push(FieldError::required(&path.child("lun"), detail));
            }
            Some(lun) => invalid_number(errors, &path.child("lun"), lun, content::is_in_range(lun, 0, 255)),
        }
    }
}

pub(crate) fn flex_volume(errors: &mut Errors, source: &Value, path: &Path) {
    required(errors, &path.child("driver"), text(source, "driver"));
    for key in map(source, "options").keys() {
        let namespace = format!(".{}", key.split('/').next().unwrap_or("").to_lowercase());
        if namespace.ends_with(".kubernetes.io") || namespace.ends_with(".k8s.io") {
            errors.push(FieldError::invalid(
                &path.child("options").key(key),
                key.as_str(),
                "kubernetes.io and k8s.io namespaces are reserved",
            ));
        }
    }
}

pub(crate) fn azure_disk(errors: &mut Errors, source: &Value, path: &Path) {
    all_required(errors, source, &["diskName", "diskURI"], path);
    if has(source, "cachingMode") {
        let mode = text(source, "cachingMode");
        supported(errors, &path.child("cachingMode"), mode, &["None", "ReadOnly", "ReadWrite"]);
    }
    if has(source, "kind") {
        let (kind, uri) = (text(source, "kind"), text(source, "diskURI"));
        supported(errors, &path.child("kind"), kind, &["Dedicated", "Managed", "Shared"]);
        let (start, example) = if kind == "Managed" {
            (
                "/subscriptions/",
                "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
            )
        } else {
            ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd")
        };
        if !uri.starts_with(start) {
            errors.push(FieldError::not_supported(&path.child("diskURI"), uri, &[example]));
        }
    }
}

fn storage_os(errors: &mut Errors, source: &Value, path: &Path) {
    let name = text(source, "volumeName");
    if required(errors, &path.child("volumeName"), name) {
        invalid_each(errors, &path.child("volumeName"), name, is_dns1123_label(name));
    }
    let namespace = text(source, "volumeNamespace");
    if !namespace.is_empty() {
        invalid_each(errors, &path.child("volumeNamespace"), namespace, is_dns1123_label(namespace));
    }
    if has(source, "secretRef") {
        required(errors, &path.child("secretRef.name"), text(source, "secretRef.name"));
    }
}

fn projected(errors: &mut Errors, source: &Value, path: &Path) {
    file_mode(errors, source, "defaultMode", path);
    let mut paths: Vec<&str> = Vec::new();
    for (i, projection) in list(source, "sources").iter().map(Fields::of).enumerate() {
        let sources = path.child("sources");
        let source_path = sources.index(i);
        let mut count = 0;
        let once = |errors: &mut Errors, target: &'_ str, shown: &str, paths: &mut Vec<&str>| {
            if paths.contains(&target) {
                errors.push(FieldError::invalid(path, shown, "conflicting duplicate paths"));
            }
        };
        for kind in ["secret", "configMap"] {
            let part = projection.at(kind);
            if part.is_null() {
                continue;
            }
            count += 1;
            let part_path = source_path.child(kind);
            required(errors, &part_path.child("name"), text(part, "name"));
            for (j, item) in list(part, "items").iter().enumerate() {
                key_to_path(errors, item, &part_path.child("items").index(j));
                let target = text(item, "path");
                if !target.is_empty() {
                    once(errors, target, text(part, "name"), &mut paths);
                    paths.push(target);
                }
            }
        }
        if projection.has("downwardAPI") {
            count += 1;
            for file in list(projection.at("downwardAPI"), "items") {
                downward_api_file(errors, file, &source_path.child("downwardAPI"));
                let target = text(file, "path");
                if !target.is_empty() {
                    once(errors, target, target, &mut paths);
                    paths.push(target);
                }
            }
        }
        if projection.has("serviceAccountToken") {
            count += 1;
            service_account_token(errors, projection.at("serviceAccountToken"), &source_path, path);
        }
        if projection.has("clusterTrustBundle") {
            count += 1;
            let bundle = projection.at("clusterTrustBundle");
            cluster_trust_bundle(errors, bundle, &source_path.child("clusterTrustBundle"));
            let target = text(bundle, "path");
            once(errors, target, target, &mut paths);
            paths.push(target);
        }
        if projection.has("podCertificate") {
            count += 1;
            pod_certificate(errors, projection.at("podCertificate"), &source_path.child("podCertificate"));
        }
        if count > 1 {
            let detail = "may not specify more than 1 volume type per source";
            errors.push(FieldError::forbidden(&source_path, detail));
        }
    }
}

fn service_account_token(errors: &mut Errors, token: &Value, source_path: &Path, volume_path: &Path) {
    let token_path = source_path.child("serviceAccountToken");
    let path = token_path.child("expirationSeconds");
    match int(token, "expirationSeconds") {
        None => errors.push(FieldError::required(&path, "")),
        Some(seconds) if seconds < 600 => {
            errors.push(FieldError::invalid(
                &path,
                seconds,
                "may not specify a duration less than 10 minutes",
            ));
        }
        Some(seconds) if seconds > 1 << 32 => {
            let detail = "may not specify a duration larger than 2^32 seconds";
            errors.push(FieldError::invalid(&path, seconds, detail));
        }
        Some(_) => {}
    }
    let target = text(token, "path");
    if required(errors, &volume_path.child("path"), target) {
        local_non_reserved_path(errors, target, &volume_path.child("path"));
    }
}

fn cluster_trust_bundle(errors: &mut Errors, bundle: &Value, path: &Path) {
    match (has(bundle, "name"), has(bundle, "signerName")) {
        (true, true) => {
            let shown = super::json_of("core/v1.ClusterTrustBundleProjection", bundle);
            let detail = "only one of name and signerName may be used";
            errors.push(FieldError::invalid(path, super::BadValue::Json(shown), detail));
        }
        (true, false) => {
            if text(bundle, "name").is_empty() {
                errors.push(FieldError::required(&path.child("name"), "must be a valid object name"));
            }
        }
        (false, true) => {
            if text(bundle, "signerName").is_empty() {
                errors.push(FieldError::required(&path.child("signerName"), "must be a valid signer name"));
            }
            super::meta::validate_label_selector(
                errors,
                at(bundle, "labelSelector"),
                &path.child("labelSelector"),
            );
        }
        (false, false) => {
            errors.push(FieldError::required(path, "either name or signerName must be specified"));
        }
    }
    required(errors, &path.child("path"), text(bundle, "path"));
    local_non_reserved_path(errors, text(bundle, "path"), &path.child("path"));
}

fn pod_certificate(errors: &mut Errors, certificate: &Value, path: &Path) {
    let kinds = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
    supported(errors, &path.child("keyType"), text(certificate, "keyType"), &kinds);
    if let Some(seconds) = int(certificate, "maxExpirationSeconds") {
        // Source: pkg/apis/certificates/types.go `MaxMaxExpirationSeconds`, `KubernetesMaxMaxExpirationSeconds`.
        const DAY: i64 = 24 * 60 * 60;
        let signer = text(certificate, "signerName").split('/').next().unwrap_or("");
        let of_kubernetes = signer == "kubernetes.io" || signer.ends_with(".kubernetes.io");
        let most = if of_kubernetes { DAY } else { 91 * DAY };
        let path = path.child("maxExpirationSeconds");
        if seconds < 3600 {
            let detail = "if provided, maxExpirationSeconds must be >= 3600";
            errors.push(FieldError::invalid(&path, seconds, detail));
        }
        if seconds > most {
            let detail = format!("if provided, maxExpirationSeconds must be <= {most}");
            errors.push(FieldError::invalid(&path, seconds, &detail));
        }
    }
    let mut count = 0;
    for name in ["credentialBundlePath", "keyPath", "certificateChainPath"] {
        let target = text(certificate, name);
        if !target.is_empty() {
            count += 1;
            local_non_reserved_path(errors, target, &path.child(name));
        }
    }
    if count == 0 {
        let detail = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
        errors.push(FieldError::required(path, detail));
    }
}

fn csi(errors: &mut Errors, source: &Value, path: &Path) {
    csi_driver_name(errors, text(source, "driver"), &path.child("driver"));
    if has(source, "nodePublishSecretRef") {
        let name = text(source, "nodePublishSecretRef.name");
        if required(errors, &path.child("nodePublishSecretRef.name"), name) {
            invalid_each(errors, &path.child("name"), name, name_is_dns_subdomain(name, false));
        }
    }
}

pub(crate) fn csi_driver_name(errors: &mut Errors, name: &str, path: &Path) {
    if !required(errors, path, name) {
        return;
    }
    if name.len() > 63 {
        errors.push(FieldError::too_long(path, 63));
    }
    invalid_each(errors, path, name, content::is_dns1123_subdomain(&name.to_lowercase()));
}

fn ephemeral(errors: &mut Errors, source: &Value, path: &Path) {
    let path = path.child("volumeClaimTemplate");
    let template = at(source, "volumeClaimTemplate");
    if template.is_null() {
        errors.push(FieldError::required(&path, ""));
        return;
    }
    validate_claim_template(errors, template, &path);
}

pub(crate) fn validate_claim_template(errors: &mut Errors, template: &Value, path: &Path) {
    let meta = path.child("metadata");
    validate_annotations(errors, map(template, "metadata.annotations"), &meta.child("annotations"));
    validate_labels(errors, map(template, "metadata.labels"), &meta.child("labels"));
    let schema = crate::schema::Schema::get();
    if let Some(id) = schema.type_named("meta/v1.ObjectMeta") {
        for field in schema.fields(id) {
            let given = at(template, "metadata").get(field.name).is_some_and(|v| !v.is_null());
            if given && !matches!(field.name, "labels" | "annotations") {
                errors.push(FieldError::forbidden(&meta.child(field.name), "cannot be set"));
            }
        }
    }
    super::storage::validate_claim_spec(errors, at(template, "spec"), &path.child("spec"));
}

/// A path that has no `..` in it.
pub(crate) fn no_backsteps(errors: &mut Errors, target: &str, path: &Path) {
    if target.split('/').any(|part| part == "..") {
        errors.push(FieldError::invalid(path, target, "must not contain '..'"));
    }
}

/// A relative path that does not lead upwards.
pub(crate) fn local_descending_path(errors: &mut Errors, target: &str, path: &Path) {
    if target.starts_with('/') {
        errors.push(FieldError::invalid(path, target, "must be a relative path"));
    }
    no_backsteps(errors, target, path);
}

/// As [`local_descending_path`], and not beginning with `..`, which the kubelet keeps for itself.
fn local_non_reserved_path(errors: &mut Errors, target: &str, path: &Path) {
    local_descending_path(errors, target, path);
    if target.starts_with("..") && !target.starts_with("../") {
        errors.push(FieldError::invalid(path, target, "must not start with '..'"));
    }
}
