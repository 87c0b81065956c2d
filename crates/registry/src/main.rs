//! `rustbucket-registry`: the command line. Exit status 0 well, 1 failed while running, 2 wrong settings or arguments.

fn main() {}
