//! The structs of a KubeSchedulerConfiguration.
//!
//! Source: k8s.io/kube-scheduler/config/v1/{types,types_pluginargs}.go, k8s.io/component-base/config/v1alpha1/types.go,
//! k8s.io/api/core/v1/types.go (v1.37).

use super::decode::{Field, Struct, Type, field, not_simulated};

const STRING: Type = Type::Text("string");
const STRINGS: Type = Type::List("string", &STRING);

/// What [`super::read`] reads.
pub(super) static CONFIGURATION: Struct = Struct {
    name: "v1.KubeSchedulerConfiguration",
    fields: &[
        field("apiVersion", STRING),
        field("kind", STRING),
        // How many nodes are looked at at the same time; the result is the same.
        not_simulated("parallelism", Type::Int32),
        not_simulated("leaderElection", Type::Object(&LEADER_ELECTION)),
        not_simulated("clientConnection", Type::Object(&CLIENT_CONNECTION)),
        debugging("enableProfiling"),
        debugging("enableContentionProfiling"),
        field("percentageOfNodesToScore", Type::Int32),
        field("podInitialBackoffSeconds", Type::Int64),
        field("podMaxBackoffSeconds", Type::Int64),
        field("profiles", Type::List("v1.KubeSchedulerProfile", &Type::Object(&PROFILE))),
        not_simulated("extenders", Type::List("v1.Extender", &Type::Object(&EXTENDER))),
        not_simulated("delayCacheUntilActive", Type::Bool),
    ],
};

const fn debugging(name: &'static str) -> Field {
    Field { name, holds: Type::Bool, simulated: false, embedded: "DebuggingConfiguration." }
}

static LEADER_ELECTION: Struct = Struct {
    name: "v1alpha1.LeaderElectionConfiguration",
    fields: &[
        field("leaderElect", Type::Bool),
        field("leaseDuration", Type::Duration),
        field("renewDeadline", Type::Duration),
        field("retryPeriod", Type::Duration),
        field("resourceLock", STRING),
        field("resourceName", STRING),
        field("resourceNamespace", STRING),
    ],
};

static CLIENT_CONNECTION: Struct = Struct {
    name: "v1alpha1.ClientConnectionConfiguration",
    fields: &[
        field("kubeconfig", STRING),
        field("acceptContentTypes", STRING),
        field("contentType", STRING),
        field("qps", Type::Float32),
        field("burst", Type::Int32),
    ],
};

static PROFILE: Struct = Struct {
    name: "v1.KubeSchedulerProfile",
    fields: &[
        field("schedulerName", STRING),
        field("percentageOfNodesToScore", Type::Int32),
        field("plugins", Type::Object(&PLUGINS)),
        field("pluginConfig", Type::List("v1.PluginConfig", &Type::Object(&PLUGIN_CONFIG))),
    ],
};

const SET: Type = Type::Object(&PLUGIN_SET);

static PLUGINS: Struct = Struct {
    name: "v1.Plugins",
    fields: &[
        field("preEnqueue", SET),
        field("queueSort", SET),
        field("preFilter", SET),
        field("filter", SET),
        field("postFilter", SET),
        field("preScore", SET),
        field("score", SET),
        field("reserve", SET),
        field("permit", SET),
        field("preBind", SET),
        field("bind", SET),
        field("postBind", SET),
        field("multiPoint", SET),
        field("placementGenerate", SET),
        field("placementScore", SET),
        field("podGroupPostFilter", SET),
    ],
};

static PLUGIN_SET: Struct = Struct {
    name: "v1.PluginSet",
    fields: &[
        field("enabled", Type::List("v1.Plugin", &Type::Object(&PLUGIN))),
        field("disabled", Type::List("v1.Plugin", &Type::Object(&PLUGIN))),
    ],
};

static PLUGIN: Struct =
    Struct { name: "v1.Plugin", fields: &[field("name", STRING), field("weight", Type::Int32)] };

static PLUGIN_CONFIG: Struct =
    Struct { name: "v1.PluginConfig", fields: &[field("name", STRING), field("args", Type::Raw)] };

