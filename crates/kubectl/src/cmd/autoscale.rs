//! `kubectl autoscale`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/autoscale/autoscale.go (v1.37).

use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::manifest::typed_value;
use crate::print::Order;
use crate::resource::{Builder, gather};
use podlab_api::quantity::Quantity;
use podlab_api::{Request, kinds};
use serde_json::{Value, json};

fn metric(resource: &str, input: &str) -> Result<Value> {
    let target = match input.strip_suffix('%') {
        Some(percent) => match percent.parse::<i32>() {
            Ok(n) if n > 0 => json!({"type": "Utilization", "averageUtilization": n}),
            Ok(_) => {
                return message(format!("{resource} target percentage must be greater than 0%: {input}"));
            }
            Err(_) => {
                return message(format!(
                    "failed to parse {resource} percentage {input:?}: strconv.ParseInt: parsing {percent:?}: invalid syntax"
                ));
            }
        },
        None => match Quantity::parse(input) {
            Ok(amount) => json!({"type": "AverageValue", "averageValue": amount.to_string()}),
            Err(error) => return message(format!("failed to parse {resource} {input:?}: {error}")),
        },
    };
    Ok(json!({"type": "Resource", "resource": {"name": resource, "target": target}}))
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let mut reporter = Reporter::new(cx, parsed)?;
    let (min, max) = (parsed.int("min"), parsed.int("max"));
    if max < 1 {
        return message(format!("--max=MAXPODS is required and must be at least 1, max: {max}"));
    }
    if max < min {
        return message(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"
        ));
    }
    let percent = parsed.int("cpu-percent");
    let (cpu, memory) = (parsed.str("cpu").to_owned(), parsed.str("memory").to_owned());
    if percent > 0 && !cpu.is_empty() {
        return message("--cpu-percent and --cpu are mutually exclusive");
    }
    let mut metrics: Vec<Value> = Vec::new();
    if percent > 0 {
        metrics.push(json!({"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": percent}}}));
    }
    if !cpu.is_empty() {
        metrics.push(metric("cpu", &cpu)?);
    }
    if !memory.is_empty() {
        metrics.push(metric("memory", &memory)?);
    }
    let builder = Builder::new(cx, parsed);
    let mut errors: Vec<Error> = Vec::new();
    let mut count = 0;
    for item in builder.fetch(cx)?.items {
        let result = item.and_then(|info| {
            count += 1;
            if !info.kind.subresources.contains(&"scale") {
                return message(format!(
                    "cannot autoscale a {}: could not find scale subresource for {}/{}, Resource={} in discovery information",
                    info.kind.kind, info.kind.group, info.kind.version, info.kind.plural
                ));
            }
            let own = if parsed.str("name").is_empty() { info.name.as_str() } else { parsed.str("name") };
            let mut spec = json!({"maxReplicas": max, "scaleTargetRef": {"apiVersion": info.kind.api_version(),
                "kind": info.kind.kind, "name": info.name}});
            if min > 0 {
                spec["minReplicas"] = min.into();
            }
            if !metrics.is_empty() {
                spec["metrics"] = metrics.clone().into();
            }
            let mut object = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": own}, "spec": spec});
            if cx.enforce_namespace {
                object["metadata"]["namespace"] = cx.namespace.clone().into();
            }
            let mut object = typed_value(&object).or_else(message)?;
            if reporter.dry_run != DryRun::Client {
                if parsed.bool("save-config") {
                    super::apply::annotate(&mut object);
                }
                let mut request = Request::create(&kinds::HORIZONTAL_POD_AUTOSCALER, &info.namespace, object);
                request.options.dry_run = reporter.dry_run == DryRun::Server;
                request.options.field_manager = Some(parsed.str("field-manager").to_owned());
                object = cx.object(request)?;
            }
            reporter.report(cx, &object, "autoscaled", Order::Typed)
        });
        errors.extend(result.err());
    }
    gather(errors)?;
    if count == 0 {
        return message("no objects passed to autoscale");
    }
    done()
}
