//! PersistentVolumes, their claims and classes.

use super::{Out, ago, or, pairs, pod};
use crate::cx::Cx;
use crate::error::Result;
use crate::value::{at, list, name, namespace, plain, text};
use podlab_api::kinds;
use serde_json::Value;

/// How Go prints a time that was never set.
const ZERO_TIME: &str = "Mon, 01 Jan 0001 00:00:00 +0000";

fn modes(values: &[Value]) -> String {
    let order = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let short: Vec<&str> = order
        .iter()
        .filter(|(long, _)| values.iter().any(|v| v.as_str() == Some(long)))
        .map(|(_, short)| *short)
        .collect();
    short.join(",")
}

fn finalizers(object: &Value) -> String {
    let all: Vec<&str> = list(object, &["metadata", "finalizers"]).iter().filter_map(Value::as_str).collect();
    format!("[{}]", all.join(" "))
}

fn status(out: &mut Out, object: &Value) {
    let deleted = text(object, &["metadata", "deletionTimestamp"]);
    if deleted.is_empty() {
        out.line(0, format!("Status:\t{}", text(object, &["status", "phase"])));
    } else {
        out.line(0, format!("Status:\tTerminating (lasts {})", ago(deleted, out.now)));
    }
}

pub(super) fn volume(out: &mut Out, object: &Value) {
    let spec = at(object, &["spec"]);
    out.line(0, format!("Name:\t{}", name(object)));
    out.marks(object);
    out.line(0, format!("Finalizers:\t{}", finalizers(object)));
    out.line(0, format!("StorageClass:\t{}", text(spec, &["storageClassName"])));
    status(out, object);
    let claim = at(spec, &["claimRef"]);
    if claim.is_object() {
        out.line(0, format!("Claim:\t{}/{}", text(claim, &["namespace"]), text(claim, &["name"])));
    } else {
        out.line(0, "Claim:\t");
    }
    out.line(0, format!("Reclaim Policy:\t{}", text(spec, &["persistentVolumeReclaimPolicy"])));
    out.line(0, format!("Access Modes:\t{}", modes(list(spec, &["accessModes"]))));
    if !text(spec, &["volumeMode"]).is_empty() {
        out.line(0, format!("VolumeMode:\t{}", text(spec, &["volumeMode"])));
    }
    out.line(0, format!("Capacity:\t{}", plain(at(spec, &["capacity", "storage"]))));
    let terms = list(spec, &["nodeAffinity", "required", "nodeSelectorTerms"]);
    if !at(spec, &["nodeAffinity"]).is_object() {
        out.line(0, "Node Affinity:\t<none>");
    } else {
        out.line(0, "Node Affinity:");
        if terms.is_empty() {
            out.line(1, "Required Terms:\t<none>");
        } else {
            out.line(1, "Required Terms:");
        }
        for (i, term) in terms.iter().enumerate() {
            for (j, e) in list(term, &["matchExpressions"]).iter().enumerate() {
                let values: Vec<&str> = list(e, &["values"]).iter().filter_map(Value::as_str).collect();
                let head = if j == 0 { format!("Term {i}:\t") } else { "\t".to_owned() };
                let list =
                    if values.is_empty() { String::new() } else { format!(" [{}]", values.join(", ")) };
                out.line(
                    2,
                    format!("{head}{} {}{list}", text(e, &["key"]), text(e, &["operator"]).to_lowercase()),
                );
            }
        }
    }
    out.line(0, format!("Message:\t{}", text(object, &["status", "message"])));
    out.line(0, "Source:");
    pod::source(out, spec);
}

