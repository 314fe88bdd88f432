//! Decimal numbers of any length, as far as quantities need them.
//!
//! Kubernetes falls back to `inf.Dec` where an `int64` does not hold a quantity. What that needs is small: every
//! multiplication and division is by a number that fits one machine word.

use std::cmp::Ordering;

const LIMB_BITS: u32 = 32;

/// Powers of ten beyond this are not written out: a difference of scales so large leaves no digit in common.
const MAX_RESCALE: u32 = 8192;

/// An unsigned integer, least significant limb first, without leading zero limbs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Magnitude(Vec<u32>);

impl Magnitude {
    fn from_u64(value: u64) -> Self {
        let mut limbs = vec![(value & 0xffff_ffff) as u32, (value >> LIMB_BITS) as u32];
        trim(&mut limbs);
        Self(limbs)
    }

    fn to_u64(&self) -> Option<u64> {
        match self.0.as_slice() {
            [] => Some(0),
            [low] => Some(u64::from(*low)),
            [low, high] => Some(u64::from(*low) | (u64::from(*high) << LIMB_BITS)),
            _ => None,
        }
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.0 {
            let product = u64::from(*limb) * u64::from(factor) + carry;
            *limb = (product & 0xffff_ffff) as u32;
            carry = product >> LIMB_BITS;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
        trim(&mut self.0);
    }

    /// Divides in place and returns the remainder.
    fn divide(&mut self, divisor: u32) -> u32 {
        let mut remainder = 0u64;
        for limb in self.0.iter_mut().rev() {
            let value = (remainder << LIMB_BITS) | u64::from(*limb);
            *limb = (value / u64::from(divisor)) as u32;
            remainder = value % u64::from(divisor);
        }
        trim(&mut self.0);
        remainder as u32
    }

    fn add(&self, other: &Self) -> Self {
        let (long, short) = if self.0.len() >= other.0.len() { (self, other) } else { (other, self) };
        let mut limbs = Vec::with_capacity(long.0.len() + 1);
        let mut carry = 0u64;
        for (index, limb) in long.0.iter().enumerate() {
            let sum = u64::from(*limb) + u64::from(short.0.get(index).copied().unwrap_or(0)) + carry;
            limbs.push((sum & 0xffff_ffff) as u32);
            carry = sum >> LIMB_BITS;
        }
        if carry > 0 {
            limbs.push(carry as u32);
        }
        Self(limbs)
    }

    /// `self - other`, where `self` is not the smaller.
    fn subtract(&self, other: &Self) -> Self {
        let mut limbs = Vec::with_capacity(self.0.len());
        let mut borrow = 0i64;
        for (index, limb) in self.0.iter().enumerate() {
            let mut difference =
                i64::from(*limb) - i64::from(other.0.get(index).copied().unwrap_or(0)) - borrow;
            borrow = i64::from(difference < 0);
            if difference < 0 {
                difference += 1 << LIMB_BITS;
            }
            limbs.push(difference as u32);
        }
        trim(&mut limbs);
        Self(limbs)
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    fn scale_up(&mut self, digits: u32) {
        let mut left = digits;
        while left > 0 {
            let step = left.min(9);
            self.multiply_add(10u32.pow(step), 0);
            left -= step;
        }
    }

    /// Divides by 10^digits in place, toward zero; returns whether a fraction was lost.
    fn scale_down(&mut self, digits: u32) -> bool {
        let mut left = digits;
        let mut lost = false;
        while left > 0 && !self.is_zero() {
            let step = left.min(9);
            lost |= self.divide(10u32.pow(step)) != 0;
            left -= step;
        }
        lost
    }

    fn digits(&self) -> String {
        let mut rest = self.clone();
        let mut groups = Vec::new();
        while !rest.is_zero() {
            groups.push(rest.divide(1_000_000_000));
        }
        let Some(first) = groups.pop() else { return "0".to_owned() };
        let mut text = first.to_string();
        for group in groups.iter().rev() {
            text.push_str(&format!("{group:09}"));
        }
        text
    }
}

fn trim(limbs: &mut Vec<u32>) {
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
}

/// `±magnitude × 10^exponent`. Zero is never negative.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Decimal {
    negative: bool,
    magnitude: Magnitude,
    /// The negative of what `inf.Dec` calls scale.
    pub(super) exponent: i32,
}

impl Decimal {
    pub(super) fn from_i64(value: i64, exponent: i32) -> Self {
        Self { negative: value < 0, magnitude: Magnitude::from_u64(value.unsigned_abs()), exponent }
    }

