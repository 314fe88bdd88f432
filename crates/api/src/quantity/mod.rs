//! `resource.Quantity`: fixed-point numbers with a suffix.
//!
//! The rules, the odd ones included, are those of pkg/api/resource/quantity.go of apimachinery (v1.37): a quantity
//! keeps the text it was read from where that already is canonical, changes to decimal arithmetic where an `int64`
//! overflows, and rounds up below a nano unit.

mod decimal;
mod suffix;

use std::cmp::Ordering;
use std::fmt;

use decimal::Decimal;
pub use suffix::Format;

/// Base-10 exponent of a billionth, the smallest unit a quantity holds.
pub const NANO: i32 = -9;
/// Base-10 exponent of a thousandth.
pub const MILLI: i32 = -3;

/// Digits an `int64` surely holds.
const MAX_INT64_FACTORS: i32 = 18;

/// Longest text read as a quantity; a longer one is refused as one without a number.
const MAX_TEXT: usize = 4096;

/// Why a text is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseQuantityError {
    /// The text has not the form number + suffix.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    FormatWrong,
    /// The part before the suffix is no number.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// The suffix is none that exists.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

#[derive(Debug, Clone)]
enum Amount {
    Int { value: i64, scale: i32 },
    Dec(Decimal),
}

/// A number with the notation it is printed in.
///
/// Two quantities are equal if their numbers are, whatever their notation. [`fmt::Display`] prints the canonical
/// form.
///
/// Source: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go (v1.37).
#[derive(Debug, Clone)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// The text as read, where it is printed unchanged.
    text: Option<Box<str>>,
}

struct Parts<'a> {
    positive: bool,
    value: &'a str,
    numerator: &'a str,
    denominator: &'a str,
    suffix: &'a str,
}

fn split(text: &str) -> Result<Parts<'_>, ParseQuantityError> {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied();
    let run = |mut index: usize, accept: fn(u8) -> bool| {
        while at(index).is_some_and(accept) {
            index += 1;
        }
        index
    };
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();

    let positive = at(0) != Some(b'-');
    let signed = usize::from(matches!(at(0), Some(b'+' | b'-')));
    let start = run(signed, |byte| byte == b'0');
    if start == bytes.len() {
        return Ok(Parts { positive, value: "0", numerator: "0", denominator: "", suffix: "" });
    }
    let mut position = run(start, is_digit);
    let numerator = if position == start && position < bytes.len() { "0" } else { part(start, position) };
    let mut denominator = "";
    if at(position) == Some(b'.') {
        let from = position + 1;
        position = run(from, is_digit);
        denominator = part(from, position);
    }
    let value = part(0, position);
    let suffix_start = position;
    position = run(position, |byte| b"eEinumkKMGTP".contains(&byte));
    if position < bytes.len() {
        position += usize::from(matches!(at(position), Some(b'+' | b'-')));
        position = run(position, is_digit);
        if position < bytes.len() {
            return Err(ParseQuantityError::FormatWrong);
        }
    }
    Ok(Parts { positive, value, numerator, denominator, suffix: part(suffix_start, position) })
}

impl Quantity {
    /// Reads a quantity.
    ///
    /// # Errors
    /// With Kubernetes' own texts; no white space is allowed (see [`Quantity::parse_json`]).
    pub fn parse(text: &str) -> Result<Self, ParseQuantityError> {
        if text.is_empty() {
            return Err(ParseQuantityError::FormatWrong);
        }
        if text == "0" {
            return Ok(Self { text: Some("0".into()), ..Self::new(0, Format::DecimalSi) });
        }
        let parts = split(text)?;
        let interpreted = suffix::interpret(parts.suffix).ok_or(ParseQuantityError::Suffix)?;
        if text.len() > MAX_TEXT {
            return Err(ParseQuantityError::Numeric);
        }
        if let Some(quantity) = Self::parse_fast(text, &parts, interpreted)? {
            return Ok(quantity);
        }
        Self::parse_slow(&parts, interpreted)
    }

