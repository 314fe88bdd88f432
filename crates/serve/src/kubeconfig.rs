//! The kubeconfig that points clients to the server.

/// A kubeconfig with one context, its namespace `default`.
pub fn kubeconfig(url: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: podlab
  cluster:
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
