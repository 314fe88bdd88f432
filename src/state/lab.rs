//! A lab: a cluster, the learner's files and terminal, and the clock's controls.

use super::files::Files;
use super::manifest::{self, Finding};
use super::saved::Saved;
use super::terminal::{Piece, Terminal};
use podlab_api::{Object, kinds};
use podlab_cluster::cluster::{Act, Input};
use podlab_cluster::{Cluster, Profile, SetUp, Settings};
use podlab_sim::SimTime;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How far ahead a step looks for something that a person sees, in entries.
const AHEAD: usize = 256;

/// How fast virtual time runs: virtual seconds a real one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed(pub f64);

impl Speed {
    /// The speeds that the page offers.
    pub const ALL: [Speed; 5] = [Speed(0.5), Speed(1.0), Speed(10.0), Speed(60.0), Speed(600.0)];
}

/// What a frame's worth of time came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Advance {
    /// Whether anything that is shown may have changed.
    pub changed: bool,
    /// Whether the machine could not keep the chosen speed.
    pub held: bool,
}

/// What came of an action: kubectl's line, its words, its exit code.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The kubectl line that does the same.
    pub line: String,
    /// Its output.
    pub output: Vec<Piece>,
    /// Its exit code; `None` where the command still runs.
    pub code: Option<i32>,
}

impl Outcome {
    /// Whether it succeeded.
    pub fn ok(&self) -> bool {
        self.code.is_none_or(|c| c == 0)
    }

    /// What came on standard error.
    pub fn errors(&self) -> String {
        self.output.iter().filter(|p| p.error).map(|p| p.text.as_str()).collect()
    }

    /// What came on standard output.
    pub fn text(&self) -> String {
        self.output.iter().filter(|p| !p.error).map(|p| p.text.as_str()).collect()
    }
}

/// A file that is being checked.
#[derive(Debug)]
pub struct Checking {
    check: manifest::Check,
    name: String,
    /// A dry run draws a uid, which must not move the draws of the real cluster.
    copy: Option<Cluster>,
}

impl Checking {
    /// Goes on as long as `keep_going` says so between documents; returns whether all is checked.
    pub fn go_on(&mut self, lab: &Lab, keep_going: &mut dyn FnMut() -> bool) -> bool {
        let Checking { check, name, copy } = self;
        let mut dry_run = |part: &str| {
            let door = copy.get_or_insert_with(|| lab.live.aside());
            let mut aside = Terminal::default();
            aside.note("", 0);
            let args = ["apply", "--dry-run=server", "-f", name].map(str::to_owned);
            let mut files = Files::single(name, part);
            aside.start(&args, Some(""), door, &mut files);
            outcome(&aside, String::new()).errors()
        };
        check.go_on(&mut dry_run, keep_going)
    }

    /// What was found.
    pub fn found(self) -> Vec<Finding> {
        self.check.found
    }
}

/// Where undo goes back to.
#[derive(Clone, Debug)]
struct Mark {
    /// How many inputs had come before the action.
    inputs: usize,
    /// What it was, in kubectl's words.
    what: String,
}

/// A cluster of more nodes is set up over many frames, one of fewer at once.
const AT_ONCE: usize = 100;

/// A cluster that is being set up.
#[derive(Clone, Debug)]
struct Building {
    set_up: SetUp,
    name: String,
    nodes: usize,
    /// What is carried out on it then.
    saved: Option<Saved>,
}

/// A lab.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Its name.
    pub name: String,
    /// The learner's files.
    pub files: Files,
    /// The terminal.
    pub terminal: Terminal,
    live: Cluster,
    /// The instant looked back at, if any.
    past: Option<Cluster>,
    playing: bool,
    speed: Speed,
    /// Real time that has not become virtual time yet.
    target: SimTime,
    marks: Vec<Mark>,
    undone: Vec<(Cluster, String)>,
    /// Inputs of a saved session that have still to be carried out, and the instant it was saved at.
    replay: Option<(VecDeque<Input>, SimTime)>,
    /// The lab that takes the place of this one as soon as it is there.
    building: Option<Box<Building>>,
    /// Grows with every action and frame that may have changed something.
    revision: u64,
}

impl Default for Lab {
    fn default() -> Lab {
        Lab::new("lab", Settings::default())
    }
}

impl Lab {
    /// A new lab, paused at its start.
    pub fn new(name: &str, settings: Settings) -> Lab {
        Lab::with_cluster(name, Cluster::new(settings))
    }

