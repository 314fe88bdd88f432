//! `kubectl kustomize`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/kustomize/kustomize.go, sigs.k8s.io/kustomize/kustomize/v5/commands/build/build.go (v1.37).

use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::kustomize;

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let dir = match parsed.args.as_slice() {
        [] => ".",
        [dir] => dir.as_str(),
        _ => return message("specify one path to kustomization.yaml"),
    };
    let objects = kustomize::build(cx, dir).map_err(Error::Message)?;
    let output = parsed.str("output");
    if output.is_empty() {
        cx.out(&kustomize::to_yaml(&objects));
        return done();
    }
    let files = match cx.io.read_dir(output) {
        Ok(_) => objects
            .iter()
            .map(|object| {
                let path = format!("{}/{}", output.trim_end_matches('/'), kustomize::file_name(object));
                (path, kustomize::to_yaml(std::slice::from_ref(object)))
            })
            .collect(),
        Err(_) => vec![(output.to_owned(), kustomize::to_yaml(&objects))],
    };
    for (path, content) in files {
        if cx.io.write_file(&path, content.as_bytes()).is_err() {
            return message(format!("open {path}: no such file or directory"));
        }
    }
    done()
}
