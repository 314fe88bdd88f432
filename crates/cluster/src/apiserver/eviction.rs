//! Evictions: deletions that respect disruption budgets.
//!
//! Source: pkg/registry/core/pod/storage/eviction.go (v1.37).

use super::{ApiServer, DeleteOptions};
use k8s_openapi::api::core::v1::PodCondition;
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_api::time::time;
use podlab_api::{Body, Object, Status, StatusCause, kinds};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Source: eviction.go `MaxDisruptedPodSize`.
const MAX_DISRUPTED_PODS: usize = 2000;

/// The condition of a budget that says whether it allows a disruption.
pub(crate) const DISRUPTION_ALLOWED: &str = "DisruptionAllowed";

/// The budgets whose selectors match a pod, ordered by name.
pub(crate) fn budgets_of<'a>(api: &'a ApiServer, pod: &'a Object) -> impl Iterator<Item = &'a Arc<Object>> {
    let all = api.store().list_namespace(&kinds::POD_DISRUPTION_BUDGET, pod.namespace());
    all.filter(|budget| {
        use serde::Deserialize;
        let selector = budget.field("spec").and_then(|spec| spec.get("selector"));
        let form = selector.and_then(|selector| {
            k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector::deserialize(selector).ok()
        });
        label_selector_as_selector(form.as_ref()).is_ok_and(|selector| selector.matches(pod))
    })
}

