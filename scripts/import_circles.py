#!/usr/bin/env python3
"""Finds import cycles between the top-level folders and files of src.

    scripts/import_circles.py               prints them
    scripts/import_circles.py --fail        prints them, and fails if there are any
    scripts/import_circles.py --self-test   checks the check, on made-up trees

A node is a file or folder directly under src. It imports another node if its code contains a path `crate::other::…`, in
a `use` or elsewhere, or a `super` path that leads out of the folder. Comments, strings, `#[cfg(test)] mod` blocks and
lib.rs's `mod` lines do not count. A name that lib.rs re-exports, directly or in an inline module, belongs to the node
that it comes from.
"""

import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(?P<h>\#*)".*?"(?P=h)|b?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])'""", re.S
)
TOKEN = re.compile(r"\w+|::|\S")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:] not in ([], ["--fail"]):
        sys.exit(__doc__)
    circles = report(*imports(ROOT / "src"))
    return bool(circles) and sys.argv[1:] == ["--fail"]


# --- reading ----------------------------------------------------------------------------------------------------------


def tokens(text):
    """[(token, line)] of the code, without comments and strings."""
    blank = lambda match: '""' + "\n" * match.group().count("\n")
    code = NOT_CODE.sub(blank, text)
    result, line, end = [], 1, 0
    for match in TOKEN.finditer(code):
        line += code.count("\n", end, match.start())
        end = match.start()
        result.append((match.group(), line))
    return without_tests(result)


def without_tests(given):
    """Drops `#[cfg(test)] mod name { … }`."""
    start = ["#", "[", "cfg", "(", "test", ")", "]", "mod"]
    result, at = [], 0
    while at < len(given):
        if [token for token, _ in given[at:at + 8]] == start and given[at + 9][0] == "{":
            at = closing(given, at + 9) + 1
        else:
            result.append(given[at])
            at += 1
    return result


def closing(given, at):
    depth = 0
    for place in range(at, len(given)):
        depth += {"{": 1, "}": -1}.get(given[place][0], 0)
        if depth == 0:
            return place
    sys.exit("unclosed brace")


def paths(given, prefix):
    """Yields the result of `tree` for each path that starts with `crate`, `super` or `self`."""
    inline, depth, at = [], 0, 0  # inline modules, with the depth of their braces
    while at < len(given):
        token, line = given[at]
        if token == "mod" and at + 2 < len(given) and given[at + 2][0] == "{":
            inline.append((given[at + 1][0], depth))
        depth += {"{": 1, "}": -1}.get(token, 0)
        if token == "}" and inline and inline[-1][1] == depth:
            inline.pop()
        before = given[at - 1][0] if at else ""
        follows = at + 1 < len(given) and given[at + 1][0] == "::"
        if token in ("crate", "super", "self") and follows and before not in ("::", "in"):
            here = prefix + [name for name, _ in inline]
            found, at = tree(given, at, [] if token == "crate" else here)
            yield from found
            continue
        at += 1


def tree(given, at, base):
    """Parses a path or `use` tree at `at`: [(path, line, local name)], and where it ends."""
    path = list(base)
    while True:
        token, line = given[at]
        if token == "{":
            found, at = [], at + 1
            while given[at][0] != "}":
                if given[at][0] == ",":
                    at += 1
                    continue
                inner, at = tree(given, at, path)
                found += inner
            return found, at + 1
        if token == "super":
            path = path[:-1]
        elif token not in ("crate", "self"):
            path = path + [token]
        at += 1
        # Stop at generics: `crate::a::<T>`.
        if at < len(given) and given[at][0] == "::" and re.match(r"[\w{*]", given[at + 1][0]):
            at += 1
            continue
        name = path[-1] if path else ""
        if at < len(given) and given[at][0] == "as":
            name, at = given[at + 1][0], at + 2
        return [(path, line, name)], at


def imports(src):
    """Returns the nodes, and {(from, to): [file:line, …]}."""
    files = sorted(src.rglob("*.rs"))
    nodes = {file.relative_to(src).parts[0].removesuffix(".rs") for file in files} - {"lib"}
    if len(nodes) < 2:
        sys.exit(f"fewer than two files or folders in {src}")
    exported = exports(src / "lib.rs", nodes)
    edges = {}
    for file in files:
        parts = list(file.relative_to(src).with_suffix("").parts)
        if parts == ["lib"]:
            continue
        node, prefix = parts[0], parts[:-1] if parts[-1] == "mod" else parts
        for path, line, _ in paths(tokens(file.read_text()), prefix):
            place = f"{file.relative_to(src.parent)}:{line}"
            targets = leads_to(path, nodes, exported)
            if not targets:
                sys.exit(f"{place}: cannot resolve `crate::{'::'.join(path)}`")
            for target in targets - {node}:
                edges.setdefault((node, target), []).append(place)
    if not edges:
        sys.exit(f"no import found in {src}")
    return nodes, edges


def leads_to(path, nodes, exported):
    if path and path[0] in nodes:
        return {path[0]}
    for length in range(len(path), 0, -1):
        if tuple(path[:length]) in exported:
            return {exported[tuple(path[:length])]}
    # A whole inline module of lib.rs stands for all its re-exports.
    return {node for name, node in exported.items() if path and list(name[:len(path)]) == path}


