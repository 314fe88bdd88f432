//! Texts of workloads and Services, on the stage and in the inspector.

use super::texts;

texts! {
    VIEW: "Put pods together by", "Pod를 묶는 기준";
    NODES: "Nodes", "Node";
    WORKLOADS: "Workloads", "워크로드";
    NAMESPACE: "Namespace {name}", "Namespace {name}";
    SERVICES: "Services", "Services";
    ENDPOINTS_READY: "{ready}/{all} endpoints ready", "endpoint {all}개 중 {ready}개 ready";
    NO_ENDPOINTS: "no endpoints", "endpoint 없음";
    NO_SELECTOR: "no selector", "selector 없음";
    STANDS_FOR: "stands for {name}", "가리키는 이름: {name}";
    COUNTS: "{ready}/{desired} ready, {available} available", "ready {ready}/{desired}, available {available}";
    UPDATED: "{updated} up to date", "up to date {updated}";
    CURRENT: "{current} current", "current {current}";
    JOB_OF: "{succeeded}/{completions} complete", "완료 {succeeded}/{completions}";
    JOB_ANY: "{succeeded} complete, one is enough", "완료 {succeeded}, 하나면 충분";
    JOB_ACTIVE: "{active} active, {failed} failed", "active {active}, 실패 {failed}";
    CRON_ACTIVE: "{active} active", "active {active}";
    REVISION: "revision {n}", "revision {n}";
    PAUSED: "paused", "멈춤";
    SUSPENDED: "suspended", "중단됨";
    LOOSE: "Pods of no workload", "워크로드 없는 Pod";
    NO_WORKLOADS: "No workloads and no pods in this namespace", "이 namespace에는 워크로드와 Pod가 없습니다";
    NO_PODS: "no pods", "Pod 없음";
    SHOW_PODS: "Show the pods of {name}", "Pod 보기: {name}";
    ALL_WORKLOADS: "All workloads", "모든 워크로드";
    MORE_PODS: "and {count} more", "외 {count}개";
    TALLY: "{count} pods: {states}", "Pod {count}개: {states}";

    // The inspector of a workload.
    COUNT_OF: "of {desired} desired", "desired {desired} 중";
    DESIRED: "desired", "desired";
    CURRENT_WORD: "current", "current";
    READY_WORD: "ready", "ready";
    AVAILABLE_WORD: "available", "available";
    UPDATED_WORD: "up to date", "up to date";
    PODS: "Pods", "Pod";
    STRATEGY: "How pods are replaced", "Pod를 바꾸는 방법";
    ROLLING: "{name}: at most {surge} above {desired}, at most {unavailable} missing.", "{name}: {desired}개보다 최대 {surge}개 많아도 되고, 최대 {unavailable}개 모자라도 됩니다.";
    RECREATE: "Recreate: all old pods go before the first new one comes.", "Recreate: 옛 Pod가 모두 사라진 뒤에 새 Pod가 나옵니다.";
    ON_DELETE: "OnDelete: a pod gets the new template when somebody deletes it.", "OnDelete: Pod를 직접 삭제해야 새 template으로 바뀝니다.";
    ORDINALS: "RollingUpdate: from the highest number down, at most {unavailable} missing.", "RollingUpdate: 가장 큰 번호부터 차례로, 최대 {unavailable}개 모자라도 됩니다.";
    PARTITION: "RollingUpdate: from the highest number down to {partition}; below that pods keep their template.", "RollingUpdate: 가장 큰 번호부터 {partition}번까지 차례로 바꿉니다. 그 아래 Pod는 그대로입니다.";
    CONDITIONS_NONE: "It has no conditions.", "condition이 없습니다.";
    ROLLOUT: "Rollout", "Rollout";
    ROLLOUT_LABEL: "Pods by template from {from} to {to}. {shares}", "{from}부터 {to}까지 template별 Pod. {shares}";
    ROLLOUT_NOTE: "Filled: ready. Pale: not ready yet. The dashed line is what is desired.", "진한 색: ready. 옅은 색: 아직 not ready. 점선: desired.";
    ROLLOUT_STEADY: "Nothing has changed since {time}.", "{time} 이후 바뀐 것이 없습니다.";
    ROLLOUT_STEPS: "Its steps", "단계";
    ROLLOUT_LOOK: "Look at {time}", "이 시각 보기: {time}";
    SHARE: "{name}: {ready}/{all} ready", "{name}: ready {ready}/{all}";
    SHARE_GONE: "{name}: no pods", "{name}: Pod 없음";
    HISTORY: "Rollout history", "Rollout history";
    UNDO_TO: "Undo to revision {n}", "되돌리기: revision {n}";
    UNDO_LAST: "Undo the rollout", "Rollout 되돌리기";
    PAUSE: "Pause the rollout", "Rollout 멈추기";
    RESUME: "Resume the rollout", "Rollout 이어 가기";
    RESTART: "Restart all pods", "모든 Pod 재시작";
    SCALE: "Scale", "Scale";
    SCALE_TO: "Replicas", "Replica 수";
    SUSPEND: "Suspend", "중단";
    UNSUSPEND: "Resume", "다시 시작";
    RUN_NOW: "Begin a Job now", "지금 Job 시작";
    OWNED: "What it owns", "소유한 객체";
    OWNER: "Owned by", "소유자";

    // The inspector of a Service.
    SERVICE_PORTS: "Ports", "Ports";
    PORT_LINE: "{port} goes to {target} of the pods", "{port} → Pod의 {target}";
    PORT_NODE: "{port} of every node comes here", "모든 Node의 {port}";
    ANSWERS: "Who answers", "응답하는 Pod";
    ANSWERS_NONE: "Nobody answers.", "응답하는 Pod가 없습니다.";
    ANSWERS_NOT: "Who does not", "응답하지 않는 Pod";
    UNDECLARED: "no container declares port {port}", "port를 선언한 container 없음: {port}";
    NO_POD_MATCHES: "No pod matches the selector.", "selector에 맞는 Pod가 없습니다.";
    REQUIREMENT_FAILS: "{requirement}: {count} of {all} pods", "{requirement}: Pod {all}개 중 {count}개";
    WITHOUT_SELECTOR: "It has no selector: whoever wants traffic writes its EndpointSlices.", "selector가 없습니다. EndpointSlice를 직접 만들어야 합니다.";
    EXTERNAL: "A CNAME: nobody answers for it in this cluster.", "CNAME입니다. 이 클러스터에는 응답하는 Pod가 없습니다.";
    SELECTOR: "Selector", "Selector";
    DNS: "DNS name", "DNS 이름";
    DNS_CLUSTER: "Answers with the Service's address.", "Service의 주소로 답합니다.";
    DNS_HEADLESS: "Headless: answers with the addresses of the ready pods.", "Headless: ready Pod들의 주소로 답합니다.";
    TEST: "Test it", "시험해 보기";
    TEST_DO: "Put it into the terminal", "터미널에 넣기";
}
