//! Runs scripts on the imaginary machine: JSON strings from standard input, one a line; `[out, err, status]` on standard output.
//! A list of strings is one visit: `[out, err, status]` of each of its lines, one after the other. Arguments: `tty` for a terminal, the name of a user.

#[path = "../tests/visit/mod.rs"]
mod visit;

use std::io::BufRead as _;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let tty = words.iter().any(|word| word == "tty");
    let user = words.into_iter().find(|word| word != "tty").unwrap_or_else(|| "root".to_owned());
    visit::on_a_trap_thread(move |runtime| {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let scripts = match serde_json::from_str::<String>(&line) {
                Ok(script) => vec![script],
                Err(_) => serde_json::from_str::<Vec<String>>(&line).unwrap_or_default(),
            };
            let mut visit = visit::Visit::new(&user, tty);
            for script in scripts {
                let (out, err, finished) = runtime.block_on(visit.run(&script));
                println!("{}", serde_json::json!([out, err, finished.status]));
            }
        }
    });
}
