//! kubeconfig: clusters, users, contexts, and which context counts.

use crate::flags::Parsed;
use crate::io::{Env, FileError, Io};
use crate::value::{at, list, text};
use serde_json::{Value, json};

/// A kubeconfig file that has been read.
#[derive(Clone, Debug, Default)]
pub struct Kubeconfig {
    /// Where it stands.
    pub path: String,
    /// Its content; `Null` where there is no file.
    pub content: Value,
    /// `--context`, if given.
    context: Option<String>,
    /// `--server`, if given.
    server: Option<String>,
}

/// The kubeconfig of the lab's administrator, as kubeadm writes it.
pub fn default_kubeconfig() -> String {
    let content = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubernetes", "cluster": {"certificate-authority-data": "REFUQStPTUlUVEVE", "server": "https://172.30.1.2:6443"}}],
        "contexts": [{"name": "kubernetes-admin@kubernetes", "context": {"cluster": "kubernetes", "user": "kubernetes-admin"}}],
        "current-context": "kubernetes-admin@kubernetes",
        "users": [{"name": "kubernetes-admin", "user": {"client-certificate-data": "REFUQStPTUlUVEVE", "client-key-data": "REFUQStPTUlUVEVE"}}]
    });
    podlab_yaml::to_yaml(&content)
}

impl Kubeconfig {
    /// Where kubectl looks: `$KUBECONFIG`, else `~/.kube/config`.
    pub fn default_path(env: &Env) -> String {
        match env.vars.get("KUBECONFIG") {
            Some(path) if !path.is_empty() => path.split(':').next().unwrap_or("").to_owned(),
            _ => format!("{}/.kube/config", env.vars.get("HOME").map_or("", String::as_str)),
        }
    }

    pub(crate) fn load(io: &mut dyn Io, env: &Env, parsed: &Parsed) -> Result<Kubeconfig, String> {
        let explicit = parsed.str("kubeconfig");
        let path = if explicit.is_empty() { Kubeconfig::default_path(env) } else { explicit.to_owned() };
        let content = match io.read_file(&path) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                match podlab_yaml::parse_document(&text) {
                    Ok(document) => document.value,
                    Err(error) => {
                        return Err(format!("error loading config file \"{path}\": {}", error.text));
                    }
                }
            }
            Err(FileError::NotFound | FileError::NotDirectory) if explicit.is_empty() => Value::Null,
            Err(_) if explicit.is_empty() => Value::Null,
            Err(_) => return Err(format!("stat {path}: no such file or directory")),
        };
        let given = |name: &str| parsed.changed(name).then(|| parsed.str(name).to_owned());
        Ok(Kubeconfig { path, content, context: given("context"), server: given("server") })
    }

    /// The context that counts.
    pub fn current_context(&self) -> &str {
        match &self.context {
            Some(name) => name,
            None => text(&self.content, &["current-context"]),
        }
    }

    /// What a context holds.
    pub fn context(&self, name: &str) -> Option<&Value> {
        named(&self.content, "contexts", name).map(|entry| at(entry, &["context"]))
    }

    /// The namespace of the context that counts.
    pub fn namespace(&self) -> &str {
        self.context(self.current_context()).map_or("", |c| text(c, &["namespace"]))
    }

    /// The address of the server of the context that counts.
    pub fn server(&self) -> &str {
        if let Some(server) = &self.server {
            return server;
        }
        let cluster = self.context(self.current_context()).map_or("", |c| text(c, &["cluster"]));
        named(&self.content, "clusters", cluster).map_or("", |c| text(c, &["cluster", "server"]))
    }

    /// Whether a server is known at all.
    pub fn has_server(&self) -> bool {
        !self.server().is_empty()
    }
}

/// The entry of a list that has this name.
pub(crate) fn named<'a>(content: &'a Value, key: &str, name: &str) -> Option<&'a Value> {
    list(content, &[key]).iter().find(|e| text(e, &["name"]) == name)
}
