//! Rules of the house that the compiler doesn't know, checked as tests: which crate may use which, what every source file
//! starts with and how long it may be, and what no file may mention.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths::root;

/// Who may depend on whom among the workspace's crates; a dependency points downwards only.
const MAY_USE: [(&str, &[&str]); 11] = [
    (
        "podlab",
        &[
            "podlab-kubectl",
            "podlab-cluster",
            "podlab-drills",
            "podlab-api",
            "podlab-shell",
            "podlab-yaml",
            "podlab-sim",
        ],
    ),
    ("podlab-serve", &["podlab-cluster", "podlab-api", "podlab-sim", "podlab-yaml"]),
    ("podlab-drills", &["podlab-kubectl", "podlab-cluster", "podlab-api", "podlab-yaml", "podlab-sim"]),
    ("podlab-kubectl", &["podlab-api", "podlab-shell", "podlab-sim", "podlab-yaml"]),
    ("podlab-cluster", &["podlab-api", "podlab-shell", "podlab-sim", "podlab-yaml"]),
    ("podlab-api", &["podlab-yaml"]),
    ("podlab-shell", &["podlab-sim"]),
    ("podlab-yaml", &[]),
    ("podlab-sim", &[]),
    // The measurements and comparisons run every part.
    (
        "xtask",
        &[
            "podlab-kubectl",
            "podlab-cluster",
            "podlab-drills",
            "podlab-api",
            "podlab-shell",
            "podlab-sim",
            "podlab-yaml",
        ],
    ),
    ("podlab-fuzz", &["podlab-kubectl", "podlab-cluster", "podlab-api", "podlab-shell", "podlab-yaml"]),
];

/// A file longer than this holds more than one subject.
const LINES: usize = 1000;

/// Longer files that are data or generated, each with its reason.
const MAY_BE_LONG: [&str; 0] = [];

/// Folders of a machine, and hosts of registries, which would tie the project to the place it was written at. Each is
/// split so that this file doesn't contain it.
const MACHINE_PATHS: [[&str; 2]; 4] = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Use", "rs/"]];

/// The registry that `cargo` itself names in every lock file.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// All files that git tracks or would track, relative to the workspace.
fn files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()
        .unwrap();
    assert!(output.status.success(), "git can list the files");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut files =
        text.lines().map(PathBuf::from).filter(|file| root().join(file).is_file()).collect::<Vec<_>>();
    files.sort();
    files.dedup();
    files
}

fn text(file: &Path) -> Option<String> {
    std::fs::read(root().join(file)).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

fn is_rust(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "rs")
}

/// Hand-written code, as opposed to recordings, tables and documents.
fn is_code(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    matches!(extension, "rs" | "js" | "mjs" | "css" | "go" | "html" | "sh")
}

fn check(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn crates_depend_downwards_only() {
    let rules = MAY_USE.into_iter().collect::<BTreeMap<_, _>>();
    let manifests =
        files().into_iter().filter(|file| file.file_name().is_some_and(|name| name == "Cargo.toml"));
    let mut problems = Vec::new();
    for manifest in manifests {
        let content = text(&manifest).unwrap_or_default();
        let Some(name) = package_name(&content) else { continue };
        let Some(allowed) = rules.get(name.as_str()) else {
            problems
                .push(format!("{}: the crate {name} has no rule in xtask/src/tidy.rs", manifest.display()));
            continue;
        };
        for used in own_dependencies(&content) {
            if !allowed.contains(&used.as_str()) {
                problems.push(format!("{}: {name} may not use {used}", manifest.display()));
            }
        }
    }
    check(problems);
}

fn package_name(manifest: &str) -> Option<String> {
    let section = manifest.split_once("[package]")?.1;
    let line = section.lines().find(|line| line.starts_with("name"))?;
    Some(line.split('"').nth(1)?.to_owned())
}

/// The workspace's crates among the dependencies that are compiled into the crate; tests may use any.
fn own_dependencies(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            inside = section == "dependencies]"
                || section.ends_with(".dependencies]") && !section.starts_with("workspace");
            if let Some(name) = section.strip_prefix("dependencies.") {
                found.extend(
                    name.strip_suffix(']').filter(|name| name.starts_with("podlab")).map(str::to_owned),
                );
            }
        } else if inside && line.starts_with("podlab") {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            found.push(line[..end].to_owned());
        }
    }
    found
}

