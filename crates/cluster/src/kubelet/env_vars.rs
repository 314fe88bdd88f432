//! A container's environment.
//!
//! Source: pkg/kubelet/kubelet_pods.go `makeEnvironmentVariables`, pkg/kubelet/envvars,
//! third_party/forked/golang/expansion/expand.go (v1.37).

use super::pod_worker::{Env, PodWorker};
use k8s_openapi::api::core::v1::{Container, EnvVarSource, ResourceFieldSelector};
use podlab_api::{Object, Quantity, kinds};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Replaces `$(NAME)` by what `envs` says; `$$` is a dollar; what is unknown stays.
pub(crate) fn expand(text: &str, envs: &[(String, String)]) -> String {
    expand_with(text, |name| envs.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.clone()))
}

fn expand_with(text: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let tail = tail.get(1..).unwrap_or("");
        if let Some(after) = tail.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = tail.strip_prefix('(').and_then(|t| t.split_once(')')) {
            match lookup(name) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            out.push('$');
            rest = tail;
        }
    }
    out.push_str(rest);
    out
}

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default()
}

/// The data of a ConfigMap, binary data included.
pub(crate) fn config_map_data(object: &Object) -> BTreeMap<String, Vec<u8>> {
    let mut data = BTreeMap::new();
    if let Some(map) = object.field("data").and_then(Value::as_object) {
        data.extend(map.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.as_bytes().to_vec()))));
    }
    if let Some(map) = object.field("binaryData").and_then(Value::as_object) {
        data.extend(map.iter().filter_map(|(k, v)| Some((k.clone(), base64_decode(v.as_str()?)))));
    }
    data
}

/// The data of a Secret.
pub(crate) fn secret_data(object: &Object) -> BTreeMap<String, Vec<u8>> {
    let map = object.field("data").and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(k, v)| Some((k.clone(), base64_decode(v.as_str()?)))).collect()
}

fn get(
    env: &Env<'_, '_>,
    kind: &'static podlab_api::Kind,
    namespace: &str,
    name: &str,
) -> Option<Arc<Object>> {
    env.cx.api.store().get(kind, namespace, name).cloned()
}

/// The environment in the order in which the container gets it.
///
/// # Errors
/// What a reference does not find.
pub(crate) fn make_environment_variables(
    env: &mut Env<'_, '_>,
    w: &PodWorker,
    container: &Container,
) -> Result<Arc<Vec<(String, String)>>, String> {
    let namespace = w.pod.namespace();
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let mut result: Vec<(String, String)> = Vec::new();
    let put = |list: &mut Vec<(String, String)>, name: String, value: String| match list
        .iter_mut()
        .find(|(n, _)| *n == name)
    {
        Some((_, v)) => *v = value,
        None => list.push((name, value)),
    };
    for from in container.env_from.iter().flatten() {
        let prefix = from.prefix.clone().unwrap_or_default();
        let data = if let Some(reference) = &from.config_map_ref {
            match get(env, &kinds::CONFIG_MAP, namespace, &reference.name) {
                Some(object) => object
                    .field("data")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                    .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.as_bytes().to_vec())))
                    .collect(),
                None if reference.optional == Some(true) => continue,
                None => return Err(format!("configmap {:?} not found", reference.name)),
            }
        } else if let Some(reference) = &from.secret_ref {
            match get(env, &kinds::SECRET, namespace, &reference.name) {
                Some(object) => secret_data(&object),
                None if reference.optional == Some(true) => continue,
                None => return Err(format!("secret {:?} not found", reference.name)),
            }
        } else {
            BTreeMap::new()
        };
        for (key, value) in data {
            put(&mut result, format!("{prefix}{key}"), text(&value));
        }
    }
    let services = service_environment(env, w);
    for variable in container.env.iter().flatten() {
        let value = if let Some(source) = &variable.value_from {
            match value_from(env, w, container, source)? {
                Some(value) => value,
                None => continue,
            }
        } else {
            let known = |name: &str| {
                let own = result.iter().find(|(n, _)| n == name);
                own.or_else(|| services.iter().find(|(n, _)| n == name)).map(|(_, v)| v.clone())
            };
            expand_with(variable.value.as_deref().unwrap_or(""), known)
        };
        put(&mut result, variable.name.clone(), value);
    }
    if result.is_empty() {
        // All that it gets, it shares with others.
        return Ok(services);
    }
    for (name, value) in services.iter() {
        if !result.iter().any(|(n, _)| n == name) {
            result.push((name.clone(), value.clone()));
        }
    }
    Ok(Arc::new(result))
}

