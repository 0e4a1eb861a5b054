#!/usr/bin/env python3
"""Circles of imports between the top-level folders and files of src.

    scripts/import_circles.py               prints them
    scripts/import_circles.py --fail        and fails if there are any
    scripts/import_circles.py --self-test   checks that it finds one, in a made-up tree

A node is a file or a folder right under src. It imports another one where its code says `crate::other::…`, with
`use` or without, also inside braces; `super` that leads out of the folder counts too. Comments, strings and
`#[cfg(test)] mod` blocks do not count, and neither do lib.rs's `mod` lines. A name that lib.rs
re-exports, also in a module inside it, belongs to the node that lib.rs takes it from.
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
    """[(token, line)] of the code alone."""
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
    sys.exit("a brace is not closed")


def paths(given, prefix):
    """Yields what `tree` says of each path that starts with `crate`, `super` or `self`."""
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
    """A path or a tree of braces from `at`: [(path, line, its name here)], and where it ends."""
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
        # `crate::a::<T>` is no longer a path of names.
        if at < len(given) and given[at][0] == "::" and re.match(r"[\w{*]", given[at + 1][0]):
            at += 1
            continue
        name = path[-1] if path else ""
        if at < len(given) and given[at][0] == "as":
            name, at = given[at + 1][0], at + 2
        return [(path, line, name)], at


def imports(src):
    """The nodes, and {(from, to): [file:line, …]}."""
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
                sys.exit(f"{place}: cannot tell where `crate::{'::'.join(path)}` leads")
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
    # A module in lib.rs as a whole: all that it re-exports.
    return {node for name, node in exported.items() if path and list(name[:len(path)]) == path}


def exports(lib, nodes):
    """{path below the crate's root: node it comes from}, by the `use` lines of lib.rs and of modules inside it."""
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


# --- circles ----------------------------------------------------------------------------------------------------------


def components(nodes, edges):
    """Sets of nodes that all reach each other; each with more than one."""
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
        print(f"a circle of {len(group)}: {' '.join(group)}")
        for start in group:
            for to in group:
                places = edges.get((start, to))
                if places:
                    both = " (and back)" if (to, start) in edges else ""
                    print(f"  {start} -> {to}{both}: {len(places)}, first {places[0]}")
    print(f"{len(nodes)} folders and files, {len(edges)} imports between them, {len(circles)} circles")
    return circles


# --- the self-test ----------------------------------------------------------------------------------------------------

TREES = [
    ("use", {"a.rs": "use crate::b::X;", "b.rs": "use crate::a::Y;"}, [["a", "b"]]),
    ("no circle", {"a.rs": "use crate::b::X;", "b.rs": "use std::a::Y;"}, []),
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
            print(f"{why}: found {found}, not {expected}")
            return True
    print(f"{len(TREES)} made-up trees have the circles that were put into them")
    return False


if __name__ == "__main__":
    sys.exit(main())
