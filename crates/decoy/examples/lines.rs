//! Runs scripts on the imaginary machine: JSON strings from standard input, one a line; `[out, err, status]` on standard output.

#[path = "../tests/visit/mod.rs"]
mod visit;

use std::io::BufRead as _;

fn main() {
    let tty = std::env::args().nth(1).is_some();
    visit::on_a_trap_thread(move |runtime| {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let Ok(script) = serde_json::from_str::<String>(&line) else { continue };
            let mut visit = visit::Visit::new("root", tty);
            let (out, err, finished) = runtime.block_on(visit.run(&script));
            println!("{}", serde_json::json!([out, err, finished.status]));
        }
    });
}
