//! Names and numbers that differ from run to run, as the recorder writes them.

use regex::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Names that controllers made, and the stable ones the recordings use: `web-<rs1>-<p1>`.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// Real name, alias; longest first.
    pairs: Vec<(String, String)>,
}

/// An object that can have a name made by a controller, in the order of appearance.
pub(super) struct Named {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) owner_kind: String,
    pub(super) owner: String,
    pub(super) template_hash: String,
}

impl Names {
    /// `objects` are the ReplicaSets and Jobs, `pods` the pods, as often as they were seen.
    pub(super) fn new(objects: &[Named], pods: &[Named]) -> Self {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut aliases: BTreeMap<String, String> = BTreeMap::new();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut number = |owner: &str| {
            let count = counts.entry(owner.to_owned()).or_default();
            *count += 1;
            *count
        };
        for object in objects.iter().filter(|object| !object.owner.is_empty()) {
            if aliases.contains_key(&object.name) {
                continue;
            }
            let number = number(&object.owner);
            let what = if object.kind == "ReplicaSet" { "rs" } else { "job" };
            let alias = format!("{}-<{what}{number}>", object.owner);
            aliases.insert(object.name.clone(), alias.clone());
            pairs.push((object.name.clone(), alias));
            if !object.template_hash.is_empty() {
                pairs.push((object.template_hash.clone(), format!("<rs{number}>")));
            }
        }
        for pod in pods {
            let made =
                matches!(&*pod.owner_kind, "ReplicaSet" | "Job" | "DaemonSet" | "ReplicationController");
            if !made || aliases.contains_key(&pod.name) {
                continue;
            }
            let owner = aliases.get(&pod.owner).unwrap_or(&pod.owner).clone();
            let alias = format!("{owner}-<p{}>", number(&pod.owner));
            aliases.insert(pod.name.clone(), alias.clone());
            pairs.push((pod.name.clone(), alias));
        }
        pairs.sort_by_key(|(real, _)| std::cmp::Reverse(real.len()));
        Self { pairs }
    }

    /// Puts real names in the place of aliases, for command lines.
    pub(super) fn real(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let mut pairs: Vec<&(String, String)> = self.pairs.iter().collect();
        pairs.sort_by_key(|(_, alias)| std::cmp::Reverse(alias.len()));
        for (real, alias) in pairs {
            text = text.replace(alias.as_str(), real);
        }
        text
    }

    /// Puts aliases and placeholders in the place of what differs.
    pub(super) fn normalise(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (real, alias) in &self.pairs {
            text = text.replace(real.as_str(), alias);
        }
        for (pattern, placeholder) in PATTERNS.iter() {
            text = pattern.replace_all(&text, *placeholder).into_owned();
        }
        text
    }

    pub(super) fn normalise_tree(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.normalise(text)),
            Value::Array(items) => items.iter().map(|item| self.normalise_tree(item)).collect(),
            Value::Object(fields) => {
                let fields =
                    fields.iter().map(|(key, field)| (self.normalise(key), self.normalise_tree(field)));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }
}

static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uid>"),
        (r"\b[0-9a-f]{64}\b", "<id>"),
        (r"kube-api-access-[a-z0-9]{5}\b", "kube-api-access-<r>"),
        (r"\bdebugger-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "debugger-<r>"),
        (r"\b10\.244\.\d+\.\d+", "<podIP>"),
        (r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
        (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<timestamp>"),
    ]
    .into_iter()
    .filter_map(|(pattern, placeholder)| Some((Regex::new(pattern).ok()?, placeholder)))
    .collect()
});

static NOT_TRUTH: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        // Texts of the container runtime and the registry.
        (r"(?s)rpc error: .*", "<runtime>"),
        (r"(?s)failed to (create containerd task|start containerd task|exec in container|create containerd container).*", "<runtime>"),
        (r"(?s)(OCI runtime exec failed|failed to pull and unpack).*", "<runtime>"),
        (r"in \d[0-9.hmsµ]*s \(\d[0-9.hmsµ]*s including waiting\)\. Image size: \d+ bytes\.", "in <time> (<time> including waiting). Image size: <n> bytes."),
        // The uid of a static pod, which the recorder left as it was.
        (r"\b[0-9a-f]{32}\b", "<uid>"),
        // What pods of other scenarios used of the node.
        (r"\bused: \d+", "used: <n>"),
        (r"172\.\d+\.\d+\.\d+", "<nodeIP>"),
    ]
    .into_iter()
    .filter_map(|(pattern, placeholder)| Some((Regex::new(pattern).ok()?, placeholder)))
    .collect()
});

/// Takes out what the recordings are no truth about: see their README.
pub(super) fn without_runtime(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, placeholder) in NOT_TRUTH.iter() {
        text = pattern.replace_all(&text, *placeholder).into_owned();
    }
    text
}

static ADDRESSES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"\b10\.244\.\d+\.\d+", "<podIP>"),
        // The time of a file, as `ls -l` has it.
        (r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d +\d\d:\d\d\b", "<time>"),
    ]
    .into_iter()
    .filter_map(|(pattern, placeholder)| Some((Regex::new(pattern).ok()?, placeholder)))
    .collect()
});

/// Takes allocated addresses and the times of files out of what programs printed.
pub(super) fn without_addresses(text: &str) -> String {
    ADDRESSES.iter().fold(text.to_owned(), |text, (pattern, placeholder)| {
        pattern.replace_all(&text, *placeholder).into_owned()
    })
}

/// Takes out which of several equal nodes the scheduler drew.
pub(super) fn without_drawn_nodes(text: &str, drawn: &[&str]) -> String {
    drawn.iter().fold(text.to_owned(), |text, node| text.replace(node, "<node>"))
}

static DRAWN_POD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"<p\d+>").ok());

/// Takes out which of several pods of one controller a text names.
pub(super) fn without_drawn_pods(text: &str) -> String {
    match DRAWN_POD.as_ref() {
        Some(pod) => pod.replace_all(text, "<pod>").into_owned(),
        None => text.to_owned(),
    }
}

/// Numbers the drawn suffixes of pods by their appearance in a text: kubectl lists pods by name, so that their order is
/// drawn with them.
pub(super) fn renumbered(text: &str) -> String {
    let Some(pod) = DRAWN_POD.as_ref() else { return text.to_owned() };
    let mut seen: Vec<String> = Vec::new();
    let numbered = pod.replace_all(text, |found: &regex::Captures<'_>| {
        let name = found[0].to_owned();
        let index = seen.iter().position(|known| *known == name).unwrap_or_else(|| {
            seen.push(name);
            seen.len() - 1
        });
        format!("<pod {}>", index + 1)
    });
    numbered.into_owned()
}

static GIVEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"<(p|rs|job)(\d+)>").ok());

/// A manifest or a command line whose author named an object as controllers do, before any was seen, or an image by its
/// digest: the recorder wrote an alias there.
pub(super) fn given_names(manifest: &str) -> String {
    let manifest = &manifest.replace("sha256:<id>", &format!("sha256:{}", "a".repeat(64)));
    match GIVEN.as_ref() {
        Some(alias) => alias.replace_all(manifest, "$1$2").into_owned(),
        None => manifest.to_owned(),
    }
}
