//! ServiceAccount: every pod runs as one, and gets its token mounted.
//!
//! Source: plugin/pkg/admission/serviceaccount/admission.go (v1.37).

use super::Filled;
use crate::apiserver::ApiServer;
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath, ObjectFieldSelector,
    PodSpec, ProjectedVolumeSource, ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};
use podlab_api::managed_fields::TOKEN_VOLUME_PREFIX;
use podlab_api::{Body, Object, Status, kinds};
use podlab_sim::Draw;
use serde_json::Value;
use std::sync::Arc;

const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn admit_create(api: &ApiServer, object: &mut Object) -> Result<Filled, Status> {
    let name = super::refused_name(object);
    let namespace = object.namespace().to_owned();
    let uid = object.uid().to_owned();
    // A mirror pod is only a picture of what a node runs by itself.
    if object.annotation("kubernetes.io/config.mirror").is_some() {
        return Ok(Filled::AsAlways);
    }
    let Body::Pod { spec, .. } = &mut object.body else { return Ok(Filled::AsAlways) };
    let account_name = match spec.service_account_name.as_deref() {
        None | Some("") => "default".to_owned(),
        Some(given) => given.to_owned(),
    };
    let Some(account) = api.store().get(&kinds::SERVICE_ACCOUNT, &namespace, &account_name) else {
        let why = format!(
            "error looking up service account {namespace}/{account_name}: serviceaccount {account_name:?} not found"
        );
        return Err(Status::forbidden(&kinds::POD, &name, &why));
    };
    let automount = spec
        .automount_service_account_token
        .or_else(|| account.field("automountServiceAccountToken").and_then(Value::as_bool))
        .unwrap_or(true);
    let pull_secrets = account.field("imagePullSecrets").cloned();
    let spec = Arc::make_mut(spec);
    spec.service_account_name = Some(account_name.clone());
    spec.service_account = Some(account_name);
    let mut filled = Filled::AsAlways;
    if spec.image_pull_secrets.as_deref().unwrap_or(&[]).is_empty()
        && let Some(secrets) = pull_secrets
        && let Ok(secrets) = serde_json::from_value::<Vec<_>>(secrets)
        && !secrets.is_empty()
    {
        spec.image_pull_secrets = Some(secrets);
        filled = Filled::More;
    }
    if automount {
        mount_token(spec, &uid);
    }
    Ok(filled)
}

fn mount_token(spec: &mut PodSpec, uid: &str) {
    let volume_name = format!("{TOKEN_VOLUME_PREFIX}{}", Draw::keyed(0, "serviceaccount", uid, 0).suffix(5));
    let mut used = false;
    let containers = spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten());
    for container in containers {
        let mounts = container.volume_mounts.get_or_insert_default();
        if mounts.iter().any(|m| m.mount_path == MOUNT_PATH) {
            continue;
        }
        used = true;
        // Most containers have no other: a vector that grows by itself would take room for four.
        mounts.reserve_exact(1);
        mounts.push(VolumeMount {
            name: volume_name.clone(),
            read_only: Some(true),
            mount_path: MOUNT_PATH.to_owned(),
            ..VolumeMount::default()
        });
    }
    if !used {
        return;
    }
    let sources = vec![
        VolumeProjection {
            service_account_token: Some(ServiceAccountTokenProjection {
                expiration_seconds: Some(3607),
                path: "token".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        },
        VolumeProjection {
            config_map: Some(ConfigMapProjection {
                name: "kube-root-ca.crt".to_owned(),
                items: Some(vec![KeyToPath {
                    key: "ca.crt".to_owned(),
                    path: "ca.crt".to_owned(),
                    ..Default::default()
                }]),
                ..Default::default()
            }),
            ..Default::default()
        },
        VolumeProjection {
            downward_api: Some(DownwardAPIProjection {
                items: Some(vec![DownwardAPIVolumeFile {
                    path: "namespace".to_owned(),
                    field_ref: Some(ObjectFieldSelector {
                        api_version: Some("v1".to_owned()),
                        field_path: "metadata.namespace".to_owned(),
                    }),
                    ..Default::default()
                }]),
            }),
            ..Default::default()
        },
    ];
    spec.volumes.get_or_insert_default().push(Volume {
        name: volume_name,
        projected: Some(ProjectedVolumeSource {
            sources: Some(sources),
            default_mode: Some(0o644),
            ..Default::default()
        }),
        ..Volume::default()
    });
}
