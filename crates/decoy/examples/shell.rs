//! A shell on the imaginary machine, for trying things by hand: lines from standard input, answers on standard output.

#[path = "../tests/visit/mod.rs"]
mod visit;

use std::io::BufRead as _;

fn main() {
    let user = std::env::args().nth(1).unwrap_or_else(|| "root".to_owned());
    let tty = std::env::args().nth(2).is_none();
    visit::on_a_trap_thread(move |runtime| {
        let mut visit = visit::Visit::new(&user, tty);
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            println!("{}{line}", visit.shell.prompt());
            let (out, err, finished) = runtime.block_on(visit.run(&line));
            print!("{out}{err}");
            if finished.status != 0 {
                println!("[{}]{}", finished.status, if finished.exited { " exited" } else { "" });
            }
            if finished.exited {
                break;
            }
        }
    });
}
