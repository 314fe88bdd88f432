//! From words to objects: resource types, names, selectors, files.
//!
//! Source: k8s.io/cli-runtime/pkg/resource/builder.go (v1.37).

use crate::cx::Cx;
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::manifest;
use podlab_api::{Kind, Request, kinds};
use serde_json::Value;

/// One object that a command is about.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    pub kind: &'static Kind,
    /// Empty for kinds that live in none.
    pub namespace: String,
    pub name: String,
    /// The object, where it has been read.
    pub object: Value,
    /// `STDIN`, a path, or empty.
    pub source: String,
}

impl Info {
    pub(crate) fn new(kind: &'static Kind, namespace: &str, name: &str) -> Info {
        let namespace = if kind.namespaced { namespace } else { "" };
        Info {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            object: Value::Null,
            source: String::new(),
        }
    }

    /// `deployment.apps/web`.
    pub(crate) fn display(&self) -> String {
        object_name(self.kind, &self.name)
    }

    /// `deployments.apps`.
    pub(crate) fn resource(&self) -> String {
        self.kind.group_resource()
    }
}

/// `deployment.apps/web`: how commands name what they did.
pub(crate) fn object_name(kind: &Kind, name: &str) -> String {
    let singular = kind.kind.to_lowercase();
    if kind.group.is_empty() {
        format!("{singular}/{name}")
    } else {
        format!("{singular}.{}/{name}", kind.group)
    }
}

/// What the arguments and flags select.
#[derive(Clone, Debug, Default)]
pub(crate) struct Builder {
    pub namespace: String,
    pub all_namespaces: bool,
    pub enforce_namespace: bool,
    pub labels: Option<String>,
    pub fields: Option<String>,
    pub select_all: bool,
    pub filenames: Vec<String>,
    pub kustomize: String,
    pub recursive: bool,
    pub args: Vec<String>,
    /// A type alone means all of it.
    pub allow_all: bool,
    pub validate: bool,
    /// What to say of an object whose kind nobody knows: nothing is asked of the server.
    pub local: bool,
}

/// What was selected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selected {
    /// In order; an error stands where an object could not be read.
    pub items: Vec<Result<Info>>,
    /// Whether exactly one object was named.
    pub single: bool,
    /// Whether objects were named one by one.
    pub by_name: bool,
}

/// The text for no arguments at all.
pub(crate) const MISSING: &str = "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/// A kind by plural, singular, short name or kind, with or without its group.
pub(crate) fn lookup(word: &str) -> Option<&'static Kind> {
    lookup_in(&kinds::served().collect::<Vec<_>>(), word)
}

