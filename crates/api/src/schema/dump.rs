//! An object as Go's spew prints it for hashing: what `pod-template-hash` is made from.
//!
//! Every field stands there with its Go name and type, unset ones too, so the text follows from the schema. Names
//! that are not the JSON name with a capital first letter stand in [`GO_NAMES`]. An empty list or map reads as nil,
//! since the controllers get their objects through protobuf, which does not know the difference.
//!
//! Source: k8s.io/utils/dump `ForHash` and github.com/davecgh/go-spew/spew/format.go.

use super::{Field, GoType, Schema, Special, TypeId};
use crate::quantity::Quantity;
use serde_json::Value;
use std::fmt::Write;

/// A type nested deeper than any of the API's is cut.
const MAX_DEPTH: usize = 64;

/// `type.jsonName → GoName`; a name without a type goes for every type.
const GO_NAMES: &[(&str, &str)] = &[
    ("ISCSIVolumeSource.chapAuthDiscovery", "DiscoveryCHAPAuth"),
    ("ISCSIVolumeSource.chapAuthSession", "SessionCHAPAuth"),
    ("GlusterfsVolumeSource.endpoints", "EndpointsName"),
    ("RBDVolumeSource.monitors", "CephMonitors"),
    ("RBDVolumeSource.image", "RBDImage"),
    ("RBDVolumeSource.pool", "RBDPool"),
    ("RBDVolumeSource.user", "RadosUser"),
    ("AzureDiskVolumeSource.diskURI", "DataDiskURI"),
    ("PodSpec.serviceAccount", "DeprecatedServiceAccount"),
    ("VolumeSource.fc", "FC"),
    ("PodTemplateSpec.metadata", "ObjectMeta"),
    ("PersistentVolumeClaimTemplate.metadata", "ObjectMeta"),
    ("apiGroup", "APIGroup"),
    ("apiVersion", "APIVersion"),
    ("awsElasticBlockStore", "AWSElasticBlockStore"),
    ("cephfs", "CephFS"),
    ("csi", "CSI"),
    ("dnsConfig", "DNSConfig"),
    ("dnsPolicy", "DNSPolicy"),
    ("fc", "FC"),
    ("fsGroup", "FSGroup"),
    ("fsGroupChangePolicy", "FSGroupChangePolicy"),
    ("fsType", "FSType"),
    ("gcePersistentDisk", "GCEPersistentDisk"),
    ("gmsaCredentialSpec", "GMSACredentialSpec"),
    ("gmsaCredentialSpecName", "GMSACredentialSpecName"),
    ("grpc", "GRPC"),
    ("httpGet", "HTTPGet"),
    ("httpHeaders", "HTTPHeaders"),
    ("ip", "IP"),
    ("iqn", "IQN"),
    ("iscsi", "ISCSI"),
    ("iscsiInterface", "ISCSIInterface"),
    ("nfs", "NFS"),
    ("os", "OS"),
    ("pdName", "PDName"),
    ("rbd", "RBD"),
    ("seLinuxChangePolicy", "SELinuxChangePolicy"),
    ("seLinuxOptions", "SELinuxOptions"),
    ("sslEnabled", "SSLEnabled"),
    ("storageos", "StorageOS"),
    ("tcpSocket", "TCPSocket"),
    ("tty", "TTY"),
    ("uid", "UID"),
    ("wwids", "WWIDs"),
];

fn go_name(owner: &str, name: &str) -> String {
    let of_type = format!("{owner}.{name}");
    let known =
        |wanted: &str| GO_NAMES.iter().find(|(key, _)| *key == wanted).map(|(_, go)| (*go).to_owned());
    known(&of_type).or_else(|| known(name)).unwrap_or_else(|| {
        let mut letters = name.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    })
}

impl Schema {
    /// The text that Go's `dump.ForHash` gives for a value of this type.
    pub fn dump_for_hash(&self, id: TypeId, value: &Value) -> String {
        let mut out = String::with_capacity(8192);
        self.dump(&GoType::Named(id), Some(value), true, &mut out, 0);
        out
    }

