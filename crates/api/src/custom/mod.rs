//! Custom resources: what a CustomResourceDefinition says of its objects, and the kinds that it makes.
//!
//! A kind that is defined at run time is made once for all definitions of the same content and lives as long as the
//! program: everything else can go on holding `&'static Kind`. Which of them are served is for the holder of the
//! definitions to know.
//!
//! Not simulated: `x-kubernetes-validations` (CEL) and conversion by webhook; [`crate::support`] says so.
//!
//! Source: k8s.io/apiextensions-apiserver/pkg/apiserver (v1.37).

mod columns;
mod fields;
mod format;
mod pattern;
mod validation;

pub(crate) use fields::pruned;
pub use fields::{Pruned, is_let_be};
pub(crate) use format::{is_known as knows_format, is_not_simulated as format_not_simulated};
pub(crate) use pattern::error as pattern_error;
pub use validation::warnings;
pub(crate) use validation::{below, embedded_errors, value_errors};

use crate::kinds::{BodyType, Kind, Support};
use crate::table::Column;
use columns::Cell;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The deepest tree that is looked at.
const DEEPEST: usize = 128;

/// What one version of a definition says of its objects.
#[derive(Debug)]
pub struct Definition {
    schema: Value,
    columns: Vec<Column>,
    cells: Vec<Cell>,
    /// Where scale finds its numbers.
    pub scale: Option<ScalePaths>,
    /// Whether `status` is a subresource.
    pub has_status: bool,
    /// What every request for this version is told.
    pub deprecation_warning: Option<String>,
    /// The fields by which its objects are selected, besides name and namespace: `spec.color`.
    pub selectable: Vec<String>,
}

/// Definitions are made once: the same one is the same place.
impl PartialEq for Definition {
    fn eq(&self, other: &Definition) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Definition {}

/// Where in an object the `scale` subresource finds its fields: `["spec", "replicas"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalePaths {
    /// How many are wanted.
    pub spec: Vec<String>,
    /// How many there are.
    pub status: Vec<String>,
    /// The selector as text; empty where there is none.
    pub selector: Vec<String>,
}

/// The steps of a path such as `.spec.replicas`.
fn steps(path: &str) -> Vec<String> {
    path.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect()
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or("")
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a condition of a definition holds.
pub fn has_condition(definition: &Value, condition: &str) -> bool {
    list(definition, "/status/conditions")
        .iter()
        .any(|one| text(one, "/type") == condition && text(one, "/status") == "True")
}

/// The kinds that a definition serves, in the order in which clients prefer their versions; none before it is
/// established.
pub fn kinds_of(definition: &Value) -> Vec<&'static Kind> {
    if !has_condition(definition, "Established") {
        return Vec::new();
    }
    let served = |version: &&Value| version.get("served").and_then(Value::as_bool) == Some(true);
    let mut versions: Vec<&Value> = list(definition, "/spec/versions").iter().filter(served).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(priority(text(version, "/name"))));
    versions.into_iter().map(|version| intern(definition, version)).collect()
}

/// How much a version is preferred: `v2` over `v1` over `v1beta1` over `v1alpha1` over all else.
///
/// Source: k8s.io/apimachinery/pkg/version/helpers.go (v1.37).
fn priority(version: &str) -> (u8, u32, u32, std::cmp::Reverse<String>) {
    let none = || (0, 0, 0, std::cmp::Reverse(version.to_owned()));
    let Some(rest) = version.strip_prefix('v') else { return none() };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let Ok(major) = rest[..digits].parse::<u32>() else { return none() };
    let rest = &rest[digits..];
    let minor = |word: &str| rest.strip_prefix(word).and_then(|n| n.parse::<u32>().ok());
    let same = std::cmp::Reverse(String::new());
    match (rest, minor("beta"), minor("alpha")) {
        ("", ..) => (3, major, 0, same),
        (_, Some(minor), _) => (2, major, minor, same),
        (_, _, Some(minor)) => (1, major, minor, same),
        _ => none(),
    }
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn leak_list(all: &[Value]) -> &'static [&'static str] {
    let all: Vec<&'static str> = all.iter().filter_map(Value::as_str).map(leak).collect();
    Box::leak(all.into_boxed_slice())
}