fn value_from(
    env: &Env<'_, '_>,
    w: &PodWorker,
    container: &Container,
    source: &EnvVarSource,
) -> Result<Option<String>, String> {
    let namespace = w.pod.namespace();
    if let Some(field) = &source.field_ref {
        return field_value(env, w, &field.field_path).map(Some);
    }
    if let Some(field) = &source.resource_field_ref {
        return resource_value(env, w, container, field).map(Some);
    }
    if let Some(key) = &source.config_map_key_ref {
        let optional = key.optional == Some(true);
        let Some(object) = get(env, &kinds::CONFIG_MAP, namespace, &key.name) else {
            return if optional { Ok(None) } else { Err(format!("configmap {:?} not found", key.name)) };
        };
        return match object.field("data").and_then(|d| d.get(&key.key)).and_then(Value::as_str) {
            Some(value) => Ok(Some(value.to_owned())),
            None if optional => Ok(None),
            None => Err(format!("couldn't find key {} in ConfigMap {namespace}/{}", key.key, key.name)),
        };
    }
    if let Some(key) = &source.secret_key_ref {
        let optional = key.optional == Some(true);
        let Some(object) = get(env, &kinds::SECRET, namespace, &key.name) else {
            return if optional { Ok(None) } else { Err(format!("secret {:?} not found", key.name)) };
        };
        return match secret_data(&object).get(&key.key) {
            Some(value) => Ok(Some(String::from_utf8_lossy(value).into_owned())),
            None if optional => Ok(None),
            None => Err(format!("couldn't find key {} in Secret {namespace}/{}", key.key, key.name)),
        };
    }
    Ok(None)
}

/// `key="value"` lines.
///
/// Source: pkg/fieldpath/fieldpath.go `FormatMap` (v1.37).
fn format_map(map: Option<&BTreeMap<String, String>>) -> String {
    let lines: Vec<String> = map.into_iter().flatten().map(|(k, v)| format!("{k}={v:?}")).collect();
    lines.join("\n")
}

/// A field of the pod by its path.
///
/// # Errors
/// The path names nothing.
pub(crate) fn field_value(env: &Env<'_, '_>, w: &PodWorker, path: &str) -> Result<String, String> {
    let meta = &w.pod.metadata;
    let spec = w.pod.pod_spec();
    if let Some((map, key)) = path.strip_suffix("']").and_then(|p| p.split_once("['")) {
        let map = match map {
            "metadata.labels" => meta.labels.as_ref(),
            "metadata.annotations" => meta.annotations.as_ref(),
            _ => return Err(format!("fieldPath {path:?} does not support subscript")),
        };
        return Ok(map.and_then(|m| m.get(key)).cloned().unwrap_or_default());
    }
    let host_network = spec.is_some_and(|s| s.host_network == Some(true));
    let ip = || {
        if host_network {
            env.node.ip.clone()
        } else {
            w.sandboxes.last().and_then(|s| s.ip.clone()).unwrap_or_default()
        }
    };
    Ok(match path {
        "metadata.name" => w.pod.name().to_owned(),
        "metadata.namespace" => w.pod.namespace().to_owned(),
        "metadata.uid" => w.uid.to_string(),
        "metadata.labels" => format_map(meta.labels.as_ref()),
        "metadata.annotations" => format_map(meta.annotations.as_ref()),
        "spec.nodeName" => env.node.name.to_string(),
        "spec.serviceAccountName" => spec.and_then(|s| s.service_account_name.clone()).unwrap_or_default(),
        "status.hostIP" | "status.hostIPs" => env.node.ip.clone(),
        "status.podIP" | "status.podIPs" => ip(),
        _ => return Err(format!("unsupported fieldPath: {path}")),
    })
}

/// A resource of a container, divided and rounded up.
///
/// Source: pkg/api/v1/resource/helpers.go `ExtractContainerResourceValue` (v1.37).
///
/// # Errors
/// The resource is none, or the container is.
pub(crate) fn resource_value(
    env: &Env<'_, '_>,
    w: &PodWorker,
    container: &Container,
    field: &ResourceFieldSelector,
) -> Result<String, String> {
    let named = match field.container_name.as_deref().filter(|n| !n.is_empty()) {
        Some(name) if name != container.name => {
            let found = w.pod.pod_spec().and_then(|s| super::kill::find_container(s, name));
            match found {
                Some((c, _)) => Some(c),
                None => return Err(format!("container {name} not found")),
            }
        }
        _ => None,
    };
    let container = named.as_ref().unwrap_or(container);
    let Some((list, resource)) = field.resource.split_once('.') else {
        return Err(format!("unsupported container resource : {}", field.resource));
    };
    let resources = container.resources.as_ref();
    let limit = resources.and_then(|r| r.limits.as_ref()).and_then(|l| l.get(resource));
    let request = resources.and_then(|r| r.requests.as_ref()).and_then(|l| l.get(resource));
    let value = match list {
        "limits" => limit.and_then(|q| Quantity::try_from(q).ok()).or_else(|| allocatable(env, resource)),
        "requests" => request.and_then(|q| Quantity::try_from(q).ok()),
        _ => return Err(format!("unsupported container resource : {}", field.resource)),
    };
    let value = value.unwrap_or_default();
    let divisor = field.divisor.as_ref().and_then(|d| Quantity::try_from(d).ok()).filter(|d| !d.is_zero());
    let (value, divisor) = if resource == "cpu" {
        (value.milli_value(), divisor.map_or(1000, |d| d.milli_value()))
    } else {
        (value.value(), divisor.map_or(1, |d| d.value()))
    };
    let divisor = divisor.max(1);
    let rounded = value / divisor + i64::from(value % divisor > 0);
    Ok(rounded.to_string())
}

