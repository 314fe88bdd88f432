//! `gzip`, `gunzip`, `zcat`, and what `tar` needs of them.

use super::options;
use crate::context::{Ctx, Read};
use crate::process::{Family, Program, Step, Wait};
use flate2::Compression;
use flate2::read::{GzEncoder, MultiGzDecoder};
use std::io::Read as _;

/// Most bytes of one file, packed or not.
const MAX_KEPT: usize = 64 << 20;

/// What every gzip file begins with.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Packs; no name and no time is kept, so that the same bytes give the same bytes.
pub(super) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    // Reading from memory cannot fail.
    let _ = GzEncoder::new(bytes, Compression::default()).read_to_end(&mut packed);
    packed
}

/// Unpacks; `None` for what is no gzip, is broken, or would be too large.
pub(super) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_KEPT).unwrap_or(u64::MAX);
    MultiGzDecoder::new(packed).take(limit + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= MAX_KEPT && packed.starts_with(&MAGIC)).then_some(bytes)
}

#[derive(Clone, Debug)]
struct Gzip {
    args: Vec<String>,
    /// What has come from standard input, while it is read.
    input: Option<(Plan, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug)]
struct Plan {
    unpack: bool,
    to_stdout: bool,
    keep: bool,
    force: bool,
}

pub(super) fn gzip(args: &[String], _: Family) -> Box<dyn Program> {
    Box::new(Gzip { args: args.to_vec(), input: None })
}

