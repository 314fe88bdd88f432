//! Discovery and OpenAPI over HTTP.

use crate::client::Lab;
use serde_json::json;

#[test]
fn discovery_comes_by_group_or_all_at_once() {
    let lab = Lab::start();
    assert_eq!(lab.get("/api").json()["versions"], json!(["v1"]));
    assert_eq!(lab.get("/apis/apps").json()["kind"], "APIGroup");
    assert_eq!(lab.get("/apis/batch/v1").json()["groupVersion"], "batch/v1");
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    let all = lab.get_as("/apis", accept);
    assert_eq!(
        all.header("content-type"),
        Some("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
    );
    let all = all.json();
    let apps =
        all["items"].as_array().unwrap().iter().find(|group| group["metadata"]["name"] == "apps").unwrap();
    let deployments = &apps["versions"][0]["resources"][2];
    assert_eq!(
        (&deployments["resource"], &deployments["shortNames"]),
        (&json!("deployments"), &json!(["deploy"]))
    );
    assert_eq!(deployments["subresources"][0]["responseKind"]["kind"], "Scale");
    assert_eq!(lab.get("/version").json()["gitVersion"], "v1.37.1");
    assert_eq!(lab.get("/readyz").text(), "ok");
}

#[test]
fn openapi_has_a_document_for_each_group_and_version() {
    let lab = Lab::start();
    let index = lab.get("/openapi/v3").json();
    let url = index["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().unwrap().to_owned();
    let document = lab.get(&url);
    assert_eq!(document.header("cache-control"), Some("public, immutable"));
    let document = document.json();
    let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    assert_eq!(
        patch["x-kubernetes-group-version-kind"],
        json!({"group": "apps", "version": "v1", "kind": "Deployment"})
    );
    assert!(patch["parameters"].as_array().unwrap().iter().any(|p| p["name"] == "fieldValidation"));
    let spec = &document["components"]["schemas"]["io.k8s.api.apps.v1.DeploymentSpec"];
    assert_eq!(spec["required"], json!(["selector", "template"]));
    assert_eq!(spec["properties"]["replicas"]["format"], "int32");
    assert_eq!(spec["properties"]["strategy"]["x-kubernetes-patch-strategy"], "retainKeys");
    // Every reference leads somewhere.
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for part in document.to_string().split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    assert_eq!(lab.get("/openapi/v3/apis/nothing/v1").code, 404);
    assert_eq!(lab.get("/openapi/v2").json()["swagger"], "2.0");
}

#[test]
fn kinds_that_definitions_make_are_discovered_and_described() {
    let lab = Lab::start();
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "description": "What is wanted.",
        "properties": {"a": {"type": "string"}}}}});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.ex.com"}, "spec": {"group": "ex.com", "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo"}, "versions": [{"name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}}, "selectableFields": [{"jsonPath": ".spec.a"}],
                "schema": {"openAPIV3Schema": schema}}]}});
    assert_eq!(lab.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).code, 201);
    assert_eq!(lab.get("/apis/ex.com").json()["preferredVersion"]["groupVersion"], "ex.com/v1");
    let resources = lab.get("/apis/ex.com/v1").json()["resources"].clone();
    assert_eq!((&resources[0]["name"], &resources[1]["name"]), (&json!("foos"), &json!("foos/status")));
    let index = lab.get("/openapi/v3").json();
    let url = index["paths"]["apis/ex.com/v1"]["serverRelativeURL"].as_str().unwrap().to_owned();
    let document = lab.get(&url).json();
    let model = &document["components"]["schemas"]["com.ex.v1.Foo"];
    assert_eq!(model["properties"]["spec"]["description"], "What is wanted.");
    let patch = &document["paths"]["/apis/ex.com/v1/namespaces/{namespace}/foos/{name}"]["patch"];
    let types = patch["requestBody"]["content"].as_object().unwrap();
    assert!(!types.contains_key("application/strategic-merge-patch+json"));
    let foos = "/apis/ex.com/v1/namespaces/default/foos";
    let foo = json!({"apiVersion": "ex.com/v1", "kind": "Foo", "metadata": {"name": "x"}, "spec": {"a": "b", "c": 1}});
    let made = lab.post(foos, &foo).json();
    assert_eq!(made["spec"], json!({"a": "b"}));
    assert_eq!(
        lab.get(&format!("{foos}?fieldSelector=spec.a%3Db")).json()["items"].as_array().unwrap().len(),
        1
    );
    assert_eq!(lab.get(&format!("{foos}/x/scale")).json()["message"], "foos.ex.com \"x\" not found");
    // A dry run may be asked for in the options that are sent along.
    let options = br#"{"kind":"DeleteOptions","apiVersion":"meta.k8s.io/v1","dryRun":["All"]}"#;
    let sent = [("content-type", "application/json")];
    assert_eq!(lab.send("DELETE", &format!("{foos}/x"), &sent, options).code, 200);
    assert_eq!(lab.get(&format!("{foos}/x")).code, 200);
    let url = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/foos.ex.com";
    assert_eq!(lab.send("DELETE", url, &[], b"").code, 200);
    assert_eq!(lab.get("/apis/ex.com").code, 404);
}