fn allocatable(env: &Env<'_, '_>, resource: &str) -> Option<Quantity> {
    let node = get(env, &kinds::NODE, "", &env.node.name)?;
    let list = node.node_status()?.allocatable.clone()?;
    Quantity::try_from(list.get(resource)?).ok()
}

/// Variables and the services that they tell of: those of one pod are mostly those of the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceEnvironment {
    services: Vec<Arc<Object>>,
    variables: Arc<Vec<(String, String)>>,
}

/// Variables for the services of the pod's namespace and for the API server.
fn service_environment(env: &mut Env<'_, '_>, w: &PodWorker) -> Arc<Vec<(String, String)>> {
    let links = w.pod.pod_spec().and_then(|s| s.enable_service_links).unwrap_or(true);
    let namespace = w.pod.namespace();
    let store = env.cx.api.store();
    let mut services: BTreeMap<&str, &Arc<Object>> = BTreeMap::new();
    if let Some(master) = store.get(&kinds::SERVICE, "default", "kubernetes") {
        services.insert("kubernetes", master);
    }
    if links {
        for service in store.list_namespace(&kinds::SERVICE, namespace) {
            services.insert(service.name(), service);
        }
    }
    let known = &mut env.node.service_environment;
    let same = known.services.len() == services.len()
        && known.services.iter().zip(services.values()).all(|(a, b)| Arc::ptr_eq(a, b));
    if !same {
        *known = ServiceEnvironment {
            variables: Arc::new(variables_of(services.values().copied())),
            services: services.into_values().cloned().collect(),
        };
    }
    known.variables.clone()
}

/// Source: pkg/kubelet/envvars/envvars.go `FromServices` (v1.37).
fn variables_of<'a>(services: impl Iterator<Item = &'a Arc<Object>>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for service in services {
        let spec = service.field("spec");
        let ip = spec.and_then(|s| s.get("clusterIP")).and_then(Value::as_str).unwrap_or("");
        if ip.is_empty() || ip == "None" {
            continue;
        }
        let name = service.name().to_ascii_uppercase().replace('-', "_");
        let empty = Vec::new();
        let ports = spec.and_then(|s| s.get("ports")).and_then(Value::as_array).unwrap_or(&empty);
        let number = |p: &Value| p.get("port").and_then(Value::as_i64).unwrap_or(0);
        let Some(first) = ports.first() else { continue };
        out.push((format!("{name}_SERVICE_HOST"), ip.to_owned()));
        out.push((format!("{name}_SERVICE_PORT"), number(first).to_string()));
        for port in ports {
            if let Some(n) = port.get("name").and_then(Value::as_str).filter(|n| !n.is_empty()) {
                let n = n.to_ascii_uppercase().replace('-', "_");
                out.push((format!("{name}_SERVICE_PORT_{n}"), number(port).to_string()));
            }
        }
        for (index, port) in ports.iter().enumerate() {
            let upper = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP").to_owned();
            let lower = upper.to_ascii_lowercase();
            let number = number(port);
            let url = format!("{lower}://{ip}:{number}");
            if index == 0 {
                out.push((format!("{name}_PORT"), url.clone()));
            }
            let prefix = format!("{name}_PORT_{number}_{upper}");
            out.push((prefix.clone(), url));
            out.push((format!("{prefix}_PROTO"), lower));
            out.push((format!("{prefix}_PORT"), number.to_string()));
            out.push((format!("{prefix}_ADDR"), ip.to_owned()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_expanded_as_kubernetes_does() {
        let envs = [("A".to_owned(), "1".to_owned())];
        for (text, want) in [
            ("$(A)", "1"),
            ("$$(A)", "$(A)"),
            ("$(B)-$(A)", "$(B)-1"),
            ("$A $", "$A $"),
            ("$(A", "$(A"),
            ("$$$(A)", "$1"),
        ] {
            assert_eq!(expand(text, &envs), want, "{text}");
        }
    }
}
