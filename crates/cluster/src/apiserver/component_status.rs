//! ComponentStatuses: how the API server finds scheduler, controller manager and etcd when it is asked.
//!
//! Source: pkg/registry/core/componentstatus/rest.go (v1.37).

use super::ApiServer;
use podlab_api::door::{Accept, List, ResponseBody, Verb};
use podlab_api::selector::Selector;
use podlab_api::{Object, Request, Response, Status, kinds};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

impl ApiServer {
    /// Answers get and list, the only verbs there are.
    pub(super) fn dispatch_component_status(&mut self, request: &Request) -> Result<Response, Status> {
        let kind = &kinds::COMPONENT_STATUS;
        let options = &request.options;
        let mut all = self.component_statuses();
        if request.subresource.is_some() {
            return Err(Status::no_such_resource());
        }
        match request.verb {
            Verb::Get => {
                let name = request.name.as_deref().unwrap_or("");
                let Some(found) = all.into_iter().find(|one| one.name() == name) else {
                    return Err(Status::not_found(kind, name));
                };
                if options.accept == Accept::Table {
                    return Ok(self.table(kind, &[found], podlab_api::printers::table));
                }
                Ok(Response::object(found))
            }
            Verb::List => {
                // They have no labels: a selector that asks for one finds none.
                if let Some(text) = options.label_selector.as_deref().filter(|text| !text.is_empty()) {
                    let selector =
                        Selector::parse(text).map_err(|error| Status::bad_request(error.to_string()))?;
                    all.retain(|_| selector.matches(&BTreeMap::new()));
                }
                if options.accept == Accept::Table {
                    return Ok(self.table(kind, &all, podlab_api::printers::list_table));
                }
                let list =
                    List { kind, items: all, resource_version: 0, continue_token: None, remaining: None };
                Ok(Response { code: 200, body: ResponseBody::List(list), warnings: Vec::new() })
            }
            Verb::Watch => Err(Status::method_not_supported(kind, "watch")),
            Verb::Create => Err(Status::method_not_supported(kind, "create")),
            Verb::Update => Err(Status::method_not_supported(kind, "update")),
            Verb::Patch(_) => Err(Status::method_not_supported(kind, "patch")),
            Verb::Delete => Err(Status::method_not_supported(kind, "delete")),
            Verb::DeleteCollection => Err(Status::method_not_supported(kind, "deletecollection")),
        }
    }

    /// In no order there, in this one here.
    fn component_statuses(&self) -> Vec<Arc<Object>> {
        let profile = self.settings.profile;
        let component = |name: &str, port: Option<u16>| {
            let condition = match port {
                None => json!({"type": "Healthy", "status": "True", "message": "ok"}),
                Some(port) => json!({"type": "Healthy", "status": "False",
                    "message": format!("Get \"https://127.0.0.1:{port}/healthz\": dial tcp 127.0.0.1:{port}: connect: \
                        connection refused")}),
            };
            let tree = json!({"metadata": {"name": name}, "conditions": [condition]});
            let fields = tree.as_object().cloned().unwrap_or_default();
            Object::from_fields(&kinds::COMPONENT_STATUS, fields).ok().map(Arc::new)
        };
        let manager = (!profile.has_controllers()).then_some(10257);
        let scheduler = (!profile.has_scheduler()).then_some(10259);
        [
            component("controller-manager", manager),
            component("scheduler", scheduler),
            component("etcd-0", None),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