static EXTENDER: Struct = Struct {
    name: "v1.Extender",
    fields: &[
        field("urlPrefix", STRING),
        field("filterVerb", STRING),
        field("preemptVerb", STRING),
        field("prioritizeVerb", STRING),
        field("weight", Type::Int64),
        field("bindVerb", STRING),
        field("enableHTTPS", Type::Bool),
        field("tlsConfig", Type::Object(&EXTENDER_TLS_CONFIG)),
        field("httpTimeout", Type::Duration),
        field("nodeCacheCapable", Type::Bool),
        field(
            "managedResources",
            Type::List("v1.ExtenderManagedResource", &Type::Object(&EXTENDER_MANAGED_RESOURCE)),
        ),
        field("ignorable", Type::Bool),
    ],
};

static EXTENDER_MANAGED_RESOURCE: Struct = Struct {
    name: "v1.ExtenderManagedResource",
    fields: &[field("name", STRING), field("ignoredByScheduler", Type::Bool)],
};

static EXTENDER_TLS_CONFIG: Struct = Struct {
    name: "v1.ExtenderTLSConfig",
    fields: &[
        field("insecure", Type::Bool),
        field("serverName", STRING),
        field("certFile", STRING),
        field("keyFile", STRING),
        field("caFile", STRING),
        field("certData", Type::Text("[]uint8")),
        field("keyData", Type::Text("[]uint8")),
        field("caData", Type::Text("[]uint8")),
    ],
};

/// The arguments of a plugin; `None` for plugins without any.
pub(super) fn args_of(plugin: &str) -> Option<&'static Struct> {
    ARGS.iter().copied().find(|args| {
        args.name.strip_prefix("v1.").and_then(|name| name.strip_suffix("Args")).is_some_and(|p| p == plugin)
    })
}

static ARGS: [&Struct; 8] = [
    &DEFAULT_PREEMPTION,
    &DYNAMIC_RESOURCES,
    &INTER_POD_AFFINITY,
    &NODE_AFFINITY_ARGS,
    &NODE_RESOURCES_BALANCED_ALLOCATION,
    &NODE_RESOURCES_FIT,
    &POD_TOPOLOGY_SPREAD,
    &VOLUME_BINDING,
];

static DEFAULT_PREEMPTION: Struct = Struct {
    name: "v1.DefaultPreemptionArgs",
    fields: &[
        field("apiVersion", STRING),
        field("kind", STRING),
        field("minCandidateNodesPercentage", Type::Int32),
        field("minCandidateNodesAbsolute", Type::Int32),
    ],
};

static DYNAMIC_RESOURCES: Struct = Struct {
    name: "v1.DynamicResourcesArgs",
    fields: &[
        field("apiVersion", STRING),
        field("kind", STRING),
        not_simulated("filterTimeout", Type::OptionalDuration),
        not_simulated("bindingTimeout", Type::OptionalDuration),
    ],
};

static INTER_POD_AFFINITY: Struct = Struct {
    name: "v1.InterPodAffinityArgs",
    fields: &[
        field("apiVersion", STRING),
        field("kind", STRING),
        field("hardPodAffinityWeight", Type::Int32),
        field("ignorePreferredTermsOfExistingPods", Type::Bool),
    ],
};

static NODE_AFFINITY_ARGS: Struct = Struct {
    name: "v1.NodeAffinityArgs",
    fields: &[
        field("apiVersion", STRING),
        field("kind", STRING),
        field("addedAffinity", Type::Object(&NODE_AFFINITY)),
    ],
};

static NODE_RESOURCES_BALANCED_ALLOCATION: Struct = Struct {
    name: "v1.NodeResourcesBalancedAllocationArgs",
    fields: &[field("apiVersion", STRING), field("kind", STRING), field("resources", RESOURCES)],
};

static NODE_RESOURCES_FIT: Struct = Struct {
    name: "v1.NodeResourcesFitArgs",
    fields: &[
        field("apiVersion", STRING),
        field("kind", STRING),
        field("ignoredResources", STRINGS),
        field("ignoredResourceGroups", STRINGS),
        field("scoringStrategy", Type::Object(&SCORING_STRATEGY)),
    ],
};

static POD_TOPOLOGY_SPREAD: Struct = Struct {
    name: "v1.PodTopologySpreadArgs",
    fields: &[
        field("apiVersion", STRING),
        field("kind", STRING),
        field(
            "defaultConstraints",
            Type::List("v1.TopologySpreadConstraint", &Type::Object(&TOPOLOGY_SPREAD_CONSTRAINT)),
        ),
        field("defaultingType", Type::Text("v1.PodTopologySpreadConstraintsDefaulting")),
    ],
};

