//! The paths of a group and version: which operations there are, of which kind, with which parameters.

use super::schemas::{custom_model, model_name, reference};
use crate::discovery::Served;
use serde_json::{Map, Value, json};

/// Which OpenAPI.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    V2,
    V3,
}

/// The last one is for kinds that Kubernetes brings.
const PATCHES: [&str; 4] = [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
];

const LIST: [(&str, &str); 10] = [
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
];
const WRITE: [(&str, &str); 3] =
    [("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")];
const DELETE: [(&str, &str); 4] = [
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
];

/// The paths below a group and version.
pub(super) fn paths(served: &[Served], group: &str, version: &str, form: Form) -> Map<String, Value> {
    let prefix =
        if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let mut all = Map::new();
    for one in served.iter().filter(|one| one.group == group && one.version == version) {
        let writer = Writer { one, form, kind: gvk(group, version, &one.kind), model: model(one, &one.kind) };
        let base = if one.namespaced {
            all.insert(format!("{prefix}/{}", one.plural), writer.item(&["list"], &[]));
            format!("{prefix}/namespaces/{{namespace}}/{}", one.plural)
        } else {
            format!("{prefix}/{}", one.plural)
        };
        let scope: &[&str] = if one.namespaced { &["namespace"] } else { &[] };
        let named: &[&str] = if one.namespaced { &["name", "namespace"] } else { &["name"] };
        let of = |verbs: &[&'static str]| -> Vec<&'static str> {
            one.verbs.iter().copied().filter(|verb| verbs.contains(verb)).collect()
        };
        all.insert(base.clone(), writer.item(&of(&["create", "deletecollection", "list"]), scope));
        all.insert(
            format!("{base}/{{name}}"),
            writer.item(&of(&["delete", "get", "patch", "update"]), named),
        );
        for sub in &one.subresources {
            let (own_group, own_version) = sub.group_version.unwrap_or((group, version));
            let kind = gvk(own_group, own_version, &sub.kind);
            let model = match sub.group_version {
                None => model(one, &sub.kind),
                Some(_) => model_name(own_group, own_version, &sub.kind),
            };
            let writer = Writer { one, form, kind, model };
            all.insert(format!("{base}/{{name}}/{}", sub.name), writer.item(sub.verbs, named));
        }
    }
    all
}

fn gvk(group: &str, version: &str, kind: &str) -> Value {
    json!({"group": group, "version": version, "kind": kind})
}

fn model(one: &Served, kind: &str) -> Option<String> {
    match one.definition {
        Some(_) => Some(custom_model(&one.group, &one.version, kind)),
        None => model_name(&one.group, &one.version, kind),
    }
}

/// Writes the operations of one resource or subresource.
struct Writer<'a> {
    one: &'a Served,
    form: Form,
    kind: Value,
    /// The schema of its objects, where there is one.
    model: Option<String>,
}

impl Writer<'_> {
    fn item(&self, verbs: &[&str], path: &[&str]) -> Value {
        let mut item = Map::new();
        let parameters: Vec<Value> = path.iter().map(|name| self.parameter(name, "string", "path")).collect();
        if !parameters.is_empty() {
            item.insert("parameters".to_owned(), parameters.into());
        }
        for verb in verbs {
            let method = match *verb {
                "create" => "post",
                "update" => "put",
                "patch" => "patch",
                "delete" | "deletecollection" => "delete",
                _ => "get",
            };
            item.insert(method.to_owned(), self.operation(verb));
        }
        Value::Object(item)
    }

    fn parameter(&self, name: &str, ty: &str, place: &str) -> Value {
        let mut parameter = json!({"name": name, "in": place});
        if place == "path" {
            parameter["required"] = true.into();
        }
        match self.form {
            Form::V2 => {
                parameter["type"] = ty.into();
                parameter["uniqueItems"] = true.into();
            }
            Form::V3 => parameter["schema"] = json!({"type": ty, "uniqueItems": true}),
        }
        parameter
    }

    fn operation(&self, verb: &str) -> Value {
        let query: &[(&str, &str)] = match verb {
            "list" => &LIST,
            "create" | "update" => &WRITE,
            "patch" => &[WRITE[0], WRITE[1], WRITE[2], ("force", "boolean")],
            "delete" => &DELETE,
            "deletecollection" => &[DELETE[0], DELETE[1], DELETE[3], LIST[2], LIST[3]],
            _ => &[],
        };
        let mut parameters: Vec<Value> =
            query.iter().map(|(name, ty)| self.parameter(name, ty, "query")).collect();
        let action = match verb {
            "create" => "post",
            "update" => "put",
            other => other,
        };
        let list = format!("{}List", self.one.kind);
        let schema = match verb {
            "list" => model(self.one, &list).map(|name| reference(&name)),
            "delete" | "deletecollection" => Some(reference("io.k8s.apimachinery.pkg.apis.meta.v1.Status")),
            _ => self.model.as_deref().map(reference),
        }
        .unwrap_or_else(|| json!({"type": "string"}));
        let id = format!("{action}{}{}", self.one.plural, self.kind["kind"].as_str().unwrap_or(""));
        let mut operation = json!({"operationId": id, "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": self.kind});
        let types: &[&str] = match (verb, self.one.definition) {
            ("patch", None) => &PATCHES,
            ("patch", Some(_)) => PATCHES.get(..3).unwrap_or(&PATCHES),
            _ => &["*/*"],
        };
        let body = match verb {
            "create" | "update" => Some(schema.clone()),
            "patch" => Some(json!({"type": "object"})),
            "delete" | "deletecollection" => {
                Some(reference("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"))
            }
            _ => None,
        };
        match self.form {
            Form::V3 => {
                if let Some(body) = body {
                    let content: Map<String, Value> =
                        types.iter().map(|ty| ((*ty).to_owned(), json!({"schema": body}))).collect();
                    operation["requestBody"] = json!({"content": content});
                }
                operation["responses"] = json!({"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}});
            }
            Form::V2 => {
                if let Some(body) = body {
                    parameters.push(json!({"name": "body", "in": "body", "schema": body}));
                    operation["consumes"] = json!(types);
                }
                operation["produces"] = json!(["application/json"]);
                operation["responses"] = json!({"200": {"description": "OK", "schema": schema}});
            }
        }
        operation["parameters"] = parameters.into();
        operation
    }
}
