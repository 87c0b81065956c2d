//! Bytes that are no text go through pipes, variables and files of the shell unharmed.
#![allow(clippy::unwrap_used)] // a test that cannot go on should fail

mod visit;

/// Lines and what they say.
const CASES: &[(&str, &str)] = &[
    ("dd if=/bin/ls bs=52 count=1 2>/dev/null | xxd -p | head -c 32", "7f454c46020101000000000000000000"),
    (
        "cat /bin/ls | md5sum | cut -d' ' -f1 > /tmp/a; md5sum < /bin/ls | cut -d' ' -f1 | cmp - /tmp/a && echo same",
        "same\n",
    ),
    ("printf '\\xff\\xfe\\x00abc\\n' | od -An -tx1", " ff fe 00 61 62 63 0a\n"),
    ("printf '\\351t\\351' | tr '\\351' e", "ete"),
    ("echo -ne '\\x7fELF\\x80\\xc3\\xa9' | xxd -p", "7f454c4680c3a9\n"),
    (
        "echo -ne '\\x7fELF\\x80' > /tmp/b; echo -ne '\\xff' >> /tmp/b; xxd -p /tmp/b; wc -c < /tmp/b",
        "7f454c4680ff\n6\n",
    ),
    ("echo f0VMRv+A | base64 -d | xxd -p", "7f454c46ff80\n"),
    ("echo f0VMRv+A | base64 -d | sed s/E/e/ | awk 1 | sort | xxd -p", "7f654c46ff800a\n"),
    ("cat /bin/ls | gzip | gunzip | bzip2 | bunzip2 | cmp - /bin/ls && echo same", "same\n"),
    ("tar czf - /bin/cat 2>/dev/null | tar tzf -", "bin/cat\n"),
    ("a=$(printf '\\xe9\\xff'); echo -n \"$a\" | xxd -p", "e9ff\n"),
    ("head -c 5 /dev/urandom | wc -c", "5\n"),
    ("printf '\\xe9\\n\\xff\\n' | while read x; do echo \"<$x>\"; done | xxd -p", "3ce93e0a3cff3e0a\n"),
    ("cat /bin/ls > /tmp/c; cat /tmp/c >> /tmp/d; cmp /tmp/d /bin/ls && echo same", "same\n"),
    ("printf 'gr\\303\\274n' | wc -m", "4\n"),
    ("printf '\\364\\217\\276\\200' | xxd -p", "f48fbe80\n"),
    ("xxd -p /bin/ls | xxd -r -p | cmp - /bin/ls && echo same", "same\n"),
    ("uuencode /bin/cat x | uudecode -o /dev/stdout | cmp - /bin/cat && echo same", "same\n"),
];

#[test]
fn bytes_survive_pipes() {
    visit::on_a_trap_thread(|runtime| {
        for (line, wanted) in CASES {
            let mut visit = visit::Visit::new("root", false);
            let (out, err, _) = runtime.block_on(visit.run(line));
            assert_eq!((out.as_str(), err.as_str()), (*wanted, ""), "{line}");
        }
    });
}
