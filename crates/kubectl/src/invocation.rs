//! One run of kubectl, as a value that can be stepped, cloned and kept.

use crate::cmd;
use crate::config::Kubeconfig;
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result};
use crate::flags::{self, Parsed};
use crate::help;
use crate::io::{Env, Io, Stdin};
use k8s_openapi::jiff::Timestamp;
use podlab_api::Door;

/// What an invocation waits for. Any of these wakes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// This instant.
    pub until: Option<Timestamp>,
    /// A change in the cluster.
    pub change: bool,
    /// Input, or Ctrl C.
    pub input: bool,
    /// The end of a program that was started.
    pub child: bool,
}

/// How far a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The command ended with this exit code.
    Done(i32),
    /// It has more to do and lets others run first.
    Yield,
    /// It waits.
    Wait(Wait),
}

/// One run of kubectl.
#[derive(Clone, Debug)]
pub struct Invocation {
    argv: Vec<String>,
    env: Env,
    state: State,
    stdin: Vec<u8>,
    warned: Vec<String>,
    /// Read once: what this run changes in it is for the next one.
    config: Option<Kubeconfig>,
}

#[allow(clippy::large_enum_variant)] // One at a time, moved once.
#[derive(Clone, Debug)]
enum State {
    Start,
    Stdin(Box<Parsed>),
    Task(Box<Parsed>, Task),
    Done(i32),
}

/// A command that waits.
#[allow(clippy::large_enum_variant)] // One at a time, moved once.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    Delete(cmd::delete::Waiting),
    Watch(cmd::get_watch::Watching),
    Logs(cmd::logs::Following),
    Exec(cmd::exec::Running),
    Wait(cmd::wait::Waiting),
    Rollout(cmd::rollout::Waiting),
    Drain(cmd::drain::Draining),
    Run(cmd::attach::Attaching),
    Events(cmd::events::Watching),
    Diff(cmd::diff::Comparing),
    Copy(Box<cmd::cp::Copying>),
    Forward(cmd::port_forward::Forwarding),
    Edit(Box<cmd::edit::Editing>),
    Apply(Box<cmd::apply::Applying>),
}

/// Begins a run of kubectl. `argv` holds the words after the program's name.
pub fn run(argv: &[String], env: Env) -> Invocation {
    Invocation {
        argv: argv.to_vec(),
        env,
        state: State::Start,
        stdin: Vec::new(),
        warned: Vec::new(),
        config: None,
    }
}

impl Invocation {
    /// Goes on until the command ends or has to wait.
    pub fn step(&mut self, door: &mut dyn Door, io: &mut dyn Io) -> Step {
        loop {
            match std::mem::replace(&mut self.state, State::Done(1)) {
                State::Done(code) => {
                    self.state = State::Done(code);
                    return Step::Done(code);
                }
                State::Start => match self.start(door, io) {
                    Ok(state) => self.state = state,
                    Err(error) => self.fail(io, &error, 0),
                },
                State::Stdin(parsed) => {
                    loop {
                        match io.stdin() {
                            Stdin::Data(bytes) => self.stdin.extend(bytes),
                            Stdin::End => break,
                            Stdin::Pending => {
                                self.state = State::Stdin(parsed);
                                return Step::Wait(Wait { input: true, ..Wait::default() });
                            }
                        }
                    }
                    self.begin(*parsed, door, io);
                }
                State::Task(parsed, mut task) => {
                    let step = match self.cx(&parsed, door, io) {
                        Ok(mut cx) => match &mut task {
                            Task::Delete(t) => t.step(&mut cx),
                            Task::Watch(t) => t.step(&mut cx),
                            Task::Logs(t) => t.step(&mut cx),
                            Task::Exec(t) => t.step(&mut cx),
                            Task::Wait(t) => t.step(&mut cx),
                            Task::Rollout(t) => t.step(&mut cx),
                            Task::Drain(t) => t.step(&mut cx),
                            Task::Run(t) => t.step(&mut cx),
                            Task::Events(t) => t.step(&mut cx),
                            Task::Diff(t) => t.step(&mut cx),
                            Task::Copy(t) => t.step(&mut cx),
                            Task::Forward(t) => t.step(&mut cx),
                            Task::Edit(t) => t.step(&mut cx),
                            Task::Apply(t) => t.step(&mut cx),
                        },
                        Err(error) => Err(error),
                    };
                    match step {
                        Ok(Step::Done(code)) => self.state = State::Done(code),
                        Ok(step) => {
                            self.state = State::Task(parsed, task);
                            return step;
                        }
                        Err(error) => self.fail(io, &error, 0),
                    }
                }
            }
        }
    }

    /// The local ports at which it answers (`port-forward`).
    pub fn listening(&self) -> Vec<u16> {
        match &self.state {
            State::Task(_, Task::Forward(forwarding)) => forwarding.ports.iter().map(|p| p.0).collect(),
            _ => Vec::new(),
        }
    }

    /// Answers a request to one of its ports; `None` where nothing answers.
    pub fn serve(
        &mut self,
        door: &mut dyn Door,
        io: &mut dyn Io,
        request: &podlab_shell::HttpRequest,
    ) -> Option<podlab_shell::HttpResponse> {
        let State::Task(parsed, Task::Forward(mut forwarding)) =
            std::mem::replace(&mut self.state, State::Done(1))
        else {
            return None;
        };
        let answer = self.cx(&parsed, door, io).ok().and_then(|mut cx| forwarding.serve(&mut cx, request));
        self.state = State::Task(parsed, Task::Forward(forwarding));
        answer
    }

