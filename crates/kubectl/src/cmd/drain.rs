//! `kubectl drain`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/drain/drain.go, pkg/drain (v1.37).

use super::DryRun;
use super::delete::{Target, after};
use super::node::{cordon, nodes};
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::value::{at, list, name, namespace, text};
use k8s_openapi::jiff::Timestamp;
use podlab_api::door::Verb;
use podlab_api::{Request, kinds};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// How long kubectl waits before it asks again for an eviction that a budget forbids, in nanoseconds.
const RETRY: i64 = 5_000_000_000;

/// One pod that has to go.
#[derive(Clone, Debug)]
struct Leaving {
    target: Target,
    /// The eviction was granted.
    evicted: bool,
    /// Not before this is it asked for again.
    again: Option<Timestamp>,
}

/// A drain on its way.
#[derive(Clone, Debug)]
pub(crate) struct Draining {
    nodes: VecDeque<String>,
    current: Option<(String, Vec<Leaving>)>,
    fatal: Vec<Error>,
    /// Of the node that is being drained.
    failed: Vec<Error>,
    left: Vec<String>,
    deadline: Option<Timestamp>,
    parsed: Parsed,
    dry_run: bool,
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let dry_run = DryRun::of(cx, parsed)?;
    let infos = nodes(cx, parsed)?;
    for info in &infos {
        cordon(cx, info, true, dry_run)?;
    }
    let timeout = parsed.duration("timeout");
    Ok(Flow::Wait(Task::Drain(Draining {
        nodes: infos.into_iter().map(|i| i.name).collect(),
        current: None,
        fatal: Vec::new(),
        failed: Vec::new(),
        left: Vec::new(),
        deadline: if timeout > 0 { after(cx.now(), timeout) } else { None },
        parsed: parsed.clone(),
        dry_run: dry_run == DryRun::Client,
    })))
}

/// The pods to evict, or why that is not done; and warnings.
type Chosen = (Vec<Value>, BTreeMap<&'static str, Vec<String>>, BTreeMap<&'static str, Vec<String>>);

fn choose(cx: &mut Cx<'_>, parsed: &Parsed, node: &str) -> Result<Chosen> {
    let mut request = Request::list(&kinds::POD, "");
    request.options.field_selector = Some(format!("spec.nodeName={node}"));
    let selector = parsed.str("pod-selector");
    request.options.label_selector = (!selector.is_empty()).then(|| selector.to_owned());
    let pods: Vec<Value> = cx.list(request)?.items.iter().map(|o| o.to_value()).collect();
    let (mut chosen, mut errors, mut warnings): Chosen = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for pod in pods {
        let who = format!("{}/{}", namespace(&pod), name(&pod));
        let ended = matches!(text(&pod, &["status", "phase"]), "Succeeded" | "Failed");
        if !at(&pod, &["metadata", "annotations", "kubernetes.io/config.mirror"]).is_null() {
            continue;
        }
        let owner = list(&pod, &["metadata", "ownerReferences"])
            .iter()
            .find(|o| at(o, &["controller"]).as_bool() == Some(true))
            .cloned();
        let owner_kind = owner.as_ref().map_or("", |o| text(o, &["kind"])).to_owned();
        if owner_kind == "DaemonSet" && !ended {
            let there = cx
                .get(&kinds::DAEMON_SET, namespace(&pod), owner.as_ref().map_or("", |o| text(o, &["name"])))
                .is_ok();
            if there {
                if parsed.bool("ignore-daemonsets") {
                    warnings.entry("ignoring DaemonSet-managed Pods").or_default().push(who);
                } else {
                    errors
                        .entry("DaemonSet-managed Pods (use --ignore-daemonsets to ignore)")
                        .or_default()
                        .push(who);
                }
                continue;
            }
        }
        let local = list(&pod, &["spec", "volumes"]).iter().any(|v| !at(v, &["emptyDir"]).is_null());
        if local && !ended {
            if parsed.bool("delete-emptydir-data") {
                warnings.entry("deleting Pods with local storage").or_default().push(who.clone());
            } else {
                errors
                    .entry("Pods with local storage (use --delete-emptydir-data to override)")
                    .or_default()
                    .push(who);
                continue;
            }
        }
        if owner.is_none() && !ended {
            if parsed.bool("force") {
                // The later filter's words replace the earlier one's.
                if let Some(list) = warnings.get_mut("deleting Pods with local storage") {
                    list.retain(|w| *w != who);
                }
                warnings.entry("deleting Pods that declare no controller").or_default().push(who);
            } else {
                errors
                    .entry("Pods that declare no controller (use --force to override)")
                    .or_default()
                    .push(who);
                continue;
            }
        }
        chosen.push(pod);
    }
    warnings.retain(|_, list| !list.is_empty());
    Ok((chosen, errors, warnings))
}