    /// Reads `[+-]digits[.digits]`; `None` where there is no digit or anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        let mut digits: Vec<u8> = whole.bytes().collect();
        digits.extend(fraction.bytes());
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut magnitude = Magnitude::default();
        for chunk in digits.chunks(9) {
            let value = chunk.iter().fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
            magnitude.multiply_add(10u32.pow(chunk.len() as u32), value);
        }
        let exponent = -i32::try_from(fraction.len()).ok()?;
        Some(Self { negative: negative && !magnitude.is_zero(), magnitude, exponent })
    }

    /// How Go's spew prints an `inf.Dec` that was read from a text, which then counts billionths.
    pub(super) fn dump_for_hash(&self) -> String {
        let mut magnitude = self.magnitude.clone();
        if let Ok(digits @ 1..) = u32::try_from(self.exponent.saturating_sub(super::NANO)) {
            magnitude.scale_up(digits.min(MAX_RESCALE));
        }
        let words: Vec<String> = magnitude
            .0
            .chunks(2)
            .map(|pair| {
                let high = pair.get(1).copied().unwrap_or(0);
                (u64::from(pair.first().copied().unwrap_or(0)) | (u64::from(high) << LIMB_BITS)).to_string()
            })
            .collect();
        format!(
            "{{unscaled:(big.Int){{neg:(bool){} abs:(big.nat)[{}]}} scale:(inf.Scale)9}}",
            self.negative,
            words.join(" ")
        )
    }

    pub(super) fn is_zero(&self) -> bool {
        self.magnitude.is_zero()
    }

    pub(super) fn signum(&self) -> i32 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    pub(super) fn negated(mut self) -> Self {
        self.negative = !self.negative && !self.is_zero();
        self
    }

    pub(super) fn absolute(mut self) -> Self {
        self.negative = false;
        self
    }

    /// Multiplies by 2^power.
    pub(super) fn shifted_left(mut self, power: u32) -> Self {
        let mut left = power;
        while left > 0 {
            let step = left.min(31);
            self.magnitude.multiply_add(1 << step, 0);
            left -= step;
        }
        self
    }

    /// Rounds away from zero to a multiple of 10^exponent; the flag says that nothing was lost.
    pub(super) fn round_up(&self, exponent: i32) -> (Self, bool) {
        let mut rounded = self.clone();
        if self.exponent >= exponent {
            let digits = self.exponent.abs_diff(exponent);
            if digits <= MAX_RESCALE {
                rounded.magnitude.scale_up(digits);
                rounded.exponent = exponent;
            }
            return (rounded, true);
        }
        let lost = rounded.magnitude.scale_down(exponent.abs_diff(self.exponent));
        if lost {
            rounded.magnitude = rounded.magnitude.add(&Magnitude::from_u64(1));
        }
        rounded.exponent = exponent;
        (rounded, !lost)
    }

    /// The position of the first digit: 10^(result-1) ≤ |self| < 10^result.
    fn leading_position(&self) -> i64 {
        self.magnitude.digits().len() as i64 + i64::from(self.exponent)
    }

    /// Both numbers at the smaller of the two exponents; `None` where their digits lie too far apart.
    fn aligned(&self, other: &Self) -> Option<(Magnitude, Magnitude, i32)> {
        let exponent = self.exponent.min(other.exponent);
        let align = |number: &Self| {
            let digits = number.exponent.abs_diff(exponent);
            let mut magnitude = number.magnitude.clone();
            if !magnitude.is_zero() {
                if digits > MAX_RESCALE {
                    return None;
                }
                magnitude.scale_up(digits);
            }
            Some(magnitude)
        };
        Some((align(self)?, align(other)?, exponent))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let by_sign = self.signum().cmp(&other.signum());
        if by_sign != Ordering::Equal || self.is_zero() {
            return by_sign;
        }
        let by_position = self.leading_position().cmp(&other.leading_position());
        let absolute = match (by_position, self.aligned(other)) {
            (Ordering::Equal, Some((left, right, _))) => left.compare(&right),
            (order, _) => order,
        };
        if self.negative { absolute.reverse() } else { absolute }
    }

