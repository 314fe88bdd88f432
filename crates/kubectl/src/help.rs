//! Help texts, laid out as kubectl lays them out.
//!
//! Source: k8s.io/kubectl/pkg/util/templates (v1.37).

use crate::flags::Parsed;
use crate::tree::{self, Command, Flag};

/// The root's groups of commands, in order.
const GROUPS: [(&str, &[&str]); 7] = [
    ("Basic Commands (Beginner):", &["create", "expose", "run", "set"]),
    ("Basic Commands (Intermediate):", &["explain", "get", "edit", "delete"]),
    ("Deploy Commands:", &["rollout", "scale", "autoscale"]),
    (
        "Cluster Management Commands:",
        &["certificate", "cluster-info", "top", "cordon", "uncordon", "drain", "taint"],
    ),
    (
        "Troubleshooting and Debugging Commands:",
        &["describe", "logs", "attach", "exec", "port-forward", "proxy", "cp", "auth", "debug", "events"],
    ),
    ("Advanced Commands:", &["diff", "apply", "patch", "replace", "wait", "kustomize"]),
    ("Settings Commands:", &["label", "annotate", "completion"]),
];

/// The narrowest column of names.
const MIN_PADDING: usize = 11;

/// The help of a command, or of the command that the words name.
pub(crate) fn text(parsed: &Parsed, words: &[String]) -> String {
    let mut command = parsed.command;
    let mut path = parsed.path.clone();
    for word in words {
        match command.find(word) {
            Some(next) => {
                path = format!("{path} {}", next.name());
                command = next;
            }
            None => return format!("Unknown help topic [{}]\n", words.join(" ")),
        }
    }
    of(command, &path)
}

fn of(command: &Command, path: &str) -> String {
    let root = path == "kubectl";
    let mut out =
        if command.long.trim().is_empty() { &command.short } else { &command.long }.trim().to_owned();
    out.push_str("\n\n");
    if !command.aliases.is_empty() {
        let names: Vec<&str> =
            std::iter::once(command.name()).chain(command.aliases.iter().map(String::as_str)).collect();
        out.push_str(&format!("Aliases:\n{}\n\n", names.join(", ")));
    }
    if !command.example.is_empty() {
        out.push_str(&format!("Examples:\n{}\n\n", command.example.trim_end()));
    }
    if command.commands.iter().any(|c| !c.hidden) {
        out.push_str(&groups(command, root));
        out.push_str("\n\n");
    }
    let flags: Vec<&Flag> = command.flags.iter().filter(|f| !f.hidden && f.name != "help").collect();
    // The options of `kubectl config` are those of its commands.
    if !flags.is_empty() && path != "kubectl config" {
        out.push_str(&format!("Options:\n{}\n\n", usages(&flags).trim_end()));
    }
    if command.run {
        let line = command.line.trim_end();
        let has_flags = !command.flags.is_empty() || !tree::root().global.is_empty();
        let options = if has_flags && !line.contains("[options]") { " [options]" } else { "" };
        out.push_str(&format!("Usage:\n  {}{options}\n\n", command.line));
    }
    if !command.commands.is_empty() {
        out.push_str(&format!(
            "Use \"{path} <command> --help\" for more information about a given command.\n"
        ));
    }
    if command.run {
        out.push_str(
            "Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n",
        );
    }
    out
}

fn available(command: &Command) -> bool {
    !command.hidden && (command.run || command.commands.iter().any(available))
}

fn groups(command: &Command, root: bool) -> String {
    let padding = command.commands.iter().map(|c| c.name().len()).max().unwrap_or(0).max(MIN_PADDING);
    let line = |c: &Command| format!("\n  {:padding$}   {}", c.name(), c.short);
    let mut sorted: Vec<&Command> = command.commands.iter().filter(|c| available(c)).collect();
    sorted.sort_by(|a, b| a.name().cmp(b.name()));
    if !root {
        let lines: String = sorted.iter().filter(|c| c.name() != "options").map(|c| line(c)).collect();
        return format!("Available Commands:{lines}");
    }
    let mut out: Vec<String> = Vec::new();
    for (title, names) in GROUPS {
        let lines: String =
            names.iter().filter_map(|n| command.find(n)).filter(|c| available(c)).map(line).collect();
        out.push(format!("{title}{lines}"));
    }
    out.push("Subcommands provided by plugins:".to_owned());
    let grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let others: String = sorted
        .iter()
        .filter(|c| {
            !grouped(c.name())
                && !["options", "alpha", "help", "kuberc"].contains(&c.name())
                && !c.short.is_empty()
        })
        .map(|c| line(c))
        .collect();
    out.push(format!("Other Commands:{others}"));
    out.join("\n\n")
}

/// Flags with what they do, by name.
pub(crate) fn usages(flags: &[&Flag]) -> String {
    let mut sorted: Vec<&&Flag> = flags.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out = String::new();
    for flag in sorted {
        let short = if flag.short.is_empty() { String::new() } else { format!("-{}, ", flag.short) };
        let quote = if flag.kind == "string" { "'" } else { "" };
        let deprecated = if flag.deprecated.is_empty() {
            String::new()
        } else {
            format!(" (DEPRECATED: {})", flag.deprecated)
        };
        let usage = format!("{}{deprecated}", flag.usage).replace('\n', " ");
        out.push_str(&format!("    {short}--{}={quote}{}{quote}:\n\t{usage}\n\n", flag.name, flag.default));
    }
    out
}

/// What `kubectl options` shows.
pub(crate) fn global() -> String {
    let flags: Vec<&Flag> = tree::root().global.iter().filter(|f| !f.hidden).collect();
    format!("The following options can be passed to any command:\n\n{}", usages(&flags))
}
