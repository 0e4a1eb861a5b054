#!/usr/bin/env python3
"""Checks commit subjects: at most 72 characters, beginning with the module (`replay: refuse …`).

    scripts/commit_subjects.py               checks all commits after BASE that this clone has
    scripts/commit_subjects.py --self-test   checks the check, on made-up repositories

Commits up to BASE are exempt.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

BASE = "bad9bdc1f7fc999101e197cd7c8e0f737b039336"
WIDTH = 72
SUBJECT = re.compile(r"[a-z0-9_/., -]+: \S")
ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:]:
        sys.exit(__doc__)
    wrong, summary = check(ROOT, BASE)
    print(*wrong, summary, sep="\n")
    return bool(wrong)


def check(repository, base):
    """Returns the violations and a summary."""
    missing = ""
    if git(repository, "rev-parse", "--is-shallow-repository") == "true":
        # If the clone does not reach back to the base, all its commits are newer: check them all.
        known = succeeds(repository, "merge-base", "--is-ancestor", base, "HEAD")
        span = [f"{base}..HEAD"] if known else ["HEAD"]
        missing = "" if known else "; HISTORY IS MISSING in this shallow clone, so older commits were not checked"
    elif succeeds(repository, "merge-base", "--is-ancestor", base, "HEAD"):
        span = [f"{base}..HEAD"]
    else:
        return [f"{base} is not in the history of HEAD: if history was rewritten, change BASE"], "0 checked"
    commits = git(repository, "log", "--format=%h %s", *span).splitlines()
    wrong = []
    for line in commits:
        commit, _, subject = line.partition(" ")
        if len(subject) > WIDTH:
            wrong.append(f"{commit}: {len(subject)} characters, the limit is {WIDTH}: {subject}")
        if not SUBJECT.match(subject):
            wrong.append(f"{commit}: does not begin with `module: `: {subject}")
    return wrong, f"{len(commits)} subjects checked after {base[:9]}{missing}"


def git(repository, *args):
    command = ["git", "-C", str(repository), *args]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def succeeds(repository, *args):
    command = ["git", "-C", str(repository), *args]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def self_test():
    # Git hooks set variables such as GIT_DIR, which would redirect git away from the made-up repositories.
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as work:
        full, shallow = pathlib.Path(work) / "full", pathlib.Path(work) / "shallow"
        git(work, "init", "--quiet", "--initial-branch", "main", str(full))
        commit(full, "Before the base, without a module")
        commit(full, "The base, without a module")
        base = git(full, "rev-parse", "HEAD")
        expect("none yet", check(full, base), 0, "0 subjects")
        commit(full, "module: " + "ü" * 64)
        expect("72 characters", check(full, base), 0, "1 subjects")
        commit(full, "module: " + "x" * 65)
        expect("73 characters", check(full, base), 1, "2 subjects")
        commit(full, "Without a module")
        expect("no module", check(full, base), 2, "3 subjects")
        expect("another base", check(full, "0" * 40), 1, "0 checked")
        commit(full, "module, other: right")
        for depth, wrong, checked in [(1, 0, "1 subjects"), (2, 1, "2 subjects"), (4, 2, "4 subjects")]:
            git(work, "clone", "--quiet", "--depth", str(depth), f"file://{full}", f"{shallow}{depth}")
            result = check(f"{shallow}{depth}", base)
            expect(f"the last {depth}", result, wrong, checked)
            expect(f"the last {depth}, said so", result, wrong, "HISTORY IS MISSING")
        git(work, "clone", "--quiet", "--depth", "5", f"file://{full}", f"{shallow}5")
        expect("shallow, with the base", check(f"{shallow}5", base), 2, "4 subjects")
    print("self-test passed, with full and shallow clones")
    return False


def commit(repository, subject):
    who = ["-c", "user.name=ci", "-c", "user.email=ci@localhost"]
    git(repository, *who, "commit", "--quiet", "--allow-empty", "--no-gpg-sign", "--message", subject)


def expect(why, result, wrong, said):
    if len(result[0]) != wrong or said not in "\n".join([*result[0], result[1]]):
        sys.exit(f"{why}: {result}")


if __name__ == "__main__":
    sys.exit(main())
