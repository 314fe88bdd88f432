//! What fields are for: Kubernetes' own descriptions, and short ones of ours for the fields people meet first.

use crate::state::Lang;
use podlab_api::descriptions;

/// (field, English, Korean).
const SHORT: &[(&str, &str, &str)] = &[
    ("core/v1.Pod.spec", "What the pod shall be.", "원하는 Pod의 모습입니다."),
    (
        "core/v1.Pod.metadata",
        "Name, labels and more about the object.",
        "이름과 label 등 객체에 대한 정보입니다.",
    ),
    ("core/v1.Pod.kind", "The kind of object.", "객체의 종류입니다."),
    (
        "core/v1.Pod.apiVersion",
        "Group and version of the API that defines the kind.",
        "이 종류를 정의하는 API의 group과 version입니다.",
    ),
    (
        "meta/v1.ObjectMeta.name",
        "Unique among the kind in its namespace.",
        "namespace 안에서 같은 종류끼리 겹치지 않는 이름입니다.",
    ),
    (
        "meta/v1.ObjectMeta.namespace",
        "The namespace the object lives in; default where it is left out.",
        "객체가 속한 namespace입니다. 생략하면 default입니다.",
    ),
    (
        "meta/v1.ObjectMeta.labels",
        "Map of strings used to group and select objects. Selectors match on these.",
        "객체를 묶고 고르는 데 쓰는 문자열 map입니다. Selector는 이 값으로 대상을 고릅니다.",
    ),
    (
        "meta/v1.ObjectMeta.annotations",
        "Notes for tools and people. Nothing selects by them.",
        "도구와 사람을 위한 메모입니다. Selector로 고를 수 없습니다.",
    ),
    (
        "core/v1.PodSpec.containers",
        "The containers that run together. At least one; fixed once the pod exists.",
        "함께 실행되는 container 목록입니다. 하나 이상 필요하며 만든 뒤에는 바꿀 수 없습니다.",
    ),
    (
        "core/v1.PodSpec.initContainers",
        "Run one after the other before the containers start. With restartPolicy Always one is a sidecar.",
        "container보다 먼저 차례로 실행됩니다. restartPolicy가 Always이면 sidecar입니다.",
    ),
    (
        "core/v1.PodSpec.volumes",
        "What the containers can mount.",
        "container가 mount할 수 있는 volume 목록입니다.",
    ),
    (
        "core/v1.PodSpec.restartPolicy",
        "When containers are restarted after they end.",
        "container가 끝난 뒤 언제 재시작하는지 정합니다.",
    ),
    (
        "core/v1.PodSpec.nodeSelector",
        "Labels that the node must carry.",
        "node에 붙어 있어야 하는 label입니다.",
    ),
    (
        "core/v1.PodSpec.nodeName",
        "The node itself: the scheduler is passed over.",
        "node를 직접 지정합니다. scheduler를 거치지 않습니다.",
    ),
    (
        "core/v1.PodSpec.affinity",
        "Rules about nodes and other pods.",
        "node와 다른 Pod에 대한 배치 규칙입니다.",
    ),
    (
        "core/v1.PodSpec.tolerations",
        "Taints of nodes that the pod may ignore.",
        "무시할 수 있는 node의 taint입니다.",
    ),
    (
        "core/v1.PodSpec.terminationGracePeriodSeconds",
        "Seconds between TERM and KILL when the pod is deleted.",
        "삭제할 때 TERM과 KILL 사이의 초입니다.",
    ),
    (
        "core/v1.PodSpec.serviceAccountName",
        "The account whose token the pod gets.",
        "Pod가 token을 받는 ServiceAccount입니다.",
    ),
    (
        "core/v1.PodSpec.priorityClassName",
        "How important the pod is; more important ones may push others out.",
        "Pod의 중요도입니다. 더 중요한 Pod는 다른 Pod를 밀어낼 수 있습니다.",
    ),
    (
        "core/v1.PodSpec.topologySpreadConstraints",
        "How evenly pods spread over zones or nodes.",
        "zone이나 node에 Pod를 얼마나 고르게 나눌지 정합니다.",
    ),
    (
        "core/v1.PodSpec.activeDeadlineSeconds",
        "The pod fails when it has run this long.",
        "이 시간이 지나면 Pod가 실패로 끝납니다.",
    ),
    ("core/v1.PodSpec.hostNetwork", "Uses the node's own network.", "node의 네트워크를 그대로 씁니다."),
    (
        "core/v1.Container.name",
        "The container's name, unique within the pod.",
        "Pod 안에서 겹치지 않는 container 이름입니다.",
    ),
    (
        "core/v1.Container.image",
        "The image to run; without a tag, latest.",
        "실행할 image입니다. tag가 없으면 latest입니다.",
    ),
    ("core/v1.Container.imagePullPolicy", "When the image is pulled.", "image를 언제 내려받는지 정합니다."),
    (
        "core/v1.Container.command",
        "Replaces the image's ENTRYPOINT. Not run in a shell.",
        "image의 ENTRYPOINT를 대신합니다. shell로 실행되지 않습니다.",
    ),
    ("core/v1.Container.args", "Replaces the image's CMD.", "image의 CMD를 대신합니다."),
    ("core/v1.Container.env", "Environment variables.", "환경 변수입니다."),
    (
        "core/v1.Container.envFrom",
        "All keys of a ConfigMap or Secret as environment variables.",
        "ConfigMap이나 Secret의 모든 key를 환경 변수로 넣습니다.",
    ),
    (
        "core/v1.Container.ports",
        "Ports for people and Services to know. Opens nothing by itself.",
        "사람과 Service를 위한 port 정보입니다. 이것만으로 port가 열리지는 않습니다.",
    ),
    (
        "core/v1.ContainerPort.containerPort",
        "The port the program listens on.",
        "프로그램이 듣는 port입니다.",
    ),
    (
        "core/v1.Container.resources",
        "How much cpu and memory it asks for and may use.",
        "요청하고 쓸 수 있는 cpu와 memory입니다.",
    ),
    (
        "core/v1.ResourceRequirements.requests",
        "What the scheduler keeps free for it on the node.",
        "scheduler가 node에 확보해 두는 양입니다.",
    ),
    (
        "core/v1.ResourceRequirements.limits",
        "What it may use at most: more cpu is slowed down, more memory is killed.",
        "쓸 수 있는 최대량입니다. cpu를 넘으면 느려지고 memory를 넘으면 종료됩니다.",
    ),
    (
        "core/v1.Container.volumeMounts",
        "Where volumes appear in the container's files.",
        "volume이 container의 어느 경로에 보이는지 정합니다.",
    ),
    ("core/v1.VolumeMount.mountPath", "The path in the container.", "container 안의 경로입니다."),
    ("core/v1.VolumeMount.name", "Which of the pod's volumes.", "Pod의 volume 중 하나의 이름입니다."),
    (
        "core/v1.Container.livenessProbe",
        "When it fails, the container is restarted.",
        "실패하면 container를 재시작합니다.",
    ),
    (
        "core/v1.Container.readinessProbe",
        "While it fails, the pod gets no traffic from Services.",
        "실패하는 동안 Service가 트래픽을 보내지 않습니다.",
    ),
    (
        "core/v1.Container.startupProbe",
        "Until it passes, the other probes wait.",
        "통과할 때까지 다른 probe가 기다립니다.",
    ),
    (
        "core/v1.Container.lifecycle",
        "What is done right after the start and before the stop.",
        "시작 직후와 종료 직전에 할 일입니다.",
    ),
    ("core/v1.Container.securityContext", "User, rights and capabilities.", "사용자와 권한 설정입니다."),
    (
        "core/v1.Probe.httpGet",
        "Passes when the answer's status is 200 to 399.",
        "응답 코드가 200~399이면 통과합니다.",
    ),
    ("core/v1.Probe.exec", "Passes when the command exits with 0.", "명령이 0으로 끝나면 통과합니다."),
    ("core/v1.Probe.tcpSocket", "Passes when the port accepts a connection.", "port에 연결되면 통과합니다."),
    (
        "core/v1.Probe.initialDelaySeconds",
        "Seconds after the start before the first probe.",
        "시작한 뒤 첫 probe까지의 초입니다.",
    ),
    (
        "core/v1.Probe.periodSeconds",
        "Seconds between probes; 10 where it is left out.",
        "probe 간격(초)입니다. 기본값은 10입니다.",
    ),
    (
        "core/v1.Probe.timeoutSeconds",
        "Seconds a probe may take; 1 where it is left out.",
        "probe 제한 시간(초)입니다. 기본값은 1입니다.",
    ),
    (
        "core/v1.Probe.failureThreshold",
        "Failures in a row until it counts as failed; 3 where it is left out.",
        "연속으로 몇 번 실패해야 실패로 보는지 정합니다. 기본값은 3입니다.",
    ),
    (
        "core/v1.Probe.successThreshold",
        "Successes in a row until it counts as passed.",
        "연속으로 몇 번 성공해야 통과로 보는지 정합니다.",
    ),
    ("core/v1.HTTPGetAction.path", "The path that is asked for.", "요청할 경로입니다."),
    (
        "core/v1.HTTPGetAction.port",
        "A number, or the name of one of the container's ports.",
        "번호 또는 container port의 이름입니다.",
    ),
    (
        "core/v1.Volume.emptyDir",
        "An empty folder that lives as long as the pod.",
        "Pod와 수명이 같은 빈 폴더입니다.",
    ),
    (
        "core/v1.Volume.configMap",
        "The keys of a ConfigMap as files.",
        "ConfigMap의 key를 파일로 보여 줍니다.",
    ),
    ("core/v1.Volume.secret", "The keys of a Secret as files.", "Secret의 key를 파일로 보여 줍니다."),
    ("core/v1.Volume.hostPath", "A path of the node itself.", "node의 경로입니다."),
    (
        "core/v1.Toleration.operator",
        "Equal compares the value, Exists does not.",
        "Equal은 값을 비교하고 Exists는 비교하지 않습니다.",
    ),
    (
        "core/v1.Toleration.effect",
        "The effect to tolerate; empty means all.",
        "허용할 effect입니다. 비우면 모두입니다.",
    ),
    (
        "core/v1.ServiceSpec.selector",
        "Sends traffic to ready pods with all these labels.",
        "이 label을 모두 가진 ready Pod로 트래픽을 보냅니다.",
    ),
    ("core/v1.ConfigMap.data", "Keys with text values.", "key와 텍스트 값입니다."),
    (
        "core/v1.Secret.stringData",
        "Plain text that is stored in data as base64.",
        "평문으로 쓰면 data에 base64로 저장됩니다.",
    ),
    ("core/v1.Secret.data", "Keys with values in base64.", "key와 base64 값입니다."),
    ("apps/v1.DeploymentSpec.replicas", "How many pods there shall be.", "유지할 Pod 수입니다."),
    (
        "apps/v1.DeploymentSpec.selector",
        "Which pods are its own; must match the template's labels.",
        "관리할 Pod를 고릅니다. template의 label과 맞아야 합니다.",
    ),
    ("apps/v1.DeploymentSpec.template", "What its pods are made from.", "Pod를 만드는 틀입니다."),
];