    /// A lab over a cluster that is there already, paused.
    pub fn with_cluster(name: &str, live: Cluster) -> Lab {
        Lab {
            name: name.to_owned(),
            files: Files::default(),
            terminal: Terminal::default(),
            target: live.sim_now(),
            live,
            past: None,
            playing: false,
            speed: Speed(1.0),
            marks: Vec::new(),
            undone: Vec::new(),
            replay: None,
            building: None,
            revision: 0,
        }
    }

    /// Puts a lab with a new cluster and the same files in place of this one: at once, or where that takes long in the
    /// frames to come.
    pub fn open(&mut self, name: &str, settings: Settings) {
        let files = self.files.clone();
        if settings.nodes.len() <= AT_ONCE {
            return self.replace(Lab { files, ..Lab::new(name, settings) });
        }
        self.playing = false;
        self.build(name.to_owned(), settings, None);
    }

    fn build(&mut self, name: String, settings: Settings, saved: Option<Saved>) {
        let nodes = settings.nodes.len();
        self.building = Some(Box::new(Building { set_up: SetUp::new(settings), name, nodes, saved }));
        self.revision += 1;
    }

    /// How many nodes are being set up and how much of it is done, 0 to 1.
    pub fn building(&self) -> Option<(usize, f64)> {
        self.building.as_ref().map(|b| (b.nodes, b.set_up.progress()))
    }

    /// Gives up the cluster that is being set up.
    pub fn stop_building(&mut self) {
        let Some(building) = self.building.take() else { return };
        if building.saved.is_some() {
            // Only what was saved stood behind it.
            self.replace(Lab { files: self.files.clone(), ..Lab::default() });
        }
        self.revision += 1;
    }

    fn build_some(&mut self, keep_going: &mut dyn FnMut() -> bool) {
        let Some(mut building) = self.building.take() else { return };
        if !building.set_up.run(keep_going) {
            self.building = Some(building);
            return;
        }
        let Building { set_up, name, saved, .. } = *building;
        let lab = Lab::with_cluster(&name, Cluster::of(set_up));
        self.replace(match saved {
            Some(saved) => lab.replaying(saved),
            None => Lab { files: self.files.clone(), ..lab },
        });
    }

    /// Puts another lab in place of this one.
    pub fn replace(&mut self, lab: Lab) {
        let revision = self.revision + 1;
        *self = Lab { revision, ..lab };
    }

    /// The cluster at the instant that is shown: now, or the past that is looked at.
    pub fn shown(&self) -> &Cluster {
        self.past.as_ref().unwrap_or(&self.live)
    }

    /// As [`Lab::shown`], to send it requests that read.
    pub fn shown_mut(&mut self) -> &mut Cluster {
        self.past.as_mut().unwrap_or(&mut self.live)
    }

    /// The cluster now.
    pub fn live(&self) -> &Cluster {
        &self.live
    }

    /// Grows with every change of what is shown.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Counts a change of something that does not count its own.
    pub fn touch(&mut self) {
        self.revision += 1;
    }

    /// Whether the past is shown: everything is read-only then.
    pub fn is_past(&self) -> bool {
        self.past.is_some()
    }

    /// Whether time runs.
    pub fn is_playing(&self) -> bool {
        self.playing
    }

    /// Whether a saved session is still being replayed, or its cluster set up.
    pub fn is_replaying(&self) -> bool {
        self.replay.is_some() || self.building.is_some()
    }

    /// Starts or stops time. Starting it from the past returns to now.
    pub fn set_playing(&mut self, playing: bool) {
        if playing {
            self.return_to_now();
        }
        self.playing = playing;
        self.target = self.live.sim_now();
        self.revision += 1;
    }

    /// The chosen speed.
    pub fn speed(&self) -> Speed {
        self.speed
    }

    /// Chooses a speed.
    pub fn set_speed(&mut self, speed: Speed) {
        self.speed = speed;
        self.target = self.live.sim_now();
        self.revision += 1;
    }

    /// Lets `elapsed` real time pass. `keep_going` is asked between events and ends the turn with `false`.
    pub fn advance(&mut self, elapsed: Duration, keep_going: &mut dyn FnMut() -> bool) -> Advance {
        self.advance_in_turns(elapsed, keep_going, &mut || true)
    }

