//! The long form of `ls`: a row of columns for each name.

use chrono::{DateTime, Utc};

use super::super::{Call, dates, users};
use super::{Row, block_text, mark, plan::Plan, scaled, width};
use crate::machine::files::{Attributes, Kind};

pub(super) fn long(call: &Call<'_>, plan: &Plan, rows: &[Row], name: &dyn Fn(&Row) -> String) -> String {
    let groups = users::groups(call);
    let device = |row: &Row| matches!(row.kind, Kind::CharDevice | Kind::BlockDevice);
    let major = width(rows, |row| match &row.attributes {
        Some(attributes) if device(row) => attributes.rdev.0.to_string().len(),
        _ => 0,
    });
    let minor = width(rows, |row| match &row.attributes {
        Some(attributes) if device(row) => attributes.rdev.1.to_string().len(),
        _ => 0,
    });
    let size = |row: &Row, attributes: &Attributes| match attributes.kind {
        Kind::CharDevice | Kind::BlockDevice if device(row) => {
            format!("{:>major$}, {:>minor$}", attributes.rdev.0, attributes.rdev.1)
        }
        _ => scaled(attributes.size, &plan.sizes),
    };
    let now: DateTime<Utc> = call.now().into();
    let cells: Vec<[String; 8]> = rows
        .iter()
        .map(|row| {
            let Some(a) = &row.attributes else { return std::array::from_fn(|_| "?".to_owned()) };
            let owner = user(call, a.uid, plan.numeric);
            [
                a.inode.to_string(),
                block_text(plan, row),
                a.nlink.to_string(),
                owner.clone(),
                group(&groups, a.gid, plan.numeric),
                owner,
                size(row, a),
                date(plan, row, now),
            ]
        })
        .collect();
    let width =
        |index: usize| cells.iter().filter_map(|cell| cell.get(index)).map(String::len).max().unwrap_or(0);
    let mut widths: [usize; 8] = std::array::from_fn(width);
    if rows.iter().any(|row| row.attributes.is_none()) {
        widths[7] = widths[7].max(dates::written(&plan.times.1, now).len());
    }
    let mut text = String::new();
    for (row, [inode, blocks, links, owner, group, author, size, date]) in rows.iter().zip(&cells) {
        if plan.inode {
            text += &format!("{inode:>0$} ", widths[0]);
        }
        if plan.blocks {
            text += &format!("{blocks:>0$} ", widths[1]);
        }
        let mode = match &row.attributes {
            Some(attributes) => attributes.mode_text(),
            None => format!("{}?????????", row.kind.letter()),
        };
        text += &format!("{mode} {links:>0$} ", widths[2]);
        if plan.owner {
            text += &format!("{owner:<0$} ", widths[3]);
        }
        if plan.group {
            text += &format!("{group:<0$} ", widths[4]);
        }
        if plan.author {
            text += &format!("{author:<0$} ", widths[5]);
        }
        if plan.context {
            text += "? ";
        }
        text += &format!("{size:>0$} {date:>1$} {2}", widths[6], widths[7], name(row));
        match row.link.as_ref().filter(|_| row.attributes.is_some()) {
            Some(target) => text += &format!(" -> {}", plan.style.write(target)),
            None => text += mark(plan, row),
        }
        text.push(plan.end);
    }
    text
}

/// The time of a row; another form when it is half a year away or in the future.
fn date(plan: &Plan, row: &Row, now: DateTime<Utc>) -> String {
    let time: DateTime<Utc> = row.time(plan.instant).into();
    let age = now.signed_duration_since(time).num_seconds();
    let form = if (0..15_778_476).contains(&age) { &plan.times.1 } else { &plan.times.0 };
    dates::written(form, time)
}

fn user(call: &Call<'_>, uid: u32, numeric: bool) -> String {
    let found = if numeric { None } else { call.session.name_of(uid) };
    found.unwrap_or_else(|| uid.to_string())
}

fn group(groups: &[(String, u32, Vec<String>)], gid: u32, numeric: bool) -> String {
    let found = groups.iter().find(|(_, id, _)| *id == gid).filter(|_| !numeric);
    found.map_or_else(|| gid.to_string(), |(name, _, _)| name.clone())
}