/// The kind of one version of a definition: made when its content is first met.
fn intern(definition: &Value, version: &Value) -> &'static Kind {
    static KINDS: OnceLock<Mutex<BTreeMap<String, &'static Kind>>> = OnceLock::new();
    let spec = |key: &str| definition.pointer(key).unwrap_or(&Value::Null);
    let names = spec("/status/acceptedNames");
    let warning = deprecation_warning(definition, version);
    let key = format!("{}\n{names}\n{}\n{warning:?}\n{version}", spec("/spec/group"), spec("/spec/scope"));
    let known = KINDS.get_or_init(Mutex::default);
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(key).or_insert_with(|| Box::leak(Box::new(make(definition, names, version))))
}

fn make(definition: &Value, names: &Value, version: &Value) -> Kind {
    let has = |path: &str| version.pointer(path).is_some_and(|value| !value.is_null());
    let mut subresources = Vec::new();
    if has("/subresources/scale") {
        subresources.push("scale");
    }
    if has("/subresources/status") {
        subresources.push("status");
    }
    let definition_of = Definition::new(definition, version);
    Kind {
        group: leak(text(definition, "/spec/group")),
        version: leak(text(version, "/name")),
        kind: leak(text(names, "/kind")),
        plural: leak(text(names, "/plural")),
        singular: leak(text(names, "/singular")),
        short_names: leak_list(list(names, "/shortNames")),
        categories: leak_list(list(names, "/categories")),
        namespaced: text(definition, "/spec/scope") == "Namespaced",
        subresources: Box::leak(subresources.into_boxed_slice()),
        body: BodyType::Custom(Box::leak(Box::new(definition_of))),
        support: Support::NotSimulated("no controller acts on custom resources"),
    }
}

/// What every request for a deprecated version is told: the definition's own words, or that there is a better version.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go defaultDeprecationWarning (v1.37).
fn deprecation_warning(definition: &Value, version: &Value) -> Option<String> {
    let is = |version: &Value, flag: &str| version.get(flag).and_then(Value::as_bool) == Some(true);
    if !is(version, "deprecated") {
        return None;
    }
    if let Some(own) = version.get("deprecationWarning").and_then(Value::as_str) {
        return Some(own.to_owned());
    }
    let (group, kind) = (text(definition, "/spec/group"), text(definition, "/spec/names/kind"));
    let name = text(version, "/name");
    let better = list(definition, "/spec/versions")
        .iter()
        .filter(|other| is(other, "served") && !is(other, "deprecated"))
        .map(|other| text(other, "/name"))
        .filter(|other| priority(other) > priority(name))
        .max_by_key(|other| priority(other));
    let better = better.map(|better| format!("; use {group}/{better} {kind}")).unwrap_or_default();
    Some(format!("{group}/{name} {kind} is deprecated{better}"))
}

impl Definition {
    fn new(definition: &Value, version: &Value) -> Definition {
        let schema = version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_default();
        let (columns, cells) = columns::read(list(version, "/additionalPrinterColumns"));
        let scale = version.pointer("/subresources/scale").filter(|scale| !scale.is_null());
        let scale = scale.map(|scale| ScalePaths {
            spec: steps(text(scale, "/specReplicasPath")),
            status: steps(text(scale, "/statusReplicasPath")),
            selector: steps(text(scale, "/labelSelectorPath")),
        });
        Definition {
            columns,
            cells,
            scale,
            deprecation_warning: deprecation_warning(definition, version),
            has_status: version.pointer("/subresources/status").is_some_and(|status| !status.is_null()),
            selectable: list(version, "/selectableFields")
                .iter()
                .map(|field| text(field, "/jsonPath").trim_start_matches('.').to_owned())
                .collect(),
            schema,
        }
    }

    /// The schema of its objects.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// The columns of its table.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }
}

#[cfg(test)]
mod tests;