    /// As [`advance`](Self::advance); `attend` is asked between the steps of what runs in the terminal.
    pub fn advance_in_turns(
        &mut self,
        elapsed: Duration,
        keep_going: &mut dyn FnMut() -> bool,
        attend: &mut dyn FnMut() -> bool,
    ) -> Advance {
        if self.is_replaying() {
            if self.building.is_some() {
                self.build_some(keep_going);
            } else {
                self.replay_some(keep_going);
            }
            self.revision += 1;
            return Advance { changed: true, held: false };
        }
        let mut advance = Advance::default();
        let now = self.live.sim_now();
        if self.playing && self.past.is_none() {
            // A tab that slept does not make up for the time.
            let elapsed = elapsed.min(Duration::from_millis(250));
            self.target = self.target.max(now) + elapsed.mul_f64(self.speed.0);
            let reached = self.live.run_until(self.target, &mut *keep_going);
            if !reached {
                // What could not be done in this frame is not owed: the clock falls back to where it got.
                advance.held =
                    self.target.since(self.live.sim_now()) > Duration::from_secs_f64(self.speed.0 * 0.1);
                self.target = self.live.sim_now();
            }
            advance.changed = true;
        }
        if self.terminal.is_active() && self.past.is_none() {
            let before = self.terminal.revision();
            let busy = self.terminal.is_busy();
            self.terminal.poll_while(&mut self.live, &mut self.files, attend);
            if busy {
                self.settle_mark();
            }
            advance.changed |= self.terminal.revision() != before;
        }
        if advance.changed {
            self.revision += 1;
        }
        advance
    }

    /// Runs up to the next thing that is planned and pauses there.
    pub fn step(&mut self) {
        self.return_to_now();
        self.playing = false;
        let planned = self.live.upcoming(AHEAD);
        let next = planned.iter().find(|u| !u.is_routine()).or(planned.first()).map(|u| u.at);
        let until = next.unwrap_or(self.live.sim_now() + Duration::from_secs(1));
        self.live.run_until(until, || true);
        self.after_jump();
    }

    /// Runs up to an instant ahead at full speed, as far as `keep_going` lets it; says whether it got there.
    ///
    /// What runs in the terminal goes on when that instant is reached, not where `keep_going` happens to interrupt: what it
    /// asks then would depend on how fast the machine is.
    pub fn jump(&mut self, to: SimTime, keep_going: &mut dyn FnMut() -> bool) -> bool {
        self.return_to_now();
        self.playing = false;
        let reached = self.live.run_until(to, keep_going);
        if reached {
            self.after_jump();
        }
        self.target = self.live.sim_now();
        self.revision += 1;
        reached
    }

    fn after_jump(&mut self) {
        self.target = self.live.sim_now();
        self.terminal.poll(&mut self.live, &mut self.files);
        self.revision += 1;
    }

    /// Shows an earlier instant; one that is not earlier returns to now.
    pub fn look_at(&mut self, at: SimTime) {
        if at >= self.live.sim_now() {
            self.return_to_now();
        } else {
            self.past = Some(self.live.at(at));
            self.playing = false;
        }
        self.revision += 1;
    }

    /// Shows the present again.
    pub fn return_to_now(&mut self) {
        if self.past.take().is_some() {
            self.revision += 1;
        }
    }

    /// Goes on from the instant that is shown. What came after it can be had back with undo.
    pub fn branch(&mut self) {
        if let Some(past) = self.past.take() {
            let kept = past.inputs().len();
            let left = std::mem::replace(&mut self.live, past);
            self.undone.push((left, "branch".to_owned()));
            self.marks.retain(|m| m.inputs < kept);
            self.target = self.live.sim_now();
            self.revision += 1;
        }
    }

    /// What undo would take back.
    pub fn undo_what(&self) -> Option<&str> {
        self.marks.last().map(|m| m.what.as_str())
    }

    /// What redo would bring back.
    pub fn redo_what(&self) -> Option<&str> {
        self.undone.last().map(|(_, what)| what.as_str())
    }

    /// Takes the last action back: the lab is as it was just before it.
    pub fn undo(&mut self) -> bool {
        if self.terminal.is_busy() {
            self.interrupt();
        }
        self.return_to_now();
        let Some(mark) = self.marks.pop() else { return false };
        let Some(before) = self.live.before_input(mark.inputs) else { return false };
        let after = std::mem::replace(&mut self.live, before);
        self.undone.push((after, mark.what));
        self.target = self.live.sim_now();
        self.revision += 1;
        true
    }

    /// Brings back what undo took, or the lab that a branch left.
    pub fn redo(&mut self) -> bool {
        let Some((cluster, what)) = self.undone.pop() else { return false };
        self.return_to_now();
        let inputs = self.live.inputs().len();
        self.live = cluster;
        if what != "branch" {
            self.marks.push(Mark { inputs, what });
        }
        self.target = self.live.sim_now();
        self.revision += 1;
        true
    }

