//! What a visitor downloads: each file's size, plain and compressed with brotli.

use anyhow::Result;
use std::process::Command;

use super::{Options, Profile};
use crate::process::run_quiet;

/// Node.js has brotli built in, so it does the compressing. Prints `bytes brotli path` lines.
const SCRIPT: &str = r#"
import { readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
const [folder, quality] = process.argv.slice(-2);
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith(".map"))
  .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`.slice(folder.length + 1))
  .sort();
for (const file of files) {
  const bytes = readFileSync(`${folder}/${file}`);
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: Number(quality) } };
  console.log(bytes.length, brotliCompressSync(bytes, options).length, file);
}
"#;

/// Prints a table of the page's files, and their sum.
///
/// # Errors
/// If node fails.
pub(super) fn print(options: &Options) -> Result<()> {
    let quality = if options.profile != Profile::Dev { "11" } else { "4" };
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", SCRIPT, "--"]).arg(&options.out).arg(quality);
    let listing = run_quiet(&mut node)?;
    let (mut plain, mut packed) = (0.0, 0.0);
    println!("{:>12} {:>12}  file", "bytes", "brotli");
    for line in listing.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(bytes), Some(brotli), Some(file)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        plain += bytes.parse::<f64>().unwrap_or_default();
        packed += brotli.parse::<f64>().unwrap_or_default();
        println!("{bytes:>12} {brotli:>12}  {file}");
    }
    println!("{plain:>12} {packed:>12}  all ({:.1} KB brotli at quality {quality})", packed / 1000.0);
    Ok(())
}
