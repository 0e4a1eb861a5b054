#!/usr/bin/env python3
"""Checks that every type and trait of other crates in the public API is listed in public-api.txt.

    scripts/public_api.py               checks tower-sso with all features
    scripts/public_api.py --self-test   checks the check, on a made-up crate

If a dependency's type is public, a new major version of the dependency forces one on us. The script reads rustdoc's
JSON output, which has every public item with its types resolved. Its format changes between toolchains: run the
self-test first, to see whether the script understands this one. RUSTC_BOOTSTRAP enables the unstable option, for
rustdoc of this crate only.
"""

import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile

STANDARD = {"std", "core", "alloc"}
ROOT = pathlib.Path(__file__).resolve().parent.parent
OPTIONS = ["-Z", "unstable-options", "--output-format", "json", "--document-hidden-items"]


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:]:
        sys.exit(__doc__)
    found = foreign(json.loads(document().read_text()))
    list_file = ROOT / "scripts" / "public-api.txt"
    return report(found, read_list(list_file), "scripts/public-api.txt")


def document():
    """Writes rustdoc's JSON and returns its path. A wrapper sets RUSTC_BOOTSTRAP: in cargo's environment, build scripts
    would take the compiler for a nightly one, and all dependencies would be rebuilt."""
    with tempfile.TemporaryDirectory() as work:
        wrapper = pathlib.Path(work) / "rustdoc"
        wrapper.write_text('#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc "$@"\n')
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        command = ["cargo", "rustdoc", "--lib", "--all-features", "--locked", "--"] + OPTIONS
        subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "RUSTDOC": str(wrapper)})
    metadata = ["cargo", "metadata", "--no-deps", "--locked", "--format-version", "1"]
    target = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)["target_directory"]
    return pathlib.Path(target) / "doc" / "tower_sso.json"


# --- the walk ---------------------------------------------------------------------------------------------------------


def foreign(crate):
    """{foreign path: {(module of the file that exposes it, public name, file:line)}}"""
    walk = Walk(crate)
    for key in crate["index"][str(crate["root"])]["inner"]["module"]["items"]:
        walk.item(key, [])
    # No item of ours lists `impl Foreign<Ours> for AlsoForeign`.
    for key, item in crate["index"].items():
        if item["crate_id"] == 0 and "impl" in item["inner"]:
            walk.item(int(key), ["an impl"])
    if not walk.found:
        sys.exit("found nothing, not even the standard library: the walk is broken")
    return {path: places for path, places in walk.found.items() if path.split("::")[0] not in STANDARD}


class Walk:
    def __init__(self, crate):
        self.index, self.paths, self.crates = crate["index"], crate["paths"], crate["external_crates"]
        self.seen, self.found = set(), {}

    def item(self, key, parents):
        item = self.index.get(str(key))
        if item is None or item["crate_id"] != 0 or key in self.seen:
            return
        self.seen.add(key)
        (kind, inner), = item["inner"].items()
        here = parents + ([item["name"]] if item["name"] else [])
        if kind == "impl":
            # Skip auto traits and other crates' blanket impls, which are not our choice.
            if inner["is_synthetic"] or inner["blanket_impl"]:
                return
            here = parents + ([f"impl {inner['trait']['path']}"] if inner["trait"] else [])
        if kind == "use":
            self.re_export(inner, item, here)
        elif kind != "module":
            self.types(inner, item, here)
        for child in children(kind, inner):
            self.item(child, here)

    def re_export(self, inner, item, here):
        target = inner["id"]
        if target is not None and str(target) in self.paths and self.paths[str(target)]["crate_id"] != 0:
            self.note(target, item, here)
        elif target is not None and str(target) in self.index:
            self.item(target, here)
        elif target is not None and str(target) not in self.paths:
            # rustdoc knows only its name.
            self.add(inner["source"], item, here)

    def types(self, value, item, here):
        """Finds every path in a signature, field, bound or alias: any object with both `path` and `id`."""
        if isinstance(value, dict):
            if "path" in value and "id" in value:
                self.note(value["id"], item, here)
            for part in value.values():
                self.types(part, item, here)
        elif isinstance(value, list):
            for part in value:
                self.types(part, item, here)

    def note(self, key, item, here):
        path = self.paths.get(str(key))
        if path is not None and path["crate_id"] != 0:
            self.add("::".join([self.crates[str(path["crate_id"])]["name"]] + path["path"][1:]), item, here)

    def add(self, path, item, here):
        span = item["span"]
        file = span["filename"] if span else ""
        line = f"{file}:{span['begin'][0]}" if span else "?"
        self.found.setdefault(path, set()).add((module(file), "::".join(filter(None, here)), line))


