//! What projected volumes hold beside ConfigMaps, Secrets and the pod's own fields: trust anchors.
//!
//! Source: pkg/kubelet/clustertrustbundle/clustertrustbundle_manager.go, pkg/volume/projected/projected.go (v1.37).

use super::pod_worker::Env;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::ClusterTrustBundleProjection;
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_api::{Object, kinds};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The trust anchors that a projection asks for, each once, in PEM. A real kubelet shuffles them; here they stay in order.
///
/// # Errors
/// Nothing matches and the projection is not optional.
pub(super) fn trust_anchors(
    env: &Env<'_, '_>,
    projection: &ClusterTrustBundleProjection,
) -> Result<Vec<u8>, String> {
    let optional = projection.optional == Some(true);
    let bundles = chosen(env, projection)?;
    if bundles.is_empty() && !optional {
        return Err(match &projection.name {
            Some(name) => {
                let resource = "clustertrustbundle.certificates.k8s.io";
                format!("while getting ClusterTrustBundle: {resource} {name:?} not found")
            }
            None => "combination of signerName and labelSelector matched zero ClusterTrustBundles".to_owned(),
        });
    }
    let texts = bundles.iter().filter_map(|bundle| bundle.field("spec")?.get("trustBundle")?.as_str());
    let anchors: BTreeSet<Vec<u8>> = texts.flat_map(blocks).collect();
    Ok(anchors.iter().flat_map(|anchor| pem(anchor).into_bytes()).collect())
}

/// The ClusterTrustBundles that a projection names or selects.
///
/// # Errors
/// It does neither, or its selector is none.
pub(super) fn chosen(
    env: &Env<'_, '_>,
    projection: &ClusterTrustBundleProjection,
) -> Result<Vec<Arc<Object>>, String> {
    let store = env.cx.api.store();
    if let Some(name) = &projection.name {
        return Ok(store.get(&kinds::CLUSTER_TRUST_BUNDLE, "", name).cloned().into_iter().collect());
    }
    let Some(signer) = &projection.signer_name else {
        return Err("ClusterTrustBundle projection requires either name or signerName to be set".to_owned());
    };
    let selector = label_selector_as_selector(projection.label_selector.as_ref())
        .map_err(|error| format!("while parsing label selector: {error}"))?;
    let of_signer = |bundle: &&Arc<Object>| {
        let own = bundle.field("spec").and_then(|spec| spec.get("signerName")).and_then(Value::as_str);
        own == Some(signer)
            && selector.matches(bundle.metadata.labels.as_ref().unwrap_or(&Default::default()))
    };
    Ok(store.list(&kinds::CLUSTER_TRUST_BUNDLE).filter(of_signer).cloned().collect())
}

/// The bytes of the blocks of a text in PEM.
fn blocks(text: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let Some((_, body)) = begun.split_once("-----") else { break };
        let Some((body, after)) = body.split_once("-----END ") else { break };
        let digits: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        found.extend(STANDARD.decode(digits).ok());
        rest = after;
    }
    found
}

/// Source: Go, encoding/pem `Encode`.
fn pem(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out + "-----END CERTIFICATE-----\n"
}
