//! The page's words in English and Korean.
//!
//! A text is a constant that carries both languages side by side, so a missing translation does not compile, a
//! text that nothing uses is a warning, and looking one up costs nothing. (rust-i18n would find both only at run
//! time, and brings a map of all texts and its look-up into the wasm file.) Kubernetes' own texts never come from
//! here: they are shown as they are.
//!
//! Wording: short, present tense, sentence case. Korean: 설명은 합니다체, 과제와 안내는 '-세요', 버튼과 제목은
//! 명사형. Kubernetes terms stay English in both, and no particle follows a variable name.

pub(crate) mod bars;
pub(crate) mod dock;
pub(crate) mod editor;
pub(crate) mod faults;
pub(crate) mod plugins;
pub(crate) mod remedy;
pub(crate) mod scores;
pub(crate) mod stage;
pub(crate) mod terminal;
pub(crate) mod what_if;
pub(crate) mod workloads;

use crate::state::Lang;

/// A text in both languages; `{name}` stands for what [`Text::with`] puts there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// English.
    pub(crate) en: &'static str,
    /// Korean.
    pub(crate) ko: &'static str,
}

impl Text {
    /// In a language.
    pub(crate) fn get(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Ko => self.ko,
        }
    }

    /// In a language, with each `{name}` replaced by its value.
    pub(crate) fn with(self, lang: Lang, values: &[(&str, &str)]) -> String {
        let mut result = String::new();
        let mut rest = self.get(lang);
        while let Some((before, after)) = rest.split_once('{') {
            result.push_str(before);
            let Some((name, tail)) = after.split_once('}') else { break };
            if let Some((_, value)) = values.iter().find(|(n, _)| *n == name) {
                result.push_str(value);
            }
            rest = tail;
        }
        result.push_str(rest);
        result
    }
}

/// `texts! { NAME: "English", "한국어"; … }`: constants of type [`Text`].
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $en:literal, $ko:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: $crate::i18n::Text = $crate::i18n::Text { en: $en, ko: $ko };)*
    };
}
pub(crate) use texts;

/// The page's language, for components.
#[yew::hook]
pub(crate) fn use_lang() -> Lang {
    yew::use_context::<crate::app::UiContext>().map(|ui| ui.0.lang).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_their_names_stood() {
        let text = Text { en: "{count} in other namespaces", ko: "다른 namespace에 {count}개" };
        assert_eq!(text.with(Lang::En, &[("count", "3")]), "3 in other namespaces");
        assert_eq!(text.with(Lang::Ko, &[("count", "3")]), "다른 namespace에 3개");
    }
}
