//! What is served and not stored: bindings, component statuses, and other versions of kinds.

use podlab_api::door::{PatchType, ResponseBody, Verb};
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};

fn cluster(profile: Profile) -> Cluster {
    Cluster::new(Settings { profile, nodes: Vec::new(), ..Settings::default() })
}

fn autoscaler() -> Value {
    json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {"maxReplicas": 5, "targetCPUUtilizationPercentage": 50,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}})
}

#[test]
fn an_autoscaler_is_written_and_read_in_either_version() {
    let mut cluster = cluster(Profile::Api);
    let older = &kinds::HORIZONTAL_POD_AUTOSCALER_V1;
    let created =
        cluster.request(Request::create(older, "default", autoscaler())).into_object().unwrap().to_value();
    assert_eq!(created["apiVersion"], "autoscaling/v1");
    assert_eq!(created["spec"]["minReplicas"], 1);
    assert_eq!(created["spec"]["targetCPUUtilizationPercentage"], 50);
    let patch = json!({"spec": {"targetCPUUtilizationPercentage": 70}});
    let request = Request::patch(older, "default", "web", PatchType::Merge, patch);
    let patched = cluster.request(request).into_object().unwrap().to_value();
    assert_eq!(patched["spec"]["targetCPUUtilizationPercentage"], 70);
    let kept = Request::get(&kinds::HORIZONTAL_POD_AUTOSCALER, "default", "web");
    let kept = cluster.request(kept).into_object().unwrap().to_value();
    assert_eq!(kept["apiVersion"], "autoscaling/v2");
    assert_eq!(kept["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 70);
    let list = cluster.request(Request::list(older, "")).into_list().unwrap();
    assert_eq!(list.items[0].to_value()["apiVersion"], "autoscaling/v1");
    let mut odd = autoscaler();
    odd["spec"]["metrics"] = json!([]);
    odd["metadata"]["name"] = "odd".into();
    let mut request = Request::create(older, "default", odd);
    request.options.field_validation = podlab_api::door::FieldValidation::Strict;
    let refused = cluster.request(request).into_object().unwrap_err();
    assert!(refused.message.contains(r#"unknown field "spec.metrics""#), "{}", refused.message);
}

#[test]
fn a_watch_shows_the_version_that_was_asked_for() {
    let mut cluster = cluster(Profile::Api);
    let older = &kinds::HORIZONTAL_POD_AUTOSCALER_V1;
    let watch = Request::new(Verb::Watch, older).namespace("default");
    let ResponseBody::Watch(mut cursor) = cluster.request(watch).body else { panic!("no watch") };
    cluster.request(Request::create(older, "default", autoscaler())).into_object().unwrap();
    let events = Door::watch(&mut cluster, &mut cursor).unwrap();
    assert_eq!(events[0].object.to_value()["spec"]["targetCPUUtilizationPercentage"], 50);
}

/// A definition of gadgets whose schema has the given fields.
fn gadgets(fields: Value) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}}}]}})
}

#[test]
fn a_stored_object_is_read_by_the_schema_of_today() {
    let mut cluster = cluster(Profile::Api);
    let definitions = &kinds::CUSTOM_RESOURCE_DEFINITION;
    let text = json!({"type": "string"});
    let first = gadgets(json!({"size": text, "colour": text}));
    cluster.request(Request::create(definitions, "", first)).into_object().unwrap();
    let kind =
        |cluster: &Cluster| cluster.world().api.kind_by_resource("example.com", "v1", "gadgets").unwrap();
    let gadget = json!({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "a"},
        "spec": {"size": "m", "colour": "red"}});
    let kind_then = kind(&cluster);
    cluster.request(Request::create(kind_then, "default", gadget)).into_object().unwrap();

    let patch = json!([{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties",
        "value": {"size": text, "weight": {"type": "integer", "default": 3}}}]);
    let request = Request::patch(definitions, "", "gadgets.example.com", PatchType::Json, patch);
    cluster.request(request).into_object().unwrap();
    let read = Request::get(kind(&cluster), "default", "a");
    let read = cluster.request(read).into_object().unwrap().to_value();
    assert_eq!(read["spec"], json!({"size": "m", "weight": 3}));
    assert_eq!(read["metadata"]["generation"], 1);
    // What only the schema changed is no change of the object.
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let request = Request::patch(kind(&cluster), "default", "a", PatchType::Merge, label);
    let written = cluster.request(request).into_object().unwrap().to_value();
    assert_eq!((&written["spec"]["weight"], &written["metadata"]["generation"]), (&json!(3), &json!(1)));
}

