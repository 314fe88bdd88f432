//! Questions about who asks and what somebody may do: they are answered, and nothing is kept.
//!
//! Source: pkg/registry/authorization, pkg/registry/authentication (v1.37).

use super::rules::Rule;
use super::{Attributes, aggregate, text};
use crate::apiserver::ApiServer;
use podlab_api::door::{ResponseBody, UserInfo, Verb};
use podlab_api::kinds::{BodyType, Support};
use podlab_api::{Kind, Request, Response, Status, StatusCause};
use serde_json::{Map, Value, json};

/// The group of questions about what somebody may do.
pub(crate) const AUTHORIZATION: &str = "authorization.k8s.io";
/// The group of questions about who somebody is.
pub(crate) const AUTHENTICATION: &str = "authentication.k8s.io";

const fn review(group: &'static str, kind: &'static str, plural: &'static str, namespaced: bool) -> Kind {
    Kind {
        group,
        version: "v1",
        kind,
        plural,
        singular: plural,
        short_names: &[],
        categories: &[],
        namespaced,
        subresources: &[],
        body: BodyType::Tree,
        support: Support::Simulated,
    }
}

/// The kinds of questions: they are none of the store's.
static REVIEWS: [Kind; 6] = [
    review(AUTHENTICATION, "SelfSubjectReview", "selfsubjectreviews", false),
    review(AUTHENTICATION, "TokenReview", "tokenreviews", false),
    review(AUTHORIZATION, "SelfSubjectAccessReview", "selfsubjectaccessreviews", false),
    review(AUTHORIZATION, "SelfSubjectRulesReview", "selfsubjectrulesreviews", false),
    review(AUTHORIZATION, "SubjectAccessReview", "subjectaccessreviews", false),
    review(AUTHORIZATION, "LocalSubjectAccessReview", "localsubjectaccessreviews", true),
];

/// Whether a request is such a question.
pub(crate) fn is_review(request: &Request) -> bool {
    matches!(request.resource.group.as_ref(), AUTHORIZATION | AUTHENTICATION)
}

impl ApiServer {
    /// Answers a question.
    pub(crate) fn answer_review(&mut self, request: &Request) -> Response {
        let resource = &request.resource;
        let kind = REVIEWS.iter().find(|kind| {
            kind.group == resource.group
                && kind.plural == resource.resource
                && kind.version == resource.version
        });
        let Some(kind) = kind else { return Response::status(Status::no_such_resource()) };
        if request.verb != Verb::Create {
            return Response::status(Status::method_not_supported(kind, "get"));
        }
        let user = self.requester();
        match self.answer(kind, request, &user) {
            Ok(answer) => Response { code: 201, body: ResponseBody::Value(answer), warnings: Vec::new() },
            Err(status) => Response::status(status),
        }
    }

    fn answer(&self, kind: &Kind, request: &Request, user: &UserInfo) -> Result<Value, Status> {
        let spec = request.body.get("spec").cloned().unwrap_or_else(|| json!({}));
        let mut metadata = json!({});
        let mut shown = Some(spec.clone());
        let status = match kind.kind {
            "SelfSubjectReview" => {
                shown = None;
                let now = podlab_api::time::time(self.now().as_secs());
                metadata = json!({"creationTimestamp": now});
                json!({"userInfo": info(user)})
            }
            "TokenReview" => self.review_token(&spec),
            "SelfSubjectRulesReview" => {
                let namespace = text(&spec, "namespace");
                if namespace.is_empty() {
                    return Err(Status::bad_request("no namespace on request"));
                }
                shown = Some(json!({}));
                self.rules_status(user, namespace)
            }
            "SelfSubjectAccessReview" => {
                check_attributes(&spec, Vec::new())?;
                self.access(&spec, user)
            }
            _ => {
                let local = kind.namespaced.then(|| request.namespace.as_deref().unwrap_or(""));
                check_subject(request, &spec, local)?;
                if let Some(namespace) = local {
                    metadata = json!({"namespace": namespace});
                }
                let extra = spec.get("extra").cloned().and_then(|extra| serde_json::from_value(extra).ok());
                let groups =
                    spec.get("groups").cloned().and_then(|groups| serde_json::from_value(groups).ok());
                let about = UserInfo {
                    name: text(&spec, "user").to_owned(),
                    uid: text(&spec, "uid").to_owned(),
                    groups: groups.unwrap_or_default(),
                    extra: extra.unwrap_or_default(),
                };
                self.access(&spec, &about)
            }
        };
        let api_version = kind.api_version();
        let mut answer =
            json!({"kind": kind.kind, "apiVersion": api_version, "metadata": metadata, "status": status});
        if let (Some(spec), Some(map)) = (shown, answer.as_object_mut()) {
            map.insert("spec".to_owned(), spec);
        }
        Ok(answer)
    }