/// Brings the condition DisruptionAllowed in line with what a status allows.
///
/// Source: k8s.io/component-helpers/apps/poddisruptionbudget/helpers.go `UpdateDisruptionAllowedCondition` (v1.37).
pub(crate) fn update_condition(status: &mut Map<String, Value>, now: i64) {
    let allowed = status.get("disruptionsAllowed").and_then(Value::as_i64).unwrap_or(0) > 0;
    let (value, reason) = if allowed { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    set_condition(status, value, reason, "", now);
}

/// Sets the condition DisruptionAllowed; its time changes with its status alone.
pub(crate) fn set_condition(
    status: &mut Map<String, Value>,
    value: &str,
    reason: &str,
    message: &str,
    now: i64,
) {
    let generation = status.get("observedGeneration").and_then(Value::as_i64).unwrap_or(0);
    let mut conditions = status.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_it = |condition: &Value| condition.get("type").and_then(Value::as_str) == Some(DISRUPTION_ALLOWED);
    let known = conditions.iter().find(|condition| is_it(condition));
    let since = known
        .filter(|known| known.get("status").and_then(Value::as_str) == Some(value))
        .and_then(|known| known.get("lastTransitionTime").cloned())
        .unwrap_or_else(|| serde_json::to_value(time(now)).unwrap_or(Value::Null));
    let mut condition = json!({"type": DISRUPTION_ALLOWED, "status": value, "reason": reason, "message": message,
        "lastTransitionTime": since});
    if generation != 0 {
        condition["observedGeneration"] = generation.into();
    }
    match conditions.iter_mut().find(|condition| is_it(condition)) {
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
    status.insert("conditions".to_owned(), conditions.into());
}

/// A refusal with its cause.
fn refused(mut status: Status, message: String) -> Status {
    if let Some(details) = &mut status.details {
        let reason = "DisruptionBudget".to_owned();
        details.causes.push(StatusCause { reason, message, field: String::new() });
    }
    status
}

fn would_violate(retry_after: i32) -> Status {
    Status::too_many_requests(
        "Cannot evict pod as it would violate the pod's disruption budget.",
        retry_after,
    )
}

impl ApiServer {
    /// Evicts a pod, unless a budget forbids it.
    ///
    /// # Errors
    /// The pod is not there, or its budget allows no disruption now.
    pub(super) fn evict_pod(
        &mut self,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
        dry_run: bool,
    ) -> Result<(), Status> {
        let Some(pod) = self.store.get(&kinds::POD, namespace, name).cloned() else {
            return Err(Status::not_found(&kinds::POD, name));
        };
        super::registry::check_preconditions(&pod, options)?;
        let status = pod.pod_status();
        let phase = status.and_then(|status| status.phase.as_deref()).unwrap_or("");
        let disrupts = !matches!(phase, "Succeeded" | "Failed" | "Pending") && !pod.is_terminating();
        if disrupts {
            self.charge_budget(&pod, dry_run)?;
        }
        if dry_run {
            return Ok(());
        }
        self.mark_disrupted(&pod);
        self.delete(
            &kinds::POD,
            namespace,
            name,
            &DeleteOptions { resource_version: None, ..options.clone() },
        )?;
        Ok(())
    }

    /// The pod shows why it goes.
    fn mark_disrupted(&mut self, pod: &Object) {
        let now = self.now.as_secs();
        let _ = self.modify(&kinds::POD, pod.namespace(), pod.name(), Some("status"), |pod| {
            let Body::Pod { status, .. } = &mut pod.body else { return };
            let conditions = Arc::make_mut(status).conditions.get_or_insert_default();
            let known = conditions.iter_mut().find(|condition| condition.type_ == "DisruptionTarget");
            let since = known.as_ref().filter(|known| known.status == "True");
            let since = since.and_then(|known| known.last_transition_time.clone());
            let condition = PodCondition {
                type_: "DisruptionTarget".to_owned(),
                status: "True".to_owned(),
                reason: Some("EvictionByEvictionAPI".to_owned()),
                message: Some("Eviction API: evicting".to_owned()),
                last_transition_time: since.or_else(|| Some(time(now))),
                ..PodCondition::default()
            };
            match known {
                Some(known) => *known = condition,
                None => conditions.push(condition),
            }
        });
    }

    /// Takes one disruption from the budget of a pod.
    fn charge_budget(&mut self, pod: &Arc<Object>, dry_run: bool) -> Result<(), Status> {
        let budgets: Vec<Arc<Object>> = budgets_of(self, pod).cloned().collect();
        let budget = match budgets.as_slice() {
            [] => return Ok(()),
            [one] => one,
            _ => {
                let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not \
                               support.";
                return Err(Status { code: 500, reason: "", message: message.to_owned(), details: None });
            }
        };
        let mut status = budget.field("status").and_then(Value::as_object).cloned().unwrap_or_default();
        let number = |field: &str| status.get(field).and_then(Value::as_i64).unwrap_or(0);
        let (healthy, desired) = (number("currentHealthy"), number("desiredHealthy"));
        let conditions = pod.pod_status().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        let ready =
            conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
        if !ready {
            let policy = budget.field("spec").and_then(|spec| spec.get("unhealthyPodEvictionPolicy"));
            let always = policy.and_then(Value::as_str) == Some("AlwaysAllow");
            if always || (healthy >= desired && desired > 0) {
                return Ok(());
            }
        }
        let name = budget.name();
        if number("observedGeneration") < budget.metadata.generation.unwrap_or(0) {
            let message = format!("The disruption budget {name} is still being processed by the server.");
            return Err(refused(would_violate(10), message));
        }
        let disrupted = status.get("disruptedPods").and_then(Value::as_object).map_or(0, Map::len);
        let cannot = format!("The disruption budget {name} does not allow evicting pods currently");
        if disrupted > MAX_DISRUPTED_PODS {
            let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
            let message = format!("{cannot}: too many pending evictions not confirmed by PDB controller");
            return Err(refused(Status::forbidden(&kinds::POD_DISRUPTION_BUDGET, name, why), message));
        }
        let allowed = number("disruptionsAllowed");
        if allowed <= 0 {
            let all = status.get("conditions").and_then(Value::as_array);
            let text = |condition: &Value, field: &str| {
                condition.get(field).and_then(Value::as_str).unwrap_or("").to_owned()
            };
            let condition = all.into_iter().flatten().find(|c| text(c, "type") == DISRUPTION_ALLOWED);
            let said = condition.filter(|c| text(c, "status") == "False" && !text(c, "message").is_empty());
            let message = match said {
                Some(c) if text(c, "reason") == "SyncFailed" => {
                    format!("{cannot} because it failed sync: {}", text(c, "message"))
                }
                _ if healthy <= desired => {
                    format!(
                        "The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"
                    )
                }
                Some(c) => format!("{cannot} ({}): {}", text(c, "reason"), text(c, "message")),
                None => cannot,
            };
            return Err(refused(would_violate(0), message));
        }
        if dry_run {
            return Ok(());
        }
        let now = self.now.as_secs();
        status.insert("disruptionsAllowed".to_owned(), (allowed - 1).into());
        if allowed == 1 {
            update_condition(&mut status, now);
        }
        let pods = status.entry("disruptedPods").or_insert_with(|| json!({}));
        if let Some(pods) = pods.as_object_mut() {
            pods.insert(pod.name().to_owned(), serde_json::to_value(time(now)).unwrap_or(Value::Null));
        }
        let mut changed = (**budget).clone();
        if let Body::Tree(fields) = &mut changed.body {
            Arc::make_mut(fields).insert("status".to_owned(), Value::Object(status));
        }
        self.update_status(changed)?;
        Ok(())
    }
}
