//! `kubectl create token`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/create/create_token.go (v1.37).

use crate::cx::{Cx, Flow, done};
use crate::error::{Result, message};
use crate::flags::Parsed;
use crate::print::{Format, Order};
use crate::value::{slot, text};
use podlab_api::door::Verb;
use podlab_api::{Request, kinds};
use serde_json::json;

const NANOS: i64 = 1_000_000_000;

pub(super) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = super::name(parsed)?;
    let format = crate::print::format(cx, parsed, false)?;
    let (kind, bound, uid) =
        (parsed.str("bound-object-kind"), parsed.str("bound-object-name"), parsed.str("bound-object-uid"));
    let duration = parsed.duration("duration");
    if duration < 0 {
        return message("--duration must be greater than or equal to 0");
    }
    if duration % NANOS != 0 {
        return message("--duration cannot be expressed in units less than seconds");
    }
    let version = match kind {
        "" => {
            if !bound.is_empty() {
                return message("--bound-object-name can only be set if --bound-object-kind is provided");
            }
            if !uid.is_empty() {
                return message("--bound-object-uid can only be set if --bound-object-kind is provided");
            }
            ""
        }
        "Node" | "Pod" | "Secret" => "v1",
        _ => return message("supported --bound-object-kind values are Node, Pod, Secret"),
    };
    if !kind.is_empty() && bound.is_empty() {
        return message("--bound-object-name is required if --bound-object-kind is provided");
    }
    let mut body = json!({
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
        "spec": {"audiences": parsed.list("audience")},
    });
    if duration > 0 {
        body["spec"]["expirationSeconds"] = (duration / NANOS).into();
    }
    if !kind.is_empty() {
        let bound = json!({"kind": kind, "apiVersion": version, "name": bound, "uid": uid});
        slot(&mut body, &["spec"])["boundObjectRef"] = bound;
    }
    cx.discover(0)?;
    let namespace = cx.namespace.clone();
    let mut request = Request::new(Verb::Create, &kinds::SERVICE_ACCOUNT)
        .namespace(&namespace)
        .name(&name)
        .subresource("token");
    request.body = body;
    let token =
        cx.object(request).or_else(|error| message(format!("failed to create token: {}", error.text())))?;
    if let Format::Human = format {
        let text = text(&token, &["status", "token"]).to_owned();
        cx.outln(&text);
    } else {
        let shown = crate::print::object(&format, &token, Order::Typed)?;
        cx.out(&shown);
    }
    done()
}
