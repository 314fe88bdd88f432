//! `kubectl plugin list`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/plugin/plugin.go (v1.37).

use crate::cx::{Cx, Flow, done};
use crate::error::{Result, message};
use crate::flags::Parsed;

/// Prefix of a plugin's file name.
const PREFIX: &str = "kubectl-";

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let path = cx.env.vars.get("PATH").cloned().unwrap_or_default();
    let mut seen: Vec<String> = Vec::new();
    let mut found: Vec<String> = Vec::new();
    for dir in path.split(':').filter(|dir| !dir.trim().is_empty()) {
        if seen.iter().any(|s| s == dir) {
            continue;
        }
        seen.push(dir.to_owned());
        match cx.io.read_dir(dir) {
            Ok(entries) => {
                let plugins = entries.into_iter().filter(|e| !e.is_dir && e.name.starts_with(PREFIX));
                found.extend(plugins.map(|entry| format!("{dir}/{}", entry.name)));
            }
            Err(_) => cx.errln(&format!(
                "Unable to read directory {dir:?} from your PATH: open {dir}: no such file or directory. Skipping..."
            )),
        }
    }
    if found.is_empty() {
        return message("unable to find any kubectl plugins in your PATH");
    }
    cx.outln("The following compatible plugins are available:\n");
    for path in found {
        let shown = match parsed.bool("name-only") {
            true => path.rsplit('/').next().unwrap_or_default().to_owned(),
            false => path,
        };
        cx.outln(&shown);
    }
    done()
}
