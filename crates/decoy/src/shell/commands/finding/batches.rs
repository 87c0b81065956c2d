//! What `{} +` gathers until a command has enough.

use std::collections::VecDeque;

/// What one command of `{} +` is given at most: names, and bytes of them.
const GATHERED: (usize, usize) = (4096, 120_000);

/// Names for one command.
pub(super) struct Gathered {
    pub(super) id: usize,
    pub(super) folder: Option<String>,
    pub(super) names: Vec<String>,
    size: usize,
}

/// What waits for its command.
#[derive(Default)]
pub(super) struct Batches(pub(super) Vec<Gathered>);

impl Batches {
    pub(super) fn add(
        &mut self,
        ready: &mut VecDeque<Gathered>,
        id: usize,
        name: String,
        folder: Option<String>,
    ) {
        let at = self.0.iter().position(|known| known.id == id && known.folder == folder);
        let full = at.is_some_and(|at| {
            self.0
                .get(at)
                .is_some_and(|one| one.names.len() >= GATHERED.0 || one.size + name.len() > GATHERED.1)
        });
        if let Some(at) = at.filter(|_| full) {
            let one = self.0.remove(at);
            ready.push_back(one);
        }
        let at = at.filter(|_| !full);
        let size = name.len() + 1;
        match at.and_then(|at| self.0.get_mut(at)) {
            Some(known) => {
                known.names.push(name);
                known.size += size;
            }
            None => self.0.push(Gathered { id, folder, names: vec![name], size }),
        }
    }
}