    fn mark(&mut self, what: &str) {
        self.return_to_now();
        self.undone.clear();
        self.marks.push(Mark { inputs: self.live.inputs().len(), what: what.to_owned() });
    }

    /// Drops a mark that no input followed, unless one may still come: there is nothing to take back.
    fn settle_mark(&mut self) {
        if !self.terminal.is_busy() && self.marks.last().is_some_and(|m| m.inputs == self.live.inputs().len())
        {
            self.marks.pop();
        }
        self.revision += 1;
    }

    /// Types a line into the terminal.
    pub fn enter(&mut self, line: &str) {
        if self.terminal.is_running() {
            self.terminal.enter(line, &mut self.live, &mut self.files);
            self.revision += 1;
            return;
        }
        if self.run_scheduler(line) {
            return;
        }
        self.mark(line);
        self.terminal.enter(line, &mut self.live, &mut self.files);
        self.settle_mark();
    }

    /// Ctrl C in the terminal.
    pub fn interrupt(&mut self) {
        self.terminal.interrupt(&mut self.live, &mut self.files);
        self.revision += 1;
    }

    /// Does what a kubectl line does, for a button: the line appears in the terminal's history as if typed.
    /// A command that waits goes on there.
    pub fn act(&mut self, args: &[&str]) -> Outcome {
        let line = command_line(args);
        self.mark(&line);
        if self.terminal.is_running() {
            return self.act_beside(line, args);
        }
        self.terminal.note(&line, self.live.sim_now().as_nanos());
        let words: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        self.terminal.begin(&words, Some(""), &mut self.live, &mut self.files);
        self.settle_mark();
        outcome(&self.terminal, line)
    }

    /// Does what a kubectl line does where nobody sees it; undo calls it `what`.
    pub fn act_unseen(&mut self, what: &str, args: &[&str]) -> Outcome {
        self.mark(what);
        self.act_beside(command_line(args), args)
    }

    /// The command runs beside the terminal and is not shown there.
    fn act_beside(&mut self, line: String, args: &[&str]) -> Outcome {
        let mut aside = Terminal::default();
        aside.note(&line, self.live.sim_now().as_nanos());
        let words: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        aside.start(&words, Some(""), &mut self.live, &mut self.files);
        self.settle_mark();
        outcome(&aside, line)
    }

    /// Whether a command goes on by itself in the frames to come, as it has much to do.
    pub fn is_busy(&self) -> bool {
        self.terminal.is_busy()
    }

    /// What the latest command has said so far.
    pub fn latest(&self) -> Outcome {
        outcome(&self.terminal, self.terminal.entries().last().map(|e| e.line.clone()).unwrap_or_default())
    }

    /// Does something to the machines below Kubernetes, which no kubectl line can.
    pub fn act_on_machine(&mut self, what: &str, act: Act) {
        self.mark(what);
        self.live.act(act);
        self.settle_mark();
    }

    /// Applies the file in the editor: `kubectl apply -f NAME`.
    pub fn apply(&mut self) -> Outcome {
        let name = self.files.active().name.clone();
        let outcome = self.act(&["apply", "-f", &name]);
        // kubectl refuses what is the scheduler's own file: the line that takes it is put beside that.
        if let Some(line) = super::scheduler_config::line_for(self.files.active()) {
            self.terminal.propose(&line);
        }
        outcome
    }

    /// Asks what applying a text would answer, without keeping anything: `kubectl apply --dry-run=server -f -`.
    pub fn check(&self, text: &str) -> Outcome {
        let mut aside = Terminal::default();
        aside.note("", 0);
        let args = ["apply", "--dry-run=server", "-f", "-"].map(str::to_owned);
        aside.start(&args, Some(text), &mut self.live.aside(), &mut Files::default());
        outcome(&aside, String::new())
    }

    /// What is wrong with the file in the editor: what applying it would answer, each part at its place.
    pub fn findings(&self) -> Vec<Finding> {
        let mut check = self.begin_check();
        check.go_on(self, &mut || true);
        check.found()
    }

    /// Begins to look for what is wrong with the file in the editor.
    pub fn begin_check(&self) -> Checking {
        let file = self.files.active();
        Checking { check: manifest::Check::begin(&file.text), name: file.name.clone(), copy: None }
    }

