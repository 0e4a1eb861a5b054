#!/usr/bin/env python3
"""Rules for the files in src: comment lines end at 120 columns, files at 400 lines, and half of them at 160.

    scripts/source_rules.py               checks src
    scripts/source_rules.py --self-test   checks that the check finds something, in made-up files

rustfmt leaves comments alone on a stable toolchain. A line of comment is one that begins with `//`, `///` or `//!`;
columns are characters.
"""

import pathlib
import statistics
import sys
import tempfile

COLUMNS, LINES, MEDIAN = 120, 400, 160
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
                    wrong.append(f"{file}:{number}: a comment of {len(line)} columns")
        if len(lines) > LINES:
            wrong.append(f"{file}: {len(lines)} lines: make it two files")
    longest = max(files, key=lambda file: len(files[file]))
    median = statistics.median(len(lines) for lines in files.values())
    if median > MEDIAN:
        wrong.append(f"half of the files are longer than {median:g} lines")
    summary = f"{len(files)} files: the longest has {len(files[longest])} of {LINES} lines ({longest}), the median "
    return wrong, summary + f"{median:g} of {MEDIAN}; {comments} comment lines, limit {COLUMNS} columns"


def self_test():
    cases = [
        ("what is allowed", {"a.rs": "// " + "ü" * 117 + "\n" + "x\n" * 159, "deep/b.rs": "x\n" * 160}, 0),
        ("a line of 121", {"a.rs": "    // " + "x" * 114}, 1),
        ("in documentation", {"a.rs": "/// " + "x" * 117, "deep/b.rs": "//! " + "x" * 117}, 2),
        ("wide code is rustfmt's", {"a.rs": "x" * 121}, 0),
        ("a file of 401", {"a.rs": "x\n" * 401, "b.rs": "x\n", "c.rs": "x\n"}, 1),
        ("a file of 400", {"a.rs": "x\n" * 400, "b.rs": "x\n", "c.rs": "x\n"}, 0),
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
            print(f"{why}: {wrong}, where {expected} are wrong")
            return True
    print(f"{len(cases)} made-up trees get what is wrong with them")
    return False


if __name__ == "__main__":
    sys.exit(main())
