//! `kubectl set selector`.

use super::{Change, change};
use crate::cx::{Cx, Flow};
use crate::error::{Result, message};
use crate::flags::Parsed;
use crate::value::slot;
use podlab_api::selector::label_selector::parse_to_label_selector;
use serde_json::{Value, json};

pub(super) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let Some((last, resources)) = parsed.args.split_last() else {
        return message("one selector is required");
    };
    let selector = match parse_to_label_selector(last) {
        Ok(selector) => selector,
        Err(error) => return message(error),
    };
    let how = Change { resources, verb: "selector updated", failed: "", always: true };
    let expressions = selector.match_expressions.clone().unwrap_or_default();
    if !expressions.is_empty() {
        let texts: Vec<String> = expressions
            .iter()
            .map(|e| {
                format!("{{{} {} [{}]}}", e.key, e.operator, e.values.clone().unwrap_or_default().join(" "))
            })
            .collect();
        return message(format!("match expression [{}] not supported on this object", texts.join(" ")));
    }
    let labels: Value = json!(selector.match_labels.clone().unwrap_or_default());
    change(cx, parsed, &how, |_, object, _| {
        if object["kind"] != "Service" {
            return message("setting a selector is only supported for Services");
        }
        slot(object, &["spec"])["selector"] = labels.clone();
        Ok(())
    })
}
