//! What memory holds at the start: which constants the first part can do without.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::ops::Range;
use wasmparser::{
    DataKind, KnownCustom, Linking, LinkingSectionReader, Operator, Parser, Payload, RelocSectionReader,
    SymbolInfo,
};

use super::module::Module;

/// A shorter run of bytes is not worth a segment of its own.
const WORTH: u64 = 32;

/// Where each constant of the program is, from the linker's own lists (`--emit-relocs`).
///
/// A constant that some code reaches by an address outside of it is left out: an index that counts from another number
/// than zero makes such addresses.
///
/// # Errors
/// If the file has no such lists.
pub(super) fn constants(linked: &[u8]) -> Result<Vec<Range<u64>>> {
    let (mut starts, mut names, mut symbols, mut entries) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(linked) {
        match payload? {
            Payload::DataSection(data) => {
                for data in data {
                    let DataKind::Active { offset_expr, .. } = data?.kind else {
                        bail!("a segment is not active")
                    };
                    starts.push(constant(offset_expr.get_operators_reader().read()?)?);
                }
            }
            Payload::CustomSection(custom) => match custom.as_known() {
                KnownCustom::Linking(linking) => read_linking(linking, &mut names, &mut symbols)?,
                KnownCustom::Reloc(relocations) => read_relocations(relocations, &mut entries)?,
                _ => {}
            },
            _ => {}
        }
    }
    anyhow::ensure!(!entries.is_empty(), "the linker left no relocations");
    let mut outside = BTreeSet::new();
    for (symbol, addend) in entries {
        let size = usize::try_from(symbol).ok().and_then(|at| symbols.get(at)).and_then(Option::as_ref);
        if let Some((_, _, size)) = size
            && !(0..=i64::from(*size)).contains(&addend)
        {
            outside.insert(symbol);
        }
    }
    let mut ranges = Vec::new();
    for (at, symbol) in symbols.iter().enumerate() {
        let Some((segment, offset, size)) = symbol else { continue };
        let segment = usize::try_from(*segment)?;
        let read_only = names.get(segment).is_some_and(|name: &String| name.starts_with(".rodata"));
        if read_only && *size > 0 && !outside.contains(&u32::try_from(at)?) {
            let start = starts.get(segment).context("a constant is in no segment")? + u64::from(*offset);
            ranges.push(start..start + u64::from(*size));
        }
    }
    ranges.sort_by_key(|range| (range.start, range.end));
    // Equal ends of texts share their bytes.
    let mut apart: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    Ok(apart)
}

/// A file without the linker's lists, which what comes after the linker does not keep true.
///
/// # Errors
/// If `bytes` is no wasm file.
pub(in crate::dist) fn without_lists(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Payload::CustomSection(custom) = &payload
            && matches!(custom.as_known(), KnownCustom::Linking(_) | KnownCustom::Reloc(_))
        {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
            let data = bytes.get(range).context("a section ends behind the file")?;
            out.section(&wasm_encoder::RawSection { id, data });
        }
    }
    Ok(out.finish())
}

type DataSymbol = Option<(u32, u32, u32)>;