/// As [`lookup`], among these kinds.
pub(crate) fn lookup_in(all: &[&'static Kind], word: &str) -> Option<&'static Kind> {
    let lower = word.to_lowercase();
    let matches = |kind: &&Kind, name: &str| {
        kind.plural == name || kind.singular == name || kind.short_names.contains(&name)
    };
    let find = |name: &str, version: Option<&str>, group: Option<&str>| {
        all.iter().copied().find(|k| {
            matches(k, name)
                && group
                    .is_none_or(|g| k.group == g || (!g.is_empty() && k.group.starts_with(&format!("{g}."))))
                && version.is_none_or(|v| k.version == v)
        })
    };
    if let Some(kind) = find(&lower, None, None) {
        return Some(kind);
    }
    let (name, rest) = lower.split_once('.')?;
    if let Some(kind) = find(name, None, Some(rest)) {
        return Some(kind);
    }
    let (version, group) = rest.split_once('.').unwrap_or((rest, ""));
    find(name, Some(version), Some(group))
}

/// A kind by the word a user typed.
///
/// # Errors
/// The server has no such type.
pub(crate) fn mapping(cx: &mut Cx<'_>, word: &str) -> Result<&'static Kind> {
    cx.discover(4)?;
    match lookup(word).or_else(|| lookup_in(&cx.defined(), word)) {
        Some(kind) => {
            warn_of_others(cx, kind, word);
            Ok(kind)
        }
        None => {
            let said = match word.to_lowercase().split_once('.') {
                Some((name, group)) => {
                    format!("the server doesn't have a resource type {name:?} in group {group:?}")
                }
                None => format!("the server doesn't have a resource type {word:?}"),
            };
            message(said)
        }
    }
}

/// Says that a short name stands for other resources too (`ev`).
///
/// Source: k8s.io/client-go/restmapper/shortcut.go expandResourceShortcut (v1.37).
pub(crate) fn warn_of_others(cx: &mut Cx<'_>, kind: &Kind, word: &str) {
    if !kind.short_names.contains(&word) {
        return;
    }
    let own = crate::cmd::discovery_table::with_short_name(word);
    let defined = cx.defined();
    let defined = defined.iter().filter(|one| one.short_names.contains(&word));
    let others: Vec<(&str, &str)> =
        own.into_iter().chain(defined.map(|one| (one.plural, one.group))).collect();
    for (plural, group) in others {
        if group != kind.group && !group.is_empty() {
            let text =
                format!("short name {word:?} could also match lower priority resource {plural}.{group}");
            if !cx.warned.contains(&text) {
                cx.errln(&format!("Warning: {text}"));
                cx.warned.push(text);
            }
        }
    }
}

/// `all` and other categories become the types they stand for.
fn expand(cx: &mut Cx<'_>, word: &str) -> String {
    // Only a word that names no type can be a category.
    let unknown = word.split(',').any(|part| lookup(part).is_none());
    let defined = if unknown { cx.defined() } else { Vec::new() };
    let mut all: Vec<&Kind> = Vec::new();
    for kind in kinds::ALL.iter().copied().chain(defined) {
        // One version of each.
        if !all.contains(&kind) {
            all.push(kind);
        }
    }
    let parts: Vec<String> = word
        .split(',')
        .map(|part| {
            let members: Vec<String> =
                all.iter().filter(|k| k.categories.contains(&part)).map(|k| k.group_resource()).collect();
            if members.is_empty() { part.to_owned() } else { members.join(",") }
        })
        .collect();
    parts.join(",")
}

fn split_types(word: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for part in word.split(',') {
        if !out.iter().any(|p| p == part) {
            out.push(part.to_owned());
        }
    }
    out
}

impl Builder {
    /// From the flags that many commands share.
    pub(crate) fn new(cx: &Cx<'_>, parsed: &Parsed) -> Builder {
        let selector = parsed.str("selector").trim();
        let fields = parsed.str("field-selector");
        Builder {
            namespace: cx.namespace.clone(),
            all_namespaces: parsed.bool("all-namespaces"),
            enforce_namespace: cx.enforce_namespace,
            labels: (!selector.is_empty()).then(|| selector.to_owned()),
            fields: (!fields.is_empty()).then(|| fields.to_owned()),
            filenames: parsed.list("filename"),
            kustomize: parsed.str("kustomize").to_owned(),
            recursive: parsed.bool("recursive"),
            args: parsed.args.clone(),
            ..Builder::default()
        }
    }

    pub(crate) fn args(mut self, args: &[String]) -> Builder {
        self.args = args.to_vec();
        self
    }

    pub(crate) fn all(mut self, all: bool) -> Builder {
        self.select_all = all;
        self
    }

    pub(crate) fn allow_all(mut self) -> Builder {
        self.allow_all = true;
        self
    }

    /// Whether objects come from files.
    pub(crate) fn has_files(&self) -> bool {
        !self.filenames.is_empty() || !self.kustomize.is_empty()
    }

    /// The types that are meant, in order: `pods,svc` is two.
    pub(crate) fn types(&self, cx: &mut Cx<'_>) -> Result<Vec<&'static Kind>> {
        let mut out: Vec<&'static Kind> = Vec::new();
        if let Some(first) = self.args.first() {
            for word in split_types(&expand(cx, first)) {
                let kind = mapping(cx, &word)?;
                if !out.contains(&kind) {
                    out.push(kind);
                }
            }
        }
        Ok(out)
    }

    fn tuples(&self) -> Result<Option<Vec<(String, String)>>> {
        let mut args = self.args.clone();
        if args.len() >= 2 {
            let types = split_types(args.first().map_or("", String::as_str));
            if types.len() > 1 {
                args = types
                    .iter()
                    .flat_map(|t| self.args.iter().skip(1).map(move |n| format!("{t}/{n}")))
                    .collect();
            }
        }
        let slashes = args.iter().filter(|a| a.contains('/')).count();
        if slashes == 0 {
            return Ok(None);
        }
        if slashes != args.len() {
            return message(
                "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
            );
        }
        let mut out = Vec::new();
        for arg in &args {
            let parts: Vec<&str> = arg.split('/').collect();
            match parts.as_slice() {
                [kind, name] if !kind.is_empty() && !name.is_empty() && !kind.contains(',') => {
                    out.push(((*kind).to_owned(), (*name).to_owned()));
                }
                [_, _] => {
                    return message("arguments in resource/name form must have a single resource and name");
                }
                _ => return message("arguments in resource/name form may not have more than one slash"),
            }
        }
        Ok(Some(out))
    }

    /// Finds what is meant without reading objects that are named.
    ///
    /// # Errors
    /// The words do not fit together, or name a type the server does not have.
    pub(crate) fn resolve(&self, cx: &mut Cx<'_>) -> Result<Selected> {
        let tuples = self.tuples()?;
        if tuples.is_none() && !self.args.is_empty() && !self.local {
            // Categories are looked up first.
            if !cx.config.has_server() {
                cx.memcache(1);
            }
        }
        if self.select_all && (self.labels.is_some() || self.fields.is_some()) {
            return message("setting 'all' parameter but found a non empty selector. ");
        }
        if self.has_files() {
            if !self.args.is_empty() {
                return match (tuples, self.args.len()) {
                    (Some(_), _) => {
                        message("resource/name arguments cannot be provided when a path is specified")
                    }
                    _ => message(
                        "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
                    ),
                };
            }
            return manifest::read(cx, self);
        }
        let bulk = self.labels.is_some()
            || self.fields.is_some()
            || self.select_all
            || (self.allow_all && self.args.len() == 1 && tuples.is_none());
        if bulk {
            if self.args.len() > 1 && tuples.is_none() {
                return message("name cannot be provided when a selector is specified");
            }
            if tuples.is_some() {
                return message(
                    "selectors and the all flag cannot be used when passing resource/name arguments",
                );
            }
            if self.args.is_empty() {
                return message("at least one resource must be specified to use a selector");
            }
            return self.list(cx);
        }
        let mut out = Selected { by_name: true, ..Selected::default() };
        if let Some(tuples) = tuples {
            out.single = tuples.len() == 1;
            for (word, name) in tuples {
                let kind = mapping(cx, &word)?;
                out.items.push(Ok(self.named(kind, &name)?));
            }
            return Ok(out);
        }
        let types = self.types(cx)?;
        let names = self.args.get(1..).unwrap_or(&[]);
        match (types.as_slice(), names) {
            ([], _) => message(MISSING),
            (_, []) => message("resource(s) were provided, but no name was specified"),
            ([kind], names) => {
                out.single = names.len() == 1;
                for name in names {
                    out.items.push(Ok(self.named(kind, name)?));
                }
                Ok(out)
            }
            _ => message("you must specify only one resource"),
        }
    }

    fn named(&self, kind: &'static Kind, name: &str) -> Result<Info> {
        if kind.namespaced && self.all_namespaces {
            return message("a resource cannot be retrieved by name across all namespaces");
        }
        Ok(Info::new(kind, &self.namespace, name))
    }

    /// The request that lists a type.
    pub(crate) fn list_request(&self, kind: &'static Kind) -> Request {
        let namespace = if kind.namespaced && !self.all_namespaces { self.namespace.as_str() } else { "" };
        let mut request = Request::list(kind, namespace);
        request.options.label_selector = self.labels.clone().filter(|s| !s.is_empty());
        request.options.field_selector = self.fields.clone().filter(|s| !s.is_empty());
        request
    }

    fn list(&self, cx: &mut Cx<'_>) -> Result<Selected> {
        let mut out = Selected::default();
        for kind in self.types(cx)? {
            match cx.list(self.list_request(kind)) {
                Ok(list) => out.items.extend(list.items.iter().map(|object| {
                    Ok(Info { object: cx.tree(object), ..Info::new(kind, object.namespace(), object.name()) })
                })),
                Err(error) => out.items.push(Err(self.list_error(error, kind))),
            }
        }
        Ok(out)
    }

    /// A refused list says what it was about.
    ///
    /// Source: k8s.io/cli-runtime/pkg/resource/selector.go (v1.37).
    pub(crate) fn list_error(&self, error: Error, kind: &Kind) -> Error {
        let labels = self.labels.as_deref().unwrap_or("");
        let fields = self.fields.as_deref().unwrap_or("");
        match error {
            Error::Status(mut status) if status.reason == "BadRequest" || status.reason == "NotFound" => {
                let resource = format!("{}/{}, Resource={}", kind.group, kind.version, kind.plural);
                let what = match (labels, fields) {
                    (labels, "") if status.reason == "BadRequest" && !labels.is_empty() => {
                        format!("label selector {labels:?}, field selector \"\"")
                    }
                    _ => format!("label selector {labels:?}, field selector {fields:?}"),
                };
                status.message = format!("Unable to find {resource:?} that match {what}: {}", status.message);
                Error::Status(status)
            }
            other => other,
        }
    }

    /// Finds what is meant and reads it.
    ///
    /// # Errors
    /// As [`Builder::resolve`]; objects that are not there are errors among the items.
    pub(crate) fn fetch(&self, cx: &mut Cx<'_>) -> Result<Selected> {
        let mut out = self.resolve(cx)?;
        for item in &mut out.items {
            if let Ok(info) = item
                && (info.object.is_null() || !info.source.is_empty())
            {
                match cx.get(info.kind, &info.namespace, &info.name) {
                    Ok(object) => info.object = object,
                    Err(error) => *item = Err(error),
                }
            }
        }
        Ok(out)
    }

    /// As [`Builder::fetch`], for commands that know no other kinds than Kubernetes' own.
    ///
    /// # Errors
    /// As there; an object of a kind that somebody has defined is an error among the items.
    pub(crate) fn fetch_typed(&self, cx: &mut Cx<'_>) -> Result<Selected> {
        let mut out = self.fetch(cx)?;
        for item in &mut out.items {
            if let Ok(info) = item
                && info.kind.is_custom()
            {
                *item = message(format!(
                    "no kind {:?} is registered for version {:?} in scheme \"pkg/scheme/scheme.go:28\"",
                    info.kind.kind,
                    info.kind.api_version()
                ));
            }
        }
        Ok(out)
    }
}

/// Several errors as one; none as success.
pub(crate) fn gather(mut errors: Vec<Error>) -> Result<()> {
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        _ => Err(Error::Many(errors)),
    }
}
