//! Tables as libsmartcols of util-linux 2.38 lays them out: aligned, raw, as pairs, as JSON, as trees.

/// How a cell is written in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Value {
    #[default]
    Text,
    Number,
    Boolean,
    /// A list of texts.
    List,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) right: bool,
    pub(super) value: Value,
}

impl Column {
    pub(super) const fn left(name: &'static str) -> Self {
        Self { name, right: false, value: Value::Text }
    }

    pub(super) const fn right(name: &'static str) -> Self {
        Self { name, right: true, value: Value::Text }
    }

    pub(super) const fn number(name: &'static str) -> Self {
        Self { name, right: true, value: Value::Number }
    }

    pub(super) const fn boolean(name: &'static str) -> Self {
        Self { name, right: true, value: Value::Boolean }
    }

    pub(super) const fn list(name: &'static str) -> Self {
        Self { name, right: false, value: Value::List }
    }
}

/// One row; its children stand under it in a tree.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) children: Vec<Row>,
}

impl Row {
    pub(super) fn new(cells: Vec<String>) -> Self {
        Self { cells, children: Vec::new() }
    }
}

/// How the table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Plain,
    Raw,
    Pairs,
    Json,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
    pub(super) form: Form,
    pub(super) headings: bool,
    /// The column in which children are drawn under their parents; `None`: a list.
    pub(super) tree: Option<usize>,
    /// Branches are drawn in ASCII.
    pub(super) ascii: bool,
    /// Name of the list in JSON.
    pub(super) name: &'static str,
}

impl Table {
    pub(super) fn write(&self) -> String {
        if self.form == Form::Json {
            let mut text = format!("{{\n   \"{}\": [", self.name);
            self.objects(&self.rows, 2, &mut text);
            return text + "\n   ]\n}\n";
        }
        let mut lines = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            self.collect(row, "", at + 1 == self.rows.len(), 0, &mut lines);
        }
        match self.form {
            Form::Pairs => lines.iter().map(|line| self.pairs(line)).collect(),
            Form::Raw => {
                let mut text = String::new();
                if self.headings {
                    text += &(self.columns.iter().map(|one| one.name).collect::<Vec<_>>().join(" ") + "\n");
                }
                for line in &lines {
                    text +=
                        &(line.iter().map(|cell| cell.replace(' ', "\\x20")).collect::<Vec<_>>().join(" ")
                            + "\n");
                }
                text
            }
            Form::Plain | Form::Json => self.plain(&lines),
        }
    }

    /// A row and those under it, with branches before them.
    fn collect(&self, row: &Row, before: &str, last: bool, depth: usize, lines: &mut Vec<Vec<String>>) {
        let mut cells = row.cells.clone();
        let draws = self.form == Form::Plain && depth > 0;
        if let Some(cell) = self.tree.filter(|_| draws).and_then(|at| cells.get_mut(at)) {
            let branch = match (self.ascii, last) {
                (false, true) => "└─",
                (false, false) => "├─",
                (true, true) => "`-",
                (true, false) => "|-",
            };
            *cell = format!("{before}{branch}{cell}");
        }
        lines.push(cells);
        let trunk = if depth == 0 {
            String::new()
        } else {
            let line = if self.ascii { "| " } else { "│ " };
            format!("{before}{}", if last { "  " } else { line })
        };
        for (at, child) in row.children.iter().enumerate().take(4096) {
            if depth < 64 {
                self.collect(child, &trunk, at + 1 == row.children.len(), depth + 1, lines);
            }
        }
    }

    fn plain(&self, lines: &[Vec<String>]) -> String {
        let width = |text: &str| text.chars().count();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = lines.iter().filter_map(|line| line.get(at)).map(|cell| width(cell));
                let heading = self.columns.get(at).filter(|_| self.headings).map(|column| column.name.len());
                cells.chain(heading).max().unwrap_or(0)
            })
            .collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut text = String::new();
            for (at, (cell, (column, room))) in cells.zip(self.columns.iter().zip(&widths)).enumerate() {
                if at > 0 {
                    text.push(' ');
                }
                let fill = " ".repeat(room.saturating_sub(width(cell)));
                if column.right {
                    text += &(fill + cell);
                } else {
                    text += cell;
                    if at + 1 < self.columns.len() {
                        text += &fill;
                    }
                }
            }
            text + "\n"
        };
        let mut text = String::new();
        if self.headings && !lines.is_empty() {
            text += &line(&mut self.columns.iter().map(|column| column.name));
        }
        for cells in lines {
            text += &line(&mut cells.iter().map(String::as_str));
        }
        text
    }

    fn pairs(&self, cells: &[String]) -> String {
        let pair = |(column, cell): (&Column, &String)| {
            format!("{}=\"{}\"", column.name, cell.replace(['"', '\\', '$', '`'], "\\x22"))
        };
        self.columns.iter().zip(cells).map(pair).collect::<Vec<_>>().join(" ") + "\n"
    }

    fn objects(&self, rows: &[Row], depth: usize, text: &mut String) {
        let indent = "   ".repeat(depth);
        for (at, row) in rows.iter().enumerate() {
            *text += if at == 0 { "\n" } else { "," };
            if at == 0 {
                *text += &indent;
            }
            *text += "{";
            let mut first = true;
            for (column, cell) in self.columns.iter().zip(&row.cells) {
                *text += if first { "\n" } else { ",\n" };
                first = false;
                let cell = cell.trim();
                let name = column.name.to_lowercase();
                let quoted = || format!("\"{}\"", cell.replace('\\', "\\\\").replace('"', "\\\""));
                let value = match column.value {
                    Value::List => {
                        let inner = if cell.is_empty() { "null".to_owned() } else { quoted() };
                        format!("[\n{indent}       {inner}\n{indent}   ]")
                    }
                    _ if cell.is_empty() => "null".to_owned(),
                    Value::Number => cell.to_owned(),
                    Value::Boolean => if matches!(cell, "0" | "no") { "false" } else { "true" }.to_owned(),
                    Value::Text => quoted(),
                };
                *text += &format!("{indent}   \"{name}\": {value}");
            }
            if !row.children.is_empty() && depth < 64 {
                *text += &format!(",\n{indent}   \"children\": [");
                self.objects(&row.children, depth + 2, text);
                *text += &format!("\n{indent}   ]");
            }
            *text += &format!("\n{indent}}}");
        }
    }
}

