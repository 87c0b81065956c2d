//! What stands on the visitor's screen, and the bytes that change it: the way readline 8.2 redraws (its `update_line`).

/// The most columns a row is thought to have.
const WIDEST: usize = 500;

/// One character as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    bytes: [u8; 4],
    length: u8,
    width: u8,
    standout: bool,
}

impl Cell {
    fn new(bytes: &[u8], width: u8, standout: bool) -> Self {
        let mut cell = Self { bytes: [0; 4], length: 0, width, standout };
        for (slot, byte) in cell.bytes.iter_mut().zip(bytes) {
            *slot = *byte;
            cell.length += 1;
        }
        cell
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

fn width(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| usize::from(cell.width)).sum()
}

fn length(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| usize::from(cell.length)).sum()
}

/// The rows on the screen and where the cursor is.
pub(super) struct Screen {
    columns: usize,
    /// The terminal knows more than to go on writing.
    able: bool,
    /// The locale has one byte a character: readline compares and moves in another way then.
    bytewise: bool,
    rows: Vec<Vec<Cell>>,
    row: usize,
    column: usize,
}

impl Screen {
    pub(super) fn new(able: bool) -> Self {
        Self { columns: 80, able, bytewise: false, rows: vec![Vec::new()], row: 0, column: 0 }
    }

    /// The window is this wide.
    pub(super) fn set_columns(&mut self, columns: u16) {
        // A width of nothing is what clients send who do not know; readline takes 80 then.
        self.columns = if columns < 2 { 80 } else { usize::from(columns).min(WIDEST) };
    }

    /// There is no locale that says how many bytes a character has.
    pub(super) fn set_bytewise(&mut self) {
        self.bytewise = true;
    }

    /// Takes one column off the end of the line, if that is as simple as it sounds.
    pub(super) fn rub_out(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(row) = self.rows.last_mut().filter(|_| self.bytewise && self.row == 0) else { return false };
        if self.column == 0 || width(row) != self.column || row.last().is_none_or(|cell| cell.width != 1) {
            return false;
        }
        row.pop();
        self.column -= 1;
        out.extend_from_slice(b"\x08 \x08");
        true
    }

    /// A fresh line: the prompt was just shown.
    pub(super) fn begin(&mut self, prompt: &str) {
        self.rows = self.lay_out(prompt.as_bytes(), 0, None).0;
        self.row = self.rows.len() - 1;
        self.column = self.rows.last().map_or(0, |row| width(row));
    }

    /// Shows `prompt` and `line` with the cursor before byte `cursor` of the line; `marked` stands out.
    pub(super) fn show(
        &mut self,
        prompt: &str,
        line: &[u8],
        cursor: usize,
        marked: Option<(usize, usize)>,
        out: &mut Vec<u8>,
    ) {
        let text = [prompt.as_bytes(), line].concat();
        let marked = marked.map(|(from, to)| (from + prompt.len(), to + prompt.len()));
        let (new, at) = self.lay_out(&text, cursor + prompt.len(), marked);
        for number in 0..new.len() {
            let old = self.rows.get(number).cloned().unwrap_or_default();
            self.update(number, old, new.get(number).map_or(&[], Vec::as_slice), number + 1 < new.len(), out);
        }
        for number in new.len()..self.rows.len() {
            if self.rows.get(number).is_some_and(|row| !row.is_empty()) {
                self.move_to(number, 0, out);
                let wide = self.rows.get(number).map_or(0, |row| width(row));
                self.erase(wide, out);
            }
        }
        self.rows = new;
        self.move_to(at.0, at.1, out);
    }

