//! Custom resources, line by line as a real API server 1.37 answered a real kubectl.

mod common;

use common::replay::{Lab, replay};

#[test]
fn objects_are_checked_and_defaulted_as_in_a_real_cluster() {
    replay(include_str!("data/custom.jsonl"));
}

/// The documentation's CronTab, and a definition with all that there is: explained, printed, changed, scaled, deleted.
#[test]
fn kinds_are_served_as_in_a_real_cluster() {
    replay(include_str!("data/custom_kinds.jsonl"));
}

#[test]
fn subresources_are_shown_as_in_a_real_cluster() {
    replay(include_str!("data/subresources.jsonl"));
}

#[test]
fn definitions_are_refused_as_in_a_real_cluster() {
    replay(include_str!("data/custom_definitions.jsonl"));
}

const CRON_TAB: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: crontabs, kind: CronTab, shortNames: [ct], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cron}
    - {name: Wide, type: integer, jsonPath: .spec.n, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {cron: {type: string}, n: {type: integer, default: 3}}}}}}
  - name: v1beta1
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"#;

#[test]
fn versions_tables_and_categories_are_served() {
    let mut lab = Lab::new();
    lab.kubectl(&["create", "-f", "-"], Some(CRON_TAB));
    let object = r#"{"apiVersion":"example.com/v1beta1","kind":"CronTab","metadata":{"name":"a"},"spec":{"cron":"* * *"}}"#;
    assert_eq!(lab.kubectl(&["apply", "-f", "-"], Some(object)).0, "crontab.example.com/a created\n");
    assert_eq!(lab.out("get ct -o wide"), "NAME   SPEC    WIDE   AGE\na      * * *          0s\n");
    assert_eq!(
        lab.out("get crontabs.v1beta1.example.com a -o jsonpath={.apiVersion}{.spec}"),
        "example.com/v1beta1{\"cron\":\"* * *\"}"
    );
    assert_eq!(lab.out("get ct a -o jsonpath={.apiVersion}"), "example.com/v1");
    assert!(
        lab.out("get all")
            .contains("NAME                    SPEC    AGE\ncrontab.example.com/a   * * *   0s\n")
    );
    assert_eq!(
        lab.out("api-resources --api-group=example.com"),
        "NAME       SHORTNAMES   APIVERSION       NAMESPACED   KIND\ncrontabs   ct           example.com/v1   true         CronTab\n"
    );
    let versions = lab.out("api-versions");
    assert!(versions.contains("example.com/v1\nexample.com/v1beta1\n"), "{versions}");
    // What is served follows the past as well.
    let before = lab.cluster.before_input(0).unwrap();
    let now = std::mem::replace(&mut lab.cluster, before);
    assert_eq!(
        lab.kubectl(&["get", "ct"], None).1,
        "error: the server doesn't have a resource type \"ct\"\n"
    );
    lab.cluster = now;
    assert_eq!(lab.out("delete ct --all"), "crontab.example.com \"a\" deleted from default namespace\n");
}

#[test]
fn names_that_another_definition_has_are_not_accepted() {
    let mut lab = Lab::new();
    lab.kubectl(&["create", "-f", "-"], Some(CRON_TAB));
    let other = CRON_TAB.replace("crontabs", "others").replace("kind: CronTab", "kind: Other");
    lab.kubectl(&["create", "-f", "-"], Some(&other));
    let path = "jsonpath={range .status.conditions[*]}{.type}={.status} {.reason}: {.message};{end}";
    let (out, _, _) = lab.kubectl(&["get", "crd", "others.example.com", "-o", path], None);
    assert_eq!(
        out,
        "NamesAccepted=False ShortNamesConflict: \"ct\" is already in use;Established=False NotAccepted: not all names are accepted;"
    );
    lab.out("delete crd crontabs.example.com");
    let (out, _, _) = lab.kubectl(&["get", "crd", "others.example.com", "-o", path], None);
    assert_eq!(
        out,
        "NamesAccepted=True NoConflicts: no conflicts found;Established=True InitialNamesAccepted: the initial names have been accepted;"
    );
}

#[test]
fn a_definition_waits_for_objects_that_have_finalizers() {
    let mut lab = Lab::new();
    lab.kubectl(&["create", "-f", "-"], Some(CRON_TAB));
    let object =
        r#"{"apiVersion":"example.com/v1","kind":"CronTab","metadata":{"name":"a","finalizers":["x.io/y"]}}"#;
    lab.kubectl(&["create", "-f", "-"], Some(object));
    lab.out("delete crd crontabs.example.com --wait=false");
    assert_eq!(lab.out("get ct -o name"), "crontab.example.com/a\n");
    let reason = lab.out("get crd crontabs.example.com -o jsonpath={.status.conditions[2].reason}");
    assert_eq!(reason, "InstanceDeletionInProgress");
    lab.kubectl(&["patch", "ct", "a", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#], None);
    assert_eq!(lab.kubectl(&["get", "crd"], None).1, "No resources found\n");
}
