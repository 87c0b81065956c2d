//! zlib's trees of codes (trees.c), in its own order where frequencies are equal.

use super::{Bits, at, set};

const LITERALS: usize = 256;
const END: usize = 256;
const LENGTHS: usize = LITERALS + 1 + 29;
const DISTANCES: usize = 30;
const CODES: usize = 19;
const HEAP: usize = 2 * LENGTHS + 1;
const EXTRA_LENGTH: [u32; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const EXTRA_DISTANCE: [u32; DISTANCES] =
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const EXTRA_CODE: [u32; CODES] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7];
/// Lengths of codes are sent in this order.
const ORDER: [usize; CODES] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

fn add(counts: &mut [i32], index: usize, number: i32) {
    let sum = at(counts, index) + number;
    set(counts, index, sum);
}

/// Which code, and the value of its extra bits.
fn coded(value: usize, extra: &[u32]) -> (usize, u32) {
    let mut base = 0;
    for (code, bits) in extra.iter().enumerate() {
        let next = base + (1 << bits);
        if value < next {
            return (code, u32::try_from(value - base).unwrap_or_default());
        }
        base = next;
    }
    (0, 0)
}

/// A length beyond the shortest match; the longest has a code of its own.
fn length_code(length: usize) -> (usize, u32) {
    if length == 255 { (28, 0) } else { coded(length, &EXTRA_LENGTH) }
}

/// One tree: how often each symbol is, and its code.
pub(super) struct Tree {
    frequency: Vec<u32>,
    length: Vec<u32>,
    code: Vec<u32>,
    extra: &'static [u32],
    /// The first symbol with extra bits.
    base: usize,
    longest: usize,
    /// The largest symbol that is used.
    last: usize,
}

impl Tree {
    fn new(symbols: usize, extra: &'static [u32], base: usize, longest: usize) -> Self {
        let zeros = || vec![0; HEAP];
        Self { frequency: vec![0; symbols], length: zeros(), code: zeros(), extra, base, longest, last: 0 }
    }

    /// RFC 1951, 3.2.6.
    pub(super) fn fixed_lengths() -> Self {
        let mut tree = Self::new(LENGTHS, &EXTRA_LENGTH, LITERALS + 1, 15);
        for symbol in 0..LENGTHS + 2 {
            let length = match symbol {
                0..=143 | 280.. => 8,
                144..=255 => 9,
                _ => 7,
            };
            set(&mut tree.length, symbol, length);
        }
        tree.last = LENGTHS + 1;
        tree.number();
        tree
    }

    /// Likewise.
    pub(super) fn fixed_distances() -> Self {
        let mut tree = Self::new(DISTANCES, &EXTRA_DISTANCE, 0, 15);
        for symbol in 0..DISTANCES {
            set(&mut tree.length, symbol, 5);
        }
        tree.last = DISTANCES - 1;
        tree.number();
        tree
    }

    fn count(&mut self, symbol: usize) {
        let counted = at(&self.frequency, symbol) + 1;
        set(&mut self.frequency, symbol, counted);
    }

    fn extra_of(&self, symbol: usize) -> u32 {
        symbol.checked_sub(self.base).map_or(0, |number| at(self.extra, number))
    }

    /// `build_tree`: gives how many bits all symbols take.
    fn build(&mut self) -> usize {
        let symbols = self.frequency.len();
        let (mut frequency, mut depth, mut parent) =
            (vec![0_u32; HEAP], vec![0_u8; HEAP], vec![0_usize; HEAP]);
        let mut heap: Vec<usize> = vec![0];
        self.length.fill(0);
        self.last = 0;
        for symbol in 0..symbols {
            let often = at(&self.frequency, symbol);
            if often > 0 {
                set(&mut frequency, symbol, often);
                heap.push(symbol);
                self.last = symbol;
            }
        }
        let mut used = if heap.len() > 1 { self.last + 1 } else { 0 };
        // There are two codes at least; what was not there costs nothing.
        while heap.len() < 3 {
            let symbol = if used < 3 { used } else { 0 };
            used = used.max(symbol + 1);
            set(&mut frequency, symbol, 1);
            heap.push(symbol);
        }
        self.last = used - 1;
        let mut order = Vec::with_capacity(HEAP);
        for place in (1..=(heap.len() - 1) / 2).rev() {
            sink(&mut heap, place, &frequency, &depth);
        }
        let mut node = symbols;
        loop {
            let least = at(&heap, 1);
            let end = heap.pop().unwrap_or_default();
            set(&mut heap, 1, end);
            sink(&mut heap, 1, &frequency, &depth);
            let next = at(&heap, 1);
            order.extend([least, next]);
            let (often, deep) = (
                at(&frequency, least) + at(&frequency, next),
                at(&depth, least).max(at(&depth, next)).wrapping_add(1),
            );
            set(&mut frequency, node, often);
            set(&mut depth, node, deep);
            set(&mut parent, least, node);
            set(&mut parent, next, node);
            set(&mut heap, 1, node);
            node += 1;
            sink(&mut heap, 1, &frequency, &depth);
            if heap.len() <= 2 {
                break;
            }
        }
        order.push(at(&heap, 1));
        self.measure(&order, &parent);
        self.number();
        let bits = |symbol| at(&self.frequency, symbol) * (at(&self.length, symbol) + self.extra_of(symbol));
        (0..symbols).map(|symbol| bits(symbol) as usize).sum()
    }

