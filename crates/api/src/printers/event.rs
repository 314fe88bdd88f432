//! Events.

use super::cells::{ago, field, int, text};
use super::{col, wide};
use crate::Object;
use crate::table::Column;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

pub(super) static COLUMNS: &[Column] = &[
    col("Last Seen", "string"),
    col("Type", "string"),
    col("Reason", "string"),
    col("Object", "string"),
    wide("Subobject", "string"),
    wide("Source", "string"),
    col("Message", "string"),
    wide("First Seen", "string"),
    wide("Count", "string"),
    Column { name: "Name", kind: "string", format: "name", priority: 1 },
];

pub(super) fn row(object: &Object, now: Timestamp) -> Vec<Value> {
    let unknown = || "<unknown>".to_owned();
    let first = ago(field(object, "firstTimestamp"), now)
        .or_else(|| ago(field(object, "eventTime"), now))
        .unwrap_or_else(unknown);
    let mut last = ago(field(object, "lastTimestamp"), now).unwrap_or_else(|| first.clone());
    let mut count = int(field(object, "count"), &[]);
    let series = field(object, "series");
    if series.is_object() {
        last = ago(&series["lastObservedTime"], now).unwrap_or_else(unknown);
        count = int(series, &["count"]);
    } else if count == 0 {
        count = 1;
    }
    let involved = field(object, "involvedObject");
    let kind = text(involved, &["kind"]).to_lowercase();
    let target = match text(involved, &["name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let source = field(object, "source");
    let pick = |a: &'_ Value, b: &'_ Value| match (a.as_str(), b.as_str()) {
        (Some(a), _) if !a.is_empty() => a.to_owned(),
        (_, b) => b.unwrap_or("").to_owned(),
    };
    let component = pick(&source["component"], field(object, "reportingComponent"));
    let host = pick(&source["host"], field(object, "reportingInstance"));
    let from = if host.is_empty() { component } else { format!("{component}, {host}") };
    vec![
        last.into(),
        text(field(object, "type"), &[]).into(),
        text(field(object, "reason"), &[]).into(),
        target.into(),
        text(involved, &["fieldPath"]).into(),
        from.into(),
        text(field(object, "message"), &[]).trim().into(),
        first.into(),
        count.into(),
        object.name().into(),
    ]
}
