//! Prints how well visitors are told apart: human, script or agent.

use acceptance::labels::measure;

fn main() {
    let measured = measure();
    println!("bait off, label_accuracy {:.3}\n\n{}", measured.without_bait.accuracy(), measured.without_bait);
    println!("bait on, {:.3}\n\n{}", measured.with_bait.accuracy(), measured.with_bait);
    match measured.recorded {
        Some(recorded) => println!("recorded terminals\n\n{recorded}"),
        None => println!("no corpora (RUSTBUCKET_CORPORA): recorded visits were skipped"),
    }
}
