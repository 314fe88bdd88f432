//! JavaScript, CSS, the wasm file and the HTML page, under names that change with their content.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Profile;
use super::compile::Package;
use crate::paths::{page_target, root};
use crate::process::run_quiet;
use crate::tools;

/// What is bundled rather than copied from `static/`.
const BUNDLED: [&str; 2] = ["css", "sw.js"];

/// Puts the whole page together in a staging folder and returns that folder.
///
/// # Errors
/// If esbuild fails or a file can't be written.
pub(super) fn stage(profile: Profile, package: &Package) -> Result<PathBuf> {
    let stage = page_target().join(format!("stage-{}", profile.cargo()));
    let _ = fs::remove_dir_all(&stage);
    fs::create_dir_all(&stage)?;
    let names = bundle(profile, package, &stage)?;
    let wasm = copy_hashed(&package.wasm, "podlab", &stage)?;
    let second = match &package.second {
        Some(file) => copy_hashed(file, "podlab-second", &stage)?,
        None => String::new(),
    };
    copy_static(&root().join("static"), &stage, true)?;
    // Descriptions of all fields: fetched when the page is up, for hover and completion.
    let descriptions = root().join("crates").join("api").join("data").join("descriptions.txt");
    fs::copy(&descriptions, stage.join("descriptions.txt"))
        .with_context(|| format!("cannot read {}", descriptions.display()))?;
    let html = fs::read_to_string(root().join("index.html")).context("cannot read index.html")?;
    let html = fill(
        &html,
        &[
            ("app.js", &names.script),
            ("style.css", &names.style),
            ("warm-up.js", &names.worker),
            ("podlab.wasm", &wasm),
            ("second.wasm", &second),
        ],
    )?;
    let html = html.replace("{{profile}}", profile.cargo());
    fs::write(stage.join("index.html"), html)?;
    Ok(stage)
}

struct Names {
    script: String,
    worker: String,
    style: String,
}

/// Runs esbuild over the page's start script and its style sheet.
fn bundle(profile: Profile, package: &Package, stage: &Path) -> Result<Names> {
    let listing = page_target().join("esbuild.json");
    let mut esbuild = Command::new(tools::binary("esbuild"));
    esbuild
        .current_dir(root())
        .args([
            "app=src/start.js",
            "warm-up=src/warm_up_worker.js",
            "style=static/css/index.css",
            "--bundle",
            "--splitting",
            "--format=esm",
            "--target=es2022",
        ])
        .args(["--entry-names=[name]-[hash]", "--chunk-names=[name]-[hash]", "--asset-names=[name]-[hash]"])
        .arg("--legal-comments=none")
        .args(["--log-level=warning", "--loader:.woff2=file"])
        .arg(format!("--alias:@podlab/wasm={}", package.script.display()))
        .arg(format!("--alias:@podlab/editor={}", root().join("src/editor/lazy.js").display()))
        .arg(format!("--outdir={}", stage.display()))
        .arg(format!("--metafile={}", listing.display()));
    match profile {
        Profile::Dev => esbuild.arg("--sourcemap=linked"),
        Profile::Release => esbuild.arg("--minify"),
    };
    run_quiet(&mut esbuild).context("bundling")?;
    let listing: serde_json::Value = serde_json::from_slice(&fs::read(&listing)?)?;
    let output = |entry: &str| -> Result<String> {
        let outputs = listing["outputs"].as_object().context("esbuild listed no outputs")?;
        let found = outputs.iter().find(|(_, facts)| facts["entryPoint"] == entry);
        let (path, _) = found.with_context(|| format!("esbuild made nothing of {entry}"))?;
        let name = Path::new(path).file_name().context("an output without a name")?;
        Ok(name.to_string_lossy().into_owned())
    };
    Ok(Names {
        script: output("src/start.js")?,
        worker: output("src/warm_up_worker.js")?,
        style: output("static/css/index.css")?,
    })
}

/// Copies a file to `<name>-<hash of its content>.<extension>`.
fn copy_hashed(file: &Path, name: &str, stage: &Path) -> Result<String> {
    let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let hash = format!("{:x}", Sha256::digest(&content));
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    let name = format!("{name}-{}.{extension}", &hash[..10]);
    fs::write(stage.join(&name), content)?;
    Ok(name)
}

/// Copies `static/` but for what is bundled.
fn copy_static(from: &Path, to: &Path, top: bool) -> Result<()> {
    for entry in from.read_dir().with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if top && BUNDLED.iter().any(|bundled| name == *bundled) {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy_static(&entry.path(), &target, false)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Replaces each `{{name}}` of the HTML page by a file's real name.
fn fill(html: &str, names: &[(&str, &String)]) -> Result<String> {
    let mut text = html.to_owned();
    for (name, file) in names {
        let mark = format!("{{{{{name}}}}}");
        if !text.contains(&mark) {
            bail!("index.html does not mention {mark}");
        }
        text = text.replace(&mark, file);
    }
    Ok(text)
}
