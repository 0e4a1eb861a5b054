#!/usr/bin/env python3
"""Checks which files the package contains.

    cargo package --list | scripts/package_files.py     checks the list
    scripts/package_files.py --self-test                checks the check, on made-up lists

New kinds of files fail until they are listed here or excluded in Cargo.toml.
"""

import re
import sys

NEEDED = """.cargo_vcs_info.json Cargo.toml Cargo.toml.orig Cargo.lock CHANGELOG.md CONTRIBUTING.md LICENSE-APACHE LICENSE-MIT
README.md SECURITY.md src/lib.rs""".split()
ALLOWED = [
    r"src/.*\.rs",
    r"src/scheme/public_key/decoys/.*\.pem",  # public keys
    r"src/keys/sql/migrations/.*\.sql",
    r"benches/.*\.rs",
    r"examples/.*\.rs",
    r"examples/portal/portal\.example\.toml",
    r"examples/portal/templates/.*\.(html|css|js)",
    r"askama\.toml",  # the portal's templates
    r"tests/.*\.rs",
    r"tests/portal/.*\.(html|yaml)",
    r"tests/clients/.*\.(py|mjs|json|md)",
    r"tests/vectors/.*\.(jsonl|json|md)",
    r"tests/vectors/.*(public|certificate)\.pem",
    r"docs/.*\.(md|json|yaml)",
]


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:]:
        sys.exit(__doc__)
    files = sys.stdin.read().splitlines()
    wrong = check(files)
    print(*wrong, f"{len(files)} files in the package", sep="\n")
    return bool(wrong)


def check(files):
    missing = [f"missing from the package: {file}" for file in NEEDED if file not in files]
    allowed = re.compile("|".join(ALLOWED))
    more = [file for file in files if file not in NEEDED and not allowed.fullmatch(file)]
    return missing + [f"unexpected in the package: {file}" for file in more]


def self_test():
    more = [".ci/run", "scripts/test", "deny.toml", "tests/vectors/keys/a-private.pem", "portal.db", "src/notes.txt"]
    for file in more:
        if check(NEEDED + ["src/a/b.rs", file]) != [f"unexpected in the package: {file}"]:
            sys.exit(f"wrong result for the unexpected file {file}")
    if check(NEEDED + ["src/a/b.rs"]) or len(check([])) != len(NEEDED) or len(check(NEEDED[1:])) != 1:
        sys.exit("wrong result for a complete or incomplete list")
    print("self-test passed: missing and unexpected files are found")
    return False


if __name__ == "__main__":
    sys.exit(main())