    /// The path of numbers that an `int64` holds; `None` where it may not.
    fn parse_fast(
        text: &str,
        parts: &Parts<'_>,
        suffix::Suffix { exponent, format, .. }: suffix::Suffix,
    ) -> Result<Option<Self>, ParseQuantityError> {
        let digits = (parts.numerator.len() + parts.denominator.len()) as i32;
        let mut scale = 0i32;
        let mut mantissa = 1i64;
        let precision = match format {
            Format::DecimalSi | Format::DecimalExponent => {
                scale = exponent;
                MAX_INT64_FACTORS - digits
            }
            Format::BinarySi if exponent >= 0 && parts.denominator.is_empty() => {
                mantissa = 1i64 << exponent.min(62);
                15 - parts.numerator.len() as i32 - exponent * 3 / 10 - 1
            }
            Format::BinarySi => -1,
        };
        if precision < 0 {
            return Ok(None);
        }
        scale = scale.wrapping_sub(parts.denominator.len() as i32);
        if scale < NANO {
            return Ok(None);
        }
        let shifted = || parts.numerator.bytes().chain(parts.denominator.bytes());
        if digits == 0 {
            return Err(ParseQuantityError::Numeric);
        }
        // At most 18 digits, as the precision says.
        let value = shifted().fold(0i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        let Some(result) = value.checked_mul(mantissa) else { return Ok(None) };
        let keeps_text = match format {
            Format::BinarySi => exponent % 10 == 0 && value & 7 != 0,
            _ => {
                let zeros = shifted().rev().take_while(|digit| *digit == b'0').count();
                scale % 3 == 0 && zeros < 3 && shifted().next() != Some(b'0')
            }
        };
        let value = if parts.positive { result } else { -result };
        let text = keeps_text.then(|| text.into());
        Ok(Some(Self { amount: Amount::Int { value, scale }, format, text }))
    }

    fn parse_slow(
        parts: &Parts<'_>,
        suffix::Suffix { base, exponent, mut format }: suffix::Suffix,
    ) -> Result<Self, ParseQuantityError> {
        let mut amount = Decimal::parse(parts.value).ok_or(ParseQuantityError::Numeric)?;
        if base == 10 {
            amount.exponent = amount.exponent.wrapping_add(exponent);
        } else {
            amount = amount.shifted_left(exponent.unsigned_abs());
        }
        let negative = amount.signum() < 0;
        let mut amount = amount.absolute();
        // Whoever asks for some of a resource gets some, even if it is less than a billionth.
        if !amount.is_zero() {
            amount = amount.round_up(NANO).0;
        }
        let largest = Decimal::from_i64(i64::MAX, 0);
        if format == Format::BinarySi && amount.compare(&largest) == Ordering::Greater {
            amount = largest;
        }
        let below_one = amount.compare(&Decimal::from_i64(1, 0)) == Ordering::Less;
        if format == Format::BinarySi && below_one && !amount.is_zero() {
            format = Format::DecimalSi;
        }
        let amount = if negative { amount.negated() } else { amount };
        Ok(Self { amount: Amount::Dec(amount), format, text: None })
    }

    /// Reads a quantity out of JSON's or YAML's scalar, where white space around it is forgiven.
    ///
    /// # Errors
    /// As [`Quantity::parse`].
    pub fn parse_json(text: &str) -> Result<Self, ParseQuantityError> {
        Self::parse(text.trim())
    }

    /// How Go's spew prints the value: number, cached text and format, as they are held.
    pub(crate) fn dump_for_hash(&self) -> String {
        let (value, scale, decimal) = match &self.amount {
            Amount::Int { value, scale } => (*value, *scale, "<nil>".to_owned()),
            Amount::Dec(decimal) => (0, 0, decimal.dump_for_hash()),
        };
        format!(
            "{{i:(resource.int64Amount){{value:(int64){value} scale:(resource.Scale){scale}}} \
             d:(resource.infDecAmount){{Dec:(*inf.Dec){decimal}}} s:(string){} Format:(resource.Format){}}}",
            self.text.as_deref().unwrap_or(""),
            self.format.name()
        )
    }

    /// Makes a whole number.
    #[must_use]
    pub fn new(value: i64, format: Format) -> Self {
        Self { amount: Amount::Int { value, scale: 0 }, format, text: None }
    }

    /// Makes a number of thousandths.
    #[must_use]
    pub fn new_milli(value: i64, format: Format) -> Self {
        Self { amount: Amount::Int { value, scale: MILLI }, format, text: None }
    }

    /// Makes `value × 10^scale`, printed in DecimalSI.
    #[must_use]
    pub fn new_scaled(value: i64, scale: i32) -> Self {
        Self { amount: Amount::Int { value, scale }, format: Format::DecimalSi, text: None }
    }

    /// Makes a number of any length out of plain decimal notation, `None` where the text is none.
    #[must_use]
    pub fn from_plain(text: &str, format: Format) -> Option<Self> {
        let amount = Amount::Dec(Decimal::parse(text)?);
        Some(Self { amount, format, text: None })
    }

    /// The notation in which the quantity is printed.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    fn decimal(&self) -> Decimal {
        match &self.amount {
            Amount::Int { value, scale } => Decimal::from_i64(*value, *scale),
            Amount::Dec(decimal) => decimal.clone(),
        }
    }

