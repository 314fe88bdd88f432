//! Tests of `quantity`.
use super::*;

fn canonical(text: &str) -> String {
    Quantity::parse(text).map_or_else(|error| error.to_string(), |quantity| quantity.to_string())
}

#[test]
fn text_that_is_canonical_by_gos_quick_test_is_kept() {
    // The quick test looks at the number of digits only, so that some odd texts survive.
    for text in ["100m", "1Gi", "+5", "5.", "1.123", "1E3", "1025Ki", "0"] {
        assert_eq!(canonical(text), text);
    }
}

#[test]
fn other_text_becomes_canonical() {
    for (text, expected) in [
        ("1000m", "1"),
        ("0.1", "100m"),
        ("1.5Gi", "1536Mi"),
        ("1024Mi", "1Gi"),
        ("1e4", "10e3"),
        ("16Ei", "9223372036854775807"),
        ("0.0000000001", "1n"),
        ("-", "0"),
        ("1e2147483647", "10e2147483646"),
        ("1e-2147483647", "1e-9"),
    ] {
        assert_eq!(canonical(text), expected, "{text}");
    }
}

#[test]
fn values_are_rounded_up() {
    let quantity = Quantity::parse("1500m").unwrap();
    assert_eq!((quantity.value(), quantity.milli_value()), (2, 1500));
    let quantity = Quantity::parse("100.035Ki").unwrap();
    assert_eq!((quantity.value(), quantity.milli_value()), (102_436, 102_435_840));
    let quantity = Quantity::parse("-1500m").unwrap();
    assert_eq!(quantity.value(), -2);
}

#[test]
fn a_huge_exponent_neither_hangs_nor_panics() {
    let mut huge = Quantity::parse("1e2147483647").unwrap();
    let tiny = Quantity::parse("1n").unwrap();
    assert!(huge > tiny);
    huge.add(&tiny);
    huge.sub(&tiny);
    assert!(!huge.mul(i64::MAX) || huge > tiny);
    assert_eq!(huge.value(), huge.value());
    let _ = (huge.round_up(3), huge.as_f64(), huge.as_approximate_f64(), huge.to_string(), huge.plain());
}

#[test]
fn zero_takes_over_the_notation_of_what_is_added() {
    let mut sum = Quantity::default();
    sum.add(&Quantity::parse("1Gi").unwrap());
    assert_eq!(sum.to_string(), "1Gi");
}

#[test]
fn whole_numbers_survive_printing() {
    for value in [0i64, 1, -1, 1023, 1024, 1_000_000, 1 << 40, i64::MAX, i64::MIN + 1] {
        for format in [Format::BinarySi, Format::DecimalSi, Format::DecimalExponent] {
            let quantity = Quantity::new(value, format);
            assert_eq!(Quantity::parse(&quantity.to_string()).unwrap(), quantity);
        }
    }
}

#[test]
fn the_short_way_to_the_canonical_form_leads_to_the_same() {
    let mut short = 0;
    for text in [
        "1",
        "10",
        "999",
        "1000",
        "1024",
        "1536",
        "2047",
        "2048",
        "1048576",
        "123456789",
        "9223372036854775807",
    ] {
        for sign in ["", "-"] {
            for suffix in
                ["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "e3", "E3", "e-1"]
            {
                let text = format!("{sign}{text}{suffix}");
                let Ok(quantity) = text.parse::<Quantity>() else { continue };
                if let Some((number, suffix)) = quantity.canonical_int() {
                    assert_eq!((number.to_string(), suffix), quantity.canonical(), "{text}");
                    short += 1;
                }
            }
        }
    }
    assert!(short > 200, "{short}");
}