#[test]
fn the_range_of_service_addresses_is_an_object() {
    let mut cluster = cluster(Profile::Api);
    let range = kinds::by_resource("networking.k8s.io", "v1", "servicecidrs").unwrap();
    let range = cluster.request(Request::get(range, "", "kubernetes")).into_object().unwrap().to_value();
    assert_eq!(range["spec"]["cidrs"], json!(["10.96.0.0/16"]));
    let ready = &range["status"]["conditions"][0];
    assert_eq!(ready["message"], "Kubernetes Service CIDR is ready");
    assert!(ready["lastTransitionTime"].is_string(), "{ready}");
}

#[test]
fn a_binding_says_a_node() {
    let mut cluster = cluster(Profile::Api);
    let pod = json!({"metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
    let bind = |target: Value| {
        let body =
            json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "web"}, "target": target});
        Request::create(&kinds::BINDING, "default", body)
    };
    let refused = cluster.request(bind(json!({"kind": "Pod", "name": "n1"}))).into_object().unwrap_err();
    assert_eq!((refused.code, refused.reason), (500, ""));
    assert_eq!(
        refused.message,
        r#"target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>""#
    );
    assert_eq!(cluster.request(bind(json!({"kind": "Node", "name": "n1"}))).code, 201);
    let pod = cluster.request(Request::get(&kinds::POD, "default", "web")).into_object().unwrap();
    assert_eq!(pod.node_name(), Some("n1"));
}

#[test]
fn components_are_as_well_as_they_are_there() {
    let message = |profile: Profile| {
        let request = Request::get(&kinds::COMPONENT_STATUS, "", "scheduler");
        let status = cluster(profile).request(request).into_object().unwrap().to_value();
        status["conditions"][0]["message"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(message(Profile::Controllers), "ok");
    assert!(message(Profile::Api).ends_with("connect: connection refused"));
}

#[test]
fn a_runtime_class_brings_its_overhead() {
    let mut cluster = cluster(Profile::Api);
    let class = json!({"metadata": {"name": "thick"}, "handler": "thick", "overhead": {"podFixed": {"cpu": "250m"}},
        "scheduling": {"nodeSelector": {"kind": "thick"}}});
    cluster.request(Request::create(&kinds::RUNTIME_CLASS, "", class)).into_object().unwrap();
    let pod = |name: &str, more: Value| {
        let mut spec = json!({"containers": [{"name": "c", "image": "nginx"}]});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Request::create(&kinds::POD, "default", json!({"metadata": {"name": name}, "spec": spec}))
    };
    let stored = cluster.request(pod("a", json!({"runtimeClassName": "thick"}))).into_object().unwrap();
    let spec = stored.to_value()["spec"].clone();
    assert_eq!(spec["overhead"]["cpu"], "250m");
    assert_eq!(spec["nodeSelector"]["kind"], "thick");
    let mut refusal =
        |name: &str, more: Value| cluster.request(pod(name, more)).into_object().unwrap_err().message;
    assert_eq!(
        refusal("b", json!({"runtimeClassName": "thick", "nodeSelector": {"kind": "thin"}})),
        "pods \"b\" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[kind] = thick; \
         pod.spec.nodeSelector[kind] = thin"
    );
    assert_eq!(
        refusal("b", json!({"runtimeClassName": "none"})),
        "pods \"b\" is forbidden: pod rejected: RuntimeClass \"none\" not found"
    );
    assert_eq!(
        refusal("b", json!({"runtimeClassName": "thick", "overhead": {"cpu": "1"}})),
        "pods \"b\" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
    );
}

/// The entries of an object's `metadata.managedFields`, without their times.
fn managers(object: &podlab_api::Object) -> Value {
    let mut entries = object.to_managed_value()["metadata"]["managedFields"].take();
    for entry in entries.as_array_mut().into_iter().flatten() {
        entry.as_object_mut().unwrap().remove("time");
    }
    entries
}

#[test]
fn who_writes_an_autoscaler_owns_fields_of_the_version_that_was_written() {
    let mut cluster = cluster(Profile::Api);
    let older = &kinds::HORIZONTAL_POD_AUTOSCALER_V1;
    let by = |mut request: Request, manager: &str| {
        request.options.field_manager = Some(manager.to_owned());
        request
    };
    let created = by(Request::create(older, "default", autoscaler()), "a");
    let created = cluster.request(created).into_object().unwrap();
    assert_eq!(
        managers(&created),
        json!([{"manager": "a", "operation": "Update", "apiVersion": "autoscaling/v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:maxReplicas": {}, "f:minReplicas": {}, "f:scaleTargetRef": {},
                "f:targetCPUUtilizationPercentage": {}}}}])
    );
    // A change of what both versions have under one name, made in the other version, is seen in the older one, too.
    let patch = json!({"spec": {"maxReplicas": 7}});
    let request =
        Request::patch(&kinds::HORIZONTAL_POD_AUTOSCALER, "default", "web", PatchType::Merge, patch);
    let patched = cluster.request(by(request, "b")).into_object().unwrap();
    let owners = managers(&patched);
    assert_eq!(owners[0]["fieldsV1"]["f:spec"]["f:maxReplicas"], Value::Null);
    assert_eq!(
        (&owners[1]["apiVersion"], &owners[1]["fieldsV1"]),
        (&json!("autoscaling/v2"), &json!({"f:spec": {"f:maxReplicas": {}}}))
    );
    // What is applied is merged as the version has it, and the percentage is no metric there.
    let config = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {"targetCPUUtilizationPercentage": 60}});
    let request = Request::patch(older, "default", "web", PatchType::Apply, config);
    let refused = cluster.request(by(request.clone(), "c")).into_object().unwrap_err();
    assert_eq!(
        refused.message,
        "Apply failed with 1 conflict: conflict with \"a\" using autoscaling/v1: .spec.targetCPUUtilizationPercentage"
    );
    let mut forced = by(request, "c");
    forced.options.force = true;
    let applied = cluster.request(forced).into_object().unwrap();
    assert_eq!(applied.to_value()["spec"]["targetCPUUtilizationPercentage"], 60);
    assert_eq!(
        managers(&applied)[0],
        json!({"manager": "c", "operation": "Apply", "apiVersion": "autoscaling/v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:targetCPUUtilizationPercentage": {}}}})
    );
    let odd = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {"metrics": []}});
    let refused = Request::patch(older, "default", "web", PatchType::Apply, odd);
    let refused = cluster.request(by(refused, "c")).into_object().unwrap_err();
    assert_eq!(
        refused.message,
        "failed to create typed patch object (default/web; autoscaling/v1, Kind=HorizontalPodAutoscaler): \
         .spec.metrics: field not declared in schema"
    );
}