pub(super) fn claim(cx: &mut Cx<'_>, out: &mut Out, object: &Value) -> Result<()> {
    let (spec, state) = (at(object, &["spec"]), at(object, &["status"]));
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", namespace(object)));
    out.line(0, format!("StorageClass:\t{}", text(spec, &["storageClassName"])));
    status(out, object);
    out.line(0, format!("Volume:\t{}", text(spec, &["volumeName"])));
    out.marks(object);
    out.line(0, format!("Finalizers:\t{}", finalizers(object)));
    let bound = !text(spec, &["volumeName"]).is_empty();
    let (capacity, access) = if bound {
        let size = plain(at(state, &["capacity", "storage"]));
        (or(&size, "0").to_owned(), modes(list(state, &["accessModes"])))
    } else {
        (String::new(), String::new())
    };
    out.line(0, format!("Capacity:\t{capacity}"));
    out.line(0, format!("Access Modes:\t{access}"));
    if !text(spec, &["volumeMode"]).is_empty() {
        out.line(0, format!("VolumeMode:\t{}", text(spec, &["volumeMode"])));
    }
    let source = at(spec, &["dataSource"]);
    if source.is_object() {
        out.line(0, "DataSource:");
        if !text(source, &["apiGroup"]).is_empty() {
            out.line(1, format!("APIGroup:\t{}", text(source, &["apiGroup"])));
        }
        out.line(1, format!("Kind:\t{}", text(source, &["kind"])));
        out.line(1, format!("Name:\t{}", text(source, &["name"])));
    }
    let users: Vec<String> = cx
        .select(&kinds::POD, namespace(object), "")?
        .iter()
        .filter(|p| {
            list(p, &["spec", "volumes"])
                .iter()
                .any(|v| text(v, &["persistentVolumeClaim", "claimName"]) == name(object))
        })
        .map(|p| name(p).to_owned())
        .collect();
    out.many("Used By", &users);
    let conditions = list(state, &["conditions"]);
    if !conditions.is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage");
        out.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
        for c in conditions {
            out.line(
                1,
                format!(
                    "{} \t{} \t{} \t{} \t{} \t{}",
                    text(c, &["type"]),
                    text(c, &["status"]),
                    match text(c, &["lastProbeTime"]) {
                        "" => ZERO_TIME.to_owned(),
                        time => super::time(time),
                    },
                    super::time(text(c, &["lastTransitionTime"])),
                    text(c, &["reason"]),
                    text(c, &["message"])
                ),
            );
        }
    }
    Ok(())
}

pub(super) fn class(out: &mut Out, object: &Value) {
    out.line(0, format!("Name:\t{}", name(object)));
    let default =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
            .iter()
            .any(|key| text(object, &["metadata", "annotations", key]) == "true");
    out.line(0, format!("IsDefaultClass:\t{}", if default { "Yes" } else { "No" }));
    out.line(0, format!("Annotations:\t{}", pairs(at(object, &["metadata", "annotations"]))));
    out.line(0, format!("Provisioner:\t{}", text(object, &["provisioner"])));
    out.line(0, format!("Parameters:\t{}", pairs(at(object, &["parameters"]))));
    let expansion = match at(object, &["allowVolumeExpansion"]).as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    out.line(0, format!("AllowVolumeExpansion:\t{expansion}"));
    let options: Vec<&str> = list(object, &["mountOptions"]).iter().filter_map(Value::as_str).collect();
    if options.is_empty() {
        out.line(0, "MountOptions:\t<none>");
    } else {
        out.line(0, "MountOptions:");
        for option in options {
            out.line(1, option);
        }
    }
    if !text(object, &["reclaimPolicy"]).is_empty() {
        out.line(0, format!("ReclaimPolicy:\t{}", text(object, &["reclaimPolicy"])));
    }
    if !text(object, &["volumeBindingMode"]).is_empty() {
        out.line(0, format!("VolumeBindingMode:\t{}", text(object, &["volumeBindingMode"])));
    }
    let topologies = list(object, &["allowedTopologies"]);
    if !topologies.is_empty() {
        out.line(0, "AllowedTopologies:");
        for (i, term) in topologies.iter().enumerate() {
            for e in list(term, &["matchLabelExpressions"]) {
                let values: Vec<&str> = list(e, &["values"]).iter().filter_map(Value::as_str).collect();
                out.line(1, format!("Term {i}:\t{} in [{}]", text(e, &["key"]), values.join(", ")));
            }
        }
    }
}
