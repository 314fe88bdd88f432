//! Trying changes on a copy of the cluster.

use super::texts;

texts! {
    TITLE: "What if", "바꿔 보기";
    NOTE: "In a copy of the cluster. Nothing is applied.", "클러스터 사본에서 시험합니다. 적용되지 않습니다.";
    RESET: "Start over", "처음부터";
    POD: "The pod's manifest", "Pod manifest";
    NODE: "Node", "Node";
    CHANGE: "Change", "바꿀 것";
    VALUE: "Value", "값";
    LABEL: "label", "label";
    TAINT: "taint", "taint";
    ALLOCATABLE: "allocatable", "allocatable";
    CORDON: "cordon", "cordon";
    UNCORDON: "uncordon", "uncordon";
    KUBECTL: "kubectl …", "kubectl …";
    LABEL_HINT: "disk=ssd or disk-", "disk=ssd 또는 disk-";
    TAINT_HINT: "gpu=yes:NoSchedule or gpu-", "gpu=yes:NoSchedule 또는 gpu-";
    ALLOCATABLE_HINT: "cpu=4", "cpu=4";
    KUBECTL_HINT: "delete pod web", "delete pod web";
    ADD: "Try", "시도";
    CHANGES: "Changes that are tried", "시도하는 변경";
    GOES: "It would go to {node}.", "가게 될 Node: {node}";
    GOES_BY: "It would go to {node}, {points} points, {by} ahead of {second}.", "가게 될 Node: {node} ({points}점, 2위 {second}, 차이 {by}점)";
    GOES_TIE: "It would go to {node}, drawn from {count} nodes with {points} points.", "가게 될 Node: {node} ({points}점 동점 {count}개에서 뽑음)";
    NOWHERE: "It would fit on none of {all} nodes.", "들어갈 수 있는 Node가 없습니다({all}개 중).";
    GATED: "Scheduling gates would hold it back.", "scheduling gate가 붙잡습니다.";
    NO_SCHEDULER: "No scheduler of this name runs; it would wait for ever.", "이 이름의 scheduler가 없어 계속 기다립니다.";
    MAKES_ROOM: "Room would be made on {node} by evicting {pods}.", "{pods} 축출로 자리를 만들 Node: {node}";
    BEFORE: "Now", "지금";
    AFTER: "With the changes", "바꾼 뒤";
    FITS: "fits", "들어감";
    OUT: "ruled out", "제외";
    NEW: "not there", "없음";
    REFUSED: "Refused", "거부됨";
    APPLY: "To do it for real", "실제로 하려면";
    TO_TERMINAL: "Put into the terminal", "터미널에 넣기";
    OWNED: "It belongs to {owner}, which makes a pod of its own again: change the template there.", "{owner} 소속입니다. 직접 바꿔도 다시 만들어지므로 template을 바꾸세요.";
    KUBELET_SETS: "The kubelet reports cpu, memory and pods anew; for real, give the machine more.", "cpu, memory, pods는 kubelet이 다시 보고합니다. 실제로는 기계를 키우세요.";
    READY: "Placed in the editor: {files}", "편집기에 넣음: {files}";
}
