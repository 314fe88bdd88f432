//! `tables/strategic_merge_patch.json`: strategic merge patches on a structure of the test's own.

use anyhow::Result;
use podlab_api::patch::{FieldMeta, Lookup, apply_strategic, three_way_strategic, two_way_strategic};
use serde_json::Value;

use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

/// The fields of upstream's `MergeItem`, which is its own inner type.
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

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(
        recording,
        &[
            ("sortMergeListTestCaseData", Use::Skip("a helper that upstream sorts its expectations with")),
            ("customStrategicMergePatchTestCaseData", Use::Compare(applied)),
            ("customStrategicMergePatchRawTestCases", Use::Compare(applied)),
            ("createStrategicMergePatchTestCaseData", Use::Compare(made_and_applied)),
            ("strategicMergePatchRawTestCases", Use::Compare(made_and_applied)),
            ("replaceRawExtensionPatchTestCases", Use::Compare(made_and_applied)),
        ],
    )
}

/// Patches written by hand, which no comparison of two objects makes.
fn applied(row: &Row<'_>) -> Outcome {
    patches(row, false)
}

fn made_and_applied(row: &Row<'_>) -> Outcome {
    patches(row, true)
}

fn patches(row: &Row<'_>, make: bool) -> Outcome {
    let raw = row.value.get("StrategicMergePatchRawTestCaseData");
    let get = |name: &str| -> Value {
        let mut upper = name.to_owned();
        upper.replace_range(..1, &name[..1].to_uppercase());
        let found =
            row.value.get(name).or_else(|| raw.and_then(|raw| raw.get(&upper).or_else(|| raw.get(name))));
        found.cloned().unwrap_or_default()
    };
    let (original, modified, current) = (get("original"), get("modified"), get("current"));
    let (two_way, three_way) = (get("twoWay"), get("threeWay"));
    let expected_error = get("expectedError");
    if let Some(expected) = expected_error.as_str().filter(|expected| !expected.is_empty()) {
        let got = [
            two_way_strategic(&original, &modified, MergeItem).err().map(|error| error.to_string()),
            apply_strategic(original.clone(), two_way.clone(), MergeItem)
                .err()
                .map(|error| error.to_string()),
        ];
        let said = got.iter().flatten().any(|error| error.contains(expected));
        return if said { Outcome::Passed } else { Outcome::equal(expected, format!("{got:?}")) };
    }
    let mut parts = Vec::new();
    let mut check = |got: Result<Value, String>, expected: &Value| match got {
        _ if expected.is_null() => {}
        Ok(got) => parts.push(Outcome::same(expected, &got)),
        Err(error) => parts.push(Outcome::equal(expected.to_string(), error)),
    };
    if !two_way.is_null() && !original.is_null() {
        let result = get("twoWayResult");
        let expected = if result.is_null() { &modified } else { &result };
        check(text(apply_strategic(original.clone(), two_way.clone(), MergeItem)), expected);
        if make && !modified.is_null() {
            check(text(two_way_strategic(&original, &modified, MergeItem)), &two_way);
        }
    }
    if make && !three_way.is_null() && !modified.is_null() {
        check(text(three_way_strategic(&original, &modified, &current, MergeItem)), &three_way);
        check(text(apply_strategic(current.clone(), three_way.clone(), MergeItem)), &get("result"));
    }
    if parts.is_empty() {
        return Outcome::Skipped("the row holds nothing to compare".to_owned());
    }
    Outcome::all(parts)
}

fn text<E: ToString>(result: Result<Value, E>) -> Result<Value, String> {
    result.map_err(|error| error.to_string())
}