    /// Whether a user may do what `spec` asks.
    fn access(&self, spec: &Value, user: &UserInfo) -> Value {
        let bare = Attributes::of(user);
        let asked = match (spec.get("resourceAttributes"), spec.get("nonResourceAttributes")) {
            (Some(wish), _) if !wish.is_null() => Attributes {
                verb: text(wish, "verb"),
                namespace: text(wish, "namespace"),
                group: text(wish, "group"),
                resource: text(wish, "resource"),
                subresource: text(wish, "subresource"),
                name: text(wish, "name"),
                ..bare
            },
            (_, Some(wish)) => {
                Attributes { verb: text(wish, "verb"), path: Some(text(wish, "path")), ..bare }
            }
            _ => bare,
        };
        let decision = self.authorize(&asked);
        // The administrator passes before any rule is asked.
        let allowed = decision.allowed || *user == super::administrator();
        let mut status = json!({"allowed": allowed});
        if let (false, Some(map)) = (decision.reason.is_empty(), status.as_object_mut()) {
            map.insert("reason".to_owned(), decision.reason.into());
        }
        status
    }

    /// All that a user may do in a namespace.
    fn rules_status(&self, user: &UserInfo, namespace: &str) -> Value {
        let (rules, errors) = self.rules_for(user, namespace);
        let list = |pairs: &[(&str, &Vec<String>)]| {
            let given = pairs.iter().filter(|(_, values)| !values.is_empty());
            Value::Object(
                given.map(|(key, values)| ((*key).to_owned(), json!(values))).collect::<Map<_, _>>(),
            )
        };
        let of_resources = |rule: &Rule| {
            list(&[
                ("verbs", &rule.verbs),
                ("apiGroups", &rule.groups),
                ("resources", &rule.resources),
                ("resourceNames", &rule.names),
            ])
        };
        let of_paths = |rule: &Rule| list(&[("verbs", &rule.verbs), ("nonResourceURLs", &rule.urls)]);
        let resources: Vec<Value> =
            rules.iter().filter(|rule| !rule.resources.is_empty()).map(of_resources).collect();
        let paths: Vec<Value> = rules.iter().filter(|rule| !rule.urls.is_empty()).map(of_paths).collect();
        let mut status = json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false});
        if let (Some(errors), Some(map)) = (aggregate(errors), status.as_object_mut()) {
            map.insert("evaluationError".to_owned(), errors.into());
        }
        status
    }
}

fn info(user: &UserInfo) -> Value {
    let mut info = json!({"username": user.name});
    if let Some(map) = info.as_object_mut() {
        let parts = [
            ("uid", json!(user.uid), user.uid.is_empty()),
            ("groups", json!(user.groups), user.groups.is_empty()),
            ("extra", json!(user.extra), user.extra.is_empty()),
        ];
        map.extend(parts.into_iter().filter(|part| !part.2).map(|(key, value, _)| (key.to_owned(), value)));
    }
    info
}

fn invalid(field: &str, shown: &str, detail: &str) -> StatusCause {
    StatusCause {
        reason: "FieldValueInvalid".to_owned(),
        message: format!("Invalid value: {shown}: {detail}"),
        field: field.to_owned(),
    }
}

/// Refusals of a question forget what kind it was of.
static NAMELESS: Kind = review(AUTHORIZATION, "", "", false);

/// A path and a verb as the API server's own type shows them.
fn untagged(wish: &Value) -> String {
    podlab_api::go_text::json(&json!({"Path": text(wish, "path"), "Verb": text(wish, "verb")}))
}

/// One wish, neither none nor two.
///
/// Source: pkg/apis/authorization/validation/validation.go (v1.37).
fn check_attributes(spec: &Value, more: Vec<StatusCause>) -> Result<(), Status> {
    let given = |key: &str| spec.get(key).filter(|value| !value.is_null());
    let (resource, path) = (given("resourceAttributes"), given("nonResourceAttributes"));
    let mut causes = Vec::new();
    if resource.is_some() == path.is_some() {
        let shown = match path {
            Some(path) => untagged(path),
            None => "null".to_owned(),
        };
        let detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        causes.push(invalid("spec", &shown, detail));
    }
    causes.extend(more);
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid(&NAMELESS, "", causes)) }
}

fn check_subject(request: &Request, spec: &Value, local: Option<&str>) -> Result<(), Status> {
    let mut more = Vec::new();
    let groups = spec.get("groups").and_then(Value::as_array).is_some_and(|groups| !groups.is_empty());
    if text(spec, "user").is_empty() && !groups {
        more.push(invalid("spec.user", "\"\"", "at least one of user or group must be specified"));
    }
    if local.is_some() {
        let own = request.body.get("metadata").map_or("", |meta| text(meta, "namespace"));
        let wish = spec.get("resourceAttributes").filter(|value| !value.is_null());
        let asked = wish.map(|wish| text(wish, "namespace"));
        if let Some(asked) = asked.filter(|asked| *asked != own) {
            let field = "spec.resourceAttributes.namespace";
            more.push(invalid(field, &format!("{asked:?}"), "must match metadata.namespace"));
        }
        if let Some(path) = spec.get("nonResourceAttributes").filter(|value| !value.is_null()) {
            let shown = untagged(path);
            more.push(invalid("spec.nonResourceAttributes", &shown, "disallowed on this kind of request"));
        }
    }
    check_attributes(spec, more)
}