    /// `gen_bitlen`; `order` has the root last.
    fn measure(&mut self, order: &[usize], parent: &[usize]) {
        let mut counts = [0_i32; 16];
        let (mut overflow, mut nodes) = (0, order.iter().rev());
        set(&mut self.length, nodes.next().copied().unwrap_or_default(), 0);
        for &node in nodes {
            let mut bits = at(&self.length, at(parent, node)) as usize + 1;
            if bits > self.longest {
                bits = self.longest;
                overflow += 1;
            }
            set(&mut self.length, node, u32::try_from(bits).unwrap_or_default());
            if node <= self.last && node < self.frequency.len() {
                add(&mut counts, bits, 1);
            }
        }
        if overflow == 0 {
            return;
        }
        while overflow > 0 {
            let bits = (1..self.longest).rev().find(|bits| at(&counts, *bits) != 0).unwrap_or(1);
            add(&mut counts, bits, -1);
            add(&mut counts, bits + 1, 2);
            add(&mut counts, self.longest, -1);
            overflow -= 2;
        }
        let mut leaves = order.iter().filter(|node| **node < self.frequency.len());
        for bits in (1..=self.longest).rev() {
            for _ in 0..at(&counts, bits) {
                let leaf = leaves.next().copied().unwrap_or_default();
                set(&mut self.length, leaf, u32::try_from(bits).unwrap_or_default());
            }
        }
    }

    /// `gen_codes`: from the shortest on, each written from its highest bit on.
    fn number(&mut self) {
        let mut code = 0_u32;
        for bits in 1..=15 {
            code <<= 1;
            for symbol in 0..=self.last {
                if at(&self.length, symbol) == bits {
                    set(&mut self.code, symbol, code.reverse_bits() >> (32 - bits));
                    code += 1;
                }
            }
        }
    }

    fn send(&self, bits: &mut Bits, symbol: usize) {
        bits.put(at(&self.code, symbol), at(&self.length, symbol));
    }

    /// `scan_tree`: the lengths of the codes, repeated ones in short; (code, value of its extra bits, how many).
    fn runs(&self) -> Vec<(usize, u32, u32)> {
        let mut out = Vec::new();
        let lengths = self.length.get(..=self.last).unwrap_or_default();
        let (mut before, mut place) = (None, 0);
        while let Some(&length) = lengths.get(place) {
            let most = match (length, before) {
                (0, _) => 138,
                (length, before) if before == Some(length) => 6,
                _ => 7,
            };
            let same = lengths.iter().skip(place).take_while(|next| **next == length).count().min(most);
            let mut count = u32::try_from(same).unwrap_or_default();
            let least = if length != 0 && before != Some(length) { 4 } else { 3 };
            if count < least {
                out.extend((0..count).map(|_| (length as usize, 0, 0)));
            } else if length != 0 {
                if before != Some(length) {
                    out.push((length as usize, 0, 0));
                    count -= 1;
                }
                out.push((16, count - 3, 2));
            } else if count <= 10 {
                out.push((17, count - 3, 3));
            } else {
                out.push((18, count - 11, 7));
            }
            place += same;
            before = Some(length);
        }
        out
    }
}

/// `pqdownheap`; places count from 1.
fn sink(heap: &mut [usize], mut place: usize, frequency: &[u32], depth: &[u8]) {
    let smaller = |one: usize, other: usize| {
        (at(frequency, one), at(depth, one)) <= (at(frequency, other), at(depth, other))
    };
    let moved = at(heap, place);
    let end = heap.len() - 1;
    let mut child = place << 1;
    while child <= end {
        if child < end && smaller(at(heap, child + 1), at(heap, child)) {
            child += 1;
        }
        if smaller(moved, at(heap, child)) {
            break;
        }
        set(heap, place, at(heap, child));
        place = child;
        child <<= 1;
    }
    set(heap, place, moved);
}

