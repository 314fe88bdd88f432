//! Objects out of a list of numbers: manifests of every kind, changed at a few places.
//!
//! A test draws the numbers; a shorter list makes a simpler object, which is how a failure is made small.
#![allow(dead_code)]

use podlab_api::schema::{GoType, Schema, Special, TypeId};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Manifests that the API server takes, one at least for each kind that something acts on.
pub const MANIFESTS: &[&str] = &[
    r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","labels":{"app":"web"}},"spec":{"volumes":[{"name":"v","emptyDir":{"sizeLimit":"1Mi"}},{"name":"c","configMap":{"name":"settings","optional":true}}],"initContainers":[{"name":"i","image":"busybox:1.36","command":["sh","-c","echo hi > /v/x"],"volumeMounts":[{"name":"v","mountPath":"/v"}]}],"containers":[{"name":"c","image":"nginx:1.27","ports":[{"containerPort":80,"name":"http"}],"env":[{"name":"A","value":"$(B)"},{"name":"N","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}},{"name":"R","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"1m"}}}],"resources":{"requests":{"cpu":"100m","memory":"64Mi"},"limits":{"cpu":"1"}},"readinessProbe":{"httpGet":{"path":"/","port":"http"},"periodSeconds":1},"livenessProbe":{"exec":{"command":["true"]},"failureThreshold":3},"lifecycle":{"preStop":{"exec":{"command":["sleep","1"]}}},"volumeMounts":[{"name":"v","mountPath":"/v"}]}],"terminationGracePeriodSeconds":5}}"#,
    r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"box"},"spec":{"restartPolicy":"OnFailure","nodeSelector":{"kubernetes.io/os":"linux"},"tolerations":[{"key":"a","operator":"Exists","effect":"NoExecute","tolerationSeconds":3}],"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"kubernetes.io/hostname","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"web"}}}],"affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":5,"preference":{"matchExpressions":[{"key":"disk","operator":"Gt","values":["1"]}]}}]},"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"kubernetes.io/hostname","labelSelector":{"matchExpressions":[{"key":"app","operator":"In","values":["web"]}]}}]}},"containers":[{"name":"c","image":"busybox","command":["sh","-c","i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); sleep 1; done; exit 1"]}]}}"#,
    r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":1}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}}"#,
    r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"rs"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"rs"}},"template":{"metadata":{"labels":{"app":"rs"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}}"#,
    r#"{"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"rc"},"spec":{"replicas":1,"selector":{"app":"rc"},"template":{"metadata":{"labels":{"app":"rc"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}}"#,
    r#"{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"db"},"spec":{"serviceName":"db","replicas":2,"ordinals":{"start":1},"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":1}},"selector":{"matchLabels":{"app":"db"}},"template":{"metadata":{"labels":{"app":"db"}},"spec":{"containers":[{"name":"c","image":"redis"}]}},"volumeClaimTemplates":[{"metadata":{"name":"d"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}]}}"#,
    r#"{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"agent"},"spec":{"selector":{"matchLabels":{"app":"agent"}},"updateStrategy":{"rollingUpdate":{"maxUnavailable":1}},"template":{"metadata":{"labels":{"app":"agent"}},"spec":{"containers":[{"name":"c","image":"busybox","command":["sleep","1000"]}]}}}}"#,
    r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"once"},"spec":{"completions":2,"parallelism":2,"backoffLimit":2,"activeDeadlineSeconds":60,"ttlSecondsAfterFinished":5,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"busybox","command":["sh","-c","exit 1"]}]}}}}"#,
    r#"{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"tick"},"spec":{"schedule":"*/1 * * * *","timeZone":"Asia/Seoul","startingDeadlineSeconds":10,"successfulJobsHistoryLimit":1,"jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"OnFailure","containers":[{"name":"c","image":"busybox","command":["date"]}]}}}}}}"#,
    r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"type":"NodePort","selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":"http","nodePort":30080}]}}"#,
    r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"db"},"spec":{"clusterIP":"None","selector":{"app":"db"},"ports":[{"port":6379}],"sessionAffinity":"ClientIP"}}"#,
    r#"{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"ext"},"subsets":[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":80}]}]}"#,
    r#"{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"ext-1","labels":{"kubernetes.io/service-name":"ext"}},"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"conditions":{"ready":true}}],"ports":[{"port":80,"protocol":"TCP"}]}"#,
    r#"{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"in"},"spec":{"ingressClassName":"nginx","rules":[{"host":"a.example.com","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"web","port":{"number":80}}}}]}}],"tls":[{"hosts":["a.example.com"],"secretName":"t"}]}}"#,
    r#"{"apiVersion":"networking.k8s.io/v1","kind":"IngressClass","metadata":{"name":"nginx"},"spec":{"controller":"example.com/x"}}"#,
    r#"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"np"},"spec":{"podSelector":{"matchLabels":{"app":"web"}},"policyTypes":["Ingress","Egress"],"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8","except":["10.1.0.0/16"]}},{"namespaceSelector":{}}],"ports":[{"port":80,"endPort":90}]}]}}"#,
    r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"a":"b","c.conf":"x\ny\n"},"binaryData":{"d":"AAEC"}}"#,
    r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"t"},"type":"kubernetes.io/tls","data":{"tls.crt":"YQ==","tls.key":"Yg=="}}"#,
    r#"{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"pv"},"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"persistentVolumeReclaimPolicy":"Recycle","hostPath":{"path":"/data"},"nodeAffinity":{"required":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["node01"]}]}]}}}}"#,
    r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"d"},"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"","resources":{"requests":{"storage":"500Mi"}}}}"#,
    r#"{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"slow"},"provisioner":"rancher.io/local-path","volumeBindingMode":"WaitForFirstConsumer","allowVolumeExpansion":true}"#,
    r#"{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"web"},"spec":{"minReplicas":1,"maxReplicas":4,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}}],"behavior":{"scaleDown":{"stabilizationWindowSeconds":30,"policies":[{"type":"Pods","value":1,"periodSeconds":15}]}}}}"#,
    r#"{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"pdb"},"spec":{"minAvailable":"50%","selector":{"matchLabels":{"app":"web"}}}}"#,
    r#"{"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"lr"},"spec":{"limits":[{"type":"Container","default":{"cpu":"500m"},"defaultRequest":{"cpu":"100m"},"max":{"cpu":"1"},"min":{"cpu":"10m"},"maxLimitRequestRatio":{"cpu":"10"}}]}}"#,
    r#"{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q"},"spec":{"hard":{"pods":"4","requests.cpu":"2","count/deployments.apps":"2"},"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In","values":["high"]}]}}}"#,
    r#"{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"high"},"value":1000,"preemptionPolicy":"PreemptLowerPriority"}"#,
    r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"extra","labels":{"kubernetes.io/hostname":"extra"}},"spec":{"taints":[{"key":"a","effect":"NoSchedule"}]},"status":{"capacity":{"cpu":"2","memory":"4Gi","pods":"10"},"allocatable":{"cpu":"2","memory":"4Gi","pods":"10"}}}"#,
    r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team"}}"#,
    r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"bot"},"secrets":[{"name":"t"}]}"#,
    r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"all"},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}],"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}}"#,
    r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"rb"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"all"},"subjects":[{"kind":"ServiceAccount","name":"bot","namespace":"default"}]}"#,
    r#"{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"},"spec":{"holderIdentity":"a","leaseDurationSeconds":40,"renewTime":"2026-01-01T00:00:00.000000Z"}}"#,
    r#"{"apiVersion":"v1","kind":"Event","metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"web","namespace":"default"},"reason":"R","message":"m","type":"Normal","count":3,"firstTimestamp":"2026-01-01T00:00:00Z"}"#,
    r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"xs.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"xs","kind":"X"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}}}}}]}}"#,
    r#"{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"kata"},"handler":"kata","overhead":{"podFixed":{"cpu":"10m"}}}"#,
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "web",
    "app",
    "default",
    "nginx",
    "busybox:1.36",
    "node01",
    "kubernetes.io/hostname",
    "metadata.name",
    "metadata.labels['app']",
    "100m",
    "1Gi",
    "-1",
    "1e400000000",
    "9223372036854775807",
    "0.0000000001",
    "50%",
    "-100%",
    "99999999999%",
    "10.96.0.10",
    "10.0.0.0/33",
    "::1",
    "0.0.0.0/0",
    "*",
    "*/5 * * * *",
    "0 0 31 2 *",
    "CRON_TZ=Asia/Seoul 1 2 3 4 5",
    "True",
    "Always",
    "Never",
    "In",
    "Exists",
    "Gt",
    "TCP",
    "http",
    "/v",
    "../../x",
    "$(A)$(",
    "2026-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:01Z",
    "1h",
    "sha256:0",
    "한글",
    "😀\u{0}\n",
    "{\"a\":[",
    "a/b/c",
    "system-cluster-critical",
    "AAE=",
    "=",
    "x=y,!z",
];

