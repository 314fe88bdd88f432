//! `proxy`: an HTTP request passed on to a pod, or to one behind a Service.
//!
//! Source: pkg/registry/core/pod/rest/subresources.go, pkg/registry/core/service/storage/storage.go `ResourceLocation`
//! (v1.37).

use crate::body::ReplyBody;
use crate::exchange::{Backend, HttpRequest, exchange};
use crate::host::Host;
use crate::refuse::{stopped, unavailable};
use crate::reply::{self, Reply};
use crate::rewrite;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, LOCATION};
use podlab_api::{Kind, Request, Status, kinds};
use podlab_cluster::store::Store;
use serde_json::Value;

/// Passes a request on; `prefix` is the path under which the server's root is seen.
///
/// # Errors
/// No such pod or Service, no endpoint behind it, nothing that listens there.
pub(crate) async fn proxy(
    host: &Host,
    kind: &'static Kind,
    asked: &Request,
    prefix: &str,
    request: HttpRequest,
) -> Result<Reply, Status> {
    let namespace = asked.namespace.clone().unwrap_or_default();
    let id = asked.name.clone().unwrap_or_default();
    let found = host.look(move |cluster| {
        let store = cluster.world().api.store();
        locate(store, kind, &namespace, &id).map(|(pod, port)| (namespace, pod, port))
    });
    let (namespace, pod, port) = found.await.ok_or_else(stopped)??;
    let (user, impersonate) = (asked.options.user.clone(), asked.options.impersonate.clone());
    let backend = Backend { namespace, pod, port, user, impersonate };
    let head_only = request.method == "HEAD";
    let answer = exchange(host, &backend, request).await.map_err(|status| {
        if status.code == 404 {
            return status;
        }
        unavailable(format!("error trying to reach service: dial tcp :{port}: connect: connection refused"))
    })?;
    let is_page = answer.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()) && value.starts_with("text/html")
    });
    let body = match std::str::from_utf8(&answer.body) {
        _ if head_only => Vec::new(),
        Ok(html) if is_page => rewrite::page(html, prefix).into_bytes(),
        _ => answer.body,
    };
    let mut reply = reply::typed(answer.status, "text/plain", ReplyBody::full(body));
    for (name, value) in &answer.headers {
        if let Ok(name) = name.parse::<HeaderName>()
            && name != CONTENT_LENGTH
            && name != hyper::header::TRANSFER_ENCODING
            && name != hyper::header::CONNECTION
        {
            match name == LOCATION {
                true => reply::set(&mut reply, name, &rewrite::link(value, prefix)),
                false => reply::set(&mut reply, name, value),
            }
        }
    }
    let typed = answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()));
    if !typed {
        reply.headers_mut().remove(CONTENT_TYPE);
    }
    Ok(reply)
}

/// `[scheme:]name[:port]`.
fn split(id: &str) -> (&str, &str) {
    match id.split(':').collect::<Vec<_>>().as_slice() {
        [_, name, port] => (name, port),
        [name, port] => (name, port),
        _ => (id, ""),
    }
}

/// The pod and port that are meant.
fn locate(store: &Store, kind: &'static Kind, namespace: &str, id: &str) -> Result<(String, u16), Status> {
    let (name, port) = split(id);
    let none = || unavailable(format!("no endpoints available for service {id:?}"));
    let Some(object) = store.get(kind, namespace, name) else {
        return Err(if *kind == kinds::POD { Status::not_found(kind, name) } else { none() });
    };
    if *kind == kinds::POD {
        let containers = object.pod_spec().map(|spec| spec.containers.as_slice()).unwrap_or_default();
        let mut ports = containers.iter().flat_map(|container| container.ports.iter().flatten());
        let found = match port {
            "" => ports.next().map(|port| port.container_port),
            text => text.parse().ok().or_else(|| {
                ports.find(|port| port.name.as_deref() == Some(text)).map(|port| port.container_port)
            }),
        };
        let found = found.and_then(|port| u16::try_from(port).ok()).unwrap_or(80);
        return Ok((name.to_owned(), found));
    }
    let spec = object.field("spec").cloned().unwrap_or_default();
    let ports = spec.get("ports").and_then(Value::as_array).cloned().unwrap_or_default();
    let wanted = ports.iter().find(|one| {
        let number = one.get("port").and_then(Value::as_u64).unwrap_or(0).to_string();
        let own = one.get("name").and_then(Value::as_str).unwrap_or("");
        own == port || number == port || port.is_empty() && ports.len() == 1
    });
    let Some(wanted) = wanted else {
        return Err(unavailable(format!("no service port {port:?} found for service {name:?}")));
    };
    let port_name = wanted.get("name").and_then(Value::as_str).unwrap_or("");
    let slices = store
        .list_namespace(&kinds::ENDPOINT_SLICE, namespace)
        .filter(|slice| slice.label("kubernetes.io/service-name") == Some(name));
    for slice in slices {
        let list = |key: &str| slice.field(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let number = list("ports")
            .iter()
            .find(|port| port.get("name").and_then(Value::as_str).unwrap_or("") == port_name)
            .and_then(|port| port.get("port").and_then(Value::as_u64))
            .and_then(|port| u16::try_from(port).ok());
        let ready = list("endpoints").into_iter().find_map(|endpoint| {
            let ready = endpoint.pointer("/conditions/ready").and_then(Value::as_bool) != Some(false);
            let pod = endpoint.pointer("/targetRef/name").and_then(Value::as_str)?;
            ready.then(|| pod.to_owned())
        });
        if let (Some(number), Some(pod)) = (number, ready) {
            return Ok((pod, number));
        }
    }
    Err(none())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_name_may_carry_scheme_and_port() {
        assert_eq!(split("web"), ("web", ""));
        assert_eq!(split("web:http"), ("web", "http"));
        assert_eq!(split("https:web:443"), ("web", "443"));
    }
}
