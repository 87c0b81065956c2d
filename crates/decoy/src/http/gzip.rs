//! Compression as zlib does it at its first level, bit for bit: what nginx sends to whoever takes gzip (`gzip_comp_level 1`). Any
//! other compressor finds other matches, and a page that everybody knows would have another length.

mod huffman;
#[cfg(test)]
mod tests;

use self::huffman::{Tree, Trees};

const MIN_MATCH: usize = 3;
const MAX_MATCH: usize = 258;
const MIN_LOOKAHEAD: usize = MAX_MATCH + MIN_MATCH + 1;
/// `configuration_table[1]` of deflate.c: how long a match may be for its inside to be remembered, which one is good enough, how
/// many are tried.
const MAX_INSERT: usize = 4;
const NICE_LENGTH: usize = 8;
const MAX_CHAIN: usize = 4;

/// The bits of a page, gathered from the lowest on.
#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    waiting: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, length: u32) {
        self.waiting |= u64::from(value) << self.count;
        self.count += length;
        while self.count >= 8 {
            self.out.extend(self.waiting.to_le_bytes().first());
            self.waiting >>= 8;
            self.count -= 8;
        }
    }

    fn align(&mut self) {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
    }
}

/// An element, or 0: every index here is bound by how the tables are made.
fn at<T: Copy + Default>(table: &[T], index: usize) -> T {
    table.get(index).copied().unwrap_or_default()
}

fn set<T>(table: &mut [T], index: usize, value: T) {
    if let Some(place) = table.get_mut(index) {
        *place = value;
    }
}

/// How large window and tables are: nginx makes them smaller for a page that is (ngx_http_gzip_filter_module.c).
fn sizes(length: usize) -> (u32, u32) {
    let (mut window, mut memory) = (15_u32, 8_u32);
    while window > 1 && length + (MAX_MATCH + 4) < 1 << (window - 1) {
        (window, memory) = (window - 1, memory.saturating_sub(1));
    }
    // zlib knows no window below 512 bytes.
    (window.max(9), memory.max(1))
}

/// The page as nginx's gzip.
pub(super) fn gzip(page: &[u8]) -> Vec<u8> {
    let (window, memory) = sizes(page.len());
    let mut state = State::new(page, window, memory);
    // No name, no time; the fastest level; Unix.
    state.bits.out.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3]);
    state.deflate();
    let mut sum = flate2::Crc::new();
    sum.update(page);
    let mut out = state.bits.out;
    out.extend(sum.sum().to_le_bytes());
    out.extend(sum.amount().to_le_bytes());
    out
}

struct State<'a> {
    page: &'a [u8],
    /// How much of the page is in the window.
    read: usize,
    window: Vec<u8>,
    size: usize,
    head: Vec<usize>,
    previous: Vec<usize>,
    shift: u32,
    hash: usize,
    start: usize,
    ahead: usize,
    match_start: usize,
    match_length: usize,
    block_start: usize,
    bits: Bits,
    trees: Trees,
}

impl<'a> State<'a> {
    fn new(page: &'a [u8], window: u32, memory: u32) -> Self {
        let size = 1 << window;
        Self {
            page,
            read: 0,
            window: vec![0; 2 * size + MAX_MATCH],
            size,
            head: vec![0; 1 << (memory + 7)],
            previous: vec![0; size],
            shift: (memory + 7).div_ceil(3),
            hash: 0,
            start: 0,
            ahead: 0,
            match_start: 0,
            match_length: MIN_MATCH - 1,
            block_start: 0,
            bits: Bits::default(),
            trees: Trees::new((1 << (memory + 6)) - 1),
        }
    }

    /// deflate.c: `deflate_fast` with all of the input and `Z_FINISH`.
    fn deflate(&mut self) {
        loop {
            if self.ahead < MIN_LOOKAHEAD {
                self.fill();
                if self.ahead == 0 {
                    break;
                }
            }
            let candidate = if self.ahead >= MIN_MATCH { self.insert() } else { 0 };
            if candidate != 0 && self.start - candidate <= self.size - MIN_LOOKAHEAD {
                self.match_length = self.longest(candidate);
            }
            let full = if self.match_length >= MIN_MATCH {
                let full = self.trees.pair(self.start - self.match_start, self.match_length - MIN_MATCH);
                self.skip();
                full
            } else {
                let full = self.trees.literal(at(&self.window, self.start));
                self.ahead -= 1;
                self.start += 1;
                full
            };
            if full {
                self.flush(false);
            }
        }
        self.flush(true);
    }