def exports(lib, nodes):
    """{path below the crate root: node it comes from}, from the `use` lines of lib.rs and its inline modules."""
    given, names, inline, depth = tokens(lib.read_text()), {}, [], 0
    for at, (token, _) in enumerate(given):
        if token == "mod" and at + 2 < len(given) and given[at + 2][0] == "{":
            inline.append((given[at + 1][0], depth))
        depth += {"{": 1, "}": -1}.get(token, 0)
        if token == "}" and inline and inline[-1][1] == depth:
            inline.pop()
        if token == "use":
            for path, _, name in tree(given, at + 1, [])[0]:
                if path and path[0] in nodes:
                    names[(*(module for module, _ in inline), name)] = path[0]
    return names


# --- cycles -----------------------------------------------------------------------------------------------------------


def components(nodes, edges):
    """The strongly connected components with more than one node."""
    onward = {node: {to for start, to in edges if start == node} for node in nodes}
    reach = {}
    for node in nodes:
        seen, queue = set(), [node]
        while queue:
            new = onward[queue.pop()] - seen
            seen |= new
            queue += new
        reach[node] = seen
    groups = {frozenset({node} | {other for other in reach[node] if node in reach[other]}) for node in nodes}
    return sorted((sorted(group) for group in groups if len(group) > 1), key=len, reverse=True)


def report(nodes, edges):
    circles = components(nodes, edges)
    for group in circles:
        print(f"a cycle of {len(group)}: {' '.join(group)}")
        for start in group:
            for to in group:
                places = edges.get((start, to))
                if places:
                    both = " (and back)" if (to, start) in edges else ""
                    print(f"  {start} -> {to}{both}: {len(places)}, first {places[0]}")
    print(f"{len(nodes)} folders and files, {len(edges)} imports between them, {len(circles)} cycles")
    return circles


# --- the self-test ----------------------------------------------------------------------------------------------------

TREES = [
    ("use", {"a.rs": "use crate::b::X;", "b.rs": "use crate::a::Y;"}, [["a", "b"]]),
    ("no cycle", {"a.rs": "use crate::b::X;", "b.rs": "use std::a::Y;"}, []),
    ("braces", {"a.rs": "use crate::{c::Z, b::{self, X as W}};", "b.rs": "use crate::{a};", "c.rs": ""}, [["a", "b"]]),
    ("a path in code", {"a.rs": "fn f() -> crate::b::X {}", "b.rs": "fn f() { crate::a::f::<u8>() }"}, [["a", "b"]]),
    ("through a folder", {"a/mod.rs": "", "a/x.rs": "use crate::b::X;", "b.rs": "use crate::a::x::Y;"}, [["a", "b"]]),
    ("inside a folder", {"a/x.rs": "use super::y;", "a/y.rs": "use crate::a::x;", "b.rs": "use crate::a;"}, []),
    ("super", {"a/x.rs": "use super::super::b;", "b.rs": "use super::a;"}, [["a", "b"]]),
    ("super in a module", {"a.rs": "mod m { use super::X; }", "b.rs": "mod m { use super::super::a; }"}, []),
    ("three", {"a.rs": "use crate::b;", "b.rs": "use crate::c;", "c.rs": "use crate::a;"}, [["a", "b", "c"]]),
    ("a re-export", {"lib.rs": "pub use b::{X as Z};", "a.rs": "use crate::Z;", "b.rs": "use crate::a;"}, [["a", "b"]]),
    (
        "a module in lib.rs",
        {"lib.rs": "pub mod m { pub use crate::b::X; }", "a.rs": "use crate::m::X;", "b.rs": "use crate::a;"},
        [["a", "b"]],
    ),
    ("all of it", {"lib.rs": "mod m { pub use crate::b::X; }", "a.rs": "use crate::m;", "b.rs": "use crate::a;"}, [["a", "b"]]),
    ("not code", {"a.rs": "use crate::b; // }", "b.rs": "// crate::a\nconst S: &str = \"crate::a::X\";"}, []),
    ("a test", {"a.rs": "use crate::b;", "b.rs": "#[cfg(test)]\nmod tests { use crate::a; fn f() {} }"}, []),
    ("after a test", {"a.rs": "use crate::b;", "b.rs": "#[cfg(test)] mod t { fn f() {} } use crate::a;"}, [["a", "b"]]),
    ("a visibility", {"a.rs": "use crate::b;", "b.rs": "pub(in crate::a) fn f() {}"}, []),
]


def self_test():
    for why, files, expected in TREES:
        with tempfile.TemporaryDirectory() as work:
            src = pathlib.Path(work) / "src"
            for name, text in {"lib.rs": "mod a; mod b;", **files}.items():
                (src / name).parent.mkdir(parents=True, exist_ok=True)
                (src / name).write_text(text)
            found = components(*imports(src))
        if found != expected:
            print(f"{why}: found {found}, expected {expected}")
            return True
    print(f"self-test passed: {len(TREES)} made-up trees")
    return False


if __name__ == "__main__":
    sys.exit(main())