/// What a block holds, and its trees.
pub(super) struct Trees {
    /// (Distance, or 0 for a literal; literal, or length beyond the shortest).
    symbols: Vec<(usize, usize)>,
    most: usize,
    lengths: Tree,
    distances: Tree,
    codes: Tree,
}

impl Trees {
    /// A block has `most` symbols at most.
    pub(super) fn new(most: usize) -> Self {
        let lengths = Tree::new(LENGTHS, &EXTRA_LENGTH, LITERALS + 1, 15);
        let distances = Tree::new(DISTANCES, &EXTRA_DISTANCE, 0, 15);
        let codes = Tree::new(CODES, &EXTRA_CODE, 0, 7);
        let mut trees = Self { symbols: Vec::new(), most, lengths, distances, codes };
        trees.begin();
        trees
    }

    /// A new block.
    pub(super) fn begin(&mut self) {
        self.symbols.clear();
        for tree in [&mut self.lengths, &mut self.distances, &mut self.codes] {
            tree.frequency.fill(0);
        }
        self.lengths.count(END);
    }

    /// Whether the block is full with it.
    pub(super) fn literal(&mut self, byte: u8) -> bool {
        self.lengths.count(usize::from(byte));
        self.symbols.push((0, usize::from(byte)));
        self.symbols.len() == self.most
    }

    /// Likewise; `length` beyond the shortest match.
    pub(super) fn pair(&mut self, distance: usize, length: usize) -> bool {
        self.lengths.count(LITERALS + 1 + length_code(length).0);
        self.distances.count(coded(distance - 1, &EXTRA_DISTANCE).0);
        self.symbols.push((distance, length));
        self.symbols.len() == self.most
    }

    /// Bytes that the block takes with its own trees and with the fixed ones, and how many lengths of codes are sent.
    pub(super) fn weigh(&mut self) -> (usize, usize, usize) {
        let fixed: usize =
            [(&self.lengths, Tree::fixed_lengths()), (&self.distances, Tree::fixed_distances())]
                .iter()
                .map(|(own, fixed)| {
                    let bits = |symbol| {
                        at(&own.frequency, symbol) * (at(&fixed.length, symbol) + own.extra_of(symbol))
                    };
                    (0..own.frequency.len()).map(|symbol| bits(symbol) as usize).sum::<usize>()
                })
                .sum();
        let mut own = self.lengths.build() + self.distances.build();
        for (code, ..) in self.lengths.runs().into_iter().chain(self.distances.runs()) {
            self.codes.count(code);
        }
        own += self.codes.build();
        let sent = ORDER.iter().rposition(|code| at(&self.codes.length, *code) != 0).unwrap_or(0).max(3) + 1;
        own += 3 * sent + 14;
        ((own + 10) >> 3, (fixed + 10) >> 3, sent)
    }

    /// The block in its own trees, which come first.
    pub(super) fn write_own(&self, bits: &mut Bits, sent: usize) {
        let number = |count: usize| u32::try_from(count).unwrap_or_default();
        bits.put(number(self.lengths.last + 1 - 257), 5);
        bits.put(number(self.distances.last), 5);
        bits.put(number(sent - 4), 4);
        for code in ORDER.iter().take(sent) {
            bits.put(at(&self.codes.length, *code), 3);
        }
        for (code, value, length) in self.lengths.runs().into_iter().chain(self.distances.runs()) {
            self.codes.send(bits, code);
            bits.put(value, length);
        }
        self.write(bits, &self.lengths, &self.distances);
    }

    /// The block in these trees.
    pub(super) fn write(&self, bits: &mut Bits, lengths: &Tree, distances: &Tree) {
        for &(distance, value) in &self.symbols {
            if distance == 0 {
                lengths.send(bits, value);
                continue;
            }
            let (code, rest) = length_code(value);
            lengths.send(bits, LITERALS + 1 + code);
            bits.put(rest, at(&EXTRA_LENGTH, code));
            let (code, rest) = coded(distance - 1, &EXTRA_DISTANCE);
            distances.send(bits, code);
            bits.put(rest, at(&EXTRA_DISTANCE, code));
        }
        lengths.send(bits, END);
    }
}