    /// The line is finished: the cursor leaves it.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        let last = self.rows.len() - 1;
        if self.row < last {
            self.move_to(last, 0, out);
        }
        out.extend_from_slice(b"\r\n");
        self.rows = vec![Vec::new()];
        (self.row, self.column) = (0, 0);
    }

    /// Cuts text into rows and finds the place of a byte of it.
    fn lay_out(
        &self,
        text: &[u8],
        cursor: usize,
        marked: Option<(usize, usize)>,
    ) -> (Vec<Vec<Cell>>, (usize, usize)) {
        let mut rows = vec![Vec::new()];
        let (mut column, mut at, mut place) = (0, 0, None);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if at >= cursor && place.is_none() {
                place = Some((rows.len() - 1, column));
            }
            if rest.starts_with(b"\n") {
                rows.push(Vec::new());
                column = 0;
                at += 1;
                continue;
            }
            let standout = marked.is_some_and(|(from, to)| (from..to).contains(&at));
            let (taken, cells) = next_cells(rest, column, standout);
            at += taken;
            for cell in cells {
                if column + usize::from(cell.width) > self.columns {
                    rows.push(Vec::new());
                    column = 0;
                }
                column += usize::from(cell.width);
                if let Some(row) = rows.last_mut() {
                    row.push(cell);
                }
                if column == self.columns {
                    rows.push(Vec::new());
                    column = 0;
                }
            }
        }
        let end = (rows.len() - 1, column);
        (rows, place.unwrap_or(end))
    }

    fn update(&mut self, number: usize, mut old: Vec<Cell>, new: &[Cell], grows: bool, out: &mut Vec<u8>) {
        // At the right edge the terminal wraps only when something follows.
        if self.column == self.columns && number > 0 && self.row == number - 1 {
            match new.first() {
                Some(first) => {
                    write(&[*first], out);
                    self.column = usize::from(first.width);
                    match old.first_mut() {
                        Some(slot) => *slot = *first,
                        None => old.push(*first),
                    }
                }
                None => {
                    out.push(b' ');
                    self.column = 1;
                }
            }
            self.row = number;
        }
        if old == new {
            return;
        }
        let first = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let (old_end, new_end) = last_difference(&old, new, first, self.bytewise);
        let rest = new.get(first..).unwrap_or_default();
        let old_middle = old.get(first..old_end).unwrap_or_default();
        let new_middle = new.get(first..new_end).unwrap_or_default();
        self.move_to(number, width(new.get(..first).unwrap_or_default()), out);
        let more = width(new_middle) as isize - width(old_middle) as isize;
        let longer = length(new_middle) as isize - length(old_middle) as isize;
        if longer > 0 {
            if self.able && more > 0 && old_end < old.len() && first > 0 && !grows {
                out.extend_from_slice(format!("\x1b[{more}@").as_bytes());
                self.write(new_middle, out);
            } else {
                self.write(rest, out);
                if more < 0 {
                    self.erase(more.unsigned_abs(), out);
                }
            }
        } else if self.able && (2 * width(rest)) as isize >= -more && !(grows && more < 0) {
            if more < 0 {
                out.extend_from_slice(format!("\x1b[{}P", -more).as_bytes());
            }
            self.write(new_middle, out);
        } else {
            self.write(rest, out);
            let gone = width(&old).saturating_sub(width(new));
            if gone > 0 {
                self.erase(gone, out);
            }
        }
    }

    fn write(&mut self, cells: &[Cell], out: &mut Vec<u8>) {
        write(cells, out);
        self.column += width(cells);
    }

    /// Clears what stands behind the cursor, `gone` columns of it.
    fn erase(&mut self, gone: usize, out: &mut Vec<u8>) {
        if self.able {
            out.extend_from_slice(b"\x1b[K");
        } else {
            out.extend(std::iter::repeat_n(b' ', gone));
            self.column += gone;
        }
    }

    fn move_to(&mut self, row: usize, column: usize, out: &mut Vec<u8>) {
        if row > self.row {
            for _ in self.row..row {
                out.extend_from_slice(b"\r\n");
            }
            out.push(b'\r');
            self.column = 0;
        }
        for _ in row..self.row {
            out.extend_from_slice(if self.able { b"\x1b[A" } else { b"" });
        }
        self.row = row;
        if column < self.column && (column == 0 || column + 1 < self.column - column) {
            out.push(b'\r');
            self.column = 0;
        }
        if column < self.column {
            out.extend(std::iter::repeat_n(0x08, self.column - column));
        } else if self.able && !self.bytewise {
            for _ in self.column..column {
                out.extend_from_slice(b"\x1b[C");
            }
        } else {
            let shown = self.rows.get(row).map(Vec::as_slice).unwrap_or_default();
            let mut at = 0;
            for cell in shown {
                if (self.column..column).contains(&at) {
                    out.extend_from_slice(cell.bytes());
                }
                at += usize::from(cell.width);
            }
        }
        self.column = column;
    }
}

/// Where two rows stop to differ, seen from their ends. As readline does it, an equal end counts only when a space is
/// in it; where characters are bytes, only when something else is.
fn last_difference(old: &[Cell], new: &[Cell], first: usize, bytewise: bool) -> (usize, usize) {
    let most = (old.len().min(new.len())).saturating_sub(first + 1);
    let same = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let counts = old.iter().rev().take(same).any(|cell| (cell.bytes() == b" ") != bytewise);
    if !counts {
        return (old.len(), new.len());
    }
    // The search stops at the first difference without looking at it.
    let at = |cells: &[Cell]| cells.len().checked_sub(same + 1).and_then(|at| cells.get(at).copied());
    let same = if same == most && at(old) == at(new) { same + 1 } else { same };
    (old.len() - same, new.len() - same)
}

fn write(cells: &[Cell], out: &mut Vec<u8>) {
    let mut standout = false;
    for cell in cells {
        if cell.standout != standout {
            out.extend_from_slice(if cell.standout { b"\x1b[7m" } else { b"\x1b[27m" });
            standout = cell.standout;
        }
        out.extend_from_slice(cell.bytes());
    }
    if standout {
        out.extend_from_slice(b"\x1b[27m");
    }
}

/// How the next character is shown, and how many bytes it has.
fn next_cells(rest: &[u8], column: usize, standout: bool) -> (usize, Vec<Cell>) {
    let cell = |bytes: &[u8], width| Cell::new(bytes, width, standout);
    match rest.first().copied().unwrap_or_default() {
        b'\t' => (1, vec![cell(b" ", 1); 8 - column % 8]),
        byte @ (0..=0x1f | 0x7f) => (1, vec![cell(b"^", 1), cell(&[byte ^ 0x40], 1)]),
        byte @ 0x20..=0x7e => (1, vec![cell(&[byte], 1)]),
        byte => {
            let count = character_length(byte).min(rest.len());
            let bytes = rest.get(..count).unwrap_or_default();
            match std::str::from_utf8(bytes).ok().and_then(|text| text.chars().next()) {
                Some(c) => (count, vec![cell(bytes, if is_wide(c) { 2 } else { 1 })]),
                None => (1, vec![cell(&[byte], 1)]),
            }
        }
    }
}

/// How many bytes a character has that begins with this one.
pub(super) fn character_length(first: u8) -> usize {
    match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    }
}

/// East Asian wide characters and pictures take two columns.
fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f
        | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
}
