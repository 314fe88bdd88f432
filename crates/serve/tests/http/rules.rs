//! Rules of the real API server that only some clients meet.

use crate::client::Lab;
use serde_json::{Value, json};

fn definition(schema: Value) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"plural": "foos", "singular": "foo", "kind": "Foo", "listKind": "FooList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}})
}

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const MERGE: &str = "merge-patch+json";

#[test]
fn a_status_is_a_resource_of_its_own() {
    let lab = Lab::start();
    const FLOWS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
    let flow = json!({"metadata": {"name": "f"}, "spec": {"matchingPrecedence": 10000,
        "priorityLevelConfiguration": {"name": "global-default"}}, "status": {"conditions": [{"type": "Dangling"}]}});
    let created = lab.post(FLOWS, &flow);
    assert_eq!((created.code, &created.json()["status"]), (201, &json!({})), "{}", created.text());
    let patch = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"matchingPrecedence": 9},
        "status": {"conditions": [{"type": "Dangling", "status": "True"}]}});
    let patched = lab.patch(&format!("{FLOWS}/f/status"), MERGE, &patch).json();
    assert_eq!(patched["status"]["conditions"][0]["status"], "True");
    assert_eq!(
        (&patched["spec"]["matchingPrecedence"], &patched["metadata"]["labels"]),
        (&json!(10000), &Value::Null)
    );
    // Of most kinds a write of the status may change labels and annotations.
    let path = "/api/v1/namespaces/default/status";
    let patch = json!({"metadata": {"annotations": {"a": "b"}}});
    assert_eq!(lab.patch(path, MERGE, &patch).json()["metadata"]["annotations"]["a"], "b");
}

#[test]
fn fields_that_come_twice_are_told() {
    let lab = Lab::start();
    let text = r#"{"metadata": {"name": "a"}, "spec": {"unknown": {"x": 1, "x": 2}, "replicas": 2, "replicas": 3,
        "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "nginx", "image": "nginx"}]}}}}"#;
    let send = |how: &str| {
        let path = format!("/apis/apps/v1/namespaces/default/deployments?fieldValidation={how}");
        lab.send("POST", &path, &[("Content-Type", "application/json")], text.as_bytes())
    };
    let refused = send("Strict");
    assert_eq!(
        refused.json()["message"],
        "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field \
         \"spec.unknown\", duplicate field \"spec.replicas\", duplicate field \"spec.template.spec.containers[0].image\""
    );
    let warned = send("Warn");
    assert_eq!(warned.code, 201);
    let warnings =
        warned.headers.iter().filter(|(name, _)| name == "warning").map(|(_, value)| value.as_str());
    assert!(warnings.clone().any(|text| text.contains("duplicate field \\\"spec.replicas\\\"")));
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  k: w\n";
    let path = "/api/v1/namespaces/default/configmaps/a?fieldManager=m&fieldValidation=Strict";
    let refused =
        lab.send("PATCH", path, &[("Content-Type", "application/apply-patch+yaml")], yaml.as_bytes()).json();
    assert_eq!(
        refused["message"],
        "error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key \"k\" \
         already set in map"
    );
}

#[test]
fn what_is_wrong_is_told_in_the_order_of_the_text() {
    let lab = Lab::start();
    let send = |text: &str| {
        let headers = [("Content-Type", "application/json")];
        let path = "/api/v1/namespaces/default/secrets?fieldValidation=Strict";
        lab.send("POST", path, &headers, text.as_bytes()).json()["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        send(r#"{"type": {}, "metadata": {"name": 5}, "data": {"a": "%%"}}"#),
        "Secret in version \"v1\" cannot be handled as a Secret: json: cannot unmarshal object into Go struct field \
         Secret.type of type v1.SecretType"
    );
    assert_eq!(
        send(r#"{"zone": 1, "metadata": {"name": "a", "name": "b"}, "area": 2}"#),
        "Secret in version \"v1\" cannot be handled as a Secret: strict decoding error: unknown field \"zone\", \
         duplicate field \"metadata.name\", unknown field \"area\""
    );
    assert_eq!(
        send(r#"{"apiVersion": "v1", "kind": 5}"#),
        "the object provided is unrecognized (must be of type Secret): couldn't get version/kind; json parse error: \
         json: cannot unmarshal number into Go struct field .kind of type string ({\"apiVersion\": \"v1\", \"kind\": 5 ...)"
    );
}

#[test]
fn the_older_openapi_describes_what_definitions_make() {
    let lab = Lab::start();
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "required": ["a", "b"],
        "properties": {
            "a": {"type": "string", "nullable": true},
            "b": {"type": "integer", "oneOf": [{"minimum": 1}]},
            "c": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"d": {"type": "string"}}},
            "e": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"f": {"type": "string"}}}}}}});
    assert_eq!(lab.post(DEFINITIONS, &definition(schema)).code, 201);
    let all = lab.get("/openapi/v2").json();
    let own = &all["definitions"]["com.example.v1.Foo"];
    assert_eq!(
        own["properties"]["metadata"]["$ref"],
        "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    );
    let spec = &own["properties"]["spec"];
    assert_eq!(
        (&spec["required"], &spec["properties"]["a"], &spec["properties"]["b"], &spec["properties"]["c"]),
        (
            &json!(["b"]),
            &json!({}),
            &json!({"type": "integer"}),
            &json!({"x-kubernetes-preserve-unknown-fields": true})
        )
    );
    assert_eq!(spec["properties"]["e"]["required"], json!(["kind", "apiVersion"]));
    assert!(all["paths"]["/apis/example.com/v1/namespaces/{namespace}/foos"].is_object());
    assert!(all["definitions"]["com.example.v1.FooList"].is_object());
    // What nobody describes is nothing that kubectl should check.
    let path = format!("{DEFINITIONS}/foos.example.com");
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    lab.patch(&path, MERGE, &json!({"spec": definition(open)["spec"]}));
    let own = lab.get("/openapi/v2").json()["definitions"]["com.example.v1.Foo"].clone();
    assert_eq!((&own["type"], &own["properties"]), (&json!("object"), &Value::Null));
    lab.send("DELETE", &path, &[], b"");
    assert_eq!(lab.get("/openapi/v2").json()["definitions"]["com.example.v1.Foo"], Value::Null);
}