    fn fail(&mut self, io: &mut dyn Io, error: &Error, more: i32) {
        let (text, code) = error.render();
        io.stderr(text.as_bytes());
        self.state = State::Done(code + more);
    }

    fn start(&mut self, door: &mut dyn Door, io: &mut dyn Io) -> Result<State> {
        if matches!(self.argv.first().map(String::as_str), Some("__complete" | "__completeNoDesc")) {
            let code = crate::complete::command(&self.argv, &self.env, door, io);
            return Ok(State::Done(code));
        }
        let found = flags::find(&self.argv);
        let parsed = flags::parse(found)?;
        for line in &parsed.deprecated {
            io.stderr(format!("{line}\n").as_bytes());
        }
        let help_word = parsed.path == "kubectl" && parsed.args.first().is_some_and(|a| a == "help");
        if parsed.help || help_word {
            match parsed.path.as_str() {
                "kubectl alpha" => return self.no_command(parsed, io),
                "kubectl options" => return Ok(State::Done(0)),
                "kubectl" if !help_word && !parsed.args.is_empty() => return self.no_command(parsed, io),
                _ => {}
            }
            let command = if help_word { &parsed.args[1..] } else { &[] };
            io.stdout(help::text(&parsed, command).as_bytes());
            return Ok(State::Done(0));
        }
        let Some(run) = cmd::lookup(&parsed) else {
            return self.no_command(parsed, io);
        };
        let _ = run;
        cmd::check_args(&parsed)?;
        parsed.check_required()?;
        cmd::check_global(&parsed)?;
        if cmd::reads_stdin(&parsed) {
            return Ok(State::Stdin(Box::new(parsed)));
        }
        self.begin(parsed, door, io);
        Ok(std::mem::replace(&mut self.state, State::Done(1)))
    }

    /// A command that only groups others.
    fn no_command(&mut self, parsed: Parsed, io: &mut dyn Io) -> Result<State> {
        if parsed.path == "kubectl" {
            let Some(word) = parsed.args.first() else {
                io.stdout(help::text(&parsed, &[]).as_bytes());
                return Ok(State::Done(0));
            };
            let mut text = format!("unknown command {word:?} for \"kubectl\"");
            let near = parsed.command.suggestions(word);
            if !near.is_empty() {
                text.push_str("\n\nDid you mean this?\n");
                for name in near {
                    text.push_str(&format!("\t{name}\n"));
                }
            }
            return Err(Error::Message(text));
        }
        if parsed.path == "kubectl alpha" {
            io.stderr(b"No alpha commands are available in this version of kubectl\n");
            return Ok(State::Done(0));
        }
        if !parsed.command.commands.is_empty() {
            if !parsed.args.is_empty() && parsed.path != "kubectl certificate" {
                let words = parsed.args.join(" ");
                return crate::error::usage(&parsed.path, format!("unknown command {words:?}"));
            }
            let text = help::text(&parsed, &[]);
            // Some groups tell their help as an error.
            match parsed.path.trim_start_matches("kubectl ") {
                "auth" | "config" | "create secret" | "create service" | "set" | "top" => {
                    io.stderr(text.as_bytes());
                }
                _ => io.stdout(text.as_bytes()),
            }
            let quiet = parsed.path == "kubectl certificate";
            return Ok(State::Done(i32::from(!quiet)));
        }
        Err(Error::Message(format!(
            "podlab does not simulate '{}' (it is a command of kubectl 1.37)",
            parsed.path
        )))
    }

    fn begin(&mut self, parsed: Parsed, door: &mut dyn Door, io: &mut dyn Io) {
        let more = i32::from(parsed.path == "kubectl diff");
        let flow = match cmd::lookup(&parsed) {
            Some(run) => self.cx(&parsed, door, io).and_then(|mut cx| run(&mut cx, &parsed)),
            None => Ok(Flow::Done(1)),
        };
        match flow {
            Ok(Flow::Done(code)) => self.state = State::Done(code),
            Ok(Flow::Wait(task)) => self.state = State::Task(Box::new(parsed), task),
            Err(Error::Exit(code)) => self.state = State::Done(code),
            Err(error) => self.fail(io, &error, more),
        }
    }

    fn cx<'a>(&'a mut self, parsed: &Parsed, door: &'a mut dyn Door, io: &'a mut dyn Io) -> Result<Cx<'a>> {
        let config = match &self.config {
            Some(config) => config.clone(),
            None => {
                let config = Kubeconfig::load(io, &self.env, parsed).map_err(Error::Message)?;
                self.config.insert(config).clone()
            }
        };
        let given = parsed.str("namespace").to_owned();
        let enforce_namespace = !given.is_empty();
        let namespace = if enforce_namespace { given } else { config.namespace().to_owned() };
        let namespace = if namespace.is_empty() { "default".to_owned() } else { namespace };
        let impersonate = config.impersonated(parsed).map_err(Error::Message)?;
        Ok(Cx {
            door,
            io,
            env: &self.env,
            stdin: &self.stdin,
            config,
            namespace,
            enforce_namespace,
            impersonate,
            managed: cmd::shows_managed_fields(parsed),
            warned: &mut self.warned,
        })
    }
}
