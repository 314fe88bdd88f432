//! `kubectl certificate approve` and `deny`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/certificates/certificates.go (v1.37).

use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, done};
use crate::error::{Result, message};
use crate::flags::Parsed;
use crate::print::Order;
use crate::resource::Builder;
use crate::value::{list, name, slot, text};
use podlab_api::Request;
use serde_json::{Value, json};

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let (does, other, did, word) = match parsed.path.ends_with("deny") {
        true => ("Denied", "Approved", "denied", "deny"),
        false => ("Approved", "Denied", "approved", "approve"),
    };
    let mut reporter = Reporter::new(cx, parsed)?;
    reporter.dry_run = DryRun::None;
    let builder = Builder::new(cx, parsed);
    if builder.args.is_empty() && !builder.has_files() {
        return message("one or more CSRs must be specified as <name> or -f <filename>");
    }
    let args: Vec<String> = builder
        .args
        .iter()
        .map(|arg| if arg.contains('/') { arg.clone() } else { format!("certificatesigningrequest/{arg}") })
        .collect();
    let mut count = 0;
    for item in builder.args(&args).resolve(cx)?.items {
        let info = item?;
        if info.kind.namespaced {
            return message("namespace may not be empty when retrieving a resource by name");
        }
        if info.kind.kind != "CertificateSigningRequest" {
            return message("can only handle certificates.k8s.io/v1 certificate signing requests");
        }
        count += 1;
        let mut object = cx.get(info.kind, "", &info.name)?;
        let has = |object: &Value, condition: &str| {
            list(object, &["status", "conditions"]).iter().any(|c| text(c, &["type"]) == condition)
        };
        if has(&object, other) {
            return message(format!("certificate signing request {:?} is already {other}", name(&object)));
        }
        let there = has(&object, does);
        if !there {
            let now = cx.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let condition = json!({
                "type": does, "status": "True",
                "reason": if does == "Denied" { "KubectlDeny" } else { "KubectlApprove" },
                "message": format!("This CSR was {did} by kubectl certificate {word}."),
                "lastUpdateTime": now, "lastTransitionTime": now,
            });
            let conditions = slot(&mut object, &["status", "conditions"]);
            match conditions.as_array_mut() {
                Some(all) => all.push(condition),
                None => *conditions = json!([condition]),
            }
        }
        if !there || parsed.bool("force") {
            let request = Request::update(info.kind, "", &info.name, object);
            object = cx.object(request.subresource("approval"))?;
        }
        reporter.report(cx, &object, did, Order::Sorted)?;
    }
    if count == 0 {
        cx.outln("No resources found");
    }
    done()
}
