//! Names beside each other, as `ls` lays them out.

use super::plan::{Format, Plan};

/// Names in columns, filled downwards or across, as few rows as fit.
pub(super) fn columns(names: &[String], plan: &Plan) -> String {
    const NARROWEST: usize = 3;
    // More columns than anybody has.
    const MOST: usize = 2000;
    let lengths: Vec<usize> = names.iter().map(|name| name.chars().count()).collect();
    let down = plan.format == Format::Down;
    let most = if plan.width == 0 { names.len() } else { names.len().min((plan.width / NARROWEST).max(1)) };
    let index =
        |at: usize, count: usize| if down { at / names.len().div_ceil(count).max(1) } else { at % count };
    let widths = |count: usize| {
        let mut widths = vec![NARROWEST; count];
        for (at, length) in lengths.iter().enumerate() {
            let column = index(at, count);
            let gap = if column + 1 == count { 0 } else { 2 };
            if let Some(width) = widths.get_mut(column) {
                *width = (*width).max(length + gap);
            }
        }
        widths
    };
    let fits = |widths: &[usize]| plan.width == 0 || widths.iter().sum::<usize>() < plan.width;
    let widths = (1..=most.min(MOST))
        .rev()
        .map(widths)
        .find(|found| found.len() == 1 || fits(found))
        .unwrap_or_default();
    let count = widths.len().max(1);
    let rows = names.len().div_ceil(count);
    let mut text = String::new();
    for row in 0..rows {
        let mut begin = 0;
        for (column, width) in widths.iter().enumerate() {
            let at = |column: usize| if down { column * rows + row } else { row * count + column };
            let Some(name) = names.get(at(column)) else { break };
            text += name;
            if column + 1 < count && names.get(at(column + 1)).is_some() {
                let length = lengths.get(at(column)).copied().unwrap_or(0);
                text += &indent(begin + length, begin + width, plan.tab);
            }
            begin += width;
        }
        text.push(plan.end);
    }
    text
}

/// From one column of the terminal to another: tabs as far as they go, then spaces.
fn indent(mut from: usize, to: usize, tab: usize) -> String {
    let mut text = String::new();
    while from < to {
        if tab != 0 && to / tab > (from + 1) / tab {
            text.push('\t');
            from += tab - from % tab;
        } else {
            text.push(' ');
            from += 1;
        }
    }
    text
}

/// Names with commas between, lines filled.
pub(super) fn commas(names: &[String], plan: &Plan) -> String {
    let (mut text, mut at) = (String::new(), 0);
    for (number, name) in names.iter().enumerate() {
        let length = if plan.width == 0 { 0 } else { name.chars().count() };
        if number > 0 {
            text.push(',');
            if plan.width == 0 || at + length + 2 < plan.width {
                at += 2;
                text.push(' ');
            } else {
                at = 0;
                text.push(plan.end);
            }
        }
        text += name;
        at += length;
    }
    text.push(plan.end);
    text
}