static VOLUME_BINDING: Struct = Struct {
    name: "v1.VolumeBindingArgs",
    fields: &[
        field("apiVersion", STRING),
        field("kind", STRING),
        field("bindTimeoutSeconds", Type::Int64),
        field("shape", SHAPE),
    ],
};

const RESOURCES: Type = Type::List("v1.ResourceSpec", &Type::Object(&RESOURCE_SPEC));
const SHAPE: Type = Type::List("v1.UtilizationShapePoint", &Type::Object(&UTILIZATION_SHAPE_POINT));

static RESOURCE_SPEC: Struct =
    Struct { name: "v1.ResourceSpec", fields: &[field("name", STRING), field("weight", Type::Int64)] };

static UTILIZATION_SHAPE_POINT: Struct = Struct {
    name: "v1.UtilizationShapePoint",
    fields: &[field("utilization", Type::Int32), field("score", Type::Int32)],
};

static SCORING_STRATEGY: Struct = Struct {
    name: "v1.ScoringStrategy",
    fields: &[
        field("type", Type::Text("v1.ScoringStrategyType")),
        field("resources", RESOURCES),
        field("requestedToCapacityRatio", Type::Object(&REQUESTED_TO_CAPACITY_RATIO)),
    ],
};

static REQUESTED_TO_CAPACITY_RATIO: Struct =
    Struct { name: "v1.RequestedToCapacityRatioParam", fields: &[field("shape", SHAPE)] };

static NODE_AFFINITY: Struct = Struct {
    name: "v1.NodeAffinity",
    fields: &[
        field("requiredDuringSchedulingIgnoredDuringExecution", Type::Object(&NODE_SELECTOR)),
        field(
            "preferredDuringSchedulingIgnoredDuringExecution",
            Type::List("v1.PreferredSchedulingTerm", &Type::Object(&PREFERRED_SCHEDULING_TERM)),
        ),
    ],
};

static NODE_SELECTOR: Struct = Struct {
    name: "v1.NodeSelector",
    fields: &[field(
        "nodeSelectorTerms",
        Type::List("v1.NodeSelectorTerm", &Type::Object(&NODE_SELECTOR_TERM)),
    )],
};

const REQUIREMENTS: Type =
    Type::List("v1.NodeSelectorRequirement", &Type::Object(&NODE_SELECTOR_REQUIREMENT));

static NODE_SELECTOR_TERM: Struct = Struct {
    name: "v1.NodeSelectorTerm",
    fields: &[field("matchExpressions", REQUIREMENTS), field("matchFields", REQUIREMENTS)],
};

static NODE_SELECTOR_REQUIREMENT: Struct = Struct {
    name: "v1.NodeSelectorRequirement",
    fields: &[
        field("key", STRING),
        field("operator", Type::Text("v1.NodeSelectorOperator")),
        field("values", STRINGS),
    ],
};

static PREFERRED_SCHEDULING_TERM: Struct = Struct {
    name: "v1.PreferredSchedulingTerm",
    fields: &[field("weight", Type::Int32), field("preference", Type::Object(&NODE_SELECTOR_TERM))],
};

static TOPOLOGY_SPREAD_CONSTRAINT: Struct = Struct {
    name: "v1.TopologySpreadConstraint",
    fields: &[
        field("maxSkew", Type::Int32),
        field("topologyKey", STRING),
        field("whenUnsatisfiable", Type::Text("v1.UnsatisfiableConstraintAction")),
        field("labelSelector", Type::Object(&LABEL_SELECTOR)),
        field("minDomains", Type::Int32),
        field("nodeAffinityPolicy", Type::Text("v1.NodeInclusionPolicy")),
        field("nodeTaintsPolicy", Type::Text("v1.NodeInclusionPolicy")),
        field("matchLabelKeys", STRINGS),
    ],
};

static LABEL_SELECTOR: Struct = Struct {
    name: "v1.LabelSelector",
    fields: &[
        field("matchLabels", Type::TextMap),
        field(
            "matchExpressions",
            Type::List("v1.LabelSelectorRequirement", &Type::Object(&LABEL_SELECTOR_REQUIREMENT)),
        ),
    ],
};

static LABEL_SELECTOR_REQUIREMENT: Struct = Struct {
    name: "v1.LabelSelectorRequirement",
    fields: &[
        field("key", STRING),
        field("operator", Type::Text("v1.LabelSelectorOperator")),
        field("values", STRINGS),
    ],
};