    /// Behind a match; the inside of a short one is remembered.
    fn skip(&mut self) {
        self.ahead -= self.match_length;
        if self.match_length <= MAX_INSERT && self.ahead >= MIN_MATCH {
            for _ in 1..self.match_length {
                self.start += 1;
                let _known = self.insert();
            }
            self.start += 1;
            self.match_length = 0;
        } else {
            self.start += self.match_length;
            self.match_length = 0;
            self.hash_from(self.start);
        }
    }

    fn hash_from(&mut self, at_: usize) {
        self.hash = usize::from(at(&self.window, at_));
        self.roll(at_ + 1);
    }

    fn roll(&mut self, next: usize) {
        let mask = self.head.len() - 1;
        self.hash = ((self.hash << self.shift) ^ usize::from(at(&self.window, next))) & mask;
    }

    /// Remembers where three bytes stand; gives where they stood before, 0 for nowhere.
    fn insert(&mut self) -> usize {
        self.roll(self.start + 2);
        let before = at(&self.head, self.hash);
        set(&mut self.previous, self.start & (self.size - 1), before);
        set(&mut self.head, self.hash, self.start);
        before
    }

    /// deflate.c: `longest_match`.
    fn longest(&mut self, mut candidate: usize) -> usize {
        let (mut best, mut tries) = (MIN_MATCH - 1, MAX_CHAIN);
        let nice = NICE_LENGTH.min(self.ahead);
        let limit = self.start.saturating_sub(self.size - MIN_LOOKAHEAD);
        loop {
            let ours = self.window.iter().skip(self.start);
            let theirs = self.window.iter().skip(candidate);
            let length = ours.zip(theirs).take(MAX_MATCH).take_while(|(one, other)| one == other).count();
            if length > best {
                (self.match_start, best) = (candidate, length);
                if length >= nice {
                    break;
                }
            }
            candidate = at(&self.previous, candidate & (self.size - 1));
            tries -= 1;
            if candidate <= limit || tries == 0 {
                break;
            }
        }
        best.min(self.ahead)
    }

    /// deflate.c: `fill_window`.
    fn fill(&mut self) {
        while self.ahead < MIN_LOOKAHEAD {
            if self.start >= self.size + (self.size - MIN_LOOKAHEAD) {
                self.window.copy_within(self.size..2 * self.size, 0);
                self.match_start = self.match_start.wrapping_sub(self.size);
                self.start -= self.size;
                self.block_start = self.block_start.wrapping_sub(self.size);
                for place in self.head.iter_mut().chain(&mut self.previous) {
                    *place = place.saturating_sub(self.size);
                }
            }
            let from = self.start + self.ahead;
            let rest = self.page.get(self.read..).unwrap_or_default();
            let piece = rest.get(..rest.len().min(2 * self.size - from)).unwrap_or_default();
            if piece.is_empty() {
                return;
            }
            if let Some(room) = self.window.get_mut(from..from + piece.len()) {
                room.copy_from_slice(piece);
            }
            self.read += piece.len();
            self.ahead += piece.len();
            if self.ahead >= MIN_MATCH {
                self.hash_from(self.start);
            }
        }
    }

    /// trees.c: `_tr_flush_block`.
    fn flush(&mut self, last: bool) {
        let end = self.read - self.ahead;
        let length = self.start.wrapping_sub(self.block_start);
        let (dynamic, fixed, codes) = self.trees.weigh();
        let shorter = dynamic.min(fixed);
        let of_last = u32::from(last);
        // A block whose begin has left the window cannot be stored.
        if length + 4 <= shorter && self.block_start <= self.start {
            self.bits.put(of_last, 3);
            self.bits.align();
            let size = u32::try_from(length).unwrap_or_default();
            self.bits.put(size, 16);
            self.bits.put(size ^ 0xffff, 16);
            self.bits.out.extend(self.page.get(end - length..end).unwrap_or_default());
        } else if fixed <= dynamic {
            self.bits.put(2 + of_last, 3);
            self.trees.write(&mut self.bits, &Tree::fixed_lengths(), &Tree::fixed_distances());
        } else {
            self.bits.put(4 + of_last, 3);
            self.trees.write_own(&mut self.bits, codes);
        }
        self.trees.begin();
        if last {
            self.bits.align();
        }
        self.block_start = self.start;
    }
}