const NUMBERS: &[i64] = &[
    0,
    1,
    -1,
    2,
    3,
    10,
    30,
    80,
    100,
    600,
    30_000,
    65_535,
    65_536,
    2_147_483_647,
    -2_147_483_648,
    4_294_967_296,
    9_007_199_254_740_993,
    i64::MAX,
    i64::MIN,
];

/// The numbers an object is made of.
pub fn numbers(length: usize) -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 0..length)
}

/// Reads the numbers one after the other, then zeros.
pub struct Choices<'a> {
    numbers: std::slice::Iter<'a, u16>,
}

impl<'a> Choices<'a> {
    pub fn new(numbers: &'a [u16]) -> Choices<'a> {
        Choices { numbers: numbers.iter() }
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.numbers.next().map_or(0, |number| usize::from(*number) % limit.max(1))
    }

    pub fn pick<'b, T: ?Sized>(&mut self, from: &[&'b T]) -> &'b T {
        from[self.below(from.len())]
    }

    pub fn text(&mut self) -> String {
        match self.below(16) {
            15 => "x".repeat(self.below(2000)),
            14 => char::from_u32(self.below(65_536) as u32).map_or(String::new(), String::from),
            _ => self.pick(TEXTS).to_owned(),
        }
    }

    pub fn number(&mut self) -> Value {
        match self.below(8) {
            7 => json!(1.5e300),
            6 => json!(u64::MAX),
            5 => json!(-0.5),
            4 => json!(self.below(65_536)),
            _ => json!(NUMBERS[self.below(NUMBERS.len())]),
        }
    }

    /// A value of no type in particular.
    pub fn any(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 1),
            2 => self.number(),
            3 | 4 => json!(self.text()),
            5 => (0..self.below(4)).map(|_| self.any(depth - 1)).collect(),
            6 => {
                let mut map = Map::new();
                for _ in 0..self.below(4) {
                    map.insert(self.text(), self.any(depth - 1));
                }
                Value::Object(map)
            }
            _ => {
                let mut value = self.any(0);
                for level in 0..self.below(300) {
                    value = if level % 2 == 0 { json!([value]) } else { json!({"a": value}) };
                }
                value
            }
        }
    }

    /// A value as the schema has it, except now and then.
    pub fn of_type(&mut self, ty: &GoType, depth: usize) -> Value {
        if self.below(40) == 39 {
            return self.any(3);
        }
        let schema = Schema::get();
        let values = schema.enum_values(ty);
        if !values.is_empty() && self.below(8) < 7 {
            return json!(self.pick(values));
        }
        match schema.resolve(ty) {
            GoType::Bool => json!(self.below(2) == 1),
            GoType::Int(..) => json!(NUMBERS[self.below(NUMBERS.len())]),
            GoType::Float => self.number(),
            GoType::Str | GoType::Bytes => json!(self.text()),
            GoType::Special(Special::IntOrString) => {
                if self.below(2) == 0 {
                    json!(NUMBERS[self.below(NUMBERS.len())])
                } else {
                    json!(self.text())
                }
            }
            GoType::Special(Special::Quantity | Special::Time | Special::MicroTime | Special::Duration) => {
                json!(self.text())
            }
            GoType::Special(_) => self.any(3),
            _ if depth == 0 => Value::Null,
            GoType::Pointer(inner) => self.of_type(inner, depth),
            GoType::Slice(inner) => (0..self.below(4)).map(|_| self.of_type(inner, depth - 1)).collect(),
            GoType::Map(_, inner) => {
                let mut map = Map::new();
                for _ in 0..self.below(4) {
                    map.insert(self.text(), self.of_type(inner, depth - 1));
                }
                Value::Object(map)
            }
            GoType::Named(id) => {
                let mut map = Map::new();
                let fields = schema.fields(*id);
                for _ in 0..self.below(6) {
                    if let Some(field) = fields.get(self.below(fields.len())) {
                        map.insert(field.name.to_owned(), self.of_type(&field.ty, depth - 1));
                    }
                }
                Value::Object(map)
            }
        }
    }

    /// One of [`MANIFESTS`], changed at a few places.
    pub fn manifest(&mut self) -> Value {
        let text = self.pick(MANIFESTS);
        let mut value: Value = serde_json::from_str(text).unwrap();
        self.change(&mut value);
        value
    }

    /// Changes an object at up to five places.
    pub fn change(&mut self, object: &mut Value) {
        let ty = type_of(object);
        for _ in 0..self.below(6) {
            let whole = object.clone();
            self.change_at(object, ty.as_ref(), &whole, 0);
        }
    }

    fn change_at(&mut self, value: &mut Value, ty: Option<&GoType>, whole: &Value, depth: usize) {
        let schema = Schema::get();
        let ty = ty.map(|ty| schema.resolve(ty));
        if let Some(GoType::Pointer(inner)) = ty {
            return self.change_at(value, Some(inner), whole, depth);
        }
        if depth > 0 && self.below(4) == 0 {
            return self.replace(value, ty, whole);
        }
        match (value, ty) {
            (Value::Object(map), ty) => {
                let fields = match ty {
                    Some(GoType::Named(id)) => schema.fields(*id),
                    _ => &[],
                };
                let field_type = |name: &str| match ty {
                    Some(GoType::Map(_, inner)) => Some(&**inner),
                    _ => fields.iter().find(|field| field.name == name).map(|field| &field.ty),
                };
                let action = self.below(8);
                if action == 7 && !fields.is_empty() {
                    let field = &fields[self.below(fields.len())];
                    let new = self.of_type(&field.ty, 5);
                    map.insert(field.name.to_owned(), new);
                    return;
                }
                // `kind` and `apiVersion` stay, or there is nothing to test.
                let keys: Vec<String> = map
                    .keys()
                    .filter(|key| depth > 0 || !matches!(&***key, "kind" | "apiVersion"))
                    .cloned()
                    .collect();
                let Some(key) = keys.get(self.below(keys.len())) else { return };
                if action == 6 {
                    map.remove(key);
                } else if let Some(child) = map.get_mut(key) {
                    self.change_at(child, field_type(key), whole, depth + 1);
                }
            }
            (Value::Array(items), ty) if !items.is_empty() => {
                let inner = match ty {
                    Some(GoType::Slice(inner)) => Some(&**inner),
                    _ => None,
                };
                let index = self.below(items.len());
                match self.below(6) {
                    5 => items.push(items[index].clone()),
                    4 => drop(items.remove(index)),
                    _ => self.change_at(&mut items[index], inner, whole, depth + 1),
                }
            }
            (value, ty) => self.replace(value, ty, whole),
        }
    }

    fn replace(&mut self, value: &mut Value, ty: Option<&GoType>, whole: &Value) {
        *value = match (self.below(6), ty) {
            (0, _) => self.any(3),
            (1, _) => self.part(whole).clone(),
            (_, Some(ty)) => self.of_type(ty, 5),
            (_, None) => self.any(2),
        };
    }

    /// Something out of a tree.
    pub fn part<'v>(&mut self, value: &'v Value) -> &'v Value {
        let mut at = value;
        for _ in 0..self.below(8) {
            let inside: Vec<&Value> = match at {
                Value::Object(map) => map.values().collect(),
                Value::Array(items) => items.iter().collect(),
                _ => break,
            };
            let Some(next) = inside.get(self.below(inside.len())) else { break };
            at = next;
        }
        at
    }
}

/// The schema's type of an object.
pub fn type_of(object: &Value) -> Option<GoType> {
    id_of(object).map(GoType::Named)
}

/// The same as a number.
pub fn id_of(object: &Value) -> Option<TypeId> {
    Schema::get().kind(object["apiVersion"].as_str()?, object["kind"].as_str()?)
}
