//! What the command line asks for.

use crate::pace::Pace;
use anyhow::{Context as _, Result, anyhow, bail};
use podlab_cluster::scheduler::configuration;
use podlab_cluster::{NodeSettings, Profile, Settings};
use podlab_sim::SimTime;
use std::path::{Path, PathBuf};

/// As many workers as the page offers at most.
const MAX_NODES: usize = 5_000;

/// How a server is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// How time passes.
    pub pace: Pace,
    /// What the cluster is built from.
    pub settings: Settings,
    /// Where the kubeconfig is written.
    pub kubeconfig: PathBuf,
    /// What the scheduler starts with; `None` for the defaults.
    pub scheduler: Option<SchedulerConfig>,
}

/// A KubeSchedulerConfiguration that was read and is in order.
#[derive(Clone, Debug)]
pub struct SchedulerConfig {
    /// The file's content.
    pub value: serde_json::Value,
    /// Paths of fields that a real scheduler heeds and this one does not.
    pub not_simulated: Vec<String>,
}

impl SchedulerConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or a scheduler would not start with it.
    pub fn read(file: &Path) -> Result<SchedulerConfig> {
        let text = std::fs::read_to_string(file).with_context(|| format!("open {}", file.display()))?;
        let document = podlab_yaml::parse_document(&text)?;
        let double: Vec<&str> = document.duplicates.iter().map(|key| key.text.as_str()).collect();
        let read = configuration::read_file(&document.value, &text, &double).map_err(|text| anyhow!(text))?;
        Ok(SchedulerConfig { value: document.value, not_simulated: read.not_simulated })
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: 8001,
            pace: Pace::Speed(1.0),
            settings: settings(2),
            kubeconfig: PathBuf::from("podlab.kubeconfig"),
            scheduler: None,
        }
    }
}

impl Options {
    /// Reads arguments; `None` where help is asked for.
    ///
    /// # Errors
    /// An unknown option or a value out of range.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Options>> {
        use lexopt::prelude::*;
        let mut options = Options::default();
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("port") => options.port = parser.value()?.parse()?,
                Long("speed") => {
                    let speed: f64 = parser.value()?.parse()?;
                    if !(speed.is_finite() && (0.001..=100_000.0).contains(&speed)) {
                        bail!("--speed takes a number from 0.001 to 100000, not {speed}");
                    }
                    options.pace = Pace::Speed(speed);
                }
                Long("virtual") => options.pace = Pace::Virtual,
                Long("nodes") => {
                    let nodes: usize = parser.value()?.parse()?;
                    if nodes > MAX_NODES {
                        bail!("--nodes takes a number up to {MAX_NODES}, not {nodes}");
                    }
                    options.settings = settings(nodes);
                }
                Long("kubeconfig") => options.kubeconfig = parser.value()?.into(),
                Long("scheduler-config") => {
                    let file = PathBuf::from(parser.value()?);
                    options.scheduler = Some(SchedulerConfig::read(&file)?);
                }
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(options))
    }
}

/// A control plane node and so many workers, from now on: clients reckon ages with their own clock.
fn settings(workers: usize) -> Settings {
    let workers = (1..=workers).map(|number| NodeSettings::worker(&format!("node{number:02}")));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Settings {
        profile: Profile::Full,
        start: SimTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(0)),
        nodes: std::iter::once(NodeSettings::control_plane("controlplane")).chain(workers).collect(),
        ..Settings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::Options;
    use crate::pace::Pace;

    fn parse(line: &str) -> anyhow::Result<Option<Options>> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read_and_checked() {
        let options = parse("--port 0 --speed 2.5 --nodes 3 --kubeconfig out").unwrap().unwrap();
        assert_eq!((options.port, options.pace), (0, Pace::Speed(2.5)));
        assert_eq!(options.settings.nodes.len(), 4);
        assert_eq!(parse("--virtual").unwrap().unwrap().pace, Pace::Virtual);
        assert!(parse("--help").unwrap().is_none());
        assert!(parse("--scheduler-config /no/such/file").is_err());
        for wrong in ["--speed 0", "--speed NaN", "--nodes 9999999", "--port 70000", "--what"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_scheduler_s_configuration_is_read_or_refused() {
        let file = std::env::temp_dir().join(format!("podlab-scheduler-{}.yaml", std::process::id()));
        let write = |text: &str| {
            let head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
            std::fs::write(&file, format!("{head}{text}")).unwrap();
            super::SchedulerConfig::read(&file)
        };
        let read = write("parallelism: 4\nprofiles:\n- schedulerName: packing\n").unwrap();
        assert_eq!(read.not_simulated, ["parallelism"]);
        assert_eq!(read.value["profiles"][0]["schedulerName"], "packing");
        let refused = write("percentageOfNodesToScore: 101\n").unwrap_err().to_string();
        assert_eq!(refused, "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]");
        let double = write("parallelism: 4\nparallelism: 5\n").unwrap_err().to_string();
        assert!(double.starts_with("strict decoding error: yaml: unmarshal errors:"), "{double}");
        std::fs::remove_file(&file).unwrap();
    }
}
