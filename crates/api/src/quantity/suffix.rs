//! Suffixes of quantities and the notations they stand for.

/// The three notations of quantities.
///
/// Source: staging/src/k8s.io/apimachinery/pkg/api/resource/suffix.go (v1.37).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `12e6`.
    DecimalExponent,
    /// `12Mi`, powers of 1024.
    BinarySi,
    /// `12M`, powers of 1000.
    DecimalSi,
}

impl Format {
    /// Kubernetes' name of the notation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DecimalExponent => "DecimalExponent",
            Self::BinarySi => "BinarySI",
            Self::DecimalSi => "DecimalSI",
        }
    }
}

const BINARY: [(&str, i32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// `base^exponent`, and the notation in which the number is printed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suffix {
    pub(super) base: u32,
    pub(super) exponent: i32,
    pub(super) format: Format,
}

pub(super) fn interpret(text: &str) -> Option<Suffix> {
    let find =
        |table: &[(&str, i32)]| table.iter().find(|(name, _)| *name == text).map(|(_, exponent)| *exponent);
    if let Some(exponent) = find(&DECIMAL) {
        return Some(Suffix { base: 10, exponent, format: Format::DecimalSi });
    }
    if let Some(exponent) = find(&BINARY) {
        return Some(Suffix { base: 2, exponent, format: Format::BinarySi });
    }
    let exponent: i64 = text.strip_prefix(['e', 'E'])?.parse().ok()?;
    // Go cuts the exponent to 32 bits.
    Some(Suffix { base: 10, exponent: exponent as i32, format: Format::DecimalExponent })
}

/// The suffix to print; empty where none exists, as in Kubernetes, which then prints the number alone.
pub(super) fn construct(exponent: i32, format: Format) -> String {
    let find = |table: &[(&str, i32)]| {
        table
            .iter()
            .find(|(_, value)| *value == exponent)
            .map_or(String::new(), |(name, _)| (*name).to_owned())
    };
    match format {
        Format::DecimalSi => find(&DECIMAL),
        Format::BinarySi => find(&BINARY),
        Format::DecimalExponent if exponent == 0 => String::new(),
        Format::DecimalExponent => format!("e{exponent}"),
    }
}
