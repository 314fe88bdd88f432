//! `kubectl create -f`, and the generators below it.
//!
//! Source: k8s.io/kubectl/pkg/cmd/create/create.go (v1.37).

mod config;
mod ingress;
mod policy;
mod rbac;
mod service;
mod token;
mod workload;

pub(crate) use config::{bad_env_name, base64, hash};
pub(crate) use policy::{int_or_string, resource_list};

use super::{DryRun, Reporter, field_validation};
use crate::cx::Run;
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message, usage};
use crate::flags::Parsed;
use crate::print::Order;
use crate::resource::{Builder, gather};
use podlab_api::{Kind, Request, kinds};
use serde_json::{Value, json};

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    super::no_args(parsed)?;
    let mut builder = Builder::new(cx, parsed);
    if !builder.has_files() {
        Reporter::new(cx, parsed)?;
        return message("must specify one of -f and -k");
    }
    if parsed.bool("edit") {
        return super::edit::create(cx, parsed);
    }
    let mut reporter = Reporter::new(cx, parsed)?;
    let validation = field_validation(parsed)?;
    builder.validate = validation != podlab_api::door::FieldValidation::Ignore;
    let selected = builder.resolve(cx)?;
    let mut errors: Vec<Error> = Vec::new();
    let mut count = 0;
    for item in selected.items {
        let info = match item {
            Ok(info) => info,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        count += 1;
        let mut object = info.object.clone();
        if parsed.bool("save-config") {
            super::apply::annotate(&mut object);
        }
        parsed.record(&mut object);
        let shown = if reporter.dry_run == DryRun::Client {
            object
        } else {
            let mut request = Request::create(info.kind, &info.namespace, object);
            request.options.dry_run = reporter.dry_run == DryRun::Server;
            request.options.field_validation = validation;
            request.options.field_manager = Some(parsed.str("field-manager").to_owned());
            match cx.object(request) {
                Ok(object) => object,
                Err(error) => {
                    errors.push(error.when("creating", &info.source));
                    continue;
                }
            }
        };
        reporter.report(cx, &shown, "created", Order::Sorted)?;
    }
    gather(errors)?;
    if count == 0 {
        return message("no objects passed to create");
    }
    done()
}

/// The generator of a subcommand.
pub(crate) fn lookup(name: &str) -> Option<Run> {
    Some(match name {
        "namespace" => namespace,
        "serviceaccount" => service_account,
        "quota" => policy::quota,
        "poddisruptionbudget" => policy::budget,
        "priorityclass" => policy::priority_class,
        "configmap" => config::config_map,
        "secret generic" => config::secret_generic,
        "secret docker-registry" => config::secret_docker,
        "secret tls" => config::secret_tls,
        "service clusterip" | "service nodeport" | "service loadbalancer" | "service externalname" => {
            service::run
        }
        "deployment" => workload::deployment,
        "job" => workload::job,
        "cronjob" => workload::cron_job,
        "ingress" => ingress::run,
        "token" => token::run,
        "role" => rbac::role,
        "clusterrole" => rbac::cluster_role,
        "rolebinding" => rbac::role_binding,
        "clusterrolebinding" => rbac::cluster_role_binding,
        _ => return None,
    })
}

/// The one NAME before `--`.
fn name(parsed: &Parsed) -> Result<String> {
    match parsed.before_dash() {
        [one] => Ok(one.clone()),
        other => usage(&parsed.path, format!("exactly one NAME is required, got {}", other.len())),
    }
}

/// Sends what a generator made, or only shows it.
///
/// `failed` stands before a refusal (`failed to create job: `); where it is empty, the refusal is told as it
/// is.
pub(super) fn finish(
    cx: &mut Cx<'_>,
    parsed: &Parsed,
    kind: &'static Kind,
    mut object: Value,
    failed: &str,
) -> Result<Flow> {
    let mut reporter = Reporter::new(cx, parsed)?;
    let validation = field_validation(parsed)?;
    if kind.namespaced && cx.enforce_namespace {
        object["metadata"]["namespace"] = cx.namespace.clone().into();
    }
    if parsed.bool("save-config") {
        super::apply::annotate(&mut object);
    }
    if reporter.dry_run != DryRun::Client {
        cx.discover(0)?;
        let namespace = if kind.namespaced { cx.namespace.clone() } else { String::new() };
        let mut request = Request::create(kind, &namespace, object);
        request.options.dry_run = reporter.dry_run == DryRun::Server;
        request.options.field_validation = validation;
        request.options.field_manager = Some(parsed.str("field-manager").to_owned());
        object = match cx.object(request) {
            Ok(object) => object,
            Err(error) if failed.is_empty() => return Err(error),
            Err(error) => return message(format!("{failed}{}", error.text())),
        };
    }
    reporter.report(cx, &object, "created", Order::Typed)?;
    done()
}

fn namespace(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {}, "status": {}});
    finish(cx, parsed, &kinds::NAMESPACE, object, "")
}

fn service_account(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let object = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
    finish(cx, parsed, &kinds::SERVICE_ACCOUNT, object, "failed to create serviceaccount: ")
}
