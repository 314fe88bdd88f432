//! Nobody gives away more than they hold: what is checked when roles and bindings are written.
//!
//! Source: pkg/registry/rbac/escalation_check.go, {role,clusterrole,rolebinding,clusterrolebinding}/policybased/storage.go
//! (v1.37).

use super::rules::{Rule, lacking, quoted};
use super::{Attributes, MASTERS, aggregate, text};
use crate::apiserver::ApiServer;
use podlab_api::door::UserInfo;
use podlab_api::{Kind, Object, Status, kinds};
use serde_json::Value;

impl ApiServer {
    /// Refuses a role or binding that would give more than the one who writes it holds; `old` is what is there.
    ///
    /// # Errors
    /// 403; 404 where the role of a binding is not there.
    pub(crate) fn confirm_no_escalation(&self, new: &Object, old: Option<&Object>) -> Result<(), Status> {
        let Some(user) = self.requester.as_deref() else { return Ok(()) };
        let kind = new.kind;
        let role = *kind == kinds::ROLE || *kind == kinds::CLUSTER_ROLE;
        let binding = *kind == kinds::ROLE_BINDING || *kind == kinds::CLUSTER_ROLE_BINDING;
        if !role && !binding
            || user.groups.iter().any(|group| group == MASTERS)
            || old.is_some_and(|old| only_for_collector(new, old))
        {
            return Ok(());
        }
        if role { self.check_role(user, new, old) } else { self.check_binding(user, new) }
    }

    fn check_role(&self, user: &UserInfo, new: &Object, old: Option<&Object>) -> Result<(), Status> {
        // A name stands in the path of a request only where there is an object already.
        let name = if old.is_some() { new.name() } else { "" };
        if self.may(user, "escalate", new.kind, new.namespace(), name) {
            return Ok(());
        }
        self.confirm(user, new, &Rule::all_of(new))?;
        let aggregates = |role: &Object| {
            let selectors = role.field("aggregationRule").and_then(|rule| rule.get("clusterRoleSelectors"));
            selectors.and_then(Value::as_array).is_some_and(|selectors| !selectors.is_empty())
        };
        if (aggregates(new) || old.is_some_and(aggregates))
            && self.confirm(user, new, &Rule::full_authority()).is_err()
        {
            let why = "must have cluster-admin privileges to use the aggregationRule";
            return Err(Status::forbidden(new.kind, new.name(), why));
        }
        Ok(())
    }

    fn check_binding(&self, user: &UserInfo, new: &Object) -> Result<(), Status> {
        let Some(role) = new.field("roleRef") else { return Ok(()) };
        let kind = match text(role, "kind") {
            "ClusterRole" => &kinds::CLUSTER_ROLE,
            _ => &kinds::ROLE,
        };
        if self.may(user, "bind", kind, new.namespace(), text(role, "name")) {
            return Ok(());
        }
        // The real server speaks of the binding here, though it is the role that is missing.
        let missing = |_| Status::not_found(new.kind, text(role, "name"));
        let rules = self.rules_of(role, new.namespace()).map_err(missing)?;
        self.confirm(user, new, &rules)
    }

    fn may(&self, user: &UserInfo, verb: &str, kind: &Kind, namespace: &str, name: &str) -> bool {
        let (group, resource) = (kind.group, kind.plural);
        self.authorize(&Attributes { verb, namespace, group, resource, name, ..Attributes::of(user) }).allowed
    }

    /// Refuses rules that the user does not hold.
    fn confirm(&self, user: &UserInfo, object: &Object, rules: &[Rule]) -> Result<(), Status> {
        let (owned, errors) = self.rules_for(user, object.namespace());
        let missing = lacking(&owned, rules);
        if missing.is_empty() {
            return Ok(());
        }
        let mut why = format!(
            "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
            user.name,
            quoted(&user.groups),
            missing.join("\n")
        );
        if let Some(errors) = aggregate(errors) {
            why.push_str(&format!("; resolution errors: [{errors}]"));
        }
        Err(Status::forbidden(object.kind, object.name(), &why))
    }
}

/// Whether a write changes only what the garbage collector needs to take an object away.
fn only_for_collector(new: &Object, old: &Object) -> bool {
    let mut bare = new.clone();
    bare.metadata.owner_references.clone_from(&old.metadata.owner_references);
    bare.metadata.finalizers.clone_from(&old.metadata.finalizers);
    bare.metadata.managed_fields.clone_from(&old.metadata.managed_fields);
    bare.to_value() == old.to_value()
}