impl Draining {
    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        if cx.io.interrupted() {
            return Ok(Step::Done(130));
        }
        loop {
            if self.current.is_none() {
                let Some(node) = self.nodes.pop_front() else { return self.finish(cx) };
                self.begin(cx, &node)?;
                continue;
            }
            if let Some(step) = self.evict(cx)? {
                return Ok(step);
            }
            if let Some((node, _)) = self.current.take() {
                cx.outln(&format!("node/{node} drained"));
            }
        }
    }

    fn fail(&mut self, cx: &mut Cx<'_>, node: &str, errors: Vec<Error>) {
        let text = Error::Many(errors.clone()).text();
        cx.errln(&format!(
            "error: unable to drain node {node:?} due to error: {text}, continuing command..."
        ));
        self.fatal.extend(errors);
        self.left.push(node.to_owned());
        self.current = None;
    }

    /// Which pods are still there.
    fn tell_pending(&self, cx: &mut Cx<'_>, node: &str, errors: &[Error]) -> Result<()> {
        let (pods, ..) = choose(cx, &self.parsed.clone(), node)?;
        if !pods.is_empty() {
            let text = Error::Many(errors.to_vec()).text();
            cx.errln(&format!("There are pending pods in node {node:?} when an error occurred: {text}"));
            for pod in &pods {
                cx.errln(&format!("pod/{}", name(pod)));
            }
        }
        Ok(())
    }

    fn begin(&mut self, cx: &mut Cx<'_>, node: &str) -> Result<()> {
        let (pods, errors, warnings) = choose(cx, &self.parsed.clone(), node)?;
        let said = |map: &BTreeMap<&str, Vec<String>>| -> Vec<String> {
            map.iter().map(|(k, v)| format!("{k}: {}", v.join(", "))).collect()
        };
        if !errors.is_empty() {
            let errors =
                said(&errors).into_iter().map(|t| Error::Message(format!("cannot delete {t}"))).collect();
            self.fail(cx, node, errors);
            return Ok(());
        }
        if !warnings.is_empty() {
            let text = said(&warnings).join("; ");
            cx.errln(&format!("Warning: {text}"));
        }
        if self.dry_run {
            for pod in &pods {
                cx.outln(&format!("evicting pod {}/{} (dry run)", namespace(pod), name(pod)));
            }
            cx.outln(&format!("node/{node} drained (dry run)"));
            self.current = None;
            return Ok(());
        }
        for pod in &pods {
            cx.outln(&format!("evicting pod {}/{}", namespace(pod), name(pod)));
        }
        let leaving = pods
            .iter()
            .map(|pod| Leaving {
                target: Target {
                    kind: &kinds::POD,
                    namespace: namespace(pod).to_owned(),
                    name: name(pod).to_owned(),
                    uid: text(pod, &["metadata", "uid"]).to_owned(),
                },
                evicted: false,
                again: None,
            })
            .collect();
        self.current = Some((node.to_owned(), leaving));
        Ok(())
    }

    /// `None` once all pods are gone.
    fn evict(&mut self, cx: &mut Cx<'_>) -> Result<Option<Step>> {
        let grace = self.parsed.int("grace-period");
        let direct = self.parsed.bool("disable-eviction");
        let Some((node, leaving)) = &mut self.current else { return Ok(None) };
        let node = node.clone();
        let now = cx.now();
        let late = self.deadline.is_some_and(|deadline| now >= deadline);
        let reached = format!(
            "global timeout reached: {}",
            podlab_api::duration::go_duration(self.parsed.duration("timeout"))
        );
        let mut errors = std::mem::take(&mut self.failed);
        let mut next: Option<Timestamp> = None;
        let mut i = 0;
        while let Some(one) = leaving.get_mut(i) {
            let target = &one.target;
            if !one.evicted && one.again.is_none_or(|t| now >= t) {
                if one.again.is_some() {
                    cx.outln(&format!("evicting pod {}/{}", target.namespace, target.name));
                }
                if late {
                    let (name, namespace) = (&target.name, &target.namespace);
                    let text = format!("error when evicting pods/{name:?} -n {namespace:?}: {reached}");
                    errors.push(Error::Message(text));
                    leaving.remove(i);
                    continue;
                }
                let mut request = if direct {
                    Request::delete(&kinds::POD, &target.namespace, &target.name)
                } else {
                    Request::new(Verb::Create, &kinds::POD)
                        .namespace(&target.namespace)
                        .name(&target.name)
                        .subresource("eviction")
                        .body(json!({"apiVersion": "policy/v1", "kind": "Eviction",
                            "metadata": {"name": target.name, "namespace": target.namespace}}))
                };
                request.options.grace_period_seconds = (grace >= 0).then_some(grace);
                match cx.ask(request) {
                    Ok(_) => one.evicted = true,
                    Err(error) if error.is_not_found() => one.evicted = true,
                    Err(error) if error.status().is_some_and(|s| s.code == 429) => {
                        cx.errln(&format!(
                            "error when evicting pods/{:?} -n {:?} (will retry after 5s): {}",
                            target.name,
                            target.namespace,
                            error.text()
                        ));
                        one.again = after(now, RETRY);
                    }
                    Err(error) => {
                        let text = format!(
                            "error when evicting pods/{:?} -n {:?}: {}",
                            target.name,
                            target.namespace,
                            error.text()
                        );
                        self.fail(cx, &node, vec![Error::Message(text)]);
                        return Ok(None);
                    }
                }
            }
            let waits = one.evicted;
            if waits {
                let gone = match cx.get(&kinds::POD, &target.namespace, &target.name) {
                    Ok(pod) => text(&pod, &["metadata", "uid"]) != target.uid,
                    Err(error) => error.is_not_found(),
                };
                if gone {
                    cx.outln(&format!("pod/{} {}", target.name, if direct { "deleted" } else { "evicted" }));
                    leaving.remove(i);
                    continue;
                }
                if late {
                    let (name, namespace) = (&target.name, &target.namespace);
                    let text = format!(
                        "error when waiting for pod {name:?} in namespace {namespace:?} to terminate: {reached}"
                    );
                    errors.push(Error::Message(text));
                    leaving.remove(i);
                    continue;
                }
            } else {
                next = match (next, one.again) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            i += 1;
        }
        if leaving.is_empty() {
            if !errors.is_empty() {
                self.tell_pending(cx, &node, &errors)?;
                self.fail(cx, &node, errors);
            }
            return Ok(None);
        }
        self.failed.extend(errors);
        // A pod whose eviction is refused sleeps over the deadline; one that is awaited does not.
        let awaited = leaving.iter().any(|one| one.evicted);
        let until = match (next, self.deadline.filter(|_| awaited)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Ok(Some(Step::Wait(Wait { change: true, input: true, until, ..Wait::default() })))
    }

    fn finish(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        if !self.left.is_empty() {
            cx.errln("There are pending nodes to be drained:");
            for node in &self.left {
                cx.errln(&format!(" {node}"));
            }
        }
        if self.fatal.is_empty() {
            return Ok(Step::Done(0));
        }
        // An aggregate, whose errors stand without `error: ` before them, even where it is one alone.
        let lines: Vec<String> = self.fatal.iter().map(Error::standard).collect();
        Err(Error::Plain(lines.join("\n")))
    }
}
