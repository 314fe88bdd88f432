//! What the API server's health endpoints say.
//!
//! Source: recording cluster/tables.jsonl `cmd/get --raw /livez?verbose`; k8s.io/apiserver/pkg/server/healthz/healthz.go,
//! pkg/server/healthz.go (v1.37).

/// The checks of `/livez` and `/healthz`, in their order.
const LIVEZ: [&str; 34] = [
    "ping",
    "log",
    "loopback-serving-certificate",
    "etcd",
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
];

/// The answer to a GET of `/livez`, `/readyz` or `/healthz`, of one check below them, or with `?verbose` and
/// `?exclude=CHECK`; `None` for any other path. A simulated API server is always well.
pub fn answer(path: &str) -> Option<String> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (name, check) = match path.strip_prefix('/')?.split_once('/') {
        Some((name, check)) => (name, Some(check)),
        None => (path.strip_prefix('/')?, None),
    };
    let checks: Vec<&str> = match name {
        "livez" | "healthz" => LIVEZ.to_vec(),
        // What is ready also has its caches, and is not being shut down.
        "readyz" => {
            let mut checks = LIVEZ.to_vec();
            checks.splice(4..4, ["etcd-readiness", "informer-sync"]);
            checks.push("shutdown");
            checks
        }
        _ => return None,
    };
    let parameters = || query.split('&').map(|part| part.split_once('=').unwrap_or((part, "")));
    let verbose = parameters().any(|(key, _)| key == "verbose");
    if let Some(check) = check.filter(|check| !check.is_empty()) {
        return checks.contains(&check).then(|| "ok".to_owned());
    }
    if !verbose {
        return Some("ok".to_owned());
    }
    let excluded: Vec<&str> =
        parameters().filter(|(key, _)| *key == "exclude").map(|(_, check)| check).collect();
    let mut text = String::new();
    for check in &checks {
        text.push_str(&if excluded.contains(check) {
            format!("[+]{check} excluded: ok\n")
        } else {
            format!("[+]{check} ok\n")
        });
    }
    let unknown: Vec<String> =
        excluded.iter().filter(|one| !checks.contains(one)).map(|one| format!("{one:?}")).collect();
    if !unknown.is_empty() {
        text.push_str(&format!(
            "warn: some health checks cannot be excluded: no matches for {}\n",
            unknown.join(",")
        ));
    }
    text.push_str(&format!("{name} check passed\n"));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn checks_are_listed_one_by_one() {
        assert_eq!(answer("/livez").unwrap(), "ok");
        assert_eq!(answer("/readyz/ping").unwrap(), "ok");
        assert_eq!(answer("/metrics"), None);
        assert_eq!(answer("/livez/nothing"), None);
        let text = answer("/livez?verbose&exclude=etcd").unwrap();
        assert!(text.starts_with("[+]ping ok\n[+]log ok\n"));
        assert!(text.contains("\n[+]etcd excluded: ok\n"));
        assert!(text.ends_with("\nlivez check passed\n"));
    }
}
