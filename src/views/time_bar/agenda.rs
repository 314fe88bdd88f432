//! What happens next: the button that names the next event, and the list behind it.

use super::ticks::TickKind;
use crate::components::{Icon, IconKind, Notice, NoticeKind, Notices};
use crate::i18n::{bars as texts, use_lang};
use crate::session::{LabContext, now_ms};
use crate::state::Lang;
use crate::state::words::clock;
use podlab_cluster::Turn;
use podlab_cluster::observe::{Upcoming, UpcomingKind};
use podlab_sim::SimTime;
use std::time::Duration;
use yew::prelude::*;

/// How many entries the list has.
const ENTRIES: usize = 12;
/// Among how many that are planned they are looked for.
const AHEAD: usize = 256;
/// How long a jump may take of a frame, in milliseconds, and how often it goes on.
const JUMP_MS: f64 = 3_000.0;

/// Properties of [`Next`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct NextProps {
    pub(crate) lab: LabContext,
}

/// `in 4 s`, `4초 뒤`: prose, so with a space and words.
fn until(now: SimTime, at: SimTime, lang: Lang) -> String {
    let seconds = at.since(now).as_secs_f64();
    if seconds < 0.05 {
        return texts::NOW_DUE.get(lang).to_owned();
    }
    let text = match lang {
        // As short as seconds are: the button of a phone has room for no more.
        Lang::En if seconds < 1.0 => format!("{seconds:.1} s"),
        Lang::En if seconds < 60.0 => format!("{seconds:.0} s"),
        Lang::En if seconds < 3600.0 => format!("{:.0}m{:.0}s", (seconds / 60.0).floor(), seconds % 60.0),
        Lang::En => format!("{:.0}h{:.0}m", (seconds / 3600.0).floor(), (seconds % 3600.0) / 60.0),
        Lang::Ko if seconds < 1.0 => format!("{seconds:.1}초"),
        Lang::Ko if seconds < 60.0 => format!("{seconds:.0}초"),
        Lang::Ko if seconds < 3600.0 => format!("{:.0}분 {:.0}초", (seconds / 60.0).floor(), seconds % 60.0),
        Lang::Ko => format!("{:.0}시간 {:.0}분", (seconds / 3600.0).floor(), (seconds % 3600.0) / 60.0),
    };
    texts::IN.with(lang, &[("time", &text)])
}

/// What will happen, in Kubernetes' words.
fn words(what: &UpcomingKind, lang: Lang) -> String {
    use crate::i18n::Text;
    let text = |en: &'static str, ko: &'static str, name: &str| Text { en, ko }.with(lang, &[("name", name)]);
    match what {
        UpcomingKind::Schedule => text("scheduler tries it", "scheduler가 시도", ""),
        UpcomingKind::SchedulerBackoffEnds => text("leaves backoffQ", "backoffQ에서 나옴", ""),
        UpcomingKind::Probe { probe, container } => {
            format!("{} ({container})", text("{name} probe", "{name} probe", probe))
        }
        UpcomingKind::BackoffEnds { container } => {
            text("back-off ends: {name}", "back-off 종료: {name}", container)
        }
        UpcomingKind::PullRetry { container } => {
            text("image pull again: {name}", "이미지 pull 재시도: {name}", container)
        }
        UpcomingKind::PullEnds { image } => text("image pulled: {name}", "이미지 pull 완료: {name}", image),
        UpcomingKind::PodSync => text("kubelet sync", "kubelet 동기화", ""),
        UpcomingKind::GraceEnds => text("grace period ends", "grace period 종료", ""),
        UpcomingKind::Process { container } => {
            text("process wakes: {name}", "프로세스 동작: {name}", container)
        }
        UpcomingKind::Controller { controller } => {
            text("controller: {name}", "controller: {name}", controller)
        }
        UpcomingKind::Other(words) => (*words).to_owned(),
    }
}

fn icon(what: &UpcomingKind) -> (IconKind, &'static str) {
    match what {
        UpcomingKind::Schedule | UpcomingKind::SchedulerBackoffEnds => (IconKind::Server, "s-pend"),
        UpcomingKind::Probe { .. } => (IconKind::Probe, "s-run"),
        UpcomingKind::BackoffEnds { .. } | UpcomingKind::PullRetry { .. } => (IconKind::Restart, "s-crash"),
        UpcomingKind::GraceEnds => (IconKind::Trash, "s-term"),
        UpcomingKind::PullEnds { .. } => (IconKind::Check, "s-wait"),
        _ => (IconKind::Clock, "s-done"),
    }
}

