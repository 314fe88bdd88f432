//! The kubeconfig that points clients to the server.

/// A kubeconfig with one context, its namespace `default`.
///
/// There is no TLS on loopback, and some clients (client-node) take a plain address only where they are told not to look for
/// a certificate.
pub fn kubeconfig(url: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: podlab
  cluster:
    insecure-skip-tls-verify: true
    server: {url}
contexts:
- name: kubernetes-admin@podlab
  context:
    cluster: podlab
    namespace: default
    user: kubernetes-admin
current-context: kubernetes-admin@podlab
users:
- name: kubernetes-admin
  user: {{}}
"
    )
}
