//! What the door answers to `portforward`: one HTTP request, handed to a port of the pod.
//!
//! A real port-forward carries bytes; here nothing but HTTP is spoken, so a request and its answer are enough.

use crate::runtime::Runtime;
use crate::world::Cx;
use podlab_api::door::ResponseBody;
use podlab_api::{Request, Response, Status, kinds};
use podlab_shell::{HttpRequest, NetError};
use serde_json::{Value, json};

pub(crate) fn answer(request: &Request, runtime: &mut Runtime, cx: &mut Cx<'_>) -> Response {
    forward(request, runtime, cx).unwrap_or_else(Response::status)
}

fn forward(request: &Request, runtime: &mut Runtime, cx: &mut Cx<'_>) -> Result<Response, Status> {
    let (namespace, name) = request.place();
    let pod = cx.api.store().get(&kinds::POD, namespace, name).cloned();
    let pod = pod.ok_or_else(|| Status::not_found(&kinds::POD, name))?;
    let address = pod.pod_status().and_then(|status| status.pod_ip.clone()).unwrap_or_default();
    let text = |key: &str| request.body.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let port = request.body.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or_else(|| Status::bad_request("a port is needed"))?;
    let headers = request.body.get("headers").cloned().unwrap_or_default();
    let sent = HttpRequest {
        method: text("method"),
        scheme: "http".to_owned(),
        host: address,
        port,
        path: text("path"),
        headers: serde_json::from_value(headers).unwrap_or_default(),
        body: text("body").into_bytes(),
        client: None,
    };
    let answer = runtime.http(&sent, cx).map_err(|error| match error {
        NetError::ConnectionRefused => Status::internal_error(format!(
            "failed to execute portforward in network namespace: failed to connect to localhost:{port} inside namespace: dial tcp4 127.0.0.1:{port}: connect: connection refused"
        )),
        _ => Status::internal_error("failed to execute portforward: the server has cut the connection"),
    })?;
    Ok(Response {
        code: 200,
        body: ResponseBody::Value(json!({
            "status": answer.status, "reason": answer.reason, "headers": answer.headers,
            "body": String::from_utf8_lossy(&answer.body),
            "delay": u64::try_from(answer.delay.as_nanos()).unwrap_or(0),
        })),
        warnings: Vec::new(),
    })
}
