//! The commands: one file each, one line each in [`lookup`].

pub(crate) mod apply;
mod apply_upgrade;
pub(crate) mod attach;
pub(crate) mod auth;
pub(crate) mod autoscale;
pub(crate) mod certificate;
pub(crate) mod config;
pub(crate) mod config_set;
pub(crate) mod cp;
pub(crate) mod create;
pub(crate) mod debug;
pub(crate) mod debug_profile;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod diff;
pub(crate) mod discovery;
pub(crate) mod discovery_table;
pub(crate) mod drain;
pub(crate) mod edit;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod expose;
pub(crate) mod get;
pub(crate) mod get_watch;
pub(crate) mod kustomize;
pub(crate) mod label;
pub(crate) mod last_applied;
pub(crate) mod logs;
pub(crate) mod node;
pub(crate) mod patch;
pub(crate) mod plugin;
pub(crate) mod pods;
pub(crate) mod port_forward;
pub(crate) mod raw;
pub(crate) mod reconcile;
pub(crate) mod refused;
pub(crate) mod replace;
pub(crate) mod rollout;
pub(crate) mod run;
pub(crate) mod scale;
pub(crate) mod set;
pub(crate) mod taint;
pub(crate) mod top;
pub(crate) mod wait;

use crate::cx::Run;
use crate::error::{Result, message, usage};
use crate::flags::{Parsed, parse_duration};

/// What a command does; `None` where it only groups others or is not simulated.
pub(crate) fn lookup(parsed: &Parsed) -> Option<Run> {
    let path = parsed.path.strip_prefix("kubectl ")?;
    if let Some((group, name)) = path.split_once(' ') {
        match group {
            "create" => return create::lookup(name),
            "set" => return set::lookup(name),
            "rollout" => return rollout::lookup(name),
            "config" => return config::lookup(name),
            "apply" => return apply::lookup_command(name),
            _ => {}
        }
    }
    Some(match path {
        "annotate" | "label" => label::run,
        "api-resources" => discovery::api_resources,
        "api-versions" => discovery::api_versions,
        "apply" => apply::run,
        "attach" => attach::run,
        "auth reconcile" => reconcile::run,
        "auth can-i" => auth::can_i,
        "auth whoami" => auth::whoami,
        "autoscale" => autoscale::run,
        "certificate approve" | "certificate deny" => certificate::run,
        "cluster-info" => discovery::cluster_info,
        "completion" => discovery::completion,
        "cordon" | "uncordon" => node::run,
        "cp" => cp::run,
        "create" => create::run,
        "debug" => debug::run,
        "delete" => delete::run,
        "describe" => describe::run,
        "diff" => diff::run,
        "drain" => drain::run,
        "edit" => edit::run,
        "events" => events::run,
        "exec" => exec::run,
        "explain" => explain::run,
        "expose" => expose::run,
        "get" => get::run,
        "kustomize" => kustomize::run,
        "logs" => logs::run,
        "options" => discovery::options,
        "patch" => patch::run,
        "plugin list" => plugin::run,
        "port-forward" => port_forward::run,
        "proxy" => refused::other,
        "replace" => replace::run,
        "run" => run::run,
        "scale" => scale::run,
        "taint" => taint::run,
        "top node" => top::node,
        "top pod" => top::pod,
        "version" => discovery::version,
        "wait" => wait::run,
        _ => return None,
    })
}

/// Checks how many arguments there are, as cobra does before anything runs.
pub(crate) fn check_args(parsed: &Parsed) -> Result<()> {
    let _ = parsed;
    Ok(())
}

/// Checks flags that every command takes.
pub(crate) fn check_global(parsed: &Parsed) -> Result<()> {
    let timeout = parsed.str("request-timeout");
    if timeout.parse::<i64>().is_err() && parse_duration(timeout).is_err() {
        return message(
            "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
        );
    }
    Ok(())
}

/// Whether the command takes all of standard input before it begins.
pub(crate) fn reads_stdin(parsed: &Parsed) -> bool {
    let from = |name: &str| parsed.list(name).iter().any(|v| v == "-" || v.ends_with("=-"));
    from("filename") || from("patch-file") || from("from-file") || parsed.args.iter().any(|a| a == "-")
}

/// No arguments are taken.
pub(crate) fn no_args(parsed: &Parsed) -> Result<()> {
    if parsed.args.is_empty() {
        Ok(())
    } else {
        usage(&parsed.path, format!("Unexpected args: [{}]", parsed.args.join(" ")))
    }
}

/// What `--dry-run` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DryRun {
    None,
    Client,
    Server,
}