/// A short description of a field in the page's language: ours, else Kubernetes' first sentence in English.
pub fn describe_type(key: &str, lang: Lang) -> Option<String> {
    let owner_free = |entry: &str| -> bool {
        // Every kind has apiVersion, kind and metadata of the same meaning.
        let last = entry.rsplit('.').next();
        entry.starts_with("core/v1.Pod.")
            && matches!(last, Some("kind" | "apiVersion" | "metadata"))
            && key.rsplit('.').next() == last
    };
    let found = SHORT.iter().find(|(k, ..)| *k == key).or_else(|| SHORT.iter().find(|(k, ..)| owner_free(k)));
    match (found, lang) {
        (Some((_, en, _)), Lang::En) => Some((*en).to_owned()),
        (Some((.., ko)), Lang::Ko) => Some((*ko).to_owned()),
        (None, _) => descriptions::get()?.sentence(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podlab_api::schema::Schema;

    #[test]
    fn every_short_description_is_of_a_field_that_exists() {
        let schema = Schema::get();
        for (key, ..) in SHORT {
            let (ty, field) = key.rsplit_once('.').unwrap();
            let id = schema.type_named(ty).unwrap_or_else(|| panic!("{key}"));
            assert!(schema.fields(id).iter().any(|f| f.name == field), "{key}");
        }
    }
}
