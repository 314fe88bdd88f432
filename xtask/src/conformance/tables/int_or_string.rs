//! `tables/int_or_string.json`: numbers that may be texts or percentages.

use anyhow::Result;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use podlab_api::int_or_string::{Rounding, int_or_percent, parse, scaled_value};
use serde_json::{Value, json};

use super::{Row, Use, decode, settle};
use crate::conformance::report::{Figure, Outcome, Recording};

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(
        recording,
        &[
            ("TestIntOrStringUnmarshalJSON", Use::Compare(unmarshal)),
            ("TestIntOrStringMarshalJSON", Use::Compare(marshal)),
            ("TestGetIntFromIntOrString", Use::Compare(percentage)),
            ("TestGetIntFromIntOrPercent", Use::Compare(scaled)),
            ("TestParse", Use::Compare(parsed)),
        ],
    )
}

fn value(value: &Value) -> Result<IntOrString, Outcome> {
    decode(value)
}

fn unmarshal(row: &Row<'_>) -> Outcome {
    let input: Value = serde_json::from_str(row.text("input")).unwrap_or_default();
    let read = input.get("val").map(value);
    let got = read.and_then(Result::ok).and_then(|read| serde_json::to_value(read).ok()).unwrap_or_default();
    Outcome::same(row.field("result"), &got)
}

fn marshal(row: &Row<'_>) -> Outcome {
    settle(
        value(row.field("input"))
            .map(|input| Outcome::equal(row.text("result"), json!({"val": input}).to_string())),
    )
}

fn percentage(row: &Row<'_>) -> Outcome {
    settle(value(row.field("input")).map(|input| {
        let got = match int_or_percent(&input) {
            Ok((number, percent)) => json!([false, number, percent]),
            Err(_) => json!([true, 0, false]),
        };
        Outcome::same(&json!([row.flag("expectErr"), row.int("expectVal"), row.flag("expectPerc")]), &got)
    }))
}

fn scaled(row: &Row<'_>) -> Outcome {
    settle(value(row.field("input")).map(|input| {
        let rounding = if row.flag("roundUp") { Rounding::Up } else { Rounding::Down };
        let got = match scaled_value(&input, row.int("total"), rounding) {
            Ok(number) => json!([false, number]),
            Err(_) => json!([true, 0]),
        };
        Outcome::same(&json!([row.flag("expectErr"), row.int("expectVal")]), &got)
    }))
}

fn parsed(row: &Row<'_>) -> Outcome {
    let got = match parse(row.text("input")) {
        IntOrString::Int(number) => json!({"Type": "Int", "IntVal": number}),
        IntOrString::String(text) => json!({"Type": "String", "StrVal": text}),
    };
    Outcome::same(row.field("output"), &got)
}
