//! Kustomizations: what `kubectl kustomize` prints and `-k` reads.
//!
//! Source: sigs.k8s.io/kustomize/api/internal/target/kusttarget.go, internal/builtins/*.go (v0.21.1).

mod fields;
mod generate;
mod patch;

use crate::cx::Cx;
use crate::io::FileError;
use crate::value::{at, list, text};
use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, String>;

/// How deep kustomizations may lie in each other.
const MAX_DEPTH: usize = 32;

/// The names a kustomization's file may have.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The fields of a kustomization, and whether they are done here.
const FIELDS: [(&str, bool); 33] = [
    ("apiVersion", true),
    ("kind", true),
    ("metadata", true),
    ("openapi", false),
    ("namePrefix", true),
    ("nameSuffix", true),
    ("namespace", true),
    ("commonLabels", true),
    ("labels", true),
    ("commonAnnotations", true),
    ("patchesStrategicMerge", true),
    ("patchesJson6902", true),
    ("patches", true),
    ("images", true),
    ("imageTags", true),
    ("replacements", false),
    ("replicas", true),
    ("vars", false),
    ("sortOptions", true),
    ("resources", true),
    ("components", true),
    ("crds", false),
    ("bases", true),
    ("configMapGenerator", true),
    ("secretGenerator", true),
    ("helmGlobals", false),
    ("helmCharts", false),
    ("helmChartInflationGenerator", false),
    ("generatorOptions", true),
    ("configurations", false),
    ("generators", false),
    ("transformers", false),
    ("validators", false),
];

/// Lists of texts among them.
const LISTS: [&str; 5] = ["resources", "bases", "components", "crds", "configurations"];

/// Fields that will go, in the order in which they are told, and what to use instead.
const DEPRECATED: [(&str, &str); 6] = [
    ("bases", "resources"),
    ("commonLabels", "labels"),
    ("imageTags", "images"),
    ("patchesJson6902", "patches"),
    ("patchesStrategicMerge", "patches"),
    ("vars", "replacements"),
];

/// Kinds that come first when objects are sorted.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// An object on its way through the transformers.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub value: Value,
    /// Namespaces and names it had before, from its file on.
    pub before: Vec<(String, String)>,
    /// A hash of its content comes to its name.
    pub hashed: bool,
}

impl Resource {
    pub(super) fn kind(&self) -> &str {
        text(&self.value, &["kind"])
    }

    pub(super) fn name(&self) -> &str {
        text(&self.value, &["metadata", "name"])
    }

    pub(super) fn namespace(&self) -> &str {
        text(&self.value, &["metadata", "namespace"])
    }

    /// Group and version.
    pub(super) fn group_version(&self) -> (&str, &str) {
        let version = text(&self.value, &["apiVersion"]);
        version.split_once('/').unwrap_or(("", version))
    }

    fn remember(&mut self) {
        let now = (self.namespace().to_owned(), self.name().to_owned());
        if !self.before.contains(&now) {
            self.before.push(now);
        }
    }

    /// Whether it is or was called so.
    pub(super) fn was(&self, namespace: &str, name: &str) -> bool {
        let same = |ns: &str, n: &str| n == name && plain(ns) == plain(namespace);
        same(self.namespace(), self.name()) || self.before.iter().any(|(ns, n)| same(ns, n))
    }

    fn same_kind(&self, other: &Resource) -> bool {
        self.kind() == other.kind() && self.group_version() == other.group_version()
    }

    /// `Deployment.v1.apps/web.[noNs]`.
    pub(super) fn id(&self) -> String {
        let (group, version) = self.group_version();
        let group = if group.is_empty() { "[noGrp]" } else { group };
        let namespace = if self.namespace().is_empty() { "[noNs]" } else { self.namespace() };
        format!("{}.{version}.{group}/{}.{namespace}", self.kind(), self.name())
    }

