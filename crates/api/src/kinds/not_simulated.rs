//! Kinds that are served, kept and given back, and on which nothing acts.
//!
//! They are decoded, defaulted and printed by the schema as all others; of their rules only those for metadata are
//! checked. A kind that comes to act gets a file of its own.
//!
//! Source: `kubectl api-resources -o wide` of a 1.37 API server.

use super::{BodyType, Kind, Support};

const ADMISSION: &str = "expressions of admission policies are not evaluated";
const WEBHOOK: &str = "no webhook is called: nothing leaves the page";
const AGGREGATION: &str = "no other API server answers here";
const SIGNING: &str = "no certificates are signed";
const FAIRNESS: &str = "requests are not queued here";
const RANGES: &str = "Service addresses come from one range";
const DEVICES: &str = "devices are not allocated";
const DRIVERS: &str = "volumes have no drivers here";
const MIGRATION: &str = "the store has one form of every object";

/// The category of what extends the API.
const EXTENSIONS: &[&str] = &["api-extensions"];
/// The subresources of a kind whose status somebody else writes.
const STATUS: &[&str] = &["status"];

/// An entry; the singular is the kind in lower case.
const fn kept(
    group: &'static str,
    kind: &'static str,
    (plural, singular): (&'static str, &'static str),
    namespaced: bool,
    why: &'static str,
) -> Kind {
    Kind {
        group,
        version: "v1",
        kind,
        plural,
        singular,
        short_names: &[],
        categories: &[],
        namespaced,
        subresources: &[],
        body: BodyType::Tree,
        support: Support::NotSimulated(why),
    }
}

const ADMISSIONREGISTRATION_GROUP: &str = "admissionregistration.k8s.io";
const APIREGISTRATION_GROUP: &str = "apiregistration.k8s.io";
const CERTIFICATES_GROUP: &str = "certificates.k8s.io";
const FLOWCONTROL_GROUP: &str = "flowcontrol.apiserver.k8s.io";
const NETWORKING_GROUP: &str = "networking.k8s.io";
const RESOURCE_GROUP: &str = "resource.k8s.io";
const STORAGE_GROUP: &str = "storage.k8s.io";
const STORAGEMIGRATION_GROUP: &str = "storagemigration.k8s.io";

/// The registry entry of MutatingAdmissionPolicy.
pub static MUTATING_ADMISSION_POLICY: Kind = Kind {
    categories: EXTENSIONS,
    ..kept(
        ADMISSIONREGISTRATION_GROUP,
        "MutatingAdmissionPolicy",
        ("mutatingadmissionpolicies", "mutatingadmissionpolicy"),
        false,
        ADMISSION,
    )
};
/// The registry entry of MutatingAdmissionPolicyBinding.
pub static MUTATING_ADMISSION_POLICY_BINDING: Kind = Kind {
    categories: EXTENSIONS,
    ..kept(
        ADMISSIONREGISTRATION_GROUP,
        "MutatingAdmissionPolicyBinding",
        ("mutatingadmissionpolicybindings", "mutatingadmissionpolicybinding"),
        false,
        ADMISSION,
    )
};
/// The registry entry of MutatingWebhookConfiguration.
pub static MUTATING_WEBHOOK_CONFIGURATION: Kind = Kind {
    categories: EXTENSIONS,
    ..kept(
        ADMISSIONREGISTRATION_GROUP,
        "MutatingWebhookConfiguration",
        ("mutatingwebhookconfigurations", "mutatingwebhookconfiguration"),
        false,
        WEBHOOK,
    )
};
/// The registry entry of ValidatingAdmissionPolicy.
pub static VALIDATING_ADMISSION_POLICY: Kind = Kind {
    categories: EXTENSIONS,
    subresources: STATUS,
    ..kept(
        ADMISSIONREGISTRATION_GROUP,
        "ValidatingAdmissionPolicy",
        ("validatingadmissionpolicies", "validatingadmissionpolicy"),
        false,
        ADMISSION,
    )
};
/// The registry entry of ValidatingAdmissionPolicyBinding.
pub static VALIDATING_ADMISSION_POLICY_BINDING: Kind = Kind {
    categories: EXTENSIONS,
    ..kept(
        ADMISSIONREGISTRATION_GROUP,
        "ValidatingAdmissionPolicyBinding",
        ("validatingadmissionpolicybindings", "validatingadmissionpolicybinding"),
        false,
        ADMISSION,
    )
};
/// The registry entry of ValidatingWebhookConfiguration.
pub static VALIDATING_WEBHOOK_CONFIGURATION: Kind = Kind {
    categories: EXTENSIONS,
    ..kept(
        ADMISSIONREGISTRATION_GROUP,
        "ValidatingWebhookConfiguration",
        ("validatingwebhookconfigurations", "validatingwebhookconfiguration"),
        false,
        WEBHOOK,
    )
};
/// The registry entry of APIService.
pub static API_SERVICE: Kind = Kind {
    categories: EXTENSIONS,
    subresources: STATUS,
    ..kept(APIREGISTRATION_GROUP, "APIService", ("apiservices", "apiservice"), false, AGGREGATION)
};
/// The registry entry of CertificateSigningRequest.
pub static CERTIFICATE_SIGNING_REQUEST: Kind = Kind {
    short_names: &["csr"],
    subresources: &["approval", "status"],
    ..kept(
        CERTIFICATES_GROUP,
        "CertificateSigningRequest",
        ("certificatesigningrequests", "certificatesigningrequest"),
        false,
        SIGNING,
    )
};
/// The registry entry of PodCertificateRequest.
pub static POD_CERTIFICATE_REQUEST: Kind = Kind {
    subresources: STATUS,
    ..kept(
        CERTIFICATES_GROUP,
        "PodCertificateRequest",
        ("podcertificaterequests", "podcertificaterequest"),
        true,
        SIGNING,
    )
};
/// The registry entry of FlowSchema.
pub static FLOW_SCHEMA: Kind = Kind {
    subresources: STATUS,
    ..kept(FLOWCONTROL_GROUP, "FlowSchema", ("flowschemas", "flowschema"), false, FAIRNESS)
};
/// The registry entry of PriorityLevelConfiguration.
pub static PRIORITY_LEVEL_CONFIGURATION: Kind = Kind {
    subresources: STATUS,
    ..kept(
        FLOWCONTROL_GROUP,
        "PriorityLevelConfiguration",
        ("prioritylevelconfigurations", "prioritylevelconfiguration"),
        false,
        FAIRNESS,
    )
};
/// The registry entry of IPAddress.
pub static IP_ADDRESS: Kind = Kind {
    short_names: &["ip"],
    ..kept(NETWORKING_GROUP, "IPAddress", ("ipaddresses", "ipaddress"), false, RANGES)
};
/// The registry entry of ServiceCIDR.
pub static SERVICE_CIDR: Kind = Kind {
    subresources: STATUS,
    ..kept(NETWORKING_GROUP, "ServiceCIDR", ("servicecidrs", "servicecidr"), false, RANGES)
};
/// The registry entry of DeviceClass.
pub static DEVICE_CLASS: Kind =
    kept(RESOURCE_GROUP, "DeviceClass", ("deviceclasses", "deviceclass"), false, DEVICES);
