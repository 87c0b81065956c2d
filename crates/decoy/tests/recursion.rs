//! Nothing that a visitor types ends the process: nesting of every kind, programs that call themselves, and lines
//! made at random from the shell's own words.

#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod visit;

use std::time::Duration;

use proptest::prelude::*;
use visit::{Visit, on_a_trap_thread};

/// Lines that nest, each on its own.
fn probes() -> Vec<String> {
    let mut probes: Vec<String> = Vec::new();
    let again = |unit: &str, count: usize| unit.repeat(count);
    // Brackets and quotes, open and closed, in several sizes.
    for count in [30, 200, 2000] {
        for (open, middle, close) in [
            ("(", "echo x", ")"),
            ("{ ", "echo x;", " }"),
            ("$(", "echo x", ")"),
            ("echo $(", "echo x", ")"),
            ("`", "echo x", "`"),
            ("\"$(", "echo x", ")\""),
            ("((", "1", "))"),
            ("echo $((", "1", "))"),
            ("echo ${x:-", "y", "}"),
            ("[[ ( ", "a", " ) ]]"),
            ("if true; then ", "echo x", "; fi"),
            ("while true; do ", "break", "; done"),
            ("for i in 1; do ", "echo x", "; done"),
            ("case x in x) ", "echo x", ";; esac"),
            ("f() { ", "echo x", "; }"),
            ("<(", "echo x", ")"),
            ("echo {", "a,b", "}"),
            ("echo @(", "a|b", ")"),
            ("echo a[", "1", "]"),
            ("until false; do ", "break", "; done"),
        ] {
            probes.push(format!("{}{middle}{}", again(open, count), again(close, count)));
            probes.push(again(open, count));
        }
    }
    // Prefixes and operators.
    for (unit, end) in [
        ("time ", "true"),
        ("! ", "true"),
        ("time -p ", "true"),
        ("command ", "true"),
        ("builtin ", "true"),
        ("exec ", "true"),
        ("eval ", "true"),
        ("env ", "true"),
        ("nohup ", "true"),
        ("xargs ", "true"),
        ("sudo ", "true"),
        ("timeout 1 ", "true"),
        ("busybox ", "true"),
        ("/bin/busybox busybox ", "true"),
        ("env -i ", "true"),
        ("nice ", "true"),
        ("setsid ", "true"),
        ("find ! ", "-name x"),
        ("test ! ", "x"),
        ("[ ! ", "x ]"),
        ("coproc ", "true"),
        ("trap ", "true"),
        ("a=1 ", "true"),
        ("true && ", "true"),
        ("true || ", "true"),
        ("true | ", "true"),
        ("true; ", "true"),
        ("true & ", "true"),
        ("cat | ", "cat"),
        ("bash -c ", "true"),
        ("sh -c ", "true"),
        ("alias a=", "b"),
        ("echo \\", "x"),
        ("~", ""),
        ("$", ""),
        ("-", "1"),
        ("<", "x"),
    ] {
        for count in [20, 300, 2500] {
            probes.push(format!("{}{end}", again(unit, count)));
        }
    }
    for count in [60, 500, 3000] {
        probes.push(format!("[[ a {} ]]", again("&& a ", count)));
        probes.push(format!("[[ {} a ]]", again("! ", count)));
        probes.push(format!("[ {} a ]", again("! ", count)));
        probes.push(format!("test {} a {}", again("\\( ", count), again("\\) ", count)));
        probes.push(format!("find / {} -name x", again("! ", count)));
        probes.push(format!("find / {} -name x {}", again("\\( ", count), again("\\) ", count)));
        probes.push(format!("expr {} 1 {}", again("\\( ", count), again("\\) ", count)));
        probes.push(format!("echo '{}1{}' | bc", again("(", count), again(")", count)));
        probes.push(format!("echo $(({}1))", again("- ", count)));
        probes.push(format!("echo $(({}1))", again("!", count)));
        probes.push(format!("echo $(({}1{}))", again("1?", count), again(":1", count)));
        probes.push(format!("echo $((1{}))", again("**1", count)));
        probes.push(format!("awk 'BEGIN{{x={}1{}}}'", again("(", count), again(")", count)));
        probes.push(format!("awk 'BEGIN{{x={}1}}'", again("!", count)));
        probes.push(format!("awk 'BEGIN{{x={}1}}'", again("-", count)));
        probes.push(format!("awk 'BEGIN{{x={}1{}}}'", again("1?", count), again(":1", count)));
        probes.push(format!("awk 'BEGIN{{{}}}'", again("if(1)", count)));
        probes.push(format!("echo x | sed '{}p{}'", again("{", count), again("}", count)));
        probes.push(format!("echo x | sed 's/{}x{}/y/'", again("\\(", count), again("\\)", count)));
        probes.push(format!("echo x | sed -E 's/{}x{}/y/'", again("(", count), again(")", count)));
        probes.push(format!("echo x | grep -E '{}x{}'", again("(", count), again(")", count)));
        probes.push(format!("case a in {}) echo;; esac", again("@(a|", count)));
        probes.push(format!("echo 'time {}true' | bash", again("time ", count)));
        probes.push(format!("echo '{}true' | sh", again("! ", count)));
        probes.push(format!("bash -c '{}true'", again("time ", count)));
        probes.push(format!("eval '{}true'", again("time ", count)));
        probes.push(format!("echo '{}true' > /tmp/t; . /tmp/t", again("time ", count)));
        probes.push(format!("echo '{}true' > /tmp/t; chmod +x /tmp/t; /tmp/t", again("time ", count)));
        probes.push(format!("printf 'time %.0s' $(seq {count}) | bash"));
        probes.push(format!("x=$(printf '(%.0s' $(seq {count})); eval \"$x\""));
        probes.push(format!("x=$(printf '(%.0s' $(seq {count})); echo $(($x))"));
        probes.push(format!("x=$(printf '! %.0s' $(seq {count})); [ $x a ]"));
        probes.push(format!("x=$(printf '! %.0s' $(seq {count})); find / $x"));
        probes.push(format!("x=$(printf 'nohup %.0s' $(seq {count})); $x true"));
        probes.push(format!("x=$(printf '( %.0s' $(seq {count})); expr $x"));
        probes.push(format!("printf '{}' | bc", again("(", count)));
    }
    // What calls itself.
    for probe in [
        "x='eval \"$x\"'; eval \"$x\"",
        "c='bash -c \"$c\"'; export c; bash -c \"$c\"",
        "c='sh -c \"$c\"'; export c; sh -c \"$c\"",
        "printf '#!/bin/sh\\n/tmp/s\\n' > /tmp/s; chmod +x /tmp/s; /tmp/s",
        "printf '#!/bin/bash\\n/tmp/s; /tmp/s\\n' > /tmp/s; chmod +x /tmp/s; /tmp/s",
        "echo 'sh /tmp/s' > /tmp/s; sh /tmp/s",
        "echo 'bash /tmp/s' > /tmp/s; bash /tmp/s",
        "echo '. /tmp/s' > /tmp/s; . /tmp/s",
        "echo 'source /tmp/s' > /tmp/s; source /tmp/s",
        "echo 'cat /tmp/s | sh' > /tmp/s; cat /tmp/s | sh",
        "echo 'sh < /tmp/s' > /tmp/s; sh < /tmp/s",
        "echo 'exec /tmp/s' > /tmp/s; chmod +x /tmp/s; /tmp/s",
        "echo 'nohup /tmp/s' > /tmp/s; chmod +x /tmp/s; nohup /tmp/s",
        "echo 'busybox sh /tmp/s' > /tmp/s; busybox sh /tmp/s",
        "echo 'env /tmp/s' > /tmp/s; chmod +x /tmp/s; env /tmp/s",
        "echo 'sudo /tmp/s' > /tmp/s; chmod +x /tmp/s; sudo /tmp/s",
        "echo 'time /tmp/s' > /tmp/s; chmod +x /tmp/s; /tmp/s",
        "echo 'echo x | xargs /tmp/s' > /tmp/s; chmod +x /tmp/s; /tmp/s",
        "echo 'find /tmp/s -exec /tmp/s \\;' > /tmp/s; chmod +x /tmp/s; /tmp/s",
        "echo 'echo $(/tmp/s)' > /tmp/s; chmod +x /tmp/s; /tmp/s",
        "echo '/tmp/s &' > /tmp/s; chmod +x /tmp/s; /tmp/s",
        "echo 'eval /tmp/s' > /tmp/s; chmod +x /tmp/s; /tmp/s",
        "echo 'command /tmp/s' > /tmp/s; chmod +x /tmp/s; PATH=/tmp s",
        "echo s > /tmp/s; chmod +x /tmp/s; PATH=/tmp:$PATH; s",
        "printf '#!/tmp/s\\n' > /tmp/s; chmod +x /tmp/s; /tmp/s",
        "f() { f; }; f",
        "f() { f | f; }; f",
        "f() { f & f; }; f",
        ":(){ :|:& };:",
        "f() { $(f); }; f",
        "f() { (f); }; f",
        "f() { eval f; }; f",
        "f() { command f; f; }; f",
        "f() { time f; }; f",
        "f() { trap f EXIT; (exit); f; }; f",
        "trap 'trap' DEBUG; trap 'echo x; false' ERR; false",
        "trap 'kill $$' TERM; kill $$",
        "trap 'eval \"exit\"' EXIT; exit",
        "trap 'f' DEBUG; f() { f; }; f",
        "alias a='a a'; a",
        "alias a=b b=a; a",
        "x=x; echo $((x))",
        "x=y; y=x; echo $((x))",
        "x='x+x'; echo $((x))",
        "x='a[x]'; echo $((x))",
        "declare -n a=a; echo $a",
        "declare -n a=b; declare -n b=a; echo $a",
        "x='${x}'; echo ${x@P}",
        "x='$(echo ${x@P})'; echo ${x@P}",
        "PS4='$(set -x; true)'; set -x; true",
        "PROMPT_COMMAND='eval \"$PROMPT_COMMAND\"'; true",
        "x='x=$x$x'; eval $x; eval $x; eval $x",
        "x=aaaaaaaaaaaaaaaaaaaa; while true; do x=$x$x; done",
        "while true; do :; done",
        "until false; do echo x; done",
        "for ((;;)); do :; done",
        "yes",
        "yes | head -c 1000000000 | wc -c",
        "cat /dev/zero | tr -d x | wc -c",
        "echo {1..100000000}",
        "echo {a..z}{a..z}{a..z}{a..z}{a..z}",
        "seq 100000000",
        "printf '%1000000000d' 1",
        "x=$(printf '%10000000d' 1); echo ${#x}",
        "mkdir -p $(printf 'a/%.0s' $(seq 2000)); rm -rf a",
        "ln -s loop loop; cat loop; ls -laR loop",
        "ls -R /; find /",
        "command_not_found_handle() { nosuch; }; nosuch",
        "while read x; do sh -c \"$x\"; done < /etc/passwd",
        "watch ls; parallel ls ::: a b",
        "exec 3<>/tmp/x; exec 3>&-; exec 1>&3",
        "set -x; set -e; set -u; echo $nosuch; false; echo y",
        "echo $(<$(<$(<x)))",
        "cat <<A <<B\nx\nA\ny\nB\n",
        "select x in 1 2; do echo $x; done",
        "exec bash",
        "dd if=/dev/zero of=/tmp/big bs=1M count=100000",
        "tar cf - / | tar xf - -C /tmp",
        "echo x > /proc/sys/kernel/panic; echo c > /proc/sysrq-trigger",
        "\u{0}\u{1}\u{2}\\x\u{7f}",
        "'\u{fffd}\u{feff}",
    ] {
        probes.push(probe.to_owned());
    }
    probes
}