    fn cluster_wide(&self) -> bool {
        let version = text(&self.value, &["apiVersion"]);
        podlab_api::kinds::by_gvk(version, self.kind()).is_some_and(|kind| !kind.namespaced)
    }
}

/// No namespace and `default` are the same.
fn plain(namespace: &str) -> &str {
    if namespace == "default" { "" } else { namespace }
}

/// A directory that is built.
pub(super) struct Loader<'c, 'a> {
    pub cx: &'c mut Cx<'a>,
}

/// A path without `.` and `..`, where that can be told.
fn join(dir: &str, path: &str) -> String {
    let absolute = path.starts_with('/') || (dir.starts_with('/'));
    let mut parts: Vec<&str> = Vec::new();
    let from = if path.starts_with('/') { "" } else { dir };
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    match (absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

impl Loader<'_, '_> {
    /// The absolute path, for messages.
    pub(super) fn absolute(&self, path: &str) -> String {
        join(&self.cx.io.working_directory(), path)
    }

    fn missing(&self, shown: &str, path: &str) -> String {
        let path = self.absolute(path);
        format!("evalsymlink failure on '{shown}' : lstat {path}: no such file or directory")
    }

    /// A file's bytes; `dir` is the kustomization's.
    pub(super) fn load(&mut self, dir: &str, path: &str) -> Result<Vec<u8>> {
        let full = join(dir, path);
        let shown = self.absolute(&full);
        match self.cx.io.read_file(&full) {
            Ok(bytes) => {
                let root = self.absolute(dir);
                if !shown.starts_with(&format!("{}/", root.trim_end_matches('/'))) {
                    return Err(format!("security; file '{shown}' is not in or below '{root}'"));
                }
                Ok(bytes)
            }
            Err(FileError::IsDirectory) => Err(format!("'{shown}' must resolve to a file")),
            Err(_) => Err(self.missing(&shown, &full)),
        }
    }

    fn directory(&mut self, full: &str, shown: &str) -> Result<()> {
        match self.cx.io.read_dir(full) {
            Ok(_) => Ok(()),
            Err(_) if self.cx.io.read_file(full).is_ok() => {
                Err(format!("must build at directory: '{shown}': file is not directory"))
            }
            Err(_) => {
                Err(format!("must build at directory: not a valid directory: {}", self.missing(shown, full)))
            }
        }
    }

    /// The kustomization of a directory.
    fn kustomization(&mut self, dir: &str) -> Result<Value> {
        let found: Vec<Vec<u8>> =
            NAMES.iter().filter_map(|name| self.cx.io.read_file(&join(dir, name)).ok()).collect();
        let content = match found.as_slice() {
            [one] => String::from_utf8_lossy(one).into_owned(),
            [] => {
                return Err(format!(
                    "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
                    self.absolute(dir)
                ));
            }
            _ => {
                return Err(format!("Found multiple kustomization files under: {}\n", self.absolute(dir)));
            }
        };
        let value = podlab_yaml::parse_document(&content)
            .map_err(|error| format!("invalid Kustomization: {}", error.text))?
            .value;
        let Value::Object(map) = &value else { return Err("kustomization.yaml is empty".to_owned()) };
        for (key, value) in map {
            match FIELDS.iter().find(|(name, _)| name == key) {
                None => return Err(format!("invalid Kustomization: json: unknown field {key:?}")),
                Some((_, false)) if !value.is_null() => {
                    return Err(format!("podlab does not simulate {key:?} of a kustomization"));
                }
                Some(_) => {}
            }
            if let (true, Value::String(_)) = (LISTS.contains(&key.as_str()), value) {
                return Err(format!(
                    "invalid Kustomization: json: cannot unmarshal string into Go struct field Kustomization.{key} of type []string"
                ));
            }
        }
        for (field, instead) in DEPRECATED {
            if !at(&value, &[field]).is_null() {
                self.cx.errln(&format!(
                    "# Warning: '{field}' is deprecated. Please use '{instead}' instead. Run 'kustomize edit fix' to update your Kustomization automatically."
                ));
            }
        }
        if map
            .iter()
            .all(|(key, value)| matches!(key.as_str(), "apiVersion" | "kind" | "metadata") || value.is_null())
        {
            return Err("kustomization.yaml is empty".to_owned());
        }
        Ok(value)
    }

    /// The objects of a directory; `into` holds those that a component changes.
    fn accumulate(&mut self, dir: &str, mut into: Vec<Resource>, depth: usize) -> Result<Vec<Resource>> {
        if depth > MAX_DEPTH {
            return Err("kustomizations lie too deep in each other".to_owned());
        }
        let spec = self.kustomization(dir)?;
        let component = text(&spec, &["kind"]) == "Component";
        let wanted = depth > 0 && !into.is_empty();
        if component && depth > 0 && !wanted {
            let root = self.absolute(dir);
            return Err(format!("expected kind != 'Component' for path '{root}'"));
        }
        for path in list(&spec, &["resources"]).iter().chain(list(&spec, &["bases"])) {
            self.resource(dir, path.as_str().unwrap_or_default(), &mut into, depth)
                .map_err(|error| format!("accumulating resources: {error}"))?;
        }
        generate::run(self, dir, &spec, &mut into)?;
        for path in list(&spec, &["components"]) {
            let full = join(dir, path.as_str().unwrap_or_default());
            into = self
                .accumulate(&full, into, depth + 1)
                .map_err(|error| format!("accumulating components: accumulateDirectory: {error:?}"))?;
        }
        patch::run(self, dir, &spec, &mut into, "patchesStrategicMerge")?;
        patch::run(self, dir, &spec, &mut into, "patches")?;
        transform(&spec, &mut into);
        patch::run(self, dir, &spec, &mut into, "patchesJson6902")?;
        replicas(&spec, &mut into)?;
        for image in list(&spec, &["images"]).iter().chain(list(&spec, &["imageTags"])) {
            for resource in into.iter_mut().filter(|r| r.kind() != "CustomResourceDefinition") {
                set_images(&mut resource.value, image);
                // The best-known places are gone over a second time, so that a suffix comes twice.
                for place in ["spec", "spec/template/spec"] {
                    if !text(image, &["tagSuffix"]).is_empty() {
                        fields::visit(&mut resource.value, place, false, &mut |pod| {
                            for key in ["containers", "initContainers"] {
                                let mut part = json!({key: pod.get(key).cloned().unwrap_or_default()});
                                set_images(&mut part, image);
                                if let (Some(slot), Some(part)) = (pod.get_mut(key), part.get_mut(key)) {
                                    *slot = part.take();
                                }
                            }
                        });
                    }
                }
            }
        }
        Ok(into)
    }

    /// One entry of `resources`: a file, or a directory with a kustomization.
    fn resource(&mut self, dir: &str, path: &str, into: &mut Vec<Resource>, depth: usize) -> Result<()> {
        let from_file = self.load(dir, path).map_err(|error| {
            // What is no file may be a directory.
            (format!("accumulating resources from '{path}': {error}"), true)
        });
        let added = from_file.and_then(|bytes| {
            let content = String::from_utf8_lossy(&bytes).into_owned();
            let objects = parse(&content).map_err(|error| match error {
                Malformed::Yaml(text) => (
                    format!(
                        "accumulating resources from '{path}': MalformedYAMLError: {text} in File: {path}"
                    ),
                    false,
                ),
                Malformed::Object(text) => (format!("accumulating resources from '{path}': {text}"), true),
            })?;
            append(into, objects).map_err(|text| (format!("merging resources from '{path}': {text}"), true))
        });
        let (error, perhaps) = match added {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if !perhaps {
            return Err(error);
        }
        let full = join(dir, path);
        let shown = self.absolute(&full);
        let also = |why: String| format!("accumulation err='{error}': {why}");
        self.directory(&full, &shown).map_err(also)?;
        let objects = self
            .accumulate(&full, Vec::new(), depth + 1)
            .map_err(|why| also(format!("recursed accumulation of path '{shown}': {why}")))?;
        append(into, objects).map_err(|why| also(format!("recursed merging from path '{shown}': {why}")))
    }
}

enum Malformed {
    Yaml(String),
    Object(String),
}

fn parse(content: &str) -> std::result::Result<Vec<Resource>, Malformed> {
    let read = podlab_yaml::parse_documents(content);
    if let Some(error) = read.error {
        return Err(Malformed::Yaml(error.text));
    }
    let mut out = Vec::new();
    for document in read.documents {
        let value = document.value;
        if value.is_null() {
            continue;
        }
        let items = match (text(&value, &["kind"]).ends_with("List"), value.get("items")) {
            (true, Some(Value::Array(items))) => items.clone(),
            _ => vec![value],
        };
        for value in items {
            if at(&value, &["metadata"]).is_null() {
                return Err(Malformed::Object("missing Resource metadata".to_owned()));
            }
            let mut resource = Resource { value, before: Vec::new(), hashed: false };
            if resource.name().is_empty() && text(&resource.value, &["metadata", "generateName"]).is_empty() {
                return Err(Malformed::Object("missing metadata.name in object".to_owned()));
            }
            resource.remember();
            out.push(resource);
        }
    }
    Ok(out)
}

fn append(into: &mut Vec<Resource>, objects: Vec<Resource>) -> Result<()> {
    for object in objects {
        let taken = into.iter().any(|other| {
            other.same_kind(&object)
                && other.name() == object.name()
                && plain(other.namespace()) == plain(object.namespace())
        });
        if taken {
            return Err(format!("may not add resource with an already registered id: {}", object.id()));
        }
        into.push(object);
    }
    Ok(())
}

/// Namespace, prefix, suffix, labels and annotations.
fn transform(spec: &Value, into: &mut [Resource]) {
    let namespace = text(spec, &["namespace"]);
    let (prefix, suffix) = (text(spec, &["namePrefix"]), text(spec, &["nameSuffix"]));
    let map = |key: &str| at(spec, &[key]).as_object().cloned().unwrap_or_default();
    let (labels, annotations) = (map("commonLabels"), map("commonAnnotations"));
    for resource in into {
        resource.remember();
        let kind = resource.kind().to_owned();
        if !namespace.is_empty() {
            set_namespace(resource, &kind, namespace);
            resource.remember();
        }
        let keeps_name = matches!(kind.as_str(), "Namespace" | "CustomResourceDefinition" | "APIService");
        if !(keeps_name || prefix.is_empty() && suffix.is_empty()) {
            let name = format!("{prefix}{}{suffix}", resource.name());
            resource.value["metadata"]["name"] = name.into();
            resource.remember();
        }
        let value = &mut resource.value;
        for entry in list(spec, &["labels"]) {
            let pairs = at(entry, &["pairs"]).as_object().cloned().unwrap_or_default();
            for field in list(entry, &["fields"]) {
                let wanted = text(field, &["kind"]);
                if wanted.is_empty() || wanted == kind {
                    let create = at(field, &["create"]).as_bool().unwrap_or(false);
                    fields::add_at(value, text(field, &["path"]), create, &pairs);
                }
            }
            let selectors = at(entry, &["includeSelectors"]).as_bool().unwrap_or(false);
            let templates = at(entry, &["includeTemplates"]).as_bool().unwrap_or(false);
            label(value, &kind, &pairs, selectors, templates);
        }
        label(value, &kind, &labels, true, true);
        if !annotations.is_empty() {
            fields::add_at(value, "metadata/annotations", true, &annotations);
            fields::add_to_templates(value, &kind, "annotations", &annotations);
        }
    }
}

fn label(value: &mut Value, kind: &str, pairs: &Map<String, Value>, selectors: bool, templates: bool) {
    if pairs.is_empty() {
        return;
    }
    fields::add_at(value, "metadata/labels", true, pairs);
    if selectors || templates {
        fields::add_to_templates(value, kind, "labels", pairs);
    }
    if selectors {
        fields::add_to_selectors(value, kind, pairs);
    }
}

fn set_namespace(resource: &mut Resource, kind: &str, namespace: &str) {
    let cluster_wide = resource.cluster_wide();
    let value = &mut resource.value;
    if kind == "Namespace" {
        value["metadata"]["name"] = namespace.into();
    } else if !cluster_wide {
        value["metadata"]["namespace"] = namespace.into();
    }
    if matches!(kind, "RoleBinding" | "ClusterRoleBinding") {
        fields::visit(value, "subjects", false, &mut |subject| {
            if text(subject, &["name"]) == "default" {
                subject["namespace"] = namespace.into();
            }
        });
    }
}

fn replicas(spec: &Value, into: &mut [Resource]) -> Result<()> {
    for entry in list(spec, &["replicas"]) {
        let name = text(entry, &["name"]);
        let mut found = false;
        for resource in into.iter_mut() {
            let scales = matches!(
                resource.kind(),
                "Deployment" | "ReplicationController" | "ReplicaSet" | "StatefulSet"
            );
            let named = resource.name() == name || resource.before.iter().any(|(_, n)| n == name);
            if scales && named {
                found = true;
                crate::value::slot(&mut resource.value, &["spec"])["replicas"] =
                    at(entry, &["count"]).clone();
            }
        }
        if !found {
            return Err(format!(
                "resource with name {name} does not match a config with the following GVK [Deployment.[noVer].[noGrp] StatefulSet.[noVer].[noGrp] ReplicaSet.[noVer].[noGrp] ReplicationController.[noVer].[noGrp]]"
            ));
        }
    }
    Ok(())
}

/// Gives every container's image of the name another name, tag or digest.
fn set_images(value: &mut Value, entry: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| set_images(item, entry)),
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                if let ("containers" | "initContainers", Value::Array(containers)) =
                    (key.as_str(), &mut *inner)
                {
                    for image in containers.iter_mut().filter_map(|c| c.get_mut("image")) {
                        let changed = image.as_str().and_then(|image| new_image(image, entry));
                        if let Some(changed) = changed {
                            *image = changed.into();
                        }
                    }
                }
                set_images(inner, entry);
            }
        }
        _ => {}
    }
}