#[test]
fn a_token_tells_whose_it_is() {
    let lab = Lab::start();
    let path = "/api/v1/namespaces/default/serviceaccounts/default/token";
    let token = lab.post(path, &json!({"spec": {"audiences": ["here"]}})).json()["status"]["token"].clone();
    let review = |spec: Value| {
        lab.post("/apis/authentication.k8s.io/v1/tokenreviews", &json!({"spec": spec})).json()["status"]
            .clone()
    };
    let status = review(json!({"token": token, "audiences": ["here", "there"]}));
    assert_eq!((&status["authenticated"], &status["audiences"]), (&json!(true), &json!(["here"])));
    assert_eq!(status["user"]["username"], "system:serviceaccount:default:default");
    assert_eq!(status["user"]["groups"][1], "system:serviceaccounts:default");
    let error = |spec: Value| review(spec)["error"].as_str().unwrap().to_owned();
    assert!(error(json!({"token": token})).contains("token audiences [\"here\"] is invalid"));
    let mut forged = token.as_str().unwrap().to_owned();
    forged.push('A');
    assert_eq!(error(json!({"token": forged, "audiences": ["here"]})), "invalid bearer token");
    assert_eq!(error(json!({"token": "x"})), "invalid bearer token");
    // So does the one in a pod's volume.
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    let uid = lab.post("/api/v1/namespaces/default/pods", &pod).json()["metadata"]["uid"].clone();
    let mounted = |uid: &str| format!("podlab.default.default.{uid}");
    let user = review(json!({"token": mounted(uid.as_str().unwrap())}))["user"].clone();
    assert_eq!(user["extra"]["authentication.kubernetes.io/pod-name"], json!(["p"]));
    assert_eq!(error(json!({"token": mounted("x")})), "invalid bearer token");
}

#[test]
fn an_answer_that_is_no_object_has_no_table() {
    let lab = Lab::start();
    let review = json!({"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}).to_string();
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let headers = [("Accept", accept), ("Content-Type", "application/json")];
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    assert_eq!(lab.send("POST", path, &headers, review.as_bytes()).code, 406);
    let both = format!("{accept},application/json");
    let headers = [("Accept", both.as_str()), ("Content-Type", "application/json")];
    assert_eq!(lab.send("POST", path, &headers, review.as_bytes()).code, 406);
}

#[test]
fn a_pods_certificate_lives_within_bounds() {
    let lab = Lab::start();
    let said = |seconds: i64| {
        let source = json!({"podCertificate": {"signerName": "example.com/s", "keyType": "ED25519",
            "credentialBundlePath": "c", "maxExpirationSeconds": seconds}});
        let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx"}],
            "volumes": [{"name": "v", "projected": {"sources": [source]}}]}});
        lab.post("/api/v1/namespaces/default/pods?dryRun=All", &pod).json()["message"].to_string()
    };
    let path = "spec.volumes[0].projected.sources[0].podCertificate.maxExpirationSeconds: Invalid value";
    assert!(said(3599).contains(&format!("{path}: 3599: if provided, maxExpirationSeconds must be >= 3600")));
    assert!(
        said(7_862_401)
            .contains(&format!("{path}: 7862401: if provided, maxExpirationSeconds must be <= 7862400"))
    );
    assert!(!said(3600).contains("Invalid value"));
}

#[test]
fn pages_through_a_proxy_keep_their_links() {
    let lab = Lab::start();
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c",
        "image": "registry.k8s.io/e2e-test-images/agnhost:2.53", "args": ["porter"],
        "env": [{"name": "SERVE_PORT_81", "value": "<a href=\"/x\">y</a>"}]}]}});
    assert_eq!(lab.post("/api/v1/namespaces/default/pods", &pod).code, 201);
    let path = "/api/v1/namespaces/default/pods/p:81/proxy";
    let moved = lab.get(&format!("{path}?a=b"));
    assert_eq!((moved.code, moved.header("location")), (301, Some(format!("{path}/?a=b").as_str())));
    let page = (0..100)
        .map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            lab.get(&format!("{path}/"))
        })
        .find(|answer| answer.code == 200);
    assert_eq!(page.unwrap().text(), format!("<a href=\"{path}/x\">y</a>"));
}
