//! `kubectl set resources`.

use super::{Change, change, containers, pod_spec};
use crate::cmd::create::resource_list;
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::value::slot;
use serde_json::Value;

pub(super) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    super::something(cx, parsed)?;
    if parsed.bool("all") && !parsed.str("selector").is_empty() {
        return message("cannot set --all and --selector at the same time");
    }
    let (limits, requests) = (parsed.str("limits"), parsed.str("requests"));
    if limits.is_empty() && requests.is_empty() {
        return message(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        );
    }
    let parts = [("limits", resource_list(limits)?), ("requests", resource_list(requests)?)];
    let selector = parsed.str("containers").to_owned();
    let args = parsed.args.clone();
    let how = Change {
        resources: &args,
        verb: "resource requirements updated",
        failed: "failed to patch resources update to pod template ",
        always: false,
    };
    change(cx, parsed, &how, |_, object, errors| {
        let chosen = containers(pod_spec(object)?, &selector);
        if chosen.is_empty() {
            errors.push(Error::Message(format!("error: unable to find container named {selector}")));
        }
        for container in chosen {
            for (field, list) in &parts {
                for (key, amount) in list {
                    let place = slot(container, &["resources", field]);
                    if !place.is_object() {
                        *place = Value::Object(serde_json::Map::new());
                    }
                    place[key] = amount.clone();
                }
            }
        }
        Ok(())
    })
}
