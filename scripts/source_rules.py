#!/usr/bin/env python3
"""Checks the files in src: at most 120 columns per comment line, 400 lines per file, a median of 160 lines, and no
re-export of everything under a feature.

    scripts/source_rules.py               checks src
    scripts/source_rules.py --self-test   checks the check, on made-up files

On a stable toolchain, rustfmt does not check comments. A comment line begins with `//`, `///` or `//!`. A column is a
character. What is re-exported under a feature is named there, as rustc then says which feature a missing name needs.
"""

import pathlib
import re
import statistics
import sys
import tempfile

COLUMNS, LINES, MEDIAN = 120, 400, 160
GLOB = re.compile(r"pub use .*\*;")
ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:]:
        sys.exit(__doc__)
    wrong, summary = check(ROOT / "src")
    print(*wrong, summary, sep="\n")
    return bool(wrong)


def check(src):
    files = {file.relative_to(src.parent): file.read_text().splitlines() for file in sorted(src.rglob("*.rs"))}
    if not files:
        sys.exit(f"no Rust file in {src}")
    wrong, comments = [], 0
    for file, lines in files.items():
        for number, line in enumerate(lines, 1):
            if line.lstrip().startswith("//"):
                comments += 1
                if len(line) > COLUMNS:
                    wrong.append(f"{file}:{number}: a comment line of {len(line)} columns")
            if GLOB.match(line) and behind_a_feature(lines[: number - 1]):
                wrong.append(f"{file}:{number}: name what is re-exported under a feature")
        if len(lines) > LINES:
            wrong.append(f"{file}: {len(lines)} lines: split it")
    longest = max(files, key=lambda file: len(files[file]))
    median = statistics.median(len(lines) for lines in files.values())
    if median > MEDIAN:
        wrong.append(f"the median file has {median:g} lines, the limit is {MEDIAN}")
    summary = f"{len(files)} files: the longest has {len(files[longest])} of {LINES} lines ({longest}), the median "
    return wrong, summary + f"{median:g} of {MEDIAN}; {comments} comment lines, limit {COLUMNS} columns"


def behind_a_feature(before):
    """Whether one of the attributes right before a line is a `cfg` of a feature."""
    for line in reversed(before):
        if not line.startswith("#["):
            return False
        if line.startswith("#[cfg(") and "feature" in line:
            return True
    return False


def self_test():
    cases = [
        ("what is allowed", {"a.rs": "// " + "ü" * 117 + "\n" + "x\n" * 159, "deep/b.rs": "x\n" * 160}, 0),
        ("a line of 121", {"a.rs": "    // " + "x" * 114}, 1),
        ("in documentation", {"a.rs": "/// " + "x" * 117, "deep/b.rs": "//! " + "x" * 117}, 2),
        ("wide code is rustfmt's", {"a.rs": "x" * 121}, 0),
        ("a file of 401", {"a.rs": "x\n" * 401, "b.rs": "x\n", "c.rs": "x\n"}, 1),
        ("a file of 400", {"a.rs": "x\n" * 400, "b.rs": "x\n", "c.rs": "x\n"}, 0),
        ("a glob under a feature", {"a.rs": '#[cfg(feature = "a")]\n#[cfg_attr(docsrs, x)]\npub use a::*;\n'}, 1),
        ("a glob that is always there", {"a.rs": '#[cfg(feature = "a")]\npub use a::A;\npub use b::*;\n'}, 0),
        ("a median of 161", {"a.rs": "x\n" * 161, "b.rs": "x\n" * 161, "c.rs": "x\n"}, 1),
    ]
    for why, files, expected in cases:
        with tempfile.TemporaryDirectory() as work:
            src = pathlib.Path(work) / "src"
            for name, text in files.items():
                (src / name).parent.mkdir(parents=True, exist_ok=True)
                (src / name).write_text(text)
            wrong, _ = check(src)
        if len(wrong) != expected:
            print(f"{why}: found {wrong}, expected {expected} violations")
            return True
    print(f"self-test passed: {len(cases)} made-up trees")
    return False


if __name__ == "__main__":
    sys.exit(main())