    /// Whether the number is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.signum() == 0
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn signum(&self) -> i32 {
        match &self.amount {
            Amount::Int { value, .. } => value.signum() as i32,
            Amount::Dec(decimal) => decimal.signum(),
        }
    }

    /// The number rounded away from zero to an integer; 0 where a large exponent overflows `int64`, as Go has it.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// The number of thousandths, rounded away from zero.
    #[must_use]
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(MILLI)
    }

    /// `self / 10^scale` rounded away from zero.
    #[must_use]
    pub fn scaled_value(&self, to_scale: i32) -> i64 {
        match &self.amount {
            Amount::Int { value, scale } if *scale < to_scale => {
                divide_rounding_up(*value, to_scale.abs_diff(*scale)).0
            }
            Amount::Int { value, scale } => multiply_by_power(*value, scale.abs_diff(to_scale)).unwrap_or(0),
            Amount::Dec(decimal) => decimal.scaled_i64(to_scale),
        }
    }

    /// The number as an `int64` if it is kept as one and is whole.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match &self.amount {
            Amount::Int { value, scale: 0 } => Some(*value),
            Amount::Int { value, scale } if *scale > 0 => multiply_by_power(*value, scale.unsigned_abs()),
            _ => None,
        }
    }

    /// The number as a float, computed from the digits and a power of ten.
    #[must_use]
    pub fn as_approximate_f64(&self) -> f64 {
        let (base, exponent) = match &self.amount {
            Amount::Int { value, scale } => (*value as f64, *scale),
            Amount::Dec(decimal) => (decimal.unscaled_f64(), decimal.exponent),
        };
        if exponent == 0 { base } else { base * power_of_ten(exponent) }
    }

    /// The nearest float.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        self.decimal().to_f64()
    }

    /// The exact number in plain decimal notation.
    #[must_use]
    pub fn plain(&self) -> String {
        self.decimal().plain()
    }

    /// Adds; a zero takes over the other's notation.
    pub fn add(&mut self, other: &Self) {
        self.text = None;
        if self.is_zero() {
            self.format = other.format;
        }
        if let (Amount::Int { value, scale }, Amount::Int { value: other_value, scale: other_scale }) =
            (&self.amount, &other.amount)
            && let Some((value, scale)) = add_scaled((*value, *scale), (*other_value, *other_scale))
        {
            self.amount = Amount::Int { value, scale };
            return;
        }
        self.amount = Amount::Dec(self.decimal().plus(&other.decimal()));
    }

    /// Subtracts; a zero takes over the other's notation.
    pub fn sub(&mut self, other: &Self) {
        let mut negated = other.clone();
        negated.neg();
        self.add(&negated);
    }

    /// Multiplies; `false` where the result is inexact in the sense of Go's `Mul`.
    pub fn mul(&mut self, factor: i64) -> bool {
        self.text = None;
        if let Amount::Int { value, scale } = &self.amount {
            let product = match (*value, factor) {
                (0, _) => Some((0, *scale)),
                (_, 0) => Some((0, 0)),
                // Go's int64Multiply refuses the most negative number, whatever the result.
                (value, factor) if factor != 1 && value != 1 && (value == i64::MIN || factor == i64::MIN) => {
                    None
                }
                (value, factor) => value
                    .checked_mul(factor)
                    .filter(|product| {
                        *scale <= 0 || multiply_by_power(*product, scale.unsigned_abs()).is_some()
                    })
                    .filter(|product| *scale >= 0 || divide_rounding_up(*product, scale.unsigned_abs()).1)
                    .map(|product| (product, *scale)),
            };
            if let Some((value, scale)) = product {
                self.amount = Amount::Int { value, scale };
                return true;
            }
        }
        let product = self.decimal().times(factor);
        let exact = product.unscaled_is_i64();
        self.amount = Amount::Dec(product);
        exact
    }

    /// Changes the sign.
    pub fn neg(&mut self) {
        self.text = None;
        self.amount = match &self.amount {
            Amount::Int { value, scale } => Amount::Int { value: value.wrapping_neg(), scale: *scale },
            Amount::Dec(decimal) => Amount::Dec(decimal.clone().negated()),
        };
    }

    /// Rounds away from zero to a multiple of 10^scale; `false` where that changed the number.
    pub fn round_up(&mut self, to_scale: i32) -> bool {
        match &self.amount {
            Amount::Int { scale, .. } if *scale >= to_scale => true,
            Amount::Int { value, scale } => {
                let (value, exact) = divide_rounding_up(*value, to_scale.abs_diff(*scale));
                self.text = None;
                self.amount = Amount::Int { value, scale: to_scale };
                exact
            }
            Amount::Dec(decimal) => {
                let (rounded, exact) = decimal.round_up(to_scale);
                self.text = None;
                self.amount = Amount::Dec(rounded);
                exact
            }
        }
    }

    fn is_whole(&self) -> bool {
        match &self.amount {
            Amount::Int { value, scale } => *scale >= 0 || divide_rounding_up(*value, scale.unsigned_abs()).1,
            Amount::Dec(decimal) => decimal.round_up(0).1,
        }
    }

    /// As [`Quantity::canonical`], for numbers that an `int64` holds together with what shortening them takes;
    /// `None` for others.
    fn canonical_int(&self) -> Option<(i64, String)> {
        let Amount::Int { value, scale } = self.amount else { return None };
        if value == 0 {
            return None;
        }
        let binary = self.format == Format::BinarySi && scale == 0 && (value >= 1024 || value <= -1024);
        if self.format == Format::BinarySi && !binary && scale != 0 {
            return None;
        }
        let (mut number, mut exponent) = (value, scale);
        if binary {
            let mut times = 0;
            while number % 1024 == 0 {
                number /= 1024;
                times += 1;
            }
            return Some((number, suffix::construct(times * 10, Format::BinarySi)));
        }
        let format = if self.format == Format::BinarySi { Format::DecimalSi } else { self.format };
        while number % 10 == 0 {
            number /= 10;
            exponent = exponent.checked_add(1)?;
        }
        while exponent % 3 != 0 {
            number = number.checked_mul(10)?;
            exponent -= 1;
        }
        Some((number, suffix::construct(exponent, format)))
    }

    /// The canonical number and suffix, whatever text was read.
    fn canonical(&self) -> (String, String) {
        if self.is_zero() {
            return ("0".to_owned(), String::new());
        }
        let decimal = self.decimal();
        let mut format = self.format;
        if format == Format::BinarySi {
            let small = decimal.compare(&Decimal::from_i64(-1024, 0)) == Ordering::Greater
                && decimal.compare(&Decimal::from_i64(1024, 0)) == Ordering::Less;
            if small || !self.is_whole() {
                format = Format::DecimalSi;
            }
        }
        if format == Format::BinarySi {
            let (number, exponent) = decimal.canonical_base_1024();
            (number, suffix::construct(exponent.saturating_mul(10), format))
        } else {
            let (number, exponent) = decimal.canonical();
            (number, suffix::construct(exponent, format))
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        if let Some((number, suffix)) = self.canonical_int() {
            return write!(f, "{number}{suffix}");
        }
        let (number, suffix) = self.canonical();
        write!(f, "{number}{suffix}")
    }
}