#[test]
fn dependencies_are_read_from_every_form_of_manifest() {
    let manifest = "[package]\nname = \"podlab-x\"\n[dependencies]\npodlab-api.workspace = true\n\
                    podlab-sim = { path = \"../sim\" }\nserde = \"1\"\n[dependencies.podlab-yaml]\npath = \"y\"\n\
                    [dev-dependencies]\npodlab-cluster.workspace = true\n[workspace.dependencies]\npodlab-shell = \"1\"\n";
    assert_eq!(package_name(manifest).as_deref(), Some("podlab-x"));
    assert_eq!(own_dependencies(manifest), ["podlab-api", "podlab-sim", "podlab-yaml"]);
}

#[test]
fn every_source_file_says_what_it_is() {
    let silent = files()
        .into_iter()
        .filter(|file| is_rust(file) && text(file).is_some_and(|content| !content.starts_with("//!")))
        .map(|file| format!("{}: does not start with a `//!` line", file.display()));
    check(silent.collect());
}

#[test]
fn files_hold_one_subject_each() {
    let long = files()
        .into_iter()
        .filter(|file| is_code(file) && !MAY_BE_LONG.iter().any(|name| file == Path::new(name)))
        .filter_map(|file| Some((text(&file)?.lines().count(), file)))
        .filter(|(lines, _)| *lines > LINES)
        .map(|(lines, file)| format!("{}: {lines} lines, more than {LINES}", file.display()));
    check(long.collect());
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    // Such a path inside a container, a URL or a manifest is Kubernetes' own business; one that exists here is ours.
    let mut problems = Vec::new();
    for file in files().into_iter().filter(|file| is_code(file) || is_settings(file)) {
        let Some(content) = text(&file) else { continue };
        for (number, line) in content.lines().enumerate() {
            for path in MACHINE_PATHS.map(|halves| halves.concat()) {
                if line.match_indices(&path).any(|(at, _)| is_machine_path(line, at, &path)) {
                    problems.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
                }
            }
        }
    }
    check(problems);
}

#[test]
fn nobody_asks_a_pods_spec_for_its_node() {
    // It is never there: `Object::node_name` has it, see `podlab_api::Body::Pod`. In two pieces, so as not to find itself.
    let (spec, node) = (["pod_", "spec()"].concat(), [".node_", "name"].concat());
    let asks = |line: &str| line.find(&spec).is_some_and(|at| line[at..].contains(&node));
    let mut problems = Vec::new();
    for file in files().into_iter().filter(|file| is_rust(file)) {
        let Some(content) = text(&file) else { continue };
        let lines = content.lines().enumerate().filter(|(_, line)| asks(line));
        problems.extend(
            lines.map(|(number, line)| format!("{}:{}: {}", file.display(), number + 1, line.trim())),
        );
    }
    check(problems);
}

/// Files that tools read, in which any such path is a mistake as well.
fn is_settings(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    matches!(extension, "toml" | "json" | "lock") || file.starts_with(".ci") || file.starts_with(".cargo")
}

/// Whether the path at this place of a line starts there, as an absolute path does.
fn is_machine_path(line: &str, at: usize, path: &str) -> bool {
    let before = line[..at].chars().next_back();
    let starts = before
        .is_none_or(|letter| !letter.is_alphanumeric() && !matches!(letter, '.' | '-' | '_' | '}' | '/'));
    let folder =
        line[at + path.len()..].split(|letter: char| !letter.is_alphanumeric() && letter != '-').next();
    // No image's files lie in the first of them. Home folders of images (`/root/.bashrc`, say) occur in shells' tests; a folder that is here does not.
    let always = path == MACHINE_PATHS[0].concat();
    starts
        && folder
            .is_some_and(|folder| !folder.is_empty() && (always || Path::new(path).join(folder).exists()))
}

#[test]
fn lock_files_name_no_registry_but_the_standard_one() {
    let mut problems = Vec::new();
    for file in files() {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let content = match name.as_str() {
            "Cargo.lock" | "package-lock.json" => text(&file).unwrap_or_default(),
            _ => continue,
        };
        for (number, line) in content.lines().enumerate() {
            let named = match name.as_str() {
                "Cargo.lock" => line.starts_with("source = ") && !line.contains(CRATES_IO),
                _ => line.contains("\"resolved\""),
            };
            if named {
                problems.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    check(problems);
}

#[test]
fn the_page_names_no_other_host() {
    // Addresses in comments and links are fine; what the page loads is not.
    let page = text(Path::new("index.html")).unwrap_or_default();
    for attribute in ["src=\"http", "href=\"http", "src=\"//", "href=\"//", "src=\"/", "href=\"/"] {
        assert!(
            !page.contains(attribute),
            "index.html has {attribute}…: it would not work at every sub-path, or offline"
        );
    }
    assert!(page.contains("Content-Security-Policy"), "index.html sets a Content-Security-Policy");
}
