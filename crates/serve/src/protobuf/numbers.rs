//! Which number a field has: one table, written by `tools/facts`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What stands under a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Member {
    /// A field by its JSON name.
    Field(&'static str),
    /// A message whose fields JSON has among the owner's own.
    Embedded(&'static str),
}

type Messages = BTreeMap<&'static str, Vec<(u32, Member)>>;

static MESSAGES: LazyLock<Messages> = LazyLock::new(|| {
    let lines = include_str!("../../data/protobuf.txt").lines().filter(|line| !line.starts_with('%'));
    lines
        .filter_map(|line| {
            let mut words = line.split(' ');
            let name = words.next()?;
            let member = |word: &'static str| {
                let at = word.find(['=', '+'])?;
                let (number, rest) = word.split_at(at);
                let (mark, name) = rest.split_at(1);
                let member = if mark == "=" { Member::Field(name) } else { Member::Embedded(name) };
                Some((number.parse().ok()?, member))
            };
            Some((name, words.filter_map(member).collect()))
        })
        .collect()
});

/// The members of a message (`core/v1.Pod`) with their numbers.
pub(super) fn members(message: &str) -> &'static [(u32, Member)] {
    MESSAGES.get(message).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::{Member, members};

    #[test]
    fn fields_and_embedded_messages_have_numbers() {
        assert_eq!(
            members("core/v1.Volume"),
            [(1, Member::Field("name")), (2, Member::Embedded("core/v1.VolumeSource"))]
        );
        assert_eq!(members("nothing"), []);
    }
}
