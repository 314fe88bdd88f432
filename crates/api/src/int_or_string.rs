//! Numbers that may be percentages (`maxUnavailable`, `maxSurge`) and ports that may be names.
//!
//! Source: staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go (v1.37).

use crate::go_text::quote;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Reads a text as a number if it is one that fits 32 bits, else as a text.
#[must_use]
pub fn parse(text: &str) -> IntOrString {
    text.parse().map_or_else(|_| IntOrString::String(text.to_owned()), IntOrString::Int)
}

/// The text of either.
#[must_use]
pub fn text(value: &IntOrString) -> String {
    match value {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(text) => text.clone(),
    }
}

/// The number, and whether it is a percentage.
///
/// # Errors
/// A text that is no percentage, in Kubernetes' words.
pub fn int_or_percent(value: &IntOrString) -> Result<(i64, bool), String> {
    let text = match value {
        IntOrString::Int(number) => return Ok((i64::from(*number), false)),
        IntOrString::String(text) => text,
    };
    let Some(digits) = text.strip_suffix('%') else {
        return Err("invalid type: string is not a percentage".to_owned());
    };
    let number = digits.parse().map_err(|error: std::num::ParseIntError| {
        let reason = match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("invalid value {}: strconv.Atoi: parsing {}: {reason}", quote(text), quote(digits))
    })?;
    Ok((number, true))
}

/// The number itself, or the percentage of `total`, rounded up or down.
///
/// # Errors
/// As [`int_or_percent`].
pub fn scaled_value(value: &IntOrString, total: i64, rounding: Rounding) -> Result<i64, String> {
    let (number, is_percent) =
        int_or_percent(value).map_err(|error| format!("invalid value for IntOrString: {error}"))?;
    if !is_percent {
        return Ok(number);
    }
    let product = i128::from(number) * i128::from(total);
    let scaled = match rounding {
        Rounding::Up => -(-product).div_euclid(100),
        Rounding::Down => product.div_euclid(100),
    };
    Ok(i64::try_from(scaled).unwrap_or(if scaled < 0 { i64::MIN } else { i64::MAX }))
}

/// Which way a percentage of something indivisible goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// As for `maxSurge`.
    Up,
    /// As for `maxUnavailable`.
    Down,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_as_asked() {
        let quarter = parse("25%");
        assert_eq!(scaled_value(&quarter, 10, Rounding::Up), Ok(3));
        assert_eq!(scaled_value(&quarter, 10, Rounding::Down), Ok(2));
        assert_eq!(scaled_value(&parse("-25%"), 10, Rounding::Up), Ok(-2));
        assert_eq!(
            scaled_value(&parse("x%"), 10, Rounding::Up).unwrap_err(),
            "invalid value for IntOrString: invalid value \"x%\": strconv.Atoi: parsing \"x\": invalid syntax"
        );
    }
}
