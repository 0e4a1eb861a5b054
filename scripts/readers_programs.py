#!/usr/bin/env python3
"""Whether what a reader copies compiles: README's programs with the features that README names, and the examples that say
so with the dependencies in their headers.

    scripts/readers_programs.py               checks them
    scripts/readers_programs.py --self-test   checks that a program with a feature too few is found

Each program becomes a project of its own, outside this package, whose only dependencies and features are those of the
`cargo add` lines right above it. Without `cargo add tower-sso`, they are those of every `cargo add` above, and of each
"feature `x`" in the section's lines above the program.
The projects have our lock file and target directory, and are only checked, so this takes seconds once the dependencies were.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
ADDED = re.compile(r"^cargo add ([\w-]+)(?:@(\S+))?(?: --features (\S+))?$", re.M)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:]:
        sys.exit(__doc__)
    readme = (ROOT / "README.md").read_text()
    found = list(programs(readme))
    if len(found) < 2:
        sys.exit(f"README has {len(found)} programs; there should be at least two")
    wrong = [check(f"readme-{number}", {"main.rs": code}, needs) for number, (code, needs) in enumerate(found, 1)]
    app = {file.name: file.read_text() for file in (ROOT / "examples/app").iterdir()}
    wrong.append(check("app", app, header(app["main.rs"]), "--all-targets"))
    for name, others in ("lti", ["app/sessions.rs"]), ("shopify", []):
        code = (ROOT / f"examples/{name}.rs").read_text()
        files = {"main.rs": code} | {other: (ROOT / "examples" / other).read_text() for other in others}
        wrong.append(check(name, files, header(code)))
    return any(wrong)


def header(code):
    """The manifest in an example's header, with our own sources in place of the version that will be published."""
    block = re.search(r"^//! ```toml\n(.*?)^//! ```$", code, re.M | re.S) or sys.exit("the header has no manifest")
    text = re.sub(r"^//! ?", "", block[1], flags=re.M)
    return re.sub(r'^(tower-sso = \{ )version = "[^"]*"', rf"\1path = '{ROOT}'", text, flags=re.M)


def programs(readme):
    """Each program, and the manifest that README lets a reader write for it."""
    if not any(added[0] == "tower-sso" for added in ADDED.findall(readme)):
        sys.exit("README has no line `cargo add tower-sso --features …`")
    end, above = 0, []
    for block in re.finditer(r"^```rust\S*\n(.*?)^```$", readme, re.M | re.S):
        before = readme[end : block.start()]
        named = re.findall(r"\bfeature\s+`([\w-]+)`", before.split("\n## ")[-1])
        # A reader may begin at a program that has `cargo add` lines of its own. Another needs all that was said before.
        own = ADDED.findall(before)
        above, end = above + own, block.end()
        if not any(name == "tower-sso" for name, _, _ in own):
            own = above + [("tower-sso", "", ",".join(named))]
        code = re.sub(r"^#(?: |$)", "", block[1], flags=re.M)
        main = "" if "fn main(" in code else "\nfn main() {}\n"
        yield "#![allow(unused)]\n" + code + main, manifest(own)


def manifest(added):
    crates = {}
    for name, version, features in added:
        known = crates.setdefault(name, (f"path = {str(ROOT)!r}" if name == "tower-sso" else f'version = "{version or "*"}"', []))
        known[1].extend(feature for feature in features.split(",") if feature and feature not in known[1])
    lines = (f"{name} = {{ {where}, features = {features} }}\n" for name, (where, features) in crates.items())
    return "[dependencies]\n" + "".join(lines)


def check(name, files, dependencies, *options, quiet=False):
    """Whether the program does not compile as a project of its own."""
    with tempfile.TemporaryDirectory() as directory:
        project = pathlib.Path(directory)
        (project / "src").mkdir()
        for file, code in files.items():
            (project / "src" / file).parent.mkdir(exist_ok=True)
            (project / "src" / file).write_text(code)
        # Our profiles too: with others, every dependency would be checked again.
        ours = (ROOT / "Cargo.toml").read_text()
        profiles = "".join(re.findall(r"^\[profile\.[^\[]*", ours, re.M))
        head = f'[package]\nname = "{name}"\nversion = "0.0.0"\nedition = "{edition(ours)}"\npublish = false\n\n'
        (project / "Cargo.toml").write_text(head + dependencies + "\n" + profiles)
        shutil.copy(ROOT / "Cargo.lock", project)
        target = os.environ.get("CARGO_TARGET_DIR") or ROOT / "target"
        command = ["cargo", "check", "--quiet", "--offline", "--target-dir", str(pathlib.Path(target).absolute()), *options]
        failed = subprocess.run(command, cwd=project, capture_output=quiet).returncode != 0
    if not quiet:
        ours = re.search("^tower-sso = .*$", dependencies, re.M)[0]
        print(f"{name}: {'DOES NOT COMPILE with' if failed else 'compiles with'} {ours}", flush=True)
    return failed


def edition(ours):
    return tomllib.loads(ours)["package"]["edition"]


def self_test():
    readme = (
        "cargo add tower-sso --features fernet\n```rust\nuse tower_sso::fernet;\n# fn x() {}\n```\n## More (feature "
        "`jwt`)\n```rust,no_run\nfn main() { tower_sso::jwt::x() }\n```\n## Others\n```sh\nls\n```\n"
    )
    path = f"path = {str(ROOT)!r}"
    needs = lambda features: f"[dependencies]\ntower-sso = {{ {path}, features = {features} }}\n"
    expected = [
        ("#![allow(unused)]\nuse tower_sso::fernet;\nfn x() {}\n\nfn main() {}\n", needs(["fernet"])),
        ("#![allow(unused)]\nfn main() { tower_sso::jwt::x() }\n", needs(["fernet", "jwt"])),
    ]
    if list(programs(readme)) != expected:
        sys.exit(f"the programs are not found: {list(programs(readme))}")
    code = "use tower_sso::fernet as _;\nfn main() {}\n"
    built = lambda features: not check("self-test", {"main.rs": code}, needs(features), quiet=True)
    if built([]) or not built(["fernet"]):
        sys.exit("a feature too few was not found, or one was missing that is there")
    print("a program with a feature too few is found")
    return False


if __name__ == "__main__":
    sys.exit(main())
