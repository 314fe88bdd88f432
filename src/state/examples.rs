//! Manifests to begin with, of our own writing.

use super::Lang;

/// A ready manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its name in links and tests, and the stem of the file it becomes.
    pub slug: &'static str,
    /// What it shows: English, Korean.
    titles: [&'static str; 2],
    /// One sentence about it: English, Korean.
    abouts: [&'static str; 2],
    /// The text.
    pub yaml: &'static str,
}

impl Example {
    /// What it shows.
    pub fn title(&self, lang: Lang) -> &'static str {
        self.titles[index(lang)]
    }

    /// One sentence about it.
    pub fn about(&self, lang: Lang) -> &'static str {
        self.abouts[index(lang)]
    }
}

fn index(lang: Lang) -> usize {
    match lang {
        Lang::En => 0,
        Lang::Ko => 1,
    }
}

macro_rules! example {
    ($slug:literal, $en:literal, $ko:literal, $about_en:literal, $about_ko:literal) => {
        Example {
            slug: $slug,
            titles: [$en, $ko],
            abouts: [$about_en, $about_ko],
            yaml: include_str!(concat!("examples/", $slug, ".yaml")),
        }
    };
}

/// All examples, simplest first.
pub const EXAMPLES: &[Example] = &[
    example!(
        "first-pod",
        "A first pod",
        "첫 Pod",
        "nginx on one node, and nothing else.",
        "nginx 하나만 node에서 실행합니다."
    ),
    example!(
        "labels",
        "Labels and selectors",
        "Label과 selector",
        "Four pods with different labels to select from.",
        "Label이 서로 다른 Pod 4개를 selector로 골라 봅니다."
    ),
    example!(
        "liveness",
        "Liveness probe that gets 404",
        "404를 받는 liveness probe",
        "The kubelet restarts the container until the page exists.",
        "페이지가 생길 때까지 kubelet이 container를 재시작합니다."
    ),
    example!(
        "readiness",
        "Readiness probe",
        "Readiness probe",
        "Runs, but is ready only while a file exists.",
        "실행 중이지만 파일이 있을 때만 ready가 됩니다."
    ),
    example!(
        "startup",
        "Startup probe",
        "Startup probe",
        "A slow start that the liveness probe must not disturb.",
        "천천히 시작하는 동안 liveness probe가 기다립니다."
    ),
    example!(
        "crash-loop",
        "CrashLoopBackOff",
        "CrashLoopBackOff",
        "Fails again and again; the pauses between restarts double.",
        "계속 실패하며 재시작 사이의 대기 시간이 두 배씩 늘어납니다."
    ),
    example!(
        "oom",
        "Out of memory",
        "메모리 부족",
        "Takes more memory than its limit and is killed with code 137.",
        "limit보다 많은 메모리를 써서 코드 137로 종료됩니다."
    ),
    example!(
        "init-container",
        "Init container",
        "Init container",
        "Prepares a file, then the main container starts.",
        "파일을 준비한 뒤에 본 container가 시작됩니다."
    ),
    example!(
        "sidecar",
        "Sidecar",
        "Sidecar",
        "A helper that starts first and runs on beside the program.",
        "먼저 시작해 프로그램 옆에서 계속 실행되는 보조 container입니다."
    ),
    example!(
        "node-selector",
        "nodeSelector gpu=true",
        "nodeSelector gpu=true",
        "Waits until a node carries the label.",
        "label이 붙은 node가 생길 때까지 기다립니다."
    ),
    example!(
        "resources",
        "Requests that do not fit",
        "들어가지 않는 request",
        "Five pods that ask for cpu; the last one finds no room.",
        "cpu를 요청하는 Pod 5개 중 마지막 Pod가 들어갈 자리가 없습니다."
    ),
    example!(
        "toleration",
        "Taint and toleration",
        "Taint와 toleration",
        "A pod that may run on the control plane.",
        "control plane에서 실행할 수 있는 Pod입니다."
    ),
    example!(
        "configmap",
        "ConfigMap as variable and file",
        "변수와 파일로 읽는 ConfigMap",
        "The same settings in the environment and in a volume.",
        "같은 설정을 환경 변수와 volume으로 읽습니다."
    ),
    example!(
        "two-containers",
        "Two containers, one volume",
        "Container 2개와 volume 1개",
        "One writes a page, the other serves it.",
        "하나는 페이지를 쓰고 하나는 그 페이지를 보여 줍니다."
    ),
];

/// The example of that name.
pub fn example(slug: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|e| e.slug == slug)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Lab;

    #[test]
    fn every_example_is_accepted_by_the_api_server() {
        for example in EXAMPLES {
            let lab = Lab::default();
            let checked = lab.check(example.yaml);
            assert!(checked.ok(), "{}: {}", example.slug, checked.errors());
            assert_eq!(checked.errors(), "", "{}", example.slug);
        }
    }
}