impl DryRun {
    /// # Errors
    /// A word that is no strategy.
    pub(crate) fn of(cx: &mut crate::cx::Cx<'_>, parsed: &Parsed) -> Result<DryRun> {
        let text = parsed.str("dry-run").to_owned();
        Ok(match text.as_str() {
            "" if parsed.changed("dry-run") => {
                return message("Invalid dry-run value (). Must be \"none\", \"server\", or \"client\".");
            }
            "" | "none" | "false" => {
                if text == "false" {
                    klog(
                        cx,
                        "helpers.go:706",
                        "--dry-run=false is deprecated (boolean value) and can be replaced with --dry-run=none.",
                    );
                }
                DryRun::None
            }
            "client" => DryRun::Client,
            "server" => DryRun::Server,
            "unchanged" => {
                klog(
                    cx,
                    "helpers.go:714",
                    "--dry-run is deprecated and can be replaced with --dry-run=client.",
                );
                DryRun::Client
            }
            "true" => {
                klog(
                    cx,
                    "helpers.go:704",
                    "--dry-run=true is deprecated (boolean value) and can be replaced with --dry-run=client.",
                );
                DryRun::Client
            }
            other => {
                return message(format!(
                    "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
                ));
            }
        })
    }

    /// What is added to a sentence about what was done.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

/// A warning in klog's form.
pub(crate) fn klog(cx: &mut crate::cx::Cx<'_>, place: &str, text: &str) {
    let now = cx.now().strftime("%m%d %H:%M:%S%.6f").to_string();
    cx.errln(&format!("W{now}       1 {place}] {text}"));
}

/// Prints what was done to objects: a sentence each, or the objects.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    pub format: crate::print::Format,
    pub dry_run: DryRun,
    /// Whether documents are told apart by `---`: not where a command makes a printer an object.
    pub separate: bool,
    printed: usize,
}

impl Reporter {
    pub(crate) fn new(cx: &mut crate::cx::Cx<'_>, parsed: &Parsed) -> Result<Reporter> {
        let dry_run = DryRun::of(cx, parsed)?;
        Ok(Reporter { format: crate::print::format(cx, parsed, false)?, dry_run, separate: true, printed: 0 })
    }

    /// `pod/web created`, or the object in the format asked for.
    pub(crate) fn report(
        &mut self,
        cx: &mut crate::cx::Cx<'_>,
        object: &serde_json::Value,
        verb: &str,
        order: crate::print::Order,
    ) -> Result<()> {
        use crate::print::Format;
        if matches!(self.format, Format::Human) {
            let line = format!("{} {verb}{}\n", crate::print::name_of(object), self.dry_run.suffix());
            cx.out(&line);
            return Ok(());
        }
        if self.separate && matches!(self.format, Format::Yaml) && self.printed > 0 {
            cx.out("---\n");
        }
        self.printed += 1;
        let text = crate::print::object(&self.format, object, order)?;
        cx.out(&text);
        Ok(())
    }
}

/// Under whose name it is applied: the flag's, else one for each way of applying.
///
/// Source: k8s.io/kubectl/pkg/cmd/apply/apply.go `GetApplyFieldManagerFlag` (v1.37).
pub(crate) fn apply_manager(parsed: &Parsed) -> &str {
    match (parsed.changed("field-manager"), parsed.bool("server-side")) {
        (true, _) => parsed.str("field-manager"),
        (false, true) => "kubectl",
        (false, false) => "kubectl-client-side-apply",
    }
}

/// Whether `metadata.managedFields` may be printed: JSON and YAML are without them unless asked for, templates are not.
///
/// Source: k8s.io/cli-runtime/pkg/genericclioptions/json_yaml_flags.go (v1.37).
pub(crate) fn shows_managed_fields(parsed: &Parsed) -> bool {
    let format = parsed.str("output").split('=').next().unwrap_or("");
    let template = format.starts_with("jsonpath")
        || format.starts_with("custom-columns")
        || format.contains("template")
        || (format.is_empty() && !parsed.str("template").is_empty());
    template || parsed.bool("show-managed-fields")
}

/// Validation as `--validate` asks for it.
pub(crate) fn field_validation(parsed: &Parsed) -> Result<podlab_api::door::FieldValidation> {
    use podlab_api::door::FieldValidation;
    Ok(match parsed.str("validate") {
        "" | "true" | "strict" => FieldValidation::Strict,
        "warn" => FieldValidation::Warn,
        "false" | "ignore" => FieldValidation::Ignore,
        other => {
            return message(format!(
                "invalid - validate option {other:?}; must be one of: strict (or true), warn, ignore (or false)"
            ));
        }
    })
}