/// A size as util-linux shows it: `19.1G`, `975M`, `1K`, `0B`.
pub(super) fn size(bytes: u64) -> String {
    const LETTERS: &[u8] = b"BKMGTPE";
    let mut power = 0;
    while power + 1 < LETTERS.len() && bytes >> (10 * (power + 1)) > 0 {
        power += 1;
    }
    let letter = LETTERS.get(power).copied().map_or('B', char::from);
    let unit = 1_u64 << (10 * power);
    let (mut whole, rest) = (bytes / unit, bytes % unit);
    let mut tenths = 0;
    if rest > 0 {
        // Rounded to tenths, up from a half.
        tenths = (u128::from(rest) * 20 + u128::from(unit)) as u64 / (unit * 2);
        if tenths == 10 {
            (whole, tenths) = (whole + 1, 0);
        }
    }
    if tenths == 0 { format!("{whole}{letter}") } else { format!("{whole}.{tenths}{letter}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_decimal() {
        for (bytes, text) in [
            (0, "0B"),
            (1024, "1K"),
            (998_244_352, "952M"),
            (20 << 30, "20G"),
            (20_449_329_152, "19G"),
            (1_073_741_312, "1024M"),
            (83_886_080_000, "78.1G"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn trees_and_json_are_nested() {
        let child = Row::new(vec!["vda1".into(), String::new()]);
        let row = Row { children: vec![child], ..Row::new(vec!["vda".into(), "/".into()]) };
        let columns = vec![Column::left("NAME"), Column::list("MOUNTPOINTS")];
        let mut table = Table {
            columns,
            rows: vec![row],
            headings: true,
            tree: Some(0),
            name: "blockdevices",
            ..Table::default()
        };
        assert_eq!(table.write(), "NAME   MOUNTPOINTS\nvda    /\n└─vda1 \n");
        table.form = Form::Json;
        assert_eq!(
            table.write(),
            "{\n   \"blockdevices\": [\n      {\n         \"name\": \"vda\",\n         \"mountpoints\": [\n             \"/\"\n         ],\n         \"children\": [\n            {\n               \"name\": \"vda1\",\n               \"mountpoints\": [\n                   null\n               ]\n            }\n         ]\n      }\n   ]\n}\n"
        );
    }
}