/// Runs one line with a bound on time; the line after it must still be answered.
fn survive(line: &str) {
    let line = line.to_owned();
    on_a_trap_thread(move |runtime| {
        runtime.block_on(async {
            let mut visit = Visit::new("root", true);
            let ended = tokio::time::timeout(Duration::from_secs(3), visit.run(&line)).await;
            if ended.is_ok_and(|(_, _, finished)| finished.exited) {
                return;
            }
            let (out, err, _) = visit.run("\\echo still; :").await;
            // Options the line set (`set -x`) and redirections it made stay; being answered at all is what counts.
            drop((out, err));
        });
    });
}

#[test]
fn no_probe_ends_the_process() {
    let probes = probes();
    assert!(probes.len() >= 100, "{}", probes.len());
    let only = option_env!("RUSTBUCKET_PROBE");
    for probe in probes.iter().filter(|probe| only.is_none_or(|only| probe.contains(only))) {
        let start = std::time::Instant::now();
        let head: String = probe.chars().take(90).collect();
        eprintln!("probe {head:?} ({} bytes)", probe.len());
        survive(probe);
        if start.elapsed() > Duration::from_millis(1500) {
            eprintln!("  took {:?}", start.elapsed());
        }
    }
}

/// Pieces that lines are made of.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "(",
            ")",
            "{ ",
            " }",
            "$(",
            "`",
            "\"",
            "'",
            "$((",
            "))",
            "[[ ",
            " ]]",
            "[ ",
            " ]",
            "if ",
            "; then ",
            "; fi",
            "while ",
            "; do ",
            "; done",
            "for x in ",
            "case x in ",
            ") ",
            ";; ",
            "esac",
            "&& ",
            "|| ",
            "| ",
            "; ",
            "& ",
            "> /tmp/o ",
            "< /etc/passwd ",
            "<<E\n",
            "\nE\n",
            "\n",
            "! ",
            "time ",
            "eval ",
            "exec ",
            "command ",
            "sh -c ",
            "bash ",
            "cat ",
            "echo ",
            "ls -la ",
            "find / ",
            "xargs ",
            "awk '{print $1}' ",
            "sed s/a/b/ ",
            "grep -E ",
            "$x ",
            "${x:-y} ",
            "x=1 ",
            "x[1]=2 ",
            "*",
            "?",
            "{a,b}",
            "{1..9}",
            "~",
            "\\",
            "#",
            "f() { ",
            "return ",
            "break ",
            "exit ",
            "trap 'echo t' EXIT ",
            "read x ",
            "cd /tmp ",
            "rm -rf ",
            "chmod +x ",
            "/bin/busybox X ",
            "nohup ",
            "sudo ",
            "/etc/passwd ",
            "<(",
            "@(a|b)",
            "-- ",
            "-n ",
            "2>&1 ",
            "printf %s ",
            "test -f ",
            "unset x ",
            "export x=y ",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn no_line_ends_the_process(pieces in prop::collection::vec(piece(), 0..24)) {
        survive(&pieces.concat());
    }
}
