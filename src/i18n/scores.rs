//! How scores came about.

use super::texts;

texts! {
    WON: "{node} won with {points} points, {by} more than {second}.", "1위 Node: {node} ({points}점, 2위 {second}, 차이 {by}점)";
    LED: "What made the difference: {parts}.", "차이가 난 곳: {parts}.";
    WITH_POD: "with the pod", "Pod 포함";
    WITHOUT_POD: "without it", "Pod 없이";
    EVEN: "evenness", "고른 정도";
    ONLY_MORE: "{count} more", "외 {count}개";
    UNTOLERATED: "PreferNoSchedule taints not tolerated: {raw}, most on a node {most}", "허용하지 않는 PreferNoSchedule taint: {raw}개, 가장 많은 Node {most}개";
    PREFERRED: "weights of preferred terms that hold: {raw}, most {most}", "만족하는 preferred 조건의 weight: {raw}, 최대 {most}";
    IMAGES: "images here: {size}; counts between {least} and {most}", "여기 있는 image: {size}, 점수 구간 {least}–{most}";
    MATCHING: "{key}: {count} matching × ln({domains} + 2) + ({skew} − 1)", "{key}: 맞는 Pod {count} × ln({domains} + 2) + ({skew} − 1)";
    NO_DOMAIN: "{key}: in no domain", "{key}: domain 없음";
    LEFT_OUT: "in no domain of some constraint: 0", "어떤 constraint의 domain에도 없음: 0";
    SUM: "sum {raw}, least {least}, most {most}", "합 {raw}, 최소 {least}, 최대 {most}";
    PREFERENCES: "preferences met less those broken: {raw}, least {least}, most {most}", "만족한 선호 − 어긴 선호: {raw}, 최소 {least}, 최대 {most}";
    TIE_NODES: "{count} nodes share {points} points: {nodes}.", "동점({points}점) Node {count}개: {nodes}.";
    TIE_DRAW: "Number {place} of {count} was drawn: {node}. kube-scheduler draws at random; here the draw comes from the lab's seed {seed}, the pod's name and the attempt ({attempt}), so it is the same at every replay.", "{count}개 중 {place}번째를 뽑음: {node}. kube-scheduler는 무작위로 뽑습니다. 여기서는 실습 seed {seed}, Pod 이름, 시도 번호({attempt})로 뽑으므로 다시 재생해도 같습니다.";
    FORMULA: "How {node} got {points}", "{node} {points}점의 계산";
    WEIGHTED: "{score} × weight {weight} = {points}", "{score} × weight {weight} = {points}";
}
