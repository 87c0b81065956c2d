//! Questions that a model is needed for: calls of programs that this machine has and nobody emulates.

/// The programs that the operator of the measured machine named.
pub const PROGRAMS: [&str; 10] =
    ["docker", "kubectl", "helm", "terraform", "aws", "ansible", "pm2", "etcdctl", "consul", "vault"];

const ARGUMENTS: [&[&str]; 10] = [
    &[
        "ps",
        "ps -a",
        "images",
        "info",
        "version",
        "network ls",
        "volume ls",
        "stats --no-stream",
        "system df",
        "top web",
        "logs web",
        "inspect web",
        "port web",
        "history nginx",
        "context ls",
        "plugin ls",
        "node ls",
        "service ls",
        "stack ls",
        "secret ls",
    ],
    &[
        "get pods",
        "get nodes",
        "get svc",
        "get ns",
        "get pods -A",
        "get deploy",
        "get ingress",
        "get pv",
        "get cm",
        "get events",
        "version",
        "cluster-info",
        "api-resources",
        "config view",
        "top nodes",
        "top pods",
        "describe node web01",
        "get secrets",
        "get cronjobs",
        "auth can-i --list",
    ],
    &[
        "list",
        "list -A",
        "version",
        "repo list",
        "env",
        "status web",
        "history web",
        "get values web",
        "search repo nginx",
        "plugin list",
    ],
    &[
        "version",
        "state list",
        "workspace list",
        "providers",
        "output",
        "show",
        "validate",
        "plan",
        "graph",
        "fmt -check",
    ],
    &[
        "s3 ls",
        "sts get-caller-identity",
        "configure list",
        "ec2 describe-instances",
        "iam list-users",
        "--version",
        "s3 ls s3://backup",
        "rds describe-db-instances",
        "lambda list-functions",
        "ec2 describe-regions",
    ],
    &[
        "--version",
        "all -m ping",
        "all --list-hosts",
        "localhost -m setup",
        "web -m shell -a uptime",
        "db -m command -a id",
    ],
    &[
        "list",
        "status",
        "logs --lines 5",
        "info 0",
        "show 0",
        "jlist",
        "prettylist",
        "ping",
        "describe web",
        "monit",
    ],
    &[
        "member list",
        "endpoint health",
        "endpoint status",
        "get /",
        "version",
        "alarm list",
        "user list",
        "role list",
    ],
    &[
        "members",
        "catalog services",
        "info",
        "kv get -recurse",
        "operator raft list-peers",
        "version",
        "catalog nodes",
        "catalog datacenters",
    ],
    &[
        "status",
        "secrets list",
        "auth list",
        "policy list",
        "version",
        "token lookup",
        "kv list secret",
        "audit list",
    ],
];

/// Options that make another question of the same command.
const VARIANTS: [&str; 8] =
    ["", "--no-color", "--quiet", "-o json", "--verbose", "-o yaml", "--output table", "--debug"];

/// `count` different command lines.
pub fn lines(count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for variant in VARIANTS {
        for (program, calls) in PROGRAMS.iter().zip(ARGUMENTS) {
            lines.extend(calls.iter().map(|call| format!("{program} {call} {variant}").trim().to_owned()));
        }
    }
    lines.truncate(count);
    lines
}
