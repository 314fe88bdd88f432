//! Tests of `patch`.
use super::*;
use std::path::PathBuf;

#[derive(Clone, Copy)]
struct MergeItem;

impl Lookup for MergeItem {
    fn field(self, key: &str) -> Result<(MergeItem, FieldMeta), String> {
        let by = |merge_key| FieldMeta { merge: true, merge_key, ..FieldMeta::default() };
        let meta = match key {
            "mergingList" | "mergeItemPtr" => by("name"),
            "mergingIntList" => by(""),
            "replacingItem" => FieldMeta { replace: true, ..FieldMeta::default() },
            "retainKeysMap" => FieldMeta { retain_keys: true, ..FieldMeta::default() },
            "retainKeysMergingList" => FieldMeta { retain_keys: true, ..by("name") },
            _ => FieldMeta::default(),
        };
        Ok((MergeItem, meta))
    }
}

pub(crate) fn truth(file: &str) -> Option<Value> {
    let dir = std::env::var("PODLAB_TRUTH")
        .map(PathBuf::from)
        .unwrap_or_else(|_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/truth"));
    let Ok(text) = std::fs::read_to_string(dir.join(file)) else {
        println!("{file}: absent, skipped");
        return None;
    };
    serde_json::from_str(&text).ok()
}

#[test]
fn strategic_merge_patches_are_made_and_applied_as_upstream() {
    let Some(data) = truth("tables/strategic_merge_patch.json") else { return };
    let (mut passed, mut all) = (0, 0);
    let mut failed = Vec::new();
    for (table, rows) in data["tables"].as_object().unwrap() {
        for row in rows.as_array().unwrap() {
            let name = row["description"].as_str().unwrap_or("");
            let mut check = |what: &str, got: Option<Value>, want: &Value| {
                if want.is_null() || want.to_string().contains("$go:") {
                    return;
                }
                all += 1;
                if got.as_ref() == Some(want) {
                    passed += 1;
                } else {
                    failed.push(format!(
                        "{table}/{name}/{what}\n   want {want}\n   got  {}",
                        got.unwrap_or(Value::Null)
                    ));
                }
            };
            let raw = row.get("StrategicMergePatchRawTestCaseData");
            let get = |k: &str| match raw {
                Some(raw) => {
                    let upper = k[..1].to_uppercase() + &k[1..];
                    raw.get(&upper).cloned().unwrap_or(Value::Null)
                }
                None => row.get(k).cloned().unwrap_or(Value::Null),
            };
            if get("original").is_null() && get("current").is_null() {
                continue;
            }
            if !get("expectedError").is_null() {
                continue;
            }
            if !get("twoWay").is_null() && !get("original").is_null() {
                let out = apply_strategic(get("original"), get("twoWay"), MergeItem).ok();
                let want = if get("twoWayResult").is_null() { get("modified") } else { get("twoWayResult") };
                check("apply", out, &want);
            }
            if (table.starts_with("strategicMergePatch")
                || table.starts_with("create")
                || table.starts_with("replace"))
                && !get("modified").is_null()
            {
                if !get("twoWay").is_null() && !get("original").is_null() {
                    check(
                        "two-way",
                        two_way_strategic(&get("original"), &get("modified"), MergeItem).ok(),
                        &get("twoWay"),
                    );
                }
                if !get("threeWay").is_null() {
                    let patch =
                        three_way_strategic(&get("original"), &get("modified"), &get("current"), MergeItem)
                            .ok();
                    check("three-way", patch, &get("threeWay"));
                    let out = apply_strategic(get("current"), get("threeWay"), MergeItem).ok();
                    check("three-way applied", out, &get("result"));
                }
            }
        }
    }
    println!("strategic_merge_patch.json: {passed} of {all}");
    for f in failed.iter().take(12) {
        println!("{f}");
    }
    assert!(all - passed <= 2, "{} differ", all - passed);
}

#[test]
fn patches_give_what_kubectl_gave() {
    let Some(data) = truth("tables/kubectl_oracles.json") else { return };
    let rows = data["tables"]["patches"].as_array().unwrap();
    let (mut passed, mut all) = (0, 0);
    for row in rows {
        all += 1;
        // The recorder sent JSON as YAML 1.1, where the key `n` reads as false.
        let row: Value =
            serde_json::from_str(&row.to_string().replace(r#"{"n":"x""#, r#"{"false":"x""#)).unwrap();
        let object = &row["object"];
        let kind =
            crate::kinds::by_gvk(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap())
                .unwrap();
        let how = match row["type"].as_str().unwrap() {
            "json" => PatchType::Json,
            "merge" => PatchType::Merge,
            _ => PatchType::StrategicMerge,
        };
        let got = match how {
            PatchType::Json => apply_json_patch(object, &row["patch"]).map_err(|e| e.to_string()),
            how => apply(kind, how, object, &row["patch"]).map_err(|s| s.message),
        };
        let same = match &got {
            Ok(value) => row.get("result") == Some(value),
            Err(error) => row["error"].as_str() == Some(&format!("error: {error}")),
        };
        if same {
            passed += 1;
        } else {
            println!(
                "{}\n  patch {}\n  want {} {}\n  got  {:?}",
                row["type"],
                row["patch"],
                row["result"],
                row["error"],
                got.map(|v| v.to_string())
            );
        }
    }
    println!("kubectl_oracles.json patches: {passed} of {all}");
    // A patch that is a list is refused by kubectl itself.
    assert_eq!(all - passed, 1);
}
