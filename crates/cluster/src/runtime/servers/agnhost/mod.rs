//! Kubernetes' test image: `pause`, `netexec`, `mounttest`, `porter`, `grpc-health-checking` and other sub-commands.
//!
//! Source: test/images/agnhost (Kubernetes v1.37). Left out: what needs a client of the API server, TLS of its own, or
//! datagrams.

mod flags;
mod logs_generator;
mod mounttest;
mod pause;
mod web;

use flags::Flags;
use logs_generator::LogsGenerator;
use mounttest::MountTest;
use podlab_shell::{Ctx, Program, Step};

/// What only prints something and ends.
#[derive(Clone, Debug)]
enum Printed {
    /// `entrypoint-tester`: all arguments, that of the program among them.
    Arguments,
    /// `dns-suffix`.
    Suffixes,
    /// `dns-server-list`.
    Servers,
    /// `etc-hosts`.
    Hosts,
    /// A sub-command that there is not.
    Unknown(String),
}

pub(super) fn agnhost(args: &[String]) -> Box<dyn Program> {
    let command = args.first().map_or("pause", String::as_str);
    let flags = Flags::parse(args.get(1..).unwrap_or_default());
    match command {
        "pause" => pause::pause(),
        "logs-generator" => Box::new(LogsGenerator::new(flags)),
        "mounttest" => Box::new(MountTest::new(flags)),
        "entrypoint-tester" => Box::new(Printed::Arguments),
        "dns-suffix" => Box::new(Printed::Suffixes),
        "dns-server-list" => Box::new(Printed::Servers),
        "etc-hosts" => Box::new(Printed::Hosts),
        other => match web::server(other, flags) {
            Some(server) => server,
            None => Box::new(Printed::Unknown(other.to_owned())),
        },
    }
}

impl Program for Printed {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        // What follows a word in resolv.conf.
        let named = |ctx: &Ctx<'_>, word: &str| {
            let bytes = ctx.read_file("/etc/resolv.conf").unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let lines = text.lines().map(str::split_whitespace);
            let found =
                lines.filter_map(|mut words| (words.next() == Some(word)).then(|| words.collect::<Vec<_>>()));
            found.flatten().collect::<Vec<_>>().join(",")
        };
        match self {
            Printed::Arguments => {
                let line = format!("[{}]\n", ctx.core.argv.join(" "));
                ctx.out(line);
            }
            Printed::Suffixes => {
                let line = format!("{}\n", named(ctx, "search"));
                ctx.out(line);
            }
            Printed::Servers => {
                let line = format!("{}\n", named(ctx, "nameserver"));
                ctx.out(line);
            }
            Printed::Hosts => {
                let mut bytes = ctx.read_file("/etc/hosts").unwrap_or_default();
                bytes.push(b'\n');
                ctx.out(bytes);
            }
            Printed::Unknown(name) => {
                let line =
                    format!("Error: unknown command {name:?} for \"app\"\nRun 'app --help' for usage.\n");
                ctx.err(line);
                return Step::Exit(1);
            }
        }
        Step::Exit(0)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
