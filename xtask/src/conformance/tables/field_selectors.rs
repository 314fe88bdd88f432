//! `tables/field_selectors.json`: field selectors.

use anyhow::Result;
use podlab_api::selector::FieldSelector;
use podlab_api::selector::field::{escape_value, split_term, split_terms, unescape_value};
use serde_json::json;

use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let terms: fn(&Row<'_>) -> Outcome = |row| {
        let expected = if row.value.is_null() { json!([]) } else { row.value.clone() };
        Outcome::same(&expected, &json!(split_terms(row.key)))
    };
    let term: fn(&Row<'_>) -> Outcome = |row| {
        let split = split_term(row.key);
        let (lhs, op, rhs) = split.unwrap_or_default();
        Outcome::same(row.value, &json!({"lhs": lhs, "op": op, "rhs": rhs, "ok": split.is_some()}))
    };
    let escape: fn(&Row<'_>) -> Outcome = |row| {
        let back = unescape_value(row.as_text()).unwrap_or_else(|error| error.to_string());
        Outcome::all([Outcome::equal(row.as_text(), escape_value(row.key)), Outcome::equal(row.key, back)])
    };
    let invalid: fn(&Row<'_>) -> Outcome =
        |row| Outcome::equal("true", unescape_value(row.as_text()).is_err().to_string());
    let good: fn(&Row<'_>) -> Outcome = |row| match FieldSelector::parse(row.as_text()) {
        Ok(selector) => Outcome::equal(row.as_text(), selector.to_string()),
        Err(error) => Outcome::equal(row.as_text(), error.to_string()),
    };
    let bad: fn(&Row<'_>) -> Outcome =
        |row| Outcome::equal("true", FieldSelector::parse(row.as_text()).is_err().to_string());
    super::read(
        recording,
        &[
            ("TestSplitTerms", Use::Compare(terms)),
            ("TestSplitTerm", Use::Compare(term)),
            ("TestEscapeValue", Use::Compare(escape)),
            ("TestEscapeValue.invalidTestcases", Use::Compare(invalid)),
            ("TestSelectorParse.testGoodStrings", Use::Compare(good)),
            ("TestSelectorParse.testBadStrings", Use::Compare(bad)),
            (
                "TestRequiresExactMatch",
                Use::Skip("selectors built from Go's private types, which the row does not name"),
            ),
            (
                "TestTransform",
                Use::Compare(|_| Outcome::Skipped("a Go function is part of the row".to_owned())),
            ),
        ],
    )
}