    /// Replaces the text of the file in the editor, as typing does.
    pub fn edit(&mut self, text: &str) {
        self.files.edit(text);
        self.revision += 1;
    }

    /// Ctrl D in the terminal: the end of what the running command reads.
    pub fn end_input(&mut self) {
        self.terminal.end_input(&mut self.live, &mut self.files);
        self.revision += 1;
    }

    /// Whether a command in the terminal waits for the file in the editor to be saved.
    pub fn awaits_save(&self) -> bool {
        self.terminal.editing().as_ref() == Some(&self.files.active().name)
    }

    /// Saves the file in the editor for the command that waits for it; `false` where none does.
    pub fn save_edit(&mut self) -> bool {
        if !self.awaits_save() {
            return false;
        }
        let name = self.files.active().name.clone();
        self.terminal.save_edit(&name, &mut self.live, &mut self.files);
        self.revision += 1;
        true
    }

    /// What may stand at a place of a command line.
    pub fn complete(&mut self, line: &str, cursor: usize) -> Vec<podlab_kubectl::Completion> {
        podlab_kubectl::complete(line, cursor, self.shown_mut())
    }

    /// An object that is shown: a pod, a node, a Service or a workload.
    pub fn object(&self, kind: &str, namespace: &str, name: &str) -> Option<Arc<Object>> {
        let others = [&kinds::POD, &kinds::NODE, &kinds::SERVICE];
        let kind = others.into_iter().chain(super::workloads::KINDS).find(|k| k.kind == kind)?;
        self.shown().world().api.store().get(kind, namespace, name).cloned()
    }

    /// What a kubectl line answers on the cluster that is shown, for views that show kubectl's own text. It must
    /// only read.
    pub fn ask(&mut self, args: &[&str]) -> Outcome {
        let mut aside = Terminal::default();
        aside.note("", 0);
        let words: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        let door = self.past.as_mut().unwrap_or(&mut self.live);
        aside.start(&words, Some(""), door, &mut Files::default());
        outcome(&aside, command_line(args))
    }

    /// What is to be kept of the lab.
    pub fn save(&self) -> Saved {
        Saved::of(self)
    }

    /// A lab from what was kept; its inputs are carried out again in the frames to come.
    pub fn restore(saved: Saved) -> Lab {
        if saved.settings.nodes.len() <= AT_ONCE {
            return Lab::new(&saved.name, saved.settings.clone()).replaying(saved);
        }
        let nothing = Settings { profile: Profile::Api, nodes: Vec::new(), ..Settings::default() };
        let mut lab = Lab::new(&saved.name, nothing);
        lab.files = saved.files.clone();
        lab.build(saved.name.clone(), saved.settings.clone(), Some(saved));
        lab
    }

    /// With what was saved, to be carried out in the frames to come.
    fn replaying(mut self, saved: Saved) -> Lab {
        self.files = saved.files;
        self.terminal.set_entries(saved.terminal);
        self.replay = Some((saved.inputs.into(), saved.now));
        self
    }

    /// Carries out the whole of a saved session at once.
    pub fn finish_replay(&mut self) {
        while self.is_replaying() {
            self.advance(Duration::ZERO, &mut || true);
        }
    }

    fn replay_some(&mut self, keep_going: &mut dyn FnMut() -> bool) {
        let Some((inputs, now)) = &mut self.replay else { return };
        loop {
            match inputs.front() {
                Some(input) => {
                    let at = input.at;
                    if !self.live.run_until(at, &mut *keep_going) {
                        return;
                    }
                    if let Some(input) = inputs.pop_front() {
                        self.live.apply_input(&input);
                    }
                    if !keep_going() {
                        return;
                    }
                }
                None => {
                    let now = *now;
                    if self.live.run_until(now, &mut *keep_going) {
                        self.replay = None;
                        self.target = self.live.sim_now();
                    }
                    return;
                }
            }
        }
    }
}

/// What the latest entry of a terminal came to.
pub(super) fn outcome(terminal: &Terminal, line: String) -> Outcome {
    match terminal.entries().last() {
        Some(entry) => Outcome { line, output: entry.output.clone(), code: entry.code },
        None => Outcome { line, ..Outcome::default() },
    }
}

