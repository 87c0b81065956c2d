//! Published shell test suites against the decoy's shell: the share that passes may not fall.

mod spec;

fn holds(figure: &str, floor: f64) {
    match spec::run(figure, "") {
        None => eprintln!("skipped: the cases of {figure} are not there; set RUSTBUCKET_CORPORA"),
        Some(share) => {
            println!("{figure}: {} of {} cases, {:.1} %", share.passed, share.of, share.percent());
            let failed: Vec<&str> = share.failures.iter().map(|failure| failure.name.as_str()).collect();
            assert!(share.percent() >= floor, "{figure} fell below {floor} %: {failed:#?}");
        }
    }
}

#[test]
fn oils_spec_cases_without_helpers_pass() {
    holds("oils_pass", 94.0);
}

#[test]
fn cowrie_cases_that_agree_with_bash_pass() {
    holds("cowrie_tests_pass", 100.0);
}

#[test]
fn busybox_cases_pass() {
    holds("busybox_pass", 92.0);
}
