//! `kubectl port-forward`: the machine that kubectl runs on then finds the pod's port on its own.
//!
//! Source: k8s.io/kubectl/pkg/cmd/portforward/portforward.go, k8s.io/client-go/tools/portforward/portforward.go (v1.37).

use super::pods;
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message, usage};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::resource::Builder;
use crate::value::{at, int, list, name, namespace, text};
use podlab_api::door::{ResponseBody, Verb};
use podlab_api::{Request, kinds};
use podlab_shell::{HttpRequest, HttpResponse};
use podlab_sim::SimDuration;
use serde_json::{Value, json};

/// Ports that are forwarded.
#[derive(Clone, Debug)]
pub(crate) struct Forwarding {
    namespace: String,
    pod: String,
    uid: String,
    /// Local port → port of the pod.
    pub ports: Vec<(u16, u16)>,
}

fn split(port: &str) -> (&str, &str) {
    let parts: Vec<&str> = port.split(':').collect();
    match parts.as_slice() {
        [local, remote] => (local, remote),
        [first, ..] => (first, first),
        [] => ("", ""),
    }
}

/// The number of a port of the pod's containers.
fn named_port(pod: &Value, wanted: &str) -> Result<i64> {
    let all = list(pod, &["spec", "containers"]).iter().flat_map(|c| list(c, &["ports"]));
    match all.into_iter().find(|port| text(port, &["name"]) == wanted) {
        Some(port) => Ok(int(port, &["containerPort"])),
        None => message(format!("Pod '{}' does not have a named port '{wanted}'", name(pod))),
    }
}

/// The pod's port behind a Service's.
fn target_port(service: &Value, pod: &Value, remote: &str) -> Result<(i64, i64)> {
    let ports = list(service, &["spec", "ports"]);
    let number = match remote.parse::<i64>() {
        Ok(number) => number,
        Err(_) => match ports.iter().find(|port| text(port, &["name"]) == remote) {
            Some(port) => int(port, &["port"]),
            None => {
                return message(format!("Service '{}' does not have a named port '{remote}'", name(service)));
            }
        },
    };
    let Some(port) = ports.iter().find(|port| int(port, &["port"]) == number) else {
        return message(format!("Service {} does not have a service port {number}", name(service)));
    };
    let target = match at(port, &["targetPort"]) {
        _ if text(service, &["spec", "clusterIP"]) == "None" => number,
        Value::String(named) => named_port(pod, named)?,
        Value::Null => number,
        value => value.as_i64().unwrap_or(number),
    };
    Ok((number, target))
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let [word, ports @ ..] = parsed.args.as_slice() else {
        return usage(&parsed.path, "TYPE/NAME and list of ports are required for port-forward");
    };
    if ports.is_empty() {
        return usage(&parsed.path, "TYPE/NAME and list of ports are required for port-forward");
    }
    let args = if word.contains('/') { vec![word.clone()] } else { vec!["pods".to_owned(), word.clone()] };
    let Some(first) = Builder::new(cx, parsed).args(&args).fetch_typed(cx)?.items.into_iter().next() else {
        return message("pod name or resource type/name must be specified");
    };
    let info = first?;
    let Some(pod) = pods::of(cx, &info)?.into_iter().next() else {
        return message("timed out waiting for the condition");
    };
    let service = info.kind.kind == "Service";
    let mut translated = Vec::new();
    for port in ports {
        let (local, remote) = split(port);
        let (local, remote) = if service {
            let (number, target) = target_port(&info.object, &pod, remote)?;
            let local = if local == remote { number.to_string() } else { local.to_owned() };
            (local, target.to_string())
        } else if remote.is_empty() {
            return message("remote port cannot be empty");
        } else if remote.parse::<i64>().is_ok() {
            (local.to_owned(), remote.to_owned())
        } else {
            let number = named_port(&pod, remote)?.to_string();
            (if local == remote { number.clone() } else { local.to_owned() }, number)
        };
        translated.push(if local == remote { remote } else { format!("{local}:{remote}") });
    }
    let phase = text(&pod, &["status", "phase"]);
    if phase != "Running" {
        return message(format!("unable to forward port because pod is not running. Current status={phase}"));
    }
    let mut pairs = Vec::new();
    for port in &translated {
        pairs.push(parse(cx, port)?);
    }
    let addresses = match parsed.list("address") {
        given if given.is_empty() => vec!["localhost".to_owned()],
        given => given,
    };
    for (local, remote) in &pairs {
        for address in &addresses {
            match address.as_str() {
                "localhost" => {
                    cx.outln(&format!("Forwarding from 127.0.0.1:{local} -> {remote}"));
                    cx.outln(&format!("Forwarding from [::1]:{local} -> {remote}"));
                }
                other => cx.outln(&format!("Forwarding from {other}:{local} -> {remote}")),
            }
        }
    }
    Ok(Flow::Wait(Task::Forward(Forwarding {
        namespace: namespace(&pod).to_owned(),
        pod: name(&pod).to_owned(),
        uid: text(&pod, &["metadata", "uid"]).to_owned(),
        ports: pairs,
    })))
}