    fn dump(&self, ty: &GoType, value: Option<&Value>, typed: bool, out: &mut String, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        if typed {
            let _ = write!(out, "({})", self.go_type(ty));
        }
        let value = value.filter(|value| !value.is_null());
        match self.resolve(ty) {
            GoType::Pointer(inner) => match value {
                Some(_) => self.dump(inner, value, false, out, depth + 1),
                None => out.push_str("<nil>"),
            },
            GoType::Slice(inner) => match value.and_then(Value::as_array).filter(|list| !list.is_empty()) {
                Some(list) => {
                    for (at, item) in list.iter().enumerate() {
                        out.push(if at == 0 { '[' } else { ' ' });
                        self.dump(inner, Some(item), false, out, depth + 1);
                    }
                    out.push(']');
                }
                None => out.push_str("<nil>"),
            },
            GoType::Map(_, inner) => match value.and_then(Value::as_object).filter(|map| !map.is_empty()) {
                Some(map) => {
                    let mut keys: Vec<&String> = map.keys().collect();
                    keys.sort();
                    for (at, key) in keys.into_iter().enumerate() {
                        out.push_str(if at == 0 { "map[" } else { " " });
                        out.push_str(key);
                        out.push(':');
                        self.dump(inner, map.get(key), false, out, depth + 1);
                    }
                    out.push(']');
                }
                None => out.push_str("<nil>"),
            },
            GoType::Bytes => out.push_str("<nil>"),
            GoType::Bool => {
                let _ = write!(out, "{}", value.and_then(Value::as_bool).unwrap_or(false));
            }
            GoType::Int(..) => {
                let _ = write!(out, "{}", value.and_then(Value::as_i64).unwrap_or(0));
            }
            GoType::Float => {
                let _ = write!(out, "{}", value.and_then(Value::as_f64).unwrap_or(0.0));
            }
            GoType::Str => out.push_str(value.and_then(Value::as_str).unwrap_or("")),
            GoType::Special(special) => dump_special(*special, value, out),
            GoType::Named(id) => self.dump_struct(*id, value, out, depth),
        }
    }

    fn dump_struct(&self, id: TypeId, value: Option<&Value>, out: &mut String, depth: usize) {
        let (owner, package) = (self.type_name(id), self.qualified_name(id).0);
        let package = package.rsplit('/').next().unwrap_or(package);
        let mut embedded: Option<&str> = None;
        out.push('{');
        for (at, field) in self.fields(id).iter().enumerate() {
            let Field { name, ty, inline, .. } = field;
            if embedded != *inline && embedded.is_some() {
                out.push('}');
            }
            if at > 0 && (embedded.is_none() || embedded != *inline) {
                out.push(' ');
            }
            match inline {
                Some(inner) if embedded != Some(inner) => {
                    let _ = write!(out, "{inner}:({package}.{inner}){{");
                }
                Some(_) => out.push(' '),
                None => {}
            }
            embedded = *inline;
            out.push_str(&go_name(inline.unwrap_or(owner), name));
            out.push(':');
            self.dump(ty, value.and_then(|value| value.get(name)), true, out, depth + 1);
        }
        if embedded.is_some() {
            out.push('}');
        }
        out.push('}');
    }
}

fn dump_special(special: Special, value: Option<&Value>, out: &mut String) {
    match special {
        Special::Quantity => {
            let text = match value {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => "0".to_owned(),
            };
            // Stored texts are canonical, and the controllers read these.
            match Quantity::parse(&text) {
                Ok(quantity) => out.push_str(&quantity.dump_for_hash()),
                Err(_) => out.push_str(&text),
            }
        }
        Special::IntOrString => {
            let (kind, number, text) = match value {
                Some(Value::String(text)) => (1, 0, text.as_str()),
                Some(other) => (0, other.as_i64().unwrap_or(0), ""),
                None => (0, 0, ""),
            };
            let _ = write!(out, "{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){text}}}");
        }
        // No template has a time of its own.
        _ => out.push_str("{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_stand_in_order_with_names_and_types() {
        let schema = Schema::get();
        let id = schema.type_named("core/v1.Probe").unwrap();
        let probe = json!({"tcpSocket": {"port": "http"}, "periodSeconds": 10});
        assert_eq!(
            schema.dump_for_hash(id, &probe),
            "(v1.Probe){ProbeHandler:(v1.ProbeHandler){Exec:(*v1.ExecAction)<nil> HTTPGet:(*v1.HTTPGetAction)<nil> \
             TCPSocket:(*v1.TCPSocketAction){Port:(intstr.IntOrString){Type:(intstr.Type)1 IntVal:(int32)0 \
             StrVal:(string)http} Host:(string)} GRPC:(*v1.GRPCAction)<nil>} InitialDelaySeconds:(int32)0 \
             TimeoutSeconds:(int32)0 PeriodSeconds:(int32)10 SuccessThreshold:(int32)0 FailureThreshold:(int32)0 \
             TerminationGracePeriodSeconds:(*int64)<nil>}"
        );
    }

    #[test]
    fn quantities_show_how_they_are_held() {
        let schema = Schema::get();
        let id = schema.type_named("core/v1.ResourceRequirements").unwrap();
        let resources = json!({"requests": {"memory": "64Mi", "cpu": "100m"}});
        assert_eq!(
            schema.dump_for_hash(id, &resources),
            "(v1.ResourceRequirements){Limits:(v1.ResourceList)<nil> Requests:(v1.ResourceList)map[cpu:{\
             i:(resource.int64Amount){value:(int64)100 scale:(resource.Scale)-3} d:(resource.infDecAmount){\
             Dec:(*inf.Dec)<nil>} s:(string)100m Format:(resource.Format)DecimalSI} memory:{\
             i:(resource.int64Amount){value:(int64)67108864 scale:(resource.Scale)0} d:(resource.infDecAmount){\
             Dec:(*inf.Dec)<nil>} s:(string) Format:(resource.Format)BinarySI}] Claims:([]v1.ResourceClaim)<nil>}"
        );
    }
}
