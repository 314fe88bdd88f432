//! What the command line asks for.

use crate::pace::Pace;
use anyhow::{Result, bail};
use podlab_cluster::{NodeSettings, Profile, Settings};
use podlab_sim::SimTime;
use std::path::PathBuf;

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
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: 8001,
            pace: Pace::Speed(1.0),
            settings: settings(2),
            kubeconfig: PathBuf::from("podlab.kubeconfig"),
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
        for wrong in ["--speed 0", "--speed NaN", "--nodes 9999999", "--port 70000", "--what"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