def children(kind, inner):
    if kind in ("module", "trait"):
        return inner["items"] + inner.get("implementations", [])
    if kind == "impl":
        return inner["items"]
    if kind == "enum":
        return inner["variants"] + inner["impls"]
    if kind == "union":
        return inner["fields"] + inner["impls"]
    if kind in ("struct", "variant"):
        shape, impls = inner["kind"], inner.get("impls", [])
        if isinstance(shape, dict):
            parts = shape.get("tuple") or shape.get("plain", shape.get("struct", {})).get("fields", [])
            return [part for part in parts if part is not None] + impls
        return impls
    return []


def module(file):
    parts = pathlib.PurePath(file).with_suffix("").parts
    parts = parts[parts.index("src") + 1:] if "src" in parts else parts
    return "::".join(part for part in parts if part not in ("mod", "lib"))


# --- the list ---------------------------------------------------------------------------------------------------------


def read_list(file):
    entries = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            parts = [part.strip() for part in line.split("|")]
            if len(parts) != 3 or not all(parts):
                sys.exit(f"{file.name}:{number}: not `path | where | why`")
            entries.append(tuple(parts))
    return entries


def under(path, prefix):
    return path == prefix or path.startswith(prefix + "::")


def report(found, entries, name):
    """Prints the differences between the API and the list, and returns whether there are any."""
    used, wrong = set(), []
    for path in sorted(found):
        for where, item, line in sorted(found[path]):
            match = [e for e in entries if under(path, e[0]) and (e[1] == "anywhere" or under(where, e[1]))]
            used.update(match)
            if not match:
                wrong.append(f"{line}: `{item}` exposes `{path}`")
    unused = [entry for entry in entries if entry not in used]
    for path, where, why in entries:
        if why.startswith("to go") and (path, where, why) in used:
            print(f"known for now: {path}, {where}: {why}")
    for line in wrong:
        print("not listed:", line)
    for path, where, _ in unused:
        print(f"listed but not in the API (remove it from {name}): {path}, {where}")
    crates = sorted({path.split("::")[0] for path in found})
    print(f"{len(found)} types and traits of {len(crates)} crates are public: {' '.join(crates)}")
    return bool(wrong or unused)


# --- the self-test ----------------------------------------------------------------------------------------------------

