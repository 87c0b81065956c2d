//! What a search of `find` still has to look at: where it starts, and what is in each folder.

use std::sync::Arc;

use super::{
    expression::Follow,
    mounts,
    parse::failed,
    visit::{Above, Visited},
    walk::{Search, Work},
};
use crate::{
    machine::{Access, Attributes, FileError, Kind},
    shell::session::Session,
};

impl Search {
    /// The next start that is there.
    pub(super) fn begin(&mut self, session: &Session, start: &str) {
        if start.is_empty() {
            return self.complain(&failed("", FileError::NotFound));
        }
        let files = session.files();
        let mut path = files.resolve(&self.cwd, start);
        if start.ends_with('/') && path.len() > 1 {
            path.push('/');
        }
        let looked = files.lstat(&path);
        while path.len() > 1 && path.ends_with('/') {
            path.pop();
        }
        match looked {
            Ok(entry) => {
                let file = self.visited(session, path, start.to_owned(), start.into(), 0, entry);
                self.stack.push(Work::Visit(Box::new(file)));
            }
            Err(error) => self.complain(&failed(start, error)),
        }
    }

    fn visited(
        &self,
        session: &Session,
        path: String,
        shown: String,
        start: Arc<str>,
        depth: usize,
        entry: Attributes,
    ) -> Visited {
        let files = session.files();
        let follows = match self.plan.follow {
            Follow::Never => false,
            Follow::Starts => depth == 0,
            Follow::Always => true,
        };
        let (mut target, mut link, mut loops) = (None, None, false);
        if entry.kind == Kind::Symlink {
            link = files.read_link(&path).ok();
            let found = files.stat(&path);
            loops = found == Err(FileError::TooManyLinks);
            target = found.ok();
        }
        Visited { path, shown, start, depth, entry, target, link, loops, follows, above: None }
    }

    /// What is in a directory, last first.
    pub(super) fn inside(&mut self, session: &Session, file: &Visited) -> Vec<Work> {
        let is_dir = file.node().kind == Kind::Dir;
        let other = self.plan.stays && file.depth > 0 && {
            let above = file.path.rsplit_once('/').map_or("/", |(above, _)| above);
            mounts::number(&file.path) != mounts::number(above)
        };
        if !is_dir || file.depth >= self.plan.deepest || other {
            return Vec::new();
        }
        let who = session.who();
        let files = session.files();
        let listed =
            files.may(who.uid, who.gid, &file.path, Access::Read).and_then(|()| files.list(&file.path));
        let names = match listed {
            Ok(names) => names,
            Err(error) => {
                self.complain(&failed(&file.shown, error));
                return Vec::new();
            }
        };
        let above = (self.plan.follow != Follow::Never).then(|| {
            Arc::new(Above { inode: file.node().inode, shown: file.shown.clone(), next: file.above.clone() })
        });
        let may_look = files.may(who.uid, who.gid, &file.path, Access::Execute);
        let slash = if file.shown.ends_with('/') { "" } else { "/" };
        let top = file.path.trim_end_matches('/');
        let mut all = Vec::with_capacity(names.len());
        for name in names.into_iter().rev() {
            let shown = format!("{}{slash}{}", file.shown, name.name);
            if let Err(error) = may_look {
                self.complain(&failed(&shown, error));
                continue;
            }
            let path = format!("{top}/{}", name.name);
            let start = Arc::clone(&file.start);
            let mut child = self.visited(session, path, shown, start, file.depth + 1, name.attributes);
            child.above.clone_from(&above);
            all.push(Work::Visit(Box::new(child)));
        }
        all
    }
}
