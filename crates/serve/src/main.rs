//! `cargo xtask cluster`: runs the simulated cluster behind HTTP until it is interrupted.
#![forbid(unsafe_code)]

use podlab_serve::{Options, Server, kubeconfig};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
cargo xtask cluster [--port P] [--speed X|--virtual] [--nodes N] [--kubeconfig OUT] [--scheduler-config FILE]

  --port P          port on 127.0.0.1 (default: 8001; 0 takes a free one)
  --speed X         how many times faster than the real clock time runs (default: 1)
  --virtual         time jumps over waiting: what comes of a change within a minute happens at once
  --nodes N         worker nodes beside the control plane's (default: 2)
  --kubeconfig OUT  where the kubeconfig is written (default: podlab.kubeconfig)
  --scheduler-config FILE
                    a KubeSchedulerConfiguration that the scheduler starts with";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let Some(options) = Options::parse(std::env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::start(&options).await?;
        let url = format!("http://{}", server.address());
        std::fs::write(&options.kubeconfig, kubeconfig(&url))?;
        for field in options.scheduler.iter().flat_map(|scheduler| &scheduler.not_simulated) {
            println!("scheduler's configuration: kept but not simulated: {field}");
        }
        println!("podlab's API server listens on {url}");
        println!("try: kubectl --kubeconfig {} get nodes", options.kubeconfig.display());
        tokio::signal::ctrl_c().await?;
        Ok(())
    })
}