fn new_image(image: &str, entry: &Value) -> Option<String> {
    let rest = image.strip_prefix(text(entry, &["name"]))?;
    let (tag, digest) = match rest.split_once('@') {
        Some((tag, digest)) => (tag, digest),
        None => (rest, ""),
    };
    let tag = match tag.strip_prefix(':') {
        Some(tag) if !tag.contains(['/', ':']) => tag,
        Some(_) => return None,
        None if tag.is_empty() => "",
        None => return None,
    };
    let given = |key: &str| match at(entry, &[key]) {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let (new_name, new_tag, new_digest, suffix) =
        (given("newName"), given("newTag"), given("digest"), given("tagSuffix"));
    let mut out = if new_name.is_empty() { given("name") } else { new_name };
    let (tag, digest) = match (new_tag.is_empty(), new_digest.is_empty()) {
        (false, _) => (new_tag, new_digest),
        (true, false) => (String::new(), new_digest),
        (true, true) if !suffix.is_empty() => (format!("{tag}{suffix}"), String::new()),
        (true, true) => (tag.to_owned(), digest.to_owned()),
    };
    if !tag.is_empty() {
        out.push_str(&format!(":{tag}"));
    }
    if !digest.is_empty() {
        out.push_str(&format!("@{digest}"));
    }
    Some(out)
}

/// Puts the names that objects have now where others name them.
fn fix_names(into: &mut [Resource]) {
    let all: Vec<Resource> = into.to_vec();
    for resource in into {
        let kind = resource.kind().to_owned();
        let own = resource.clone();
        fields::names(&mut resource.value, &kind, &mut |named, place| {
            let Some(name) = place.as_str() else { return };
            let is = |r: &&Resource| {
                r.kind() == named
                    && (r.cluster_wide() || plain(r.namespace()) == plain(own.namespace()))
                    && r.before.iter().any(|(_, before)| before == name)
            };
            if let Some(found) = all.iter().find(is) {
                *place = found.name().into();
            }
        });
        if matches!(kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
            fields::visit(&mut resource.value, "subjects", false, &mut |subject| {
                if text(subject, &["kind"]) != "ServiceAccount" {
                    return;
                }
                let (namespace, name) = (text(subject, &["namespace"]), text(subject, &["name"]));
                let is = |r: &&Resource| r.kind() == "ServiceAccount" && r.was(namespace, name);
                if let Some(found) = all.iter().find(is) {
                    subject["name"] = found.name().into();
                    if !found.namespace().is_empty() {
                        subject["namespace"] = found.namespace().into();
                    }
                }
            });
        }
    }
}

fn sort(into: &mut [Resource]) {
    let place = |kind: &str| -> isize {
        let size = isize::try_from(FIRST.len()).unwrap_or(0);
        let index = |of: &[&str]| of.iter().position(|k| *k == kind).and_then(|i| isize::try_from(i).ok());
        index(&FIRST).map(|i| i - size).or(index(&LAST).map(|i| i + 1)).unwrap_or(0)
    };
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    into.sort_by_cached_key(|r| {
        let (group, version) = r.group_version();
        let gvk = format!("{}_{version}_{}", or(group, "~G"), r.kind());
        (place(r.kind()), gvk, format!("{}|{}", or(r.namespace(), "~X"), or(r.name(), "~N")))
    });
}

/// The objects that a directory's kustomization makes.
///
/// # Errors
/// kustomize's own texts, without `error: `.
pub(crate) fn build(cx: &mut Cx<'_>, path: &str) -> Result<Vec<Value>> {
    let mut loader = Loader { cx };
    let dir = join("", path);
    loader.directory(&dir, path)?;
    let fifo = loader.kustomization_order(&dir);
    let mut objects = loader.accumulate(&dir, Vec::new(), 0)?;
    for object in objects.iter_mut().filter(|object| object.hashed) {
        object.remember();
        let name = format!("{}-{}", object.name(), generate::hash(&object.value));
        object.value["metadata"]["name"] = name.into();
    }
    fix_names(&mut objects);
    let local = ["metadata", "annotations", "config.kubernetes.io/local-config"];
    objects.retain(|object| text(&object.value, &local) != "true");
    if !fifo {
        sort(&mut objects);
    }
    Ok(objects.into_iter().map(|object| object.value).collect())
}

impl Loader<'_, '_> {
    /// Whether objects stay in the order in which they came.
    fn kustomization_order(&mut self, dir: &str) -> bool {
        let read = NAMES.iter().find_map(|name| self.cx.io.read_file(&join(dir, name)).ok());
        let value = read.and_then(|bytes| {
            Some(podlab_yaml::parse_document(&String::from_utf8_lossy(&bytes)).ok()?.value)
        });
        value.is_some_and(|value| text(&value, &["sortOptions", "order"]) == "fifo")
    }
}

/// Objects as one text.
pub(crate) fn to_yaml(objects: &[Value]) -> String {
    objects.iter().map(podlab_yaml::to_yaml).collect::<Vec<_>>().join("---\n")
}

/// The name of an object's file in a directory.
pub(crate) fn file_name(object: &Value) -> String {
    let version = text(object, &["apiVersion"]).replace('/', "_");
    let (kind, name) = (text(object, &["kind"]), text(object, &["metadata", "name"]));
    format!("{version}_{kind}_{name}.yaml").to_lowercase()
}

/// An empty object of a kind.
fn object(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}})
}
