//! What keeps a pod from a node and what to do about it: sentences and the titles of buttons.

use super::texts;

texts! {
    TO_FIT: "To fit: {ways}.", "들어가려면: {ways}.";
    AND: "; and ", " + ";
    OR_DROP: " or no longer require {requirement}", " 또는 조건 없애기({requirement})";
    OR_PREFER: " or make the rule a preference", " 또는 규칙을 preferred로 바꾸기";
    THEN: "would come next", "그다음 걸림";

    SAY_FREE: "free {short} {resource} or lower the request to {to}", "{resource} {short} 비우기 또는 요청 줄이기({to} 이하)";
    SAY_FREE_ONLY: "free {short} {resource}", "{resource} {short} 비우기";
    SAY_PODS: "free a place: {used} of {all} pods are there", "자리 하나 비우기(Pod {used}/{all})";
    SAY_LOWER: "lower the {resource} request to {to}; the empty node has {all}", "{resource} 요청 줄이기({to} 이하, 빈 Node {all})";
    SAY_NO_RESOURCE: "use a node that has {resource}: this one has {all}", "다른 Node 쓰기({resource}: 이 Node {all})";
    SAY_TOLERATE: "tolerate {taint} or take the taint off the node", "taint 허용({taint}) 또는 Node에서 taint 떼기";
    SAY_UNCORDON: "uncordon the node", "Node uncordon";
    SAY_LABEL: "label the node {label}", "Node에 label 붙이기({label})";
    SAY_RELABEL: "label the node {label} instead of {current}", "Node의 label 바꾸기({current} → {label})";
    SAY_UNLABEL: "take the label {key} off the node", "Node에서 label 떼기({key})";
    SAY_NAME_NODE: "name this node in the pod's node affinity, which names {wanted}", "Pod의 node affinity에 이 Node 쓰기(지금: {wanted})";
    SAY_NAME_NONE: "let the terms of node affinity agree: no node can meet them", "node affinity 조건 맞추기: 어떤 Node도 만족할 수 없음";
    SAY_NODE_NAME: "leave out spec.nodeName, which names {wanted}", "spec.nodeName 빼기(지금: {wanted})";
    SAY_PORT: "free host port {port}, which {pods} holds, or use another such as {other}", "host port {port} 비우기(사용 중: {pods}) 또는 다른 port 쓰기(예: {other})";
    SAY_GATE: "take the scheduling gate {name} away", "scheduling gate 없애기({name})";
    SAY_NEED_POD: "run a pod with {selector} in {key}={domain}", "같은 domain({key}={domain})에 Pod 실행({selector})";
    SAY_AVOID_POD: "no pod with {selector} in {key}={domain}: let {pods} go", "같은 domain({key}={domain})에서 Pod 내보내기({selector}: {pods})";
    SAY_AVOIDED: "{pods} keeps pods with {selector} out of {key}={domain}: let it go or change the pod's labels", "anti-affinity({selector}, {key}={domain})가 있는 Pod 내보내기({pods}) 또는 이 Pod의 label 바꾸기";
    SAY_MORE: "{pods} and {count} more", "{pods} 외 {count}개";
    SAY_SKEW: "even out {key}: {domain} would have {here}, the fewest is {least} ({fewest}), and {here} − {least} is more than maxSkew {max}", "고르게 나누기({key}): {domain} {here}개, 가장 적은 {fewest} {least}개, {here} − {least} > maxSkew {max}";
    SAY_SKEW_DOMAINS: "have at least minDomains domains of {key}: until then {domain} would have {here} − 0, more than maxSkew {max}", "domain 늘리기({key}): minDomains까지는 {domain} {here} − 0 > maxSkew {max}";
    SAY_CREATE_CLAIM: "create the claim {claim}", "claim 만들기({claim})";
    SAY_RECREATE_CLAIM: "delete and create the claim {claim}: its volume {volume} is gone", "claim 지우고 다시 만들기({claim}): 없어진 volume {volume}";
    SAY_ENDING_CLAIM: "create the claim {claim} again: it is being deleted", "claim 다시 만들기({claim}): 삭제 중";
    SAY_WAIT_CLAIM: "wait for the claim {claim}", "claim 기다리기({claim})";
    SAY_WAIT_CLAIM_ON: "wait: the volume of {claim} is being made on {node}", "기다리기: volume 만드는 중({claim}, Node {node})";
    SAY_PROVIDE: "create a PersistentVolume for {claim}: class {class}, at least {storage}, {modes}", "PersistentVolume 만들기(claim {claim}): class {class}, {storage} 이상, {modes}";
    SAY_PROVIDE_CLASS: "create the StorageClass {class}, or a PersistentVolume of it for {claim}: at least {storage}, {modes}", "StorageClass 만들기({class}) 또는 PersistentVolume 만들기(claim {claim}): {storage} 이상, {modes}";
    SAY_ELSEWHERE: "use another claim: volume {volume} of {claim} is only for nodes with {requirement}", "다른 claim 쓰기({claim}): volume {volume}의 Node 조건 {requirement}";
    SAY_RELEASE_CLAIM: "let {pods} go: only one pod may use the claim {claim}", "Pod 내보내기({pods}): 한 Pod만 쓸 수 있는 claim({claim})";
    SAY_FREE_DISK: "let {pods} go: the disk of {volume} cannot be shared", "Pod 내보내기({pods}): 함께 쓸 수 없는 디스크({volume})";
    SAY_ADD_NODE: "add a node", "Node 추가";

    WAY_ASK_LESS: "Ask for less {resource}: {from} → {to}", "{resource} 요청 줄이기: {from} → {to}";
    WAY_DELETE: "Delete {pods}", "삭제: {pods}";
    WAY_TOLERATE: "Tolerate {taint}", "taint 허용: {taint}";
    WAY_UNTAINT: "Take {taint} off the node", "Node에서 taint 떼기: {taint}";
    WAY_UNCORDON: "Uncordon the node", "Node uncordon";
    WAY_LABEL: "Label the node {label}", "Node에 label 붙이기: {label}";
    WAY_UNLABEL: "Take the label {key} off the node", "Node에서 label 떼기: {key}";
    WAY_DROP_WISH: "No longer require {requirement}", "조건 없애기: {requirement}";
    WAY_NAME_NODE: "Name this node in the affinity", "affinity에 이 Node 쓰기";
    WAY_NODE_NAME: "Leave out spec.nodeName", "spec.nodeName 빼기";
    WAY_PORT: "Use host port {to} in place of {from}", "host port 바꾸기: {from} → {to}";
    WAY_GATE: "Take the scheduling gate {name} away", "scheduling gate 없애기: {name}";
    WAY_PEER: "Run a pod with {selector} there", "그 domain에 Pod 실행: {selector}";
    WAY_PREFER: "Prefer in place of require: {rule}", "required 대신 preferred: {rule}";
    WAY_DROP_LABELS: "Take labels off the pod: {keys}", "Pod에서 label 떼기: {keys}";
    WAY_SKEW: "Allow more skew: maxSkew {from} → {to}", "skew 더 허용: maxSkew {from} → {to}";
    WAY_CREATE_CLAIM: "Create the claim {claim}", "claim 만들기: {claim}";
    WAY_RECREATE_CLAIM: "Create the claim {claim} anew", "claim 새로 만들기: {claim}";
    WAY_VOLUME: "Create a volume of {storage} for {claim}", "volume 만들기: {storage} (claim {claim})";
    WAY_ADD_NODE: "Add a node", "Node 추가";
    NEEDS_ALL: "needs all {count}", "{count}가지 모두 필요";
}