    /// The sum; where the operands' digits lie thousands of places apart the smaller one is dropped.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let Some((left, right, exponent)) = self.aligned(other) else {
            let smaller = self.clone().absolute().compare(&other.clone().absolute()) == Ordering::Less;
            return if smaller { other.clone() } else { self.clone() };
        };
        let (negative, magnitude) = if self.negative == other.negative {
            (self.negative, left.add(&right))
        } else if left.compare(&right) == Ordering::Less {
            (other.negative, right.subtract(&left))
        } else {
            (self.negative, left.subtract(&right))
        };
        Self { negative: negative && !magnitude.is_zero(), magnitude, exponent }
    }

    pub(super) fn times(&self, factor: i64) -> Self {
        let absolute = factor.unsigned_abs();
        let mut low = self.magnitude.clone();
        low.multiply_add((absolute & 0xffff_ffff) as u32, 0);
        let mut high = self.magnitude.clone();
        high.multiply_add((absolute >> LIMB_BITS) as u32, 0);
        if !high.is_zero() {
            high.0.insert(0, 0);
        }
        let magnitude = low.add(&high);
        Self {
            negative: (self.negative != (factor < 0)) && !magnitude.is_zero(),
            magnitude,
            exponent: self.exponent,
        }
    }

    /// Whether the digits without the exponent fit an `int64`.
    pub(super) fn unscaled_is_i64(&self) -> bool {
        match self.magnitude.to_u64() {
            Some(value) => value <= i64::MAX as u64 + u64::from(self.negative),
            None => false,
        }
    }

    /// The number rounded away from zero at 10^exponent, cut to the low 64 bits as Go's `big.Int.Int64` does.
    pub(super) fn scaled_i64(&self, exponent: i32) -> i64 {
        let (rounded, _) = self.round_up(exponent);
        let low = match rounded.magnitude.0.as_slice() {
            [] => 0,
            [low] => u64::from(*low),
            [low, high, ..] => u64::from(*low) | (u64::from(*high) << LIMB_BITS),
        };
        if rounded.negative { (low as i64).wrapping_neg() } else { low as i64 }
    }

    /// Digits (with sign) and exponent, where the exponent is the largest multiple of three that loses nothing.
    pub(super) fn canonical(&self) -> (String, i32) {
        let digits = self.magnitude.digits();
        let kept = digits.trim_end_matches('0');
        if kept.is_empty() {
            return ("0".to_owned(), 0);
        }
        let mut text = String::with_capacity(digits.len() + 3);
        if self.negative {
            text.push('-');
        }
        text.push_str(kept);
        let mut exponent = self.exponent.saturating_add((digits.len() - kept.len()) as i32);
        while exponent % 3 != 0 {
            text.push('0');
            exponent -= 1;
        }
        (text, exponent)
    }

    /// Digits and the exponent of 1024, after rounding up to an integer.
    pub(super) fn canonical_base_1024(&self) -> (String, i32) {
        let (rounded, _) = self.round_up(0);
        let mut magnitude = rounded.magnitude;
        let mut times = 0;
        while !magnitude.is_zero() {
            let mut quotient = magnitude.clone();
            if quotient.divide(1024) != 0 {
                break;
            }
            times += 1;
            magnitude = quotient;
        }
        let sign = if rounded.negative { "-" } else { "" };
        (format!("{sign}{}", magnitude.digits()), times)
    }

    /// The nearest float.
    pub(super) fn to_f64(&self) -> f64 {
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{}e{}", self.magnitude.digits(), self.exponent).parse().unwrap_or(f64::INFINITY)
    }

    /// The nearest float to the digits alone, without the exponent.
    pub(super) fn unscaled_f64(&self) -> f64 {
        Self { exponent: 0, ..self.clone() }.to_f64()
    }

    /// Plain decimal notation, for tests and messages.
    pub(super) fn plain(&self) -> String {
        let digits = self.magnitude.digits();
        let sign = if self.negative { "-" } else { "" };
        if self.exponent >= 0 {
            let zeros = if self.is_zero() { 0 } else { self.exponent.min(MAX_RESCALE as i32) as usize };
            return format!("{sign}{digits}{}", "0".repeat(zeros));
        }
        let places = self.exponent.unsigned_abs() as usize;
        if places > MAX_RESCALE as usize {
            return format!("{sign}{digits}e{}", self.exponent);
        }
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn arithmetic_agrees_with_i128() {
        let numbers: [i64; 9] =
            [0, 1, -1, 999_999_999_999, -7, i64::MAX, i64::MIN, 4_294_967_296, -4_294_967_297];
        for a in numbers {
            for b in numbers {
                let (x, y) = (Decimal::from_i64(a, 0), Decimal::from_i64(b, 0));
                assert_eq!(x.plus(&y).plain(), (i128::from(a) + i128::from(b)).to_string());
                assert_eq!(x.times(b).plain(), (i128::from(a) * i128::from(b)).to_string());
                assert_eq!(x.compare(&y), a.cmp(&b));
            }
        }
    }

    #[test]
    fn far_apart_exponents_stay_cheap() {
        let (huge, tiny) = (Decimal::from_i64(1, i32::MAX), Decimal::from_i64(1, i32::MIN));
        assert_eq!(huge.compare(&tiny), Ordering::Greater);
        assert_eq!(huge.plus(&tiny), huge);
        assert_eq!(tiny.round_up(-9).0.plain(), "0.000000001");
    }

    #[test]
    fn text_survives() {
        for text in ["0", "-1.025", "99999999999999999999999999999999.000000001", "0.5"] {
            assert_eq!(decimal(text).plain(), text);
        }
    }
}
