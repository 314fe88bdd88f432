//! Texts of the menu that breaks something.

use super::texts;

texts! {
    BREAK: "Break something", "고장 내기";
    BREAK_TEXT: "Something of yours goes wrong, drawn by the lab's seed. Undo takes it back.", "실습의 seed로 고른 객체 하나에 고장을 냅니다. 실행 취소로 되돌립니다.";
    ANYTHING: "Anything", "아무거나";
    ANYTHING_TEXT: "One of those below", "아래 중 하나";
    BAD_IMAGE: "A bad image", "잘못된 image";
    BAD_IMAGE_TEXT: "A workload names an image that no registry has", "없는 image를 쓰는 워크로드";
    CRASH: "A crash", "Crash";
    CRASH_TEXT: "A workload's container ends with an error", "오류로 끝나는 container";
    LOST_NODE: "A lost node", "사라진 Node";
    LOST_NODE_TEXT: "A node's kubelet stops", "kubelet이 멈춘 Node";
    WRONG_SELECTOR: "A wrong Service selector", "잘못된 Service selector";
    WRONG_SELECTOR_TEXT: "A Service finds no pod any more", "Pod를 찾지 못하는 Service";
    FULL_NODE: "A full node", "꽉 찬 Node";
    FULL_NODE_TEXT: "A workload asks for more than any node has left", "어느 Node에도 남지 않은 자원을 요청하는 워크로드";
    FAILING_PROBE: "A failing probe", "실패하는 probe";
    FAILING_PROBE_TEXT: "A workload's pods are never ready", "ready가 되지 않는 Pod";
    NOTHING: "Nothing was broken", "고장 내지 않음";
    NOTHING_WORKLOAD: "Nothing fits: there is no Deployment, StatefulSet or DaemonSet with ready pods.", "맞는 것이 없습니다. ready Pod가 있는 Deployment, StatefulSet, DaemonSet이 필요합니다.";
    NOTHING_NODE: "Nothing fits: no ready node runs a pod of yours.", "맞는 것이 없습니다. Pod가 실행 중인 ready Node가 필요합니다.";
    NOTHING_SERVICE: "Nothing fits: there is no Service that selects a pod.", "맞는 것이 없습니다. Pod를 선택하는 Service가 필요합니다.";
    BROKEN: "Something was broken. Find out what.", "무언가 고장 났습니다. 무엇인지 찾아보세요.";
    SHOW: "Show what was broken", "무엇이 고장 났는지 보기";
    UNDO_NAME: "what was broken", "고장 낸 것";
    CLOSE: "Close", "닫기";
    IS_BAD_IMAGE: "{object} names an image that no registry has: {value}", "{object}: 없는 image({value})를 씁니다.";
    IS_CRASH: "{object} runs a command that ends with an error: {value}", "{object}: 오류로 끝나는 명령({value})을 실행합니다.";
    IS_LOST_NODE: "The kubelet of {object} was stopped. After 40 s without its lease the node is NotReady, and its pods are evicted 5 min later.", "{object}: kubelet이 멈췄습니다. lease가 40초 동안 갱신되지 않으면 NotReady가 되고, 5분 뒤 Pod가 축출됩니다.";
    IS_WRONG_SELECTOR: "{object} selects {value}, which no pod has.", "{object}: selector가 어떤 Pod와도 맞지 않습니다 ({value}).";
    IS_FULL_NODE: "{object} asks for {value} a pod, and no node has that much left.", "{object}: Pod마다 요청한 자원({value})이 남은 Node가 없습니다.";
    IS_FAILING_PROBE: "{object} has a readiness probe that fails: {value}", "{object}: 실패하는 readiness probe({value})가 있습니다.";
    DONE: "What was done", "한 일";
    LOOK: "What shows it", "확인하는 명령";
}
