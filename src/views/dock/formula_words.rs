//! The formula of a score with its numbers, line by line.

use crate::i18n::scores as texts;
use crate::state::Lang;
use crate::state::inspect::amount;
use podlab_cluster::scheduler::framework::PluginId;
use podlab_cluster::scheduler::profile::ScoringStrategy;
use podlab_cluster::scheduler::scoring::{Formula, Part};

/// The lines, the last with what it comes to; `weight` is what the score counts.
pub(super) fn lines(plugin: PluginId, formula: &Formula, weight: i64, lang: Lang) -> Vec<String> {
    let result = formula.result();
    let mut lines = of(plugin, formula, result, lang);
    if weight != 1 {
        let points = result.saturating_mul(weight).to_string();
        let values = [("score", result.to_string()), ("weight", weight.to_string()), ("points", points)];
        lines.push(
            texts::WEIGHTED.with(lang, &values.each_ref().map(|(name, value)| (*name, value.as_str()))),
        );
    }
    lines
}

fn of(plugin: PluginId, formula: &Formula, result: i64, lang: Lang) -> Vec<String> {
    match formula {
        Formula::Allocated { strategy, parts } => allocated(*strategy, parts, result),
        Formula::Balanced { with, without, parts } => {
            let share = |part: &Part| format!("{}.{:03}", part.result / 1000, part.result % 1000);
            let shares: Vec<String> = parts
                .iter()
                .map(|p| {
                    let name = p.resource.as_str();
                    let sum = amount(name, p.used.saturating_add(p.asked));
                    format!("{name} {sum} / {} = {}", amount(name, p.allocatable), share(p))
                })
                .collect();
            let mut lines = vec![format!("{}: {}", texts::WITH_POD.get(lang), shares.join(", "))];
            if let [cpu, memory] = parts.as_slice() {
                lines.push(format!(
                    "{}: 100 − |{} − {}| / 2 × 100 = {with}; {}: {without}",
                    texts::EVEN.get(lang),
                    share(cpu),
                    share(memory),
                    texts::WITHOUT_POD.get(lang)
                ));
            }
            lines.push(format!("50 + (50 + {with} − {without}) / 2 = {result}"));
            lines
        }
        Formula::Images { size, least, most } => {
            let (size_text, least_text, most_text) =
                (amount("memory", *size), amount("memory", *least), amount("memory", *most));
            let values = [("size", size_text.as_str()), ("least", &least_text), ("most", &most_text)];
            let counted = amount("memory", (*size).clamp(*least, *most));
            vec![
                texts::IMAGES.with(lang, &values),
                format!("100 × ({counted} − {least_text}) / ({most_text} − {least_text}) = {result}"),
            ]
        }
        Formula::Share { raw, most, less_is_better } => {
            let text = if *less_is_better { texts::UNTOLERATED } else { texts::PREFERRED };
            let said = text.with(lang, &[("raw", &raw.to_string()), ("most", &most.to_string())]);
            let sum = match (*most > 0, less_is_better) {
                (false, true) => "100".to_owned(),
                (false, false) => raw.to_string(),
                (true, true) => format!("100 − 100 × {raw} / {most} = {result}"),
                (true, false) => format!("100 × {raw} / {most} = {result}"),
            };
            vec![said, sum]
        }
        Formula::Spread { left_out: true, .. } => vec![texts::LEFT_OUT.get(lang).to_owned()],
        Formula::Spread { terms, raw, least, most, .. } => {
            let mut lines: Vec<String> = terms
                .iter()
                .map(|(term, count)| {
                    let key = term.topology_key.as_str();
                    let Some(count) = count else { return texts::NO_DOMAIN.with(lang, &[("key", key)]) };
                    let values = [
                        ("key", key),
                        ("count", &count.to_string()),
                        ("domains", &term.domains.to_string()),
                        ("skew", &term.max_skew.to_string()),
                    ];
                    texts::MATCHING.with(lang, &values)
                })
                .collect();
            lines.push(sum(texts::SUM, *raw, *least, *most, lang));
            lines.push(match most {
                0 => "100".to_owned(),
                _ => format!("100 × ({most} + {least} − {raw}) / {most} = {result}"),
            });
            lines
        }
        Formula::Range { raw, least, most } => {
            let said = sum(texts::PREFERENCES, *raw, *least, *most, lang);
            let worked = if most > least {
                format!("100 × ({raw} − {least}) / ({most} − {least}) = {result}")
            } else {
                "0".to_owned()
            };
            vec![said, worked]
        }
        Formula::Plain(raw) => vec![format!("{} {raw}", plugin.name())],
    }
}

fn sum(text: crate::i18n::Text, raw: i64, least: i64, most: i64, lang: Lang) -> String {
    let values = [("raw", raw.to_string()), ("least", least.to_string()), ("most", most.to_string())];
    text.with(lang, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
}

fn allocated(strategy: ScoringStrategy, parts: &[Part], result: i64) -> Vec<String> {
    let mut lines: Vec<String> = parts
        .iter()
        .map(|part| {
            let name = part.resource.as_str();
            let text = |value: i64| amount(name, value);
            let (has, used, asked) = (text(part.allocatable), text(part.used), text(part.asked));
            let inside = match strategy {
                ScoringStrategy::LeastAllocated => format!("({has} − {used} − {asked})"),
                ScoringStrategy::MostAllocated => format!("({used} + {asked})"),
                ScoringStrategy::RequestedToCapacityRatio => {
                    return format!("{name} shape(100 × ({used} + {asked}) / {has}) = {}", part.result);
                }
            };
            format!("{name} 100 × {inside} / {has} = {}", part.result)
        })
        .collect();
    let point = |part: &Part| match part.weight {
        1 => part.result.to_string(),
        weight => format!("{weight} × {}", part.result),
    };
    // By a shape, a resource without points does not count.
    let by_shape = strategy == ScoringStrategy::RequestedToCapacityRatio;
    let counts = |part: &&Part| !by_shape || part.result > 0;
    let points: Vec<String> = parts.iter().filter(counts).map(point).collect();
    let weights: i64 = parts.iter().filter(counts).map(|p| p.weight).sum();
    if points.is_empty() {
        lines.push("0".to_owned());
        return lines;
    }
    lines.push(format!("({}) / {weights} = {result}", points.join(" + ")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use podlab_cluster::scheduler::profile::ResourceName;

    #[test]
    fn a_formula_shows_its_numbers() {
        let part = |resource, used, asked, allocatable, result| Part {
            resource: ResourceName::new(resource),
            used,
            asked,
            allocatable,
            result,
            weight: 1,
        };
        let parts = vec![part("cpu", 600, 400, 2000, 50), part("memory", 1 << 30, 1 << 30, 4 << 30, 50)];
        let formula = Formula::Allocated { strategy: ScoringStrategy::LeastAllocated, parts };
        assert_eq!(
            lines(PluginId::NodeResourcesFit, &formula, 1, Lang::En),
            [
                "cpu 100 × (2000m − 600m − 400m) / 2000m = 50",
                "memory 100 × (4Gi − 1Gi − 1Gi) / 4Gi = 50",
                "(50 + 50) / 2 = 50",
            ]
        );
        let formula = Formula::Share { raw: 1, most: 2, less_is_better: true };
        assert_eq!(
            lines(PluginId::TaintToleration, &formula, 3, Lang::En),
            [
                "PreferNoSchedule taints not tolerated: 1, most on a node 2",
                "100 − 100 × 1 / 2 = 50",
                "50 × weight 3 = 150",
            ]
        );
    }
}
