"""What the pages of presets share: reading the presets' documentation, and writing or checking the pages.

A preset is a function that returns a Builder. Its documentation ends with `Source: …`.
"""

import json
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRESET = re.compile(r"((?:^///.*\n)+)((?:#\[.*\n)*)^pub fn (\w+)(?:<[^(]*>)?\(([^)]*)\) -> ([^{]*)", re.M)
NEEDED = re.compile(r'^#\[cfg\(feature = "([\w-]+)"\)\]', re.M)
MADE = ("self-made", "peer-built", "computed by the documented rule")
IMPLIED = tomllib.loads((ROOT / "Cargo.toml").read_text())["features"]


class Preset:
    def __init__(self, documentation, features, name, parameters, returns):
        self.name, self.returns, self.documentation = name, returns, documentation
        self.features = ", ".join(f"`{feature}`" for feature in without_implied(features))
        prose = re.sub(r"```.*?```", "", documentation, flags=re.S)
        self.paragraphs = [" ".join(text.split()) for text in prose.split("\n\n")]
        sources = [text.removeprefix("Source: ") for text in self.paragraphs if text.startswith("Source: ")]
        self.source = sources[0].rstrip(".") if sources else None
        names = re.findall(r"(\w+):(?!:)", re.sub(r"<[^>]*>", "", parameters))
        self.call = f"{name}({', '.join(names)})"

    def sentences(self, matching, ends=".:"):
        """Those of the documentation that match, without links and emphasis."""
        text = " ".join(text for text in self.paragraphs if not text.startswith("Source: ")).replace("**", "")
        found = [text for text in re.split(rf"(?<=[{ends}]) +(?=[A-Z`])", text) if re.search(matching, text, re.I)]
        return [re.sub(r"\[(`[^`]+`)\](\([^)]*\))?", r"\1", text).strip() for text in found]


def presets(folder):
    """Those of a folder, each with the features that its module, its folder and itself are behind."""
    of_folder = features_of(folder.parent / "mod.rs", folder.name)
    for file in sorted(folder.rglob("*.rs")):
        module = file.relative_to(folder).parts[0].removesuffix(".rs")
        around = of_folder + features_of(folder / "mod.rs", module)
        for documentation, attributes, name, parameters, returns in PRESET.findall(file.read_text()):
            if returns.startswith("Builder<"):
                lines = [line.removeprefix("///").removeprefix(" ") for line in documentation.splitlines()]
                yield Preset("\n".join(lines), around + NEEDED.findall(attributes), name, parameters, returns)


def features_of(file, module):
    """What a module is behind where it is declared."""
    declared = re.search(rf"((?:^#\[.*\n)*)^(?:pub )?mod {module};", file.read_text(), re.M)
    return NEEDED.findall(declared[1]) if declared else []


def without_implied(features):
    """In a list for `cargo add`, only those that no other one brings."""
    implied = {other for feature in features for other in IMPLIED[feature]}
    return [feature for feature in dict.fromkeys(features) if feature not in implied]


def with_vectors(file):
    """The presets of which a row was not merely made by a rule."""
    rows = [json.loads(row) for row in (ROOT / "tests" / "vectors" / file).read_text().splitlines() if row]
    is_made = lambda row: row["source"].startswith("made by") or row.get("note", "").startswith(MADE)
    return {row["route"]["preset"] for row in rows if row["expect"] == "accept" and not is_made(row)}


def rust_in(*folders):
    return "".join(file.read_text() for folder in folders for file in sorted((ROOT / folder).rglob("*.rs")))


def run(usage, wanted, missing, summary):
    """Writes the files, or with `--check` compares them."""
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(usage)
    if not sys.argv[1:]:
        for file, text in wanted.items():
            file.write_text(text)
        return 0
    wrong = list(missing)
    for file, text in wanted.items():
        if not file.exists() or file.read_text() != text:
            wrong.append(f"{file.relative_to(ROOT)} is out of date: run {sys.argv[0]}")
    print(*wrong, summary, sep="\n")
    return bool(wrong)
