//! `tables/names_and_labels.json`: what names, labels, ports and the like may look like.

use anyhow::Result;
use podlab_api::validation::{content, domain};
use serde_json::Value;

use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

type Check = fn(&str) -> Vec<String>;

/// The check that a table's name stands for.
fn check(table: &str) -> Option<Check> {
    let name = table.split('.').nth(1)?;
    Some(match name {
        "TestIsDNS1123Label" => content::is_dns1123_label,
        "TestIsDNS1123Subdomain" => content::is_dns1123_subdomain,
        "TestIsDNS1123SubdomainWithUnderscore" => content::is_dns1123_subdomain_with_underscore,
        "TestIsDNS1035Label" => content::is_dns1035_label,
        "TestIsWildcardDNS1123Subdomain" => content::is_wildcard_dns1123_subdomain,
        "TestIsQualifiedName" | "TestIsLabelKey" => content::is_qualified_name,
        "TestIsValidLabelValue" | "TestIsLabelValue" => content::is_valid_label_value,
        "TestIsCIdentifier" => content::is_c_identifier,
        "TestIsValidPortName" => content::is_valid_port_name,
        "TestIsValidPercent" => content::is_valid_percent,
        "TestIsHTTPHeaderName" => content::is_http_header_name,
        "TestIsRelaxedEnvVarName" => content::is_relaxed_env_var_name,
        "TestIsConfigMapKey" => content::is_config_map_key,
        "TestIsPathSegmentName" => content::is_path_segment_name,
        "TestIsPathSegmentPrefix" => content::is_path_segment_prefix,
        "TestIsFullyQualifiedName" => domain::is_fully_qualified_name,
        "TestIsFullyQualifiedDomainName" => domain::is_fully_qualified_domain_name,
        "TestIsDomainPrefixedPath" => domain::is_domain_prefixed_path,
        "TestIsDomainPrefixedKey" => domain::is_domain_prefixed_key,
        "TestIsPrefixedLabelKey" => domain::is_prefixed_label_key,
        "TestIsDNS1123SubdomainCaseless" => domain::is_dns1123_subdomain_caseless,
        "TestIsDecimalInteger" => domain::is_decimal_integer,
        _ => return None,
    })
}

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let file = recording.json()?;
    let tables = file.get("tables").and_then(Value::as_object).cloned().unwrap_or_default();
    let uses: Vec<(&str, Use)> = tables.keys().map(|table| (table.as_str(), use_of(table))).collect();
    super::read(recording, &uses)
}

fn use_of(table: &str) -> Use {
    match table.rsplit('.').next().unwrap_or_default() {
        "goodValues" | "successCases" if table.contains("PortNum") || table.contains("IsInRange") => {
            Use::Compare(good_number)
        }
        "badValues" | "failureCases" | "errorCases"
            if table.contains("PortNum") || table.contains("IsInRange") =>
        {
            Use::Compare(bad_number)
        }
        "TestIsDecimalInteger" => Use::Compare(passes),
        "goodValues" | "successCases" | "validCases" => Use::Compare(good),
        "badValues" | "errorCases" | "failureCases" | "rejectedCases" | "strconvAcceptsButWeReject" => {
            Use::Compare(bad)
        }
        _ => Use::CompareAll(message),
    }
}

fn run(row: &Row<'_>, value: &str) -> Result<Vec<String>, Outcome> {
    match check(row.table) {
        Some(check) => Ok(check(value)),
        None => Err(Outcome::equal("a check", format!("none for {}", row.table))),
    }
}

fn good(row: &Row<'_>) -> Outcome {
    super::settle(run(row, row.as_text()).map(|errors| Outcome::equal("[]", format!("{errors:?}"))))
}

fn bad(row: &Row<'_>) -> Outcome {
    super::settle(
        run(row, row.as_text())
            .map(|errors| Outcome::equal("refused", if errors.is_empty() { "accepted" } else { "refused" })),
    )
}

fn number(row: &Row<'_>) -> Vec<String> {
    match row.value.as_i64() {
        Some(port) => content::is_valid_port_num(port),
        None => content::is_in_range(row.int("value"), row.int("min"), row.int("max")),
    }
}

fn good_number(row: &Row<'_>) -> Outcome {
    Outcome::equal("[]", format!("{:?}", number(row)))
}

fn bad_number(row: &Row<'_>) -> Outcome {
    Outcome::equal("true", (!number(row).is_empty()).to_string())
}

/// Rows that say whether the input is good.
fn passes(row: &Row<'_>) -> Outcome {
    super::settle(run(row, row.text("input")).map(|errors| {
        let got = errors.is_empty();
        Outcome::equal(row.flag("shouldPass").to_string(), got.to_string())
    }))
}

/// Rows that name the text of the error, or none where the value is good.
fn message(row: &Row<'_>) -> Outcome {
    let value = ["Name", "value", "targetName"]
        .into_iter()
        .find_map(|field| row.field(field).as_str())
        .unwrap_or_default();
    let wants_none =
        row.field("expected").is_null() && row.text("ExpectedMsg").is_empty() && row.text("err").is_empty();
    super::settle(run(row, value).map(|errors| {
        let text = errors.join(" ");
        if wants_none {
            return Outcome::equal("", text);
        }
        // The text itself is in the row only where it was not computed.
        let part = [row.text("ExpectedMsg"), row.text("err")].into_iter().find(|part| !part.is_empty());
        let part = part.unwrap_or_default();
        if !errors.is_empty() && text.contains(part) { Outcome::Passed } else { Outcome::equal(part, text) }
    }))
}
