//! Above the stage: nodes or workloads, namespace, selector, density.

use super::Asked;
use super::model::{Model, Same};
use crate::app::UiContext;
use crate::components::{Choice, Icon, IconKind, Segmented};
use crate::i18n::{stage as texts, use_lang, workloads};
use crate::state::{Density, Pane, StageView, UiAction};
use crate::views::frame::WideButton;
use yew::prelude::*;

/// Properties of [`Toolbar`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct ToolbarProps {
    pub(crate) model: Same<Model>,
    pub(crate) asked: Same<Asked>,
    pub(crate) ui: UiContext,
}

/// The toolbar.
#[component]
pub(crate) fn Toolbar(props: &ToolbarProps) -> Html {
    let lang = use_lang();
    let ToolbarProps { model, asked, ui } = props;
    let on_namespace = {
        let ui = ui.clone();
        crate::dom::on_chosen(Callback::from(move |name: String| {
            ui.dispatch(UiAction::Namespace((!name.is_empty()).then_some(name)));
        }))
    };
    let on_selector = {
        let ui = ui.clone();
        crate::dom::on_typed(Callback::from(move |text| ui.dispatch(UiAction::Selector(text))))
    };
    let clear = {
        let ui = ui.clone();
        Callback::from(move |()| {
            ui.dispatch(UiAction::Selector(String::new()));
            crate::dom::focus_on("#stage-selector");
        })
    };
    let onkeydown = {
        let clear = clear.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" && !crate::dom::is_composing(&event) {
                event.stop_propagation();
                clear.emit(());
                crate::dom::focus_on("#pane-cluster");
            }
        })
    };
    let matching = asked.selector.as_ref().map(|(selector, _)| {
        let pods = model.columns.iter().flat_map(|c| &c.pods).chain(&model.queue);
        let hits = pods.filter(|p| selector.matches(&p.labels)).count();
        format!("{hits}/{}", model.pods)
    });
    let densities = [Density::Auto, Density::Cards, Density::Dots];
    let on_density = {
        let ui = ui.clone();
        Callback::from(move |i: usize| ui.dispatch(UiAction::Density(densities[i.min(2)])))
    };
    let choices = vec![
        Choice::text(texts::DENSITY_AUTO.get(lang)),
        Choice::icon(IconKind::Cards, texts::DENSITY_CARDS.get(lang)),
        Choice::icon(IconKind::Dots, texts::DENSITY_DOTS.get(lang)),
    ];
    let views = [StageView::Nodes, StageView::Workloads];
    let on_view = {
        let ui = ui.clone();
        Callback::from(move |i: usize| ui.dispatch(UiAction::View(views[i.min(1)])))
    };
    let view_choices =
        vec![Choice::text(workloads::NODES.get(lang)), Choice::text(workloads::WORKLOADS.get(lang))];
    let error = asked.error.clone();
    html! {
        <>
            <div class="stage-bar">
                <Segmented class="stage-view" label={workloads::VIEW.get(lang)} choices={view_choices} chosen={usize::from(ui.view == StageView::Workloads)} on_choose={on_view} />
                <label class="namespace"><span aria-hidden="true">{"ns"}</span>
                    <select aria-label={texts::NAMESPACE.get(lang)} onchange={on_namespace}>
                        <option value="" selected={ui.namespace.is_none()}>{texts::ALL_NAMESPACES.get(lang)}</option>
                        {for model.namespaces.iter().map(|ns| html! { <option value={ns.clone()} selected={ui.namespace.as_ref() == Some(ns)}>{ns}</option> })}
                    </select>
                </label>
                <div class={classes!("selector-field", (!ui.selector.is_empty()).then_some("on"), error.is_some().then_some("wrong"))}>
                    <Icon kind={IconKind::Search} />
                    <input id="stage-selector" type="text" value={ui.selector.clone()} placeholder={texts::SELECTOR.get(lang)} aria-label={texts::SELECTOR.get(lang)}
                        aria-invalid={error.is_some().to_string()} aria-describedby={error.is_some().then_some("stage-selector-error")}
                        autocomplete="off" autocapitalize="off" spellcheck="false" oninput={on_selector} {onkeydown} />
                    if let Some(matching) = matching { <span class="matching" role="status">{matching}</span> }
                    if ui.selector.is_empty() {
                        <kbd aria-hidden="true">{"/"}</kbd>
                    } else {
                        <button type="button" class="icon-button small" aria-label={texts::CLEAR.get(lang)} onclick={move |_| clear.emit(())}><Icon kind={IconKind::Close} /></button>
                    }
                </div>
                <Segmented class="density" label={texts::DENSITY.get(lang)} {choices} chosen={densities.iter().position(|d| *d == ui.density).unwrap_or(0)} on_choose={on_density} />
                <WideButton pane={Pane::Cluster} />
            </div>
            if let Some(error) = error { <p class="selector-error" id="stage-selector-error" role="alert"><code>{error}</code></p> }
        </>
    }
}