fn parse(cx: &Cx<'_>, port: &str) -> Result<(u16, u16)> {
    let parts: Vec<&str> = port.split(':').collect();
    let (local, remote) = match parts.as_slice() {
        [one] => (*one, *one),
        ["", remote] => ("0", *remote),
        [local, remote] => (*local, *remote),
        _ => return message(format!("invalid port format '{port}'")),
    };
    let number = |which: &str, text: &str| match text.parse::<u64>() {
        Ok(number) => u16::try_from(number).or_else(|_| {
            message(format!(
                "error parsing {which} port '{text}': strconv.ParseUint: parsing {text:?}: value out of range"
            ))
        }),
        Err(_) => message(format!(
            "error parsing {which} port '{text}': strconv.ParseUint: parsing {text:?}: invalid syntax"
        )),
    };
    let (local, remote) = (number("local", local)?, number("remote", remote)?);
    if remote == 0 {
        return message("remote port must be > 0");
    }
    // A port of the system's choice.
    let drawn = 32_768 + u16::try_from(cx.now().as_nanosecond().rem_euclid(28_232)).unwrap_or(0);
    Ok((if local == 0 { drawn } else { local }, remote))
}

impl Forwarding {
    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        if cx.io.interrupted() {
            return Ok(Step::Done(0));
        }
        let gone = match cx.get(&kinds::POD, &self.namespace, &self.pod) {
            Ok(pod) => {
                text(&pod, &["metadata", "uid"]) != self.uid || text(&pod, &["status", "phase"]) != "Running"
            }
            Err(_) => true,
        };
        if gone {
            return Err(Error::Message("lost connection to pod".to_owned()));
        }
        Ok(Step::Wait(Wait { change: true, input: true, ..Wait::default() }))
    }

    /// Answers a request to one of the local ports; `None` where the pod did not.
    pub(crate) fn serve(&mut self, cx: &mut Cx<'_>, sent: &HttpRequest) -> Option<HttpResponse> {
        let (local, remote) = *self.ports.iter().find(|(local, _)| *local == sent.port)?;
        cx.outln(&format!("Handling connection for {local}"));
        let mut request = Request::new(Verb::Create, &kinds::POD)
            .namespace(&self.namespace)
            .name(&self.pod)
            .subresource("portforward");
        request.body = json!({
            "port": remote, "method": sent.method, "path": sent.path, "headers": sent.headers,
            "body": String::from_utf8_lossy(&sent.body),
        });
        match cx.ask(request) {
            Ok(ResponseBody::Value(answer)) => Some(HttpResponse {
                status: u16::try_from(int(&answer, &["status"])).unwrap_or(0),
                reason: text(&answer, &["reason"]).to_owned(),
                headers: serde_json::from_value(at(&answer, &["headers"]).clone()).unwrap_or_default(),
                body: text(&answer, &["body"]).as_bytes().to_vec(),
                delay: SimDuration::from_nanos(u64::try_from(int(&answer, &["delay"])).unwrap_or(0)),
            }),
            Ok(_) => None,
            Err(error) => {
                let now = cx.now().strftime("%m%d %H:%M:%S%.6f").to_string();
                cx.errln(&format!(
                    "E{now}       1 portforward.go:424] \"Unhandled Error\" err=\"an error occurred forwarding {local} -> {remote}: error forwarding port {remote} to pod {}, uid : {}\"",
                    self.uid,
                    error.text()
                ));
                None
            }
        }
    }
}
