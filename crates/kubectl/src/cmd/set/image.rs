//! `kubectl set image`.

use super::{Change, change, containers, pod_spec};
use crate::cmd::label::{pairs, resources_and_pairs};
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result};
use crate::flags::Parsed;
use crate::resource::gather;

pub(super) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    super::something(cx, parsed)?;
    let (resources, words) = resources_and_pairs(&parsed.args, "image")?;
    let (images, _) = pairs(&words, "image", false)?;
    let mut wrong = Vec::new();
    if parsed.bool("all") && !parsed.str("selector").is_empty() {
        wrong.push(Error::Message("cannot set --all and --selector at the same time".to_owned()));
    }
    let files = !parsed.list("filename").is_empty();
    if resources.is_empty() && !files {
        wrong.push(Error::Message(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>".to_owned(),
        ));
    }
    if images.is_empty() {
        // The resources are looked up before the arguments are judged.
        if !files && !parsed.bool("local") {
            cx.discover(4)?;
        }
        wrong.push(Error::Message("at least one image update is required".to_owned()));
    } else if images.len() > 1 && images.contains_key("*") {
        wrong.push(Error::Message(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs"
                .to_owned(),
        ));
    }
    gather(wrong)?;
    let how = Change {
        resources: &resources,
        verb: "image updated",
        failed: "failed to patch image update to pod template: ",
        always: false,
    };
    change(cx, parsed, &how, |_, object, errors| {
        let spec = pod_spec(object)?;
        for (name, image) in &images {
            let mut found = false;
            for container in containers(spec, "*") {
                if name == "*" || container["name"].as_str() == Some(name) {
                    found = true;
                    container["image"] = image.clone().into();
                }
            }
            if !found {
                errors.push(Error::Message(format!("error: unable to find container named {name:?}")));
            }
        }
        Ok(())
    })
}