impl Program for Gzip {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let Some((plan, bytes)) = &mut self.input else {
            let (plan, files) = match plan(ctx, &self.args) {
                Ok(read) => read,
                Err(code) => return Step::Exit(code),
            };
            if files.iter().all(|file| file == "-") {
                self.input = Some((plan, Vec::new()));
                return Step::Ran;
            }
            let code = files.iter().fold(0, |code, file| code.max(one(ctx, plan, file)));
            return Step::Exit(code);
        };
        match ctx.read(0, 1 << 16) {
            Read::Blocked => Step::Block(Wait::readable(0)),
            Read::Data(data) if bytes.len() + data.len() > MAX_KEPT => {
                Step::Exit(ctx.fail(1, "the input is larger than podlab packs"))
            }
            Read::Data(data) => {
                bytes.extend_from_slice(&data);
                Step::Ran
            }
            Read::Eof => match worked(*plan, bytes) {
                Some(out) => {
                    ctx.out(out);
                    Step::Exit(0)
                }
                None => Step::Exit(refuse(ctx, "stdin")),
            },
            Read::Failed(e) => Step::Exit(ctx.fail(1, format!("stdin: {e}"))),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn plan(ctx: &mut Ctx<'_>, args: &[String]) -> Result<(Plan, Vec<String>), i32> {
    let long = [
        ("decompress", 'd'),
        ("uncompress", 'd'),
        ("stdout", 'c'),
        ("to-stdout", 'c'),
        ("keep", 'k'),
        ("force", 'f'),
        ("quiet", 'q'),
        ("no-name", 'n'),
        ("fast", '1'),
        ("best", '9'),
    ];
    let o = options(ctx, args, "dckfqnv123456789", &long)?;
    let name = ctx.name().to_owned();
    let plan = Plan {
        unpack: o.has('d') || name != "gzip",
        to_stdout: o.has('c') || name == "zcat",
        keep: o.has('k'),
        force: o.has('f'),
    };
    Ok((plan, o.operands))
}

fn worked(plan: Plan, bytes: &[u8]) -> Option<Vec<u8>> {
    if plan.unpack { unpack(bytes) } else { Some(pack(bytes)) }
}

fn refuse(ctx: &mut Ctx<'_>, name: &str) -> i32 {
    if ctx.is_busybox() {
        return ctx.fail(1, "invalid magic");
    }
    ctx.err(format!("\ngzip: {name}: not in gzip format\n"));
    1
}

/// GNU's `gunzip` and `zcat` are scripts that call `gzip`.
fn fail(ctx: &mut Ctx<'_>, code: i32, text: impl std::fmt::Display) -> i32 {
    if ctx.is_busybox() {
        return ctx.fail(1, text);
    }
    ctx.err(format!("gzip: {text}\n"));
    code
}

/// Packs or unpacks a file in its place, or to standard output.
fn one(ctx: &mut Ctx<'_>, plan: Plan, file: &str) -> i32 {
    if ctx.is_dir(&ctx.absolute(file)) {
        return fail(ctx, 2, format!("{file} is a directory -- ignored"));
    }
    let bytes = match ctx.read_file(file) {
        Ok(bytes) => bytes,
        Err(e) => return fail(ctx, 1, format!("{file}: {e}")),
    };
    let target = match (plan.unpack, file.strip_suffix(".gz"), file.strip_suffix(".tgz")) {
        _ if plan.to_stdout => None,
        (false, Some(_), _) if !plan.force => {
            return fail(ctx, 2, format!("{file} already has .gz suffix -- unchanged"));
        }
        (false, ..) => Some(format!("{file}.gz")),
        (true, Some(plain), _) => Some(plain.to_owned()),
        (true, None, Some(plain)) => Some(format!("{plain}.tar")),
        (true, None, None) => {
            let text =
                if ctx.is_busybox() { "unknown suffix - ignored" } else { "unknown suffix -- ignored" };
            return fail(ctx, 2, format!("{file}: {text}"));
        }
    };
    let Some(out) = worked(plan, &bytes) else { return refuse(ctx, file) };
    let Some(target) = target else {
        ctx.out(out);
        return 0;
    };
    if ctx.exists(&ctx.absolute(&target)) && !plan.force {
        let text = if ctx.is_busybox() {
            format!("can't open '{target}': File exists")
        } else {
            format!("{target} already exists;\tnot overwritten")
        };
        return fail(ctx, 2, text);
    }
    if let Err(e) = ctx.write_file(&target, &out, false) {
        return fail(ctx, 1, format!("{target}: {e}"));
    }
    if !plan.keep
        && let Err(e) = ctx.remove(file, false)
    {
        return fail(ctx, 1, format!("{file}: {e}"));
    }
    0
}

#[cfg(test)]
mod tests {
    use super::{pack, unpack};
    use crate::testing::{run, run_bash};

    #[test]
    fn what_was_packed_is_unpacked() {
        for bytes in [&b""[..], b"This is a test string", &[7; 100_000]] {
            assert_eq!(unpack(&pack(bytes)).as_deref(), Some(bytes));
        }
        assert_eq!(unpack(b"plain"), None);
        assert_eq!(unpack(&pack(b"cut off")[..12]), None);
    }

    #[test]
    fn files_and_streams_are_packed_and_unpacked() {
        let script = "cd /tmp; echo hello > a; gzip a; ls; zcat a.gz; gunzip a.gz; cat a; gzip -k a; ls; gzip a; echo $?; \
            echo hello | gzip | gzip -d; echo plain | gunzip; echo $?; gzip none; echo $?; gunzip a; echo $?";
        let busybox = run(script);
        assert_eq!(busybox.stdout, "a.gz\nhello\nhello\na\na.gz\n1\nhello\n1\n1\n1\n");
        assert_eq!(
            busybox.stderr,
            "gzip: can't open 'a.gz': File exists\ngunzip: invalid magic\ngzip: none: No such file or directory\n\
             gunzip: a: unknown suffix - ignored\n"
        );
        let gnu = run_bash(
            "cd /tmp; echo hello > a; gzip < a | zcat; echo x > b.gz; gzip b.gz; echo $?; gunzip b.gz; echo $?",
        );
        assert_eq!(gnu.stdout, "hello\n2\n1\n");
        assert_eq!(
            gnu.stderr,
            "gzip: b.gz already has .gz suffix -- unchanged\n\ngzip: b.gz: not in gzip format\n"
        );
    }

    #[test]
    fn archives_are_packed() {
        let script = "cd /tmp; mkdir d; echo one > d/a; tar czf d.tgz d; rm -r d; tar tzf d.tgz; tar xzf d.tgz; cat d/a; \
            rm -r d; tar xf d.tgz; cat d/a; tar czf - d | gunzip | tar t; echo no > n; tar xzf n; echo $?";
        let done = run(script);
        assert_eq!(done.stdout, "d/\nd/a\none\none\nd/\nd/a\n1\n", "{}", done.stderr);
    }
}
