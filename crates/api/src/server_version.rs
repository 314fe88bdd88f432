//! What the API server says at `/version`.

/// The release, field by field in the order in which Go writes them.
///
/// Source: k8s.io/apimachinery/pkg/version/types.go `Info` (v1.37).
pub const INFO: [(&str, &str); 13] = [
    ("major", "1"),
    ("minor", "37"),
    ("emulationMajor", "1"),
    ("emulationMinor", "37"),
    ("minCompatibilityMajor", "1"),
    ("minCompatibilityMinor", "36"),
    ("gitVersion", "v1.37.1"),
    ("gitCommit", "f78e722310e50bcaca9276be22276d9e91d91308"),
    ("gitTreeState", "clean"),
    ("buildDate", "2026-09-23T17:10:04Z"),
    ("goVersion", "go1.26.8"),
    ("compiler", "gc"),
    ("platform", "linux/amd64"),
];

/// The answer to a GET of `/version`: indented JSON without a newline at its end.
pub fn answer() -> String {
    let fields: Vec<String> = INFO.iter().map(|(name, value)| format!("  {name:?}: {value:?}")).collect();
    format!("{{\n{}\n}}", fields.join(",\n"))
}
