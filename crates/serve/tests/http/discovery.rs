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
