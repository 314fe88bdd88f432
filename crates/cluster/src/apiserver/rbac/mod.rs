//! Who may do what: roles and bindings evaluated, impersonation, escalation, and the reviews that ask about it.
//!
//! The cluster's administrator passes before any of it, as `system:masters` does in a real cluster.
//! Not simulated: the Node authorizer. A user of `system:nodes` may do what roles allow it.
//!
//! Source: plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go (v1.37).

mod escalation;
mod impersonation;
mod reviews;
mod rules;

pub(crate) use reviews::is_review;

use super::ApiServer;
use podlab_api::door::{Request, UserInfo, Verb};
use podlab_api::{Kind, Object, Status, kinds};
use rules::Rule;
use serde_json::Value;
use std::sync::Arc;

/// The group whose members may do everything.
const MASTERS: &str = "system:masters";

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes<'a> {
    /// Who.
    pub user: &'a UserInfo,
    /// `get`, `deletecollection`, `impersonate`.
    pub verb: &'a str,
    /// Empty at the cluster scope.
    pub namespace: &'a str,
    /// API group.
    pub group: &'a str,
    /// Plural resource name.
    pub resource: &'a str,
    /// `log`; empty for the resource itself.
    pub subresource: &'a str,
    /// Which object; empty where none is named.
    pub name: &'a str,
    /// A path that is no resource.
    pub path: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    /// Of a user, nothing else yet.
    pub(crate) fn of(user: &'a UserInfo) -> Attributes<'a> {
        Attributes {
            user,
            verb: "",
            namespace: "",
            group: "",
            resource: "",
            subresource: "",
            name: "",
            path: None,
        }
    }

    /// The refusal.
    ///
    /// Source: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go (v1.37).
    fn forbidden(&self, reason: &str) -> Status {
        let user = &self.user.name;
        let mut why = match self.path {
            Some(path) => format!("User {user:?} cannot {} path {path:?}", self.verb),
            None => {
                let resource = match self.subresource {
                    "" => self.resource.to_owned(),
                    sub => format!("{}/{sub}", self.resource),
                };
                let place = match self.namespace {
                    "" => "at the cluster scope".to_owned(),
                    namespace => format!("in the namespace {namespace:?}"),
                };
                format!(
                    "User {user:?} cannot {} resource {resource:?} in API group {:?} {place}",
                    self.verb, self.group
                )
            }
        };
        why = why.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        if !reason.is_empty() {
            why = format!("{why}: {reason}");
        }
        Status::forbidden_resource(self.group, self.resource, self.name, &why)
    }
}

/// What the authorizer says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// Which binding allows it, or what went wrong in looking for one.
    pub reason: String,
}

/// The administrator, as kubeadm's `admin.conf` has it.
pub(crate) fn administrator() -> UserInfo {
    UserInfo {
        name: "kubernetes-admin".to_owned(),
        groups: ["kubeadm:cluster-admins", "system:authenticated"].map(str::to_owned).to_vec(),
        ..UserInfo::default()
    }
}