fn read_linking(
    linking: LinkingSectionReader<'_>,
    names: &mut Vec<String>,
    symbols: &mut Vec<DataSymbol>,
) -> Result<()> {
    for part in linking {
        match part? {
            Linking::SegmentInfo(segments) => {
                for segment in segments {
                    names.push(segment?.name.to_owned());
                }
            }
            Linking::SymbolTable(table) => {
                for symbol in table {
                    symbols.push(match symbol? {
                        SymbolInfo::Data { symbol: Some(data), .. } => {
                            Some((data.index, data.offset, data.size))
                        }
                        _ => None,
                    });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_relocations(relocations: RelocSectionReader<'_>, entries: &mut Vec<(u32, i64)>) -> Result<()> {
    use wasmparser::RelocationType::{MemoryAddrI32, MemoryAddrLeb, MemoryAddrSleb};
    for entry in relocations.entries() {
        let entry = entry?;
        if matches!(entry.ty, MemoryAddrLeb | MemoryAddrSleb | MemoryAddrI32) {
            entries.push((entry.index, entry.addend));
        }
    }
    Ok(())
}

/// Which of `constants` neither a function of `first` nor anything that such a function can reach points to.
///
/// # Errors
/// If a segment or a body is not of the kind that the page's compiler writes.
pub(super) fn only_for_others(
    module: &Module<'_>,
    first: &BTreeSet<u32>,
    constants: &[Range<u64>],
) -> Result<Vec<Range<u64>>> {
    let segments = segments(module)?;
    let mut kept = vec![false; constants.len()];
    let mut open = Vec::new();
    let mut point = |address: u64, open: &mut Vec<usize>| {
        // The constant that holds the address, and one that ends there: its end can be meant.
        let after = constants.partition_point(|range| range.start <= address);
        for at in after.saturating_sub(2)..after {
            if constants.get(at).is_some_and(|range| address <= range.end)
                && let Some(kept @ false) = kept.get_mut(at)
            {
                *kept = true;
                open.push(at);
            }
        }
    };
    for body in first.iter().filter_map(|function| module.body(*function)) {
        for operator in body.get_operators_reader()? {
            addresses(&operator?, &mut |address| point(address, &mut open));
        }
    }
    for global in &module.globals {
        for operator in global.init_expr.get_operators_reader() {
            addresses(&operator?, &mut |address| point(address, &mut open));
        }
    }
    let mut from = 0;
    for range in constants {
        words(&segments, from..range.start, &mut |word| point(word, &mut open));
        from = range.end;
    }
    words(&segments, from..u64::MAX, &mut |word| point(word, &mut open));
    while let Some(at) = open.pop() {
        if let Some(range) = constants.get(at) {
            words(&segments, range.clone(), &mut |word| point(word, &mut open));
        }
    }
    let mut moved: Vec<Range<u64>> = Vec::new();
    for (range, kept) in constants.iter().zip(kept) {
        match moved.last_mut() {
            _ if kept => {}
            // Only padding is between the two.
            Some(last) if zeroes(&segments, last.end..range.start) => last.end = range.end,
            _ => moved.push(range.clone()),
        }
    }
    moved.retain(|range| range.end - range.start >= WORTH);
    Ok(moved)
}

/// All aligned words in a range of memory.
fn words(segments: &[(u64, &[u8])], range: Range<u64>, each: &mut impl FnMut(u64)) {
    for (begin, bytes) in segments {
        let (from, to) =
            (range.start.max(*begin).next_multiple_of(4), range.end.min(begin + bytes.len() as u64));
        if from < to
            && let (Ok(from), Ok(to)) = (usize::try_from(from - begin), usize::try_from(to - begin))
        {
            for word in bytes.get(from..to).unwrap_or_default().as_chunks::<4>().0 {
                each(u64::from(u32::from_le_bytes(*word)));
            }
        }
    }
}

/// Whether memory has nothing but zeroes in a range.
fn zeroes(segments: &[(u64, &[u8])], range: Range<u64>) -> bool {
    segments.iter().all(|(begin, bytes)| {
        let (from, to) = (range.start.max(*begin), range.end.min(begin + bytes.len() as u64));
        from >= to
            || match (usize::try_from(from - begin), usize::try_from(to - begin)) {
                (Ok(from), Ok(to)) => {
                    bytes.get(from..to).is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0))
                }
                _ => false,
            }
    })
}

/// Addresses that an instruction can be about.
fn addresses(operator: &Operator<'_>, point: &mut impl FnMut(u64)) {
    macro_rules! at {
        ($($name:ident)*) => {
            match operator {
                Operator::I32Const { value } => point(u64::from(value.cast_unsigned())),
                // Two addresses side by side are written as one number.
                Operator::I64Const { value } => {
                    let value = value.cast_unsigned();
                    point(value & u64::from(u32::MAX));
                    point(value >> 32);
                }
                $(Operator::$name { memarg } => point(memarg.offset),)*
                _ => {}
            }
        };
    }
    at!(I32Load I64Load F32Load F64Load I32Load8S I32Load8U I32Load16S I32Load16U I64Load8S I64Load8U I64Load16S
        I64Load16U I64Load32S I64Load32U);
}

/// The pieces `(address, bytes)` of memory that one part fills.
///
/// # Errors
/// If a segment is not of the kind that the page's compiler writes.
pub(super) fn pieces<'a>(
    module: &Module<'a>,
    moved: &[Range<u64>],
    second: bool,
) -> Result<Vec<(u64, &'a [u8])>> {
    let mut pieces = Vec::new();
    for (begin, bytes) in segments(module)? {
        let end = begin + bytes.len() as u64;
        let mut add = |from: u64, to: u64| -> Result<()> {
            if from < to {
                let range = usize::try_from(from - begin)?..usize::try_from(to - begin)?;
                pieces.push((from, bytes.get(range).context("a piece of memory is outside of its segment")?));
            }
            Ok(())
        };
        let mut at = begin;
        for range in moved {
            let (from, to) = (range.start.max(begin), range.end.min(end));
            if from < to {
                if second {
                    add(from, to)?;
                } else {
                    add(at, from)?;
                }
                at = to;
            }
        }
        if !second {
            add(at, end)?;
        }
    }
    Ok(pieces)
}

fn segments<'a>(module: &Module<'a>) -> Result<Vec<(u64, &'a [u8])>> {
    let mut segments = Vec::new();
    for data in &module.data {
        let DataKind::Active { memory_index: 0, offset_expr } = &data.kind else {
            bail!("a segment of memory is not active");
        };
        segments.push((constant(offset_expr.get_operators_reader().read()?)?, data.data));
    }
    Ok(segments)
}

fn constant(operator: Operator<'_>) -> Result<u64> {
    match operator {
        Operator::I32Const { value } => Ok(u64::from(value.cast_unsigned())),
        _ => bail!("a segment of memory begins at no constant"),
    }
}