/// The button and its list.
#[component]
pub(crate) fn Next(props: &NextProps) -> Html {
    let lang = use_lang();
    let lab = &props.lab;
    let open = use_state(|| false);
    let notices = use_context::<Notices>();
    let made = use_mut_ref(|| (f64::MIN, Vec::<Upcoming>::new()));
    let (now, playing) = lab.read(|l| (l.shown().sim_now(), l.is_playing()));
    let entries = {
        let mut made = made.borrow_mut();
        let real = now_ms();
        if !playing || real - made.0 > 250.0 {
            let mut planned = lab.read(|l| l.shown().upcoming(AHEAD));
            // Rounds of the machinery are listed only where nothing else is planned.
            if planned.iter().any(|u| !u.is_routine()) {
                planned.retain(|u| !u.is_routine());
            }
            planned.truncate(ENTRIES);
            *made = (real, planned);
        }
        made.1.clone()
    };
    let jump = {
        let (lab, notices) = (lab.clone(), notices.clone());
        Callback::from(move |at: SimTime| {
            let mut turn = Turn::new(now_ms(), JUMP_MS);
            let reached = lab.update(|l| {
                // From the past one goes on in the past.
                if l.is_past() && at < l.live().sim_now() {
                    l.look_at(at);
                    return true;
                }
                l.jump(at, &mut || turn.goes_on(now_ms))
            });
            if !reached && let Some(notices) = &notices {
                let time = clock(lab.read(|l| l.live().sim_now()));
                let title = texts::JUMPED_SHORT.with(lang, &[("time", &time)]);
                notices.show(Notice::new(NoticeKind::Info, title).text(texts::JUMPED_SHORT_TEXT.get(lang)));
            }
        })
    };
    let toggle = {
        let open = open.clone();
        move |_: MouseEvent| open.set(!*open)
    };
    let close = {
        let open = open.clone();
        Callback::from(move |()| {
            open.set(false);
            crate::dom::focus_on(".next");
        })
    };
    let onkeydown = {
        let (close, is_open) = (close.clone(), *open);
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" && is_open {
                event.prevent_default();
                event.stop_propagation();
                close.emit(());
            }
        })
    };
    let first = entries.first();
    html! {
        <>
            <button type="button" class="next" aria-haspopup="dialog" aria-expanded={open.to_string()} onclick={toggle} onkeydown={onkeydown.clone()}>
                <span class="sr">{texts::AGENDA.get(lang)}</span>
                <span class="next-key" aria-hidden="true">{texts::NEXT.get(lang)}</span>
                if let Some(next) = first {
                    <b>{until(now, next.at, lang)}</b>
                    <span class="next-what"><code>{&next.name}</code>{" "}{words(&next.what, lang)}</span>
                } else {
                    <span class="next-what">{texts::NOTHING_NEXT.get(lang)}</span>
                }
                <Icon kind={IconKind::Chevron} />
            </button>
            if *open {
                <div class="popover agenda" role="dialog" aria-label={texts::AGENDA.get(lang)} {onkeydown}>
                    <header>
                        <h2>{texts::AGENDA.get(lang)}</h2>
                        <button type="button" class="icon-button" aria-label={texts::CLOSE.get(lang)} onclick={move |_| close.emit(())}><Icon kind={IconKind::Close} /></button>
                    </header>
                    if entries.is_empty() { <p class="note">{texts::AGENDA_EMPTY.get(lang)}</p> }
                    <ol>
                        {for entries.iter().map(|entry| {
                            let (kind, class) = icon(&entry.what);
                            let (jump, at) = (jump.clone(), entry.at + Duration::from_nanos(1));
                            html! {
                                <li><button type="button" onclick={move |_| jump.emit(at)}>
                                    <b>{until(now, entry.at, lang)}</b>
                                    <span class={classes!("agenda-icon", class)}><Icon {kind} /></span>
                                    <span><code>{&entry.name}</code>{" "}{words(&entry.what, lang)}</span>
                                    <span class="link">{texts::JUMP.get(lang)}</span>
                                </button></li>
                            }
                        })}
                    </ol>
                    <footer>
                        <p>{texts::AGENDA_NOTE.get(lang)}</p>
                        <ul class="tick-legend">
                            {for TickKind::ALL.into_iter().map(|kind| {
                                let text = match kind {
                                    TickKind::Scheduled => texts::TICK_SCHEDULED,
                                    TickKind::Started => texts::TICK_STARTED,
                                    TickKind::Deleted => texts::TICK_DELETED,
                                    TickKind::ProbeFailed => texts::TICK_PROBE,
                                    TickKind::Restarted => texts::TICK_RESTARTED,
                                };
                                html! { <li><svg class={kind.class()} viewBox="0 0 12 12" aria-hidden="true"><path d={kind.path()} fill="currentColor" fill-rule="evenodd" /></svg>{text.get(lang)}</li> }
                            })}
                        </ul>
                    </footer>
                </div>
            }
        </>
    }
}
