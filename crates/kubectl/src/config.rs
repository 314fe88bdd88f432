//! kubeconfig: clusters, users, contexts, and which context counts.

use crate::flags::Parsed;
use crate::io::{Env, FileError, Io};
use crate::value::{at, list, text};
use podlab_api::door::UserInfo;
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

    /// As whom the user of the context that counts acts: the flags `--as…`, or what the file says.
    ///
    /// Source: k8s.io/client-go/tools/clientcmd/client_config.go, validation.go (v1.37).
    ///
    /// # Errors
    /// Groups or the like without a user.
    pub(crate) fn impersonated(&self, parsed: &Parsed) -> Result<Option<Box<UserInfo>>, String> {
        let name = match parsed.str("user") {
            "" => self.context(self.current_context()).map_or("", |c| text(c, &["user"])),
            given => given,
        };
        let nothing = Value::Null;
        let entry = named(&self.content, "users", name).map_or(&nothing, |entry| at(entry, &["user"]));
        let one = |flag: &str| match parsed.str(flag) {
            "" => text(entry, &[flag]).to_owned(),
            given => given.to_owned(),
        };
        let mut user = UserInfo { name: one("as"), uid: one("as-uid"), ..UserInfo::default() };
        user.groups = parsed.list("as-group");
        if user.groups.is_empty() {
            user.groups = list(entry, &["as-groups"]).iter().map(crate::value::plain).collect();
        }
        for pair in parsed.list("as-user-extra") {
            let Some((key, value)) = pair.split_once('=') else { continue };
            user.extra.entry(key.to_owned()).or_default().push(value.to_owned());
        }
        if user.extra.is_empty() {
            for (key, values) in at(entry, &["as-user-extra"]).as_object().into_iter().flatten() {
                let values = values.as_array().into_iter().flatten().map(crate::value::plain).collect();
                user.extra.insert(key.clone(), values);
            }
        }
        if user.name.is_empty() && user != UserInfo::default() {
            return Err(format!(
                "requesting uid, groups or user-extra for {name} without impersonating a user"
            ));
        }
        Ok((!user.name.is_empty()).then(|| Box::new(user)))
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