/// The registry entry of DeviceTaintRule.
pub static DEVICE_TAINT_RULE: Kind = Kind {
    subresources: STATUS,
    ..kept(RESOURCE_GROUP, "DeviceTaintRule", ("devicetaintrules", "devicetaintrule"), false, DEVICES)
};
/// The registry entry of ResourceClaim.
pub static RESOURCE_CLAIM: Kind = Kind {
    subresources: STATUS,
    ..kept(RESOURCE_GROUP, "ResourceClaim", ("resourceclaims", "resourceclaim"), true, DEVICES)
};
/// The registry entry of ResourceClaimTemplate.
pub static RESOURCE_CLAIM_TEMPLATE: Kind = kept(
    RESOURCE_GROUP,
    "ResourceClaimTemplate",
    ("resourceclaimtemplates", "resourceclaimtemplate"),
    true,
    DEVICES,
);
/// The registry entry of ResourceSlice.
pub static RESOURCE_SLICE: Kind =
    kept(RESOURCE_GROUP, "ResourceSlice", ("resourceslices", "resourceslice"), false, DEVICES);
/// The registry entry of CSIDriver.
pub static CSI_DRIVER: Kind = kept(STORAGE_GROUP, "CSIDriver", ("csidrivers", "csidriver"), false, DRIVERS);
/// The registry entry of CSINode.
pub static CSI_NODE: Kind =
    Kind { subresources: STATUS, ..kept(STORAGE_GROUP, "CSINode", ("csinodes", "csinode"), false, DRIVERS) };
/// The registry entry of CSIStorageCapacity.
pub static CSI_STORAGE_CAPACITY: Kind =
    kept(STORAGE_GROUP, "CSIStorageCapacity", ("csistoragecapacities", "csistoragecapacity"), true, DRIVERS);
/// The registry entry of VolumeAttachment.
pub static VOLUME_ATTACHMENT: Kind = Kind {
    subresources: STATUS,
    ..kept(STORAGE_GROUP, "VolumeAttachment", ("volumeattachments", "volumeattachment"), false, DRIVERS)
};
/// The registry entry of VolumeAttributesClass.
pub static VOLUME_ATTRIBUTES_CLASS: Kind = Kind {
    short_names: &["vac"],
    ..kept(
        STORAGE_GROUP,
        "VolumeAttributesClass",
        ("volumeattributesclasses", "volumeattributesclass"),
        false,
        DRIVERS,
    )
};
/// The registry entry of StorageVersionMigration.
pub static STORAGE_VERSION_MIGRATION: Kind = Kind {
    subresources: STATUS,
    ..kept(
        STORAGEMIGRATION_GROUP,
        "StorageVersionMigration",
        ("storageversionmigrations", "storageversionmigration"),
        false,
        MIGRATION,
    )
};