/// The name of a ServiceAccount as a user.
fn service_account_name(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// Whether a binding's subject is the user; `namespace` is the binding's.
fn is_subject(user: &UserInfo, subject: &Value, namespace: &str) -> bool {
    let name = text(subject, "name");
    match text(subject, "kind") {
        "User" => user.name == name,
        "Group" => user.groups.iter().any(|group| group == name),
        "ServiceAccount" => {
            let of = match text(subject, "namespace") {
                "" => namespace,
                given => given,
            };
            !of.is_empty() && service_account_name(&user.name) == Some((of, name))
        }
        _ => false,
    }
}

/// `ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`.
fn describe(binding: &Object, role: &Value, subject: &Value) -> String {
    let (namespace, name) = (binding.namespace(), binding.name());
    let place = if namespace.is_empty() { name.to_owned() } else { format!("{name}/{namespace}") };
    let subject_name = match (text(subject, "kind"), text(subject, "namespace")) {
        ("ServiceAccount", "") => format!("{}/{namespace}", text(subject, "name")),
        ("ServiceAccount", of) => format!("{}/{of}", text(subject, "name")),
        _ => text(subject, "name").to_owned(),
    };
    format!(
        "{} {place:?} of {} {:?} to {} {subject_name:?}",
        binding.kind.kind,
        text(role, "kind"),
        text(role, "name"),
        text(subject, "kind")
    )
}

impl ApiServer {
    /// Lets a request in or refuses it; who asks is known until [`ApiServer::leave`].
    ///
    /// # Errors
    /// 403 for what the user may not do, 400 for an impersonation of nobody.
    pub(crate) fn enter(&mut self, request: &Request) -> Result<(), Status> {
        let options = &request.options;
        if options.user.is_none() && options.impersonate.is_none() {
            self.requester = None;
            return Ok(());
        }
        let user = self.authenticated(request)?;
        self.check(&of_request(request, &user))?;
        self.requester = Some(Arc::new(user));
        Ok(())
    }

    /// A request is over.
    pub(crate) fn leave(&mut self) {
        self.requester = None;
    }

    /// Who asks now.
    fn requester(&self) -> Arc<UserInfo> {
        self.requester.clone().unwrap_or_else(|| Arc::new(administrator()))
    }

    /// Whether the one who asks now may create an object of a kind, where what they sent would do so besides.
    ///
    /// # Errors
    /// 403.
    pub(super) fn may_create(&self, kind: &'static Kind, namespace: &str) -> Result<(), Status> {
        let Some(user) = &self.requester else { return Ok(()) };
        let namespace = if kind.namespaced { namespace } else { "" };
        let verb = "create";
        let (group, resource) = (kind.group, kind.plural);
        self.check(&Attributes { verb, namespace, group, resource, ..Attributes::of(user) })
    }

    fn check(&self, asked: &Attributes<'_>) -> Result<(), Status> {
        let decision = self.authorize(asked);
        if decision.allowed { Ok(()) } else { Err(asked.forbidden(&decision.reason)) }
    }

    /// What the cluster's authorizers say of a wish.
    pub(crate) fn authorize(&self, asked: &Attributes<'_>) -> Decision {
        if asked.user.groups.iter().any(|group| group == MASTERS) {
            return Decision { allowed: true, reason: String::new() };
        }
        let mut allowed = None;
        let errors = self.visit_rules(asked.user, asked.namespace, &mut |source, rule| {
            if rule.allows(asked) {
                allowed = Some(format!("RBAC: allowed by {}", source()));
            }
            allowed.is_none()
        });
        if let Some(reason) = allowed {
            return Decision { allowed: true, reason };
        }
        let reason = aggregate(errors).map(|errors| format!("rbac: RBAC: {errors}")).unwrap_or_default();
        Decision { allowed: false, reason }
    }

    /// Shows every rule that holds for a user in a namespace, with what gives it, until `visit` has seen enough; gives
    /// back which roles could not be found.
    fn visit_rules(
        &self,
        user: &UserInfo,
        namespace: &str,
        visit: &mut dyn FnMut(&dyn Fn() -> String, &Rule) -> bool,
    ) -> Vec<String> {
        let mut errors = Vec::new();
        let of_cluster = self.store.list(&kinds::CLUSTER_ROLE_BINDING);
        let of_namespace = self.store.list_namespace(&kinds::ROLE_BINDING, namespace);
        let local: Vec<_> = if namespace.is_empty() { Vec::new() } else { of_namespace.collect() };
        for binding in of_cluster.chain(local) {
            let subjects = binding.field("subjects").and_then(Value::as_array);
            let Some(subject) =
                subjects.into_iter().flatten().find(|one| is_subject(user, one, binding.namespace()))
            else {
                continue;
            };
            let Some(role) = binding.field("roleRef") else { continue };
            match self.rules_of(role, binding.namespace()) {
                Ok(rules) => {
                    for rule in &rules {
                        if !visit(&|| describe(binding, role, subject), rule) {
                            return errors;
                        }
                    }
                }
                Err(status) => errors.push(status.message),
            }
        }
        errors
    }

    /// All rules that hold for a user in a namespace.
    fn rules_for(&self, user: &UserInfo, namespace: &str) -> (Vec<Rule>, Vec<String>) {
        let mut rules = Vec::new();
        let errors = self.visit_rules(user, namespace, &mut |_, rule| {
            rules.push(rule.clone());
            true
        });
        (rules, errors)
    }

    /// The rules of the role that a binding of `namespace` names.
    fn rules_of(&self, role: &Value, namespace: &str) -> Result<Vec<Rule>, Status> {
        let name = text(role, "name");
        let (kind, place, singular) = match text(role, "kind") {
            "Role" => (&kinds::ROLE, namespace, "role"),
            "ClusterRole" => (&kinds::CLUSTER_ROLE, "", "clusterrole"),
            other => {
                let why = format!("unsupported role reference kind: {other:?}");
                return Err(Status::internal_error(why));
            }
        };
        match self.store.get(kind, place, name) {
            Some(role) => Ok(Rule::all_of(role)),
            None => {
                let mut status = Status::not_found(kind, name);
                // What roles are looked up in names them so.
                status.message = format!("{singular}.{} {name:?} not found", kind.group);
                if let Some(details) = &mut status.details {
                    details.kind = singular.to_owned();
                }
                Err(status)
            }
        }
    }
}

/// Several errors as one text, each once.
fn aggregate(mut errors: Vec<String>) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    errors.retain(|error| seen.insert(error.clone()));
    match errors.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("[{}]", many.join(", "))),
    }
}

/// What a request is to the authorizer.
///
/// Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go (v1.37).
fn of_request<'a>(request: &'a Request, user: &'a UserInfo) -> Attributes<'a> {
    let resource = request.resource.resource.as_ref();
    let group = request.resource.group.as_ref();
    let subresource = request.subresource.as_deref().unwrap_or("");
    let mut name = request.name.as_deref().unwrap_or("");
    let mut namespace = request.namespace.as_deref().unwrap_or("");
    let kind = kinds::by_resource(group, &request.resource.version, resource);
    if kind.is_some_and(|kind| !kind.namespaced) {
        namespace = "";
    }
    if group.is_empty() && resource == "namespaces" {
        namespace = name;
    }
    let verb = match (request.verb, subresource) {
        (_, "log") => "get",
        (_, "exec" | "attach" | "portforward") => "create",
        (Verb::Get, _) => "get",
        (Verb::List, _) => "list",
        (Verb::Watch, _) => "watch",
        (Verb::Create, _) => "create",
        (Verb::Update, _) => "update",
        (Verb::Patch(_), _) => "patch",
        (Verb::Delete, _) => "delete",
        (Verb::DeleteCollection, _) => "deletecollection",
    };
    if request.verb == Verb::Create && subresource.is_empty() {
        name = "";
    }
    if name.is_empty() && matches!(verb, "list" | "watch" | "deletecollection") {
        name = request.options.field_selector.as_deref().and_then(named_by_field).unwrap_or("");
    }
    Attributes { user, verb, namespace, group, resource, subresource, name, path: None }
}

/// The name that a field selector asks for.
fn named_by_field(selector: &str) -> Option<&str> {
    let parts = selector.split(',');
    parts
        .filter_map(|part| part.trim().strip_prefix("metadata.name="))
        .map(|name| name.trim_start_matches('='))
        .next()
}