impl Default for Quantity {
    fn default() -> Self {
        Self::new(0, Format::DecimalSi)
    }
}

impl std::str::FromStr for Quantity {
    type Err = ParseQuantityError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.amount, &other.amount) {
            (Amount::Int { value: left, scale: a }, Amount::Int { value: right, scale: b }) if a == b => {
                left.cmp(right)
            }
            _ => self.decimal().compare(&other.decimal()),
        }
    }
}

impl From<&Quantity> for k8s_openapi::apimachinery::pkg::api::resource::Quantity {
    fn from(quantity: &Quantity) -> Self {
        Self(quantity.to_string())
    }
}

impl TryFrom<&k8s_openapi::apimachinery::pkg::api::resource::Quantity> for Quantity {
    type Error = ParseQuantityError;
    fn try_from(
        quantity: &k8s_openapi::apimachinery::pkg::api::resource::Quantity,
    ) -> Result<Self, Self::Error> {
        Self::parse_json(&quantity.0)
    }
}

fn multiply_by_power(value: i64, power: u32) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    10i64.checked_pow(power)?.checked_mul(value)
}

/// Divides by 10^power away from zero; the flag says that nothing was lost.
fn divide_rounding_up(value: i64, power: u32) -> (i64, bool) {
    let Some(divisor) = 10i64.checked_pow(power) else {
        return (value.signum(), value == 0);
    };
    let (quotient, remainder) = (value / divisor, value % divisor);
    (quotient + remainder.signum(), remainder == 0)
}

fn add_scaled((a, a_scale): (i64, i32), (b, b_scale): (i64, i32)) -> Option<(i64, i32)> {
    if b == 0 {
        return Some((a, a_scale));
    }
    if a == 0 {
        return Some((b, b_scale));
    }
    let scale = a_scale.min(b_scale);
    let a = multiply_by_power(a, a_scale.abs_diff(scale))?;
    let b = multiply_by_power(b, b_scale.abs_diff(scale))?;
    Some((a.checked_add(b)?, scale))
}

/// 10^exponent as Go's `math.Pow10` has it: exact to the nearest float, 0 or infinite outside the range.
fn power_of_ten(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests;
