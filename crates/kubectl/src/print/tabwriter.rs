//! Columns by elastic tab stops.
//!
//! Source: Go's text/tabwriter, and kubectl's fork that remembers widths (github.com/liggitt/tabwriter).

/// Aligns tab-separated cells. A column is a block of lines that all have a cell there.
#[derive(Clone, Debug)]
pub(crate) struct TabWriter {
    min_width: usize,
    padding: usize,
    /// Widths of earlier output that later output keeps, where they are remembered.
    remembered: Option<Vec<usize>>,
    text: String,
}

impl TabWriter {
    /// As `kubectl get` aligns: at least 6 wide, 3 spaces between, widths remembered.
    pub(crate) fn table() -> TabWriter {
        TabWriter { min_width: 6, padding: 3, remembered: Some(Vec::new()), text: String::new() }
    }

    /// As `kubectl describe` aligns: 2 spaces between.
    pub(crate) fn describe() -> TabWriter {
        TabWriter { min_width: 0, padding: 2, remembered: None, text: String::new() }
    }

    /// Adds text: cells end with a tab, lines with a line feed.
    pub(crate) fn write(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Gives what was written, aligned.
    pub(crate) fn flush(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        let lines: Vec<Vec<&str>> = text.split('\n').map(|l| l.split('\t').collect()).collect();
        let mut out = String::with_capacity(text.len() * 2);
        let mut widths = Vec::new();
        self.format(&lines, 0, lines.len(), &mut widths, &mut out);
        // The text behind the last line feed is a line of its own, without one.
        if out.ends_with('\n') {
            out.pop();
        }
        out
    }

    fn format(
        &mut self,
        lines: &[Vec<&str>],
        from: usize,
        to: usize,
        widths: &mut Vec<usize>,
        out: &mut String,
    ) {
        let column = widths.len();
        let has = |at: usize| lines.get(at).is_some_and(|l| column + 1 < l.len());
        let mut start = from;
        let mut this = from;
        while this < to {
            if !has(this) {
                this += 1;
                continue;
            }
            print(lines, start, this, widths, self.padding, out);
            start = this;
            let mut width = self.min_width;
            if let Some(old) = self.remembered.as_ref().and_then(|r| r.get(column)) {
                width = width.max(*old);
            }
            while this < to && has(this) {
                let cell = lines.get(this).and_then(|l| l.get(column)).map_or(0, |c| c.chars().count());
                width = width.max(cell + self.padding);
                this += 1;
            }
            if let Some(remembered) = &mut self.remembered {
                match remembered.get_mut(column) {
                    Some(old) => *old = (*old).max(width),
                    None => remembered.push(width),
                }
            }
            widths.push(width);
            self.format(lines, start, this, widths, out);
            widths.pop();
            start = this;
        }
        print(lines, start, to, widths, self.padding, out);
    }
}

fn print(lines: &[Vec<&str>], from: usize, to: usize, widths: &[usize], _padding: usize, out: &mut String) {
    for line in lines.get(from..to).unwrap_or(&[]) {
        for (i, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(i)
                && i + 1 < line.len()
            {
                let pad = width.saturating_sub(cell.chars().count());
                out.extend(std::iter::repeat_n(' ', pad));
            }
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_ends_where_a_line_lacks_it() {
        let mut writer = TabWriter::describe();
        writer.write("Name:\tweb\nLabels:\tapp=web\n\ttier=front\nStatus\nA:\tb\n");
        assert_eq!(writer.flush(), "Name:    web\nLabels:  app=web\n         tier=front\nStatus\nA:  b\n");
    }
}