/// A kubectl line that a person could type: words with other characters are quoted.
pub fn command_line(args: &[&str]) -> String {
    let mut line = String::from("kubectl");
    for arg in args {
        let plain =
            !arg.is_empty() && arg.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c));
        line.push(' ');
        if plain {
            line.push_str(arg);
        } else {
            line.push('\'');
            line.push_str(&arg.replace('\'', r"'\''"));
            line.push('\'');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use podlab_cluster::NodeSettings;

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: c\n    image: nginx\n";

    fn pods(lab: &mut Lab) -> usize {
        use podlab_api::{Door, Request, kinds};
        let request = Request::list(&kinds::POD, "default");
        lab.shown_mut().request(request).into_list().unwrap().items.len()
    }

    #[test]
    fn a_pasted_pod_is_applied_and_taken_back() {
        let mut lab = Lab::default();
        lab.files.edit(POD);
        let outcome = lab.apply();
        assert_eq!((outcome.text().as_str(), outcome.code), ("pod/web created\n", Some(0)));
        assert_eq!(outcome.line, "kubectl apply -f pod.yaml");
        assert_eq!(pods(&mut lab), 1);
        assert!(lab.undo());
        assert_eq!(pods(&mut lab), 0);
        assert!(lab.redo());
        assert_eq!(pods(&mut lab), 1);
    }

    #[test]
    fn checking_a_text_keeps_nothing() {
        let mut lab = Lab::default();
        let checked = lab.check(POD);
        assert!(checked.ok(), "{checked:?}");
        assert_eq!(pods(&mut lab), 0);
        assert_eq!(lab.undo_what(), None);
        assert!(!lab.check("kind: Pod\n  name: x").ok());
    }

    #[test]
    fn what_is_wrong_with_the_file_is_found_at_its_place() {
        let mut lab = Lab::default();
        lab.edit(&POD.replace("name: web", "name: web\n  lables: {app: web}"));
        let found = lab.findings();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].message, "strict decoding error: unknown field \"metadata.lables\"");
        assert_eq!(found[0].fix.as_deref(), Some("labels"));
        lab.edit(POD);
        assert_eq!(lab.findings(), []);
        assert_eq!(lab.live().inputs().len(), 0);
    }

    #[test]
    fn a_line_is_a_shell_s() {
        let mut lab = Lab::default();
        let mut said = |line: &str| {
            lab.enter(line);
            let entry = lab.terminal.entries().last().unwrap();
            let text: String = entry.output.iter().map(|p| p.text.as_str()).collect();
            (text, entry.code)
        };
        assert_eq!(said("kubectl get nodes | grep -c node0"), ("2\n".to_owned(), Some(0)));
        assert_eq!(said("echo 'kind: Pod' > a.yaml; cat a.yaml"), ("kind: Pod\n".to_owned(), Some(0)));
        assert_eq!(
            said("kubectl get ns default -o name > ns.txt && cat ns.txt"),
            ("namespace/default\n".to_owned(), Some(0))
        );
        assert_eq!(said("kubectl get pod nobody || echo none").0.lines().last(), Some("none"));
        assert_eq!(said("for i in 1 2; do echo $i; done"), ("1\n2\n".to_owned(), Some(0)));
        assert_eq!(said("rm a.yaml ns.txt").1, Some(0));
        assert_eq!(lab.files.all().len(), 1);
        lab.edit(POD);
        lab.enter("cat pod.yaml | kubectl apply -f -");
        let text = lab.terminal.entries().last().unwrap().output[0].text.clone();
        assert_eq!(text, "pod/web created\n");
        lab.enter("sleep 5; echo late");
        assert!(lab.terminal.is_running());
        lab.jump(lab.live().sim_now() + Duration::from_secs(6), &mut || true);
        assert!(!lab.terminal.is_running());
    }

    #[test]
    fn kubectl_stands_wherever_a_command_can() {
        let mut lab = Lab::default();
        let mut said = |line: &str| {
            lab.enter(line);
            let entry = lab.terminal.entries().last().unwrap();
            let text: String = entry.output.iter().map(|p| p.text.as_str()).collect();
            (text, entry.code)
        };
        let ok = |text: &str| (text.to_owned(), Some(0));
        assert_eq!(said("export do='--dry-run=client -o name'"), ok(""));
        assert_eq!(said("k run a --image=nginx $do"), ok("pod/a\n"));
        assert_eq!(
            said("for n in a b; do k run $n --image=nginx; done"),
            ok("pod/a created\npod/b created\n")
        );
        assert_eq!(said("echo $(kubectl get po -o name)"), ok("pod/a pod/b\n"));
        assert_eq!(
            said("for p in $(kubectl get po -o name); do kubectl delete $p --now=false --wait=false; done"),
            ok("pod \"a\" deleted from default namespace\npod \"b\" deleted from default namespace\n")
        );
        assert_eq!(said("echo default kube-system | xargs kubectl get ns -o name").0.lines().count(), 2);
        assert_eq!(
            said("ns() { k get ns \"$1\" -o name; }; ns default && ns nobody || echo none").0.lines().last(),
            Some("none")
        );
        assert_eq!(
            said("k get ns -o name | while read n; do echo \"<$n>\"; done | head -1"),
            ok("<namespace/default>\n")
        );
        assert_eq!(said("kubectl get pod nobody 2>/dev/null"), (String::new(), Some(1)));
        assert_eq!(said("kubectl get pod nobody 2>&1 >/dev/null | wc -l"), ok("1\n"));
        assert_eq!(said("which kubectl"), ok("/usr/bin/kubectl\n"));
        assert_eq!(
            said("cat <<EOF | k apply -f - $do\nkind: Namespace\napiVersion: v1\nmetadata: {name: x}\nEOF"),
            ok("namespace/x\n")
        );
        assert_eq!(
            said(
                "kubectl config set-context --current --namespace=kube-system >/dev/null; k config view --minify -o jsonpath={..namespace}"
            ),
            ok("kube-system")
        );
        assert_eq!(lab.terminal.context().1, "kube-system");
        lab.enter("if true");
        assert!(lab.terminal.is_running());
        lab.enter("then echo yes; fi");
        assert!(!lab.terminal.is_running());
    }

    #[test]
    fn an_editor_is_a_tab() {
        let mut lab = Lab::default();
        lab.enter("vi a.yaml && cat a.yaml");
        assert!(lab.terminal.is_running());
        assert_eq!(lab.files.active().name, "a.yaml");
        lab.edit("kind: Pod\n");
        lab.save_edit();
        let entry = lab.terminal.entries().last().unwrap();
        assert!(entry.output[0].text.starts_with("podlab: a.yaml is open"));
        assert_eq!((entry.output[1].text.as_str(), entry.code), ("kind: Pod\n", Some(0)));
        lab.enter("vim /tmp/x; cat /tmp/x");
        assert_eq!(lab.files.active().name, "x");
        let index = lab.files.active_index();
        lab.files.remove(index);
        lab.advance(Duration::from_millis(16), &mut || true);
        assert_eq!(lab.terminal.entries().last().unwrap().code, Some(1));
    }

    #[test]
    fn a_forwarded_port_is_near() {
        let mut lab = Lab::default();
        lab.enter("kubectl run web --image=nginx");
        lab.jump(lab.live().sim_now() + Duration::from_secs(30), &mut || true);
        lab.enter("kubectl port-forward web 8080:80 &");
        assert!(!lab.terminal.is_running());
        lab.enter("curl -s localhost:8080 | grep title");
        lab.jump(lab.live().sim_now() + Duration::from_secs(1), &mut || true);
        let text = |lab: &Lab| -> String {
            lab.terminal.entries().last().unwrap().output.iter().map(|p| p.text.as_str()).collect()
        };
        assert!(text(&lab).contains("Welcome to nginx!"), "{}", text(&lab));
        lab.enter("kill %1; curl -s localhost:8080 || echo gone");
        lab.jump(lab.live().sim_now() + Duration::from_secs(1), &mut || true);
        assert!(text(&lab).contains("gone"), "{}", text(&lab));
        lab.enter("watch -n 1 kubectl get ns default -o name");
        lab.jump(lab.live().sim_now() + Duration::from_secs(3), &mut || true);
        assert_eq!(text(&lab).matches("namespace/default").count(), 1);
        lab.interrupt();
        assert!(!lab.terminal.is_running());
    }

    #[test]
    fn a_background_command_goes_on() {
        let mut lab = Lab::default();
        lab.enter("sleep 3 && echo late > late.txt &");
        assert!(!lab.terminal.is_running());
        lab.jump(lab.live().sim_now() + Duration::from_secs(4), &mut || true);
        lab.enter("cat late.txt");
        let text: String =
            lab.terminal.entries().last().unwrap().output.iter().map(|p| p.text.as_str()).collect();
        assert!(text.contains("late\n"), "{text}");
        assert_eq!(lab.files.read("late.txt"), Some("late\n"));
        lab.enter("kubectl get po -w | head -1");
        lab.enter("");
        lab.interrupt();
        assert!(!lab.terminal.is_running());
    }

    #[test]
    fn ctrl_c_ends_whatever_runs() {
        let mut lab = Lab::default();
        for line in ["cat", "sleep 100", "yes", "cat < /dev/zero", "while :; do :; done", "yes | cat | sort"]
        {
            lab.enter(line);
            assert!(lab.terminal.is_running(), "{line}");
            lab.interrupt();
            assert!(!lab.terminal.is_running(), "{line}");
            assert_eq!(lab.terminal.entries().last().unwrap().code, Some(130), "{line}");
        }
        lab.enter("echo over");
        assert_eq!(lab.terminal.entries().last().unwrap().output[0].text, "over\n");
    }

    #[test]
    fn the_past_is_shown_and_left_again() {
        let mut lab = Lab::default();
        lab.files.edit(POD);
        lab.jump(SimTime::START + Duration::from_secs(10), &mut || true);
        lab.apply();
        lab.jump(SimTime::START + Duration::from_secs(20), &mut || true);
        lab.look_at(SimTime::START + Duration::from_secs(5));
        assert!(lab.is_past());
        assert_eq!(pods(&mut lab), 0);
        lab.return_to_now();
        assert_eq!(pods(&mut lab), 1);
        lab.look_at(SimTime::START + Duration::from_secs(5));
        lab.branch();
        assert_eq!(pods(&mut lab), 0);
        assert!(lab.redo());
        assert_eq!(pods(&mut lab), 1);
    }

    #[test]
    fn a_file_of_many_objects_is_applied_over_many_frames() {
        let mut lab = Lab::new("t", Settings::default());
        let text: String = (0..300)
            .map(|n| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c-{n}\n---\n"))
            .collect();
        let count = |lab: &Lab| lab.live.world().api.store().list(&kinds::CONFIG_MAP).count();
        let before = count(&lab);
        lab.edit(&text);
        lab.apply();
        let mut frames = 0;
        while lab.is_busy() {
            lab.advance(Duration::ZERO, &mut || true);
            frames += 1;
        }
        assert!(frames > 5, "{frames}");
        assert!(lab.latest().ok());
        assert_eq!(lab.latest().text().lines().count(), 300);
        assert_eq!(count(&lab) - before, 300);
        // One action: undo takes all of it back, also while it goes on.
        assert!(lab.undo());
        assert_eq!(count(&lab), before);
        lab.apply();
        while count(&lab) == before {
            lab.advance(Duration::ZERO, &mut || true);
        }
        assert!(lab.is_busy());
        assert!(lab.undo());
        assert!(!lab.is_busy());
        assert_eq!(count(&lab), before);
    }

    #[test]
    fn a_large_lab_is_set_up_in_turns() {
        let nodes = (0..=AT_ONCE).map(|i| NodeSettings::worker(&format!("n{i:03}"))).collect();
        let settings = Settings { nodes, ..Settings::default() };
        let mut lab = Lab::default();
        lab.edit(POD);
        lab.open("large", settings.clone());
        assert_eq!(lab.building(), Some((AT_ONCE + 1, 0.0)));
        let turn = |lab: &mut Lab| lab.advance(Duration::from_millis(16), &mut || false);
        turn(&mut lab);
        assert_eq!(lab.name, "lab");
        lab.stop_building();
        assert!(!lab.is_replaying());
        lab.open("large", settings);
        let mut done = 0.0;
        while let Some((_, progress)) = lab.building() {
            assert!(progress >= done && progress <= 1.0, "{progress} after {done}");
            done = progress;
            turn(&mut lab);
        }
        assert_eq!((lab.name.as_str(), lab.files.active().text.as_str()), ("large", POD));
        lab.apply();
        lab.jump(lab.live().sim_now() + Duration::from_secs(20), &mut || true);
        let pod = lab.object("Pod", "default", "web").unwrap();
        assert!(pod.node_name().is_some());
        let mut back = Lab::restore(lab.save());
        assert_eq!(back.files.active().text, POD);
        back.finish_replay();
        assert_eq!(back.save().to_text(), lab.save().to_text());
    }

    #[test]
    fn a_saved_lab_comes_back_as_it_was() {
        let mut lab = Lab::default();
        lab.files.edit(POD);
        lab.apply();
        lab.jump(SimTime::START + Duration::from_secs(20), &mut || true);
        let text = lab.save().to_text();
        let mut back = Lab::restore(Saved::from_text(&text).unwrap());
        back.finish_replay();
        assert_eq!(pods(&mut back), 1);
        assert_eq!(back.live().sim_now(), lab.live().sim_now());
        assert_eq!(back.save().to_text(), text);
    }
}
