//! Runs the published shell test suites and prints what failed: `suites [FIGURE [NAME]]`; `suites --json` prints figures only.

#[path = "../tests/spec/mod.rs"]
mod spec;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let json = args.first().is_some_and(|arg| arg == "--json");
    let wanted = args.first().filter(|_| !json).map_or("", String::as_str);
    let only = args.get(1).map_or("", String::as_str);
    for (figure, _) in spec::SUITES.iter().filter(|(figure, _)| figure.contains(wanted)) {
        let Some(share) = spec::run(figure, only) else {
            eprintln!("skipped: the cases of {figure} are not there; set RUSTBUCKET_CORPORA");
            continue;
        };
        if json {
            println!(
                r#"{{"key":"{figure}","value":{:.2},"passed":{},"of":{}}}"#,
                share.percent(),
                share.passed,
                share.of
            );
            continue;
        }
        for failure in &share.failures {
            println!(
                "=== {}\n{}\n--- wanted\n{}\n--- came\n{}\n",
                failure.name, failure.sent, failure.wanted, failure.came
            );
        }
        println!("{figure}: {} of {} cases, {:.1} %", share.passed, share.of, share.percent());
    }
}