DEPENDENCY = """
pub struct Argument; pub struct Result; pub struct Field; pub struct InTuple; pub struct InVariant; pub struct Exported;
pub struct Nested; pub struct Associated; pub struct Converted; pub struct Defaulted; pub struct Aliased;
pub struct Constant; pub struct Renamed; pub struct HiddenFromDocs; pub struct AllowedInside;
pub struct NotShown; pub struct NotShownEither;
pub trait Bound {} pub trait Where {} pub trait Super {} pub trait Implemented {} pub trait Dynamic {} pub trait Opaque {}
pub trait OfForeign<T> {} pub trait InBlanket {}
pub mod all { pub struct InGlob; }
impl Opaque for NotShownEither {}
"""
MINE = """
mod private {
    pub struct Made;
    impl Made { pub fn method(&self) -> Option<dependency::Result> { None } }
    pub struct NeverLeaves(pub dependency::NotShown);
}
pub use private::Made;
pub use dependency::Exported;
pub use dependency::Renamed as Other;
pub use dependency::all::*;
pub fn function(_: &dependency::Argument) {}
pub struct Plain { pub field: Vec<dependency::Field>, private: Option<dependency::NotShown> }
pub struct Tuple(pub [dependency::InTuple; 1], dependency::NotShown);
pub enum Enumeration { Variant { inside: dependency::InVariant } }
pub fn bounded<T: dependency::Bound>(_: T) where Vec<T>: dependency::Where {}
pub trait Mine: dependency::Super { fn provided(&self, _: Box<dyn Fn(dependency::Nested)>) {} }
impl Iterator for Made { type Item = dependency::Associated; fn next(&mut self) -> Option<Self::Item> { None } }
impl From<dependency::Converted> for Made { fn from(_: dependency::Converted) -> Self { Made } }
impl dependency::Implemented for Plain {}
impl dependency::OfForeign<Made> for u8 {}
pub struct Generic<T = dependency::Defaulted>(pub T);
pub trait Blanket {}
impl<T: dependency::InBlanket> Blanket for T {}
pub type Alias = dependency::Aliased;
pub const CONSTANT: Option<dependency::Constant> = None;
pub fn dynamic() -> Option<Box<dyn dependency::Dynamic>> { None }
pub fn opaque() -> impl dependency::Opaque { dependency::NotShownEither }
#[doc(hidden)] pub fn hidden(_: dependency::HiddenFromDocs) {}
pub(crate) fn not_public(_: dependency::NotShown) {}
pub fn not_in_a_body() { let _ = |_: dependency::NotShown| (); let _ = Plain { field: vec![], private: None }.private; }
pub mod inside { pub fn allowed(_: dependency::AllowedInside) {} }
"""
SHOWN = """Aliased AllowedInside Argument Associated Bound Constant Converted Defaulted Dynamic Exported Field HiddenFromDocs
Implemented InBlanket InTuple InVariant Nested OfForeign Opaque Renamed Result Super Where""".split()


def self_test():
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "src").mkdir()
        (work / "dependency.rs").write_text(DEPENDENCY)
        (work / "src" / "lib.rs").write_text(MINE)
        edition = ["--edition", "2024", "--crate-type", "lib"]
        subprocess.run(["rustc", *edition, "dependency.rs"], cwd=work, check=True)
        subprocess.run(
            ["rustdoc", *edition, "--crate-name", "mine", "-L", ".", "--extern", "dependency=libdependency.rlib"]
            + ["src/lib.rs", "-o", "doc"] + OPTIONS,
            cwd=work, check=True, env={**os.environ, "RUSTC_BOOTSTRAP": "1"},
        )
        found = foreign(json.loads((work / "doc" / "mine.json").read_text()))
    expected = {f"dependency::{name}" for name in SHOWN} | {"dependency::all"}
    if set(found) != expected:
        print("missed:", sorted(expected - set(found)), "not public:", sorted(set(found) - expected))
        return True
    complete = [("dependency", "anywhere", "all of it")]
    cases = [
        ("a complete list", complete, False),
        ("an entry that nothing needs", complete + [("other", "anywhere", "nothing")], True),
        ("no list", [], True),
        ("a list of all but one", [(path, "anywhere", "known") for path in expected - {"dependency::Field"}], True),
        ("a list for another module", [("dependency", "inside", "only there")], True),
        ("part of a name", [("depend", "anywhere", "a prefix")], True),
    ]
    for what, entries, refused in cases:
        with open(os.devnull, "w") as nowhere:
            stdout, sys.stdout = sys.stdout, nowhere
            said = report(found, entries, "the list")
            sys.stdout = stdout
        if said != refused:
            print(f"{what}: {'refused' if said else 'passed'}")
            return True
    print(f"self-test passed: {len(expected)} ways to expose a dependency's type, and unused entries, are found")
    return False


if __name__ == "__main__":
    sys.exit(main())