#[test]
fn a_scale_has_managers_of_its_own() {
    let mut cluster = cluster(Profile::Api);
    let web = json!({"metadata": {"name": "web"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}});
    let mut request = Request::create(&kinds::DEPLOYMENT, "default", web);
    request.options.field_manager = Some("setup".to_owned());
    cluster.request(request).into_object().unwrap();
    let scale = |how: PatchType, manager: &str, replicas: Value| {
        let body = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"},
            "spec": {"replicas": replicas}});
        let mut request =
            Request::patch(&kinds::DEPLOYMENT, "default", "web", how, body).subresource("scale");
        request.options.field_manager = Some(manager.to_owned());
        request
    };
    let refused = cluster.request(scale(PatchType::Apply, "mine", json!(3))).into_object().unwrap_err();
    assert_eq!(
        (refused.code, refused.message.as_str()),
        (409, "Apply failed with 1 conflict: conflict with \"setup\" using autoscaling/v1: .spec.replicas")
    );
    let refused = cluster.request(scale(PatchType::Apply, "mine", json!("3"))).into_object().unwrap_err();
    assert_eq!(
        (refused.code, refused.message.as_str()),
        (
            500,
            "failed to create typed patch object (default/web; autoscaling/v1, Kind=Scale): .spec.replicas: expected \
             numeric (int or float), got string"
        )
    );
    let mut forced = scale(PatchType::Apply, "mine", json!(3));
    forced.options.force = true;
    let response = cluster.request(forced);
    let ResponseBody::Value(answer) = response.body else { panic!("no scale: {:?}", response.body) };
    assert_eq!(answer["spec"]["replicas"], 3);
    let of = |cluster: &mut Cluster| {
        let get = Request::get(&kinds::DEPLOYMENT, "default", "web");
        managers(&cluster.request(get).into_object().unwrap())
    };
    let owners = of(&mut cluster);
    assert_eq!(
        owners[0],
        json!({"manager": "mine", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:replicas": {}}}, "subresource": "scale"})
    );
    assert_eq!(owners[1]["fieldsV1"]["f:spec"]["f:replicas"], Value::Null);
    // An update takes them over.
    assert_eq!(cluster.request(scale(PatchType::Merge, "other", json!(2))).code, 200);
    let owners = of(&mut cluster);
    let scaled: Vec<&Value> =
        owners.as_array().unwrap().iter().filter(|one| one["subresource"] == "scale").collect();
    assert_eq!(scaled.len(), 1, "{owners}");
    assert_eq!((&scaled[0]["manager"], &scaled[0]["operation"]), (&json!("other"), &json!("Update")));
    // What the patch made is shown with the scale's managers.
    let mut strict = scale(PatchType::Merge, "other", json!("x"));
    strict.options.dry_run = true;
    let refused = cluster.request(strict).into_object().unwrap_err();
    assert!(refused.message.contains(r#"\"managedFields\":[{\"manager\":\"other\""#), "{}", refused.message);
}
