#!/usr/bin/env python3
"""command-pages.py NETPOLD markdown FILE | man FOLDER: the pages of netpold's commands, from what the program says of itself.

The source is `netpold --experimental-dump-help`, ArgumentParser's JSON of every command with its options and texts. Markdown is
docs/reference/cli.md; man pages are netpold.1 and one for each command. Examples are what a command's text shows after
`Example:` or `Examples:`; a test runs those of the Markdown (Tests/EndToEndTests/Docs/CommandPageTests.swift).
"""
import datetime
import json
import os
import re
import subprocess
import sys

EXIT_CODES = [
    ("0", "done and as expected"),
    ("1", "an answer of \"no\": a test failed, `lint` warns, a measurement differs, not everything is enforced as written, "
          "no agent answers, another one is at work"),
    ("2", "bad input: the arguments, or the manifests, with `file:line:col`"),
    ("3", "the machine cannot do it: not root, kernel too old, output that cannot be written"),
    ("128 + n", "ended by signal n"),
]
EXAMPLE = re.compile(r"^Examples?:\s*(.*)$")


class Command:
    """One command of the dump, with its texts taken apart."""

    def __init__(self, node, parents=()):
        self.words = list(parents) + [node["commandName"]]
        self.name = " ".join(self.words)
        self.page = "-".join(self.words)
        self.abstract = node.get("abstract", "").strip()
        self.paragraphs, self.examples = self.split(node.get("discussion", ""))
        if node.get("defaultSubcommand") and "Without a subcommand" not in node.get("discussion", ""):
            self.paragraphs.append([f"Without a subcommand it is `{self.name} {node['defaultSubcommand']}`."])
        self.arguments = [a for a in node.get("arguments", []) if a.get("shouldDisplay", True)]
        self.subcommands = [
            Command(child, self.words) for child in node.get("subcommands", [])
            if child.get("shouldDisplay", True) and child["commandName"] != "help"
        ]

    @staticmethod
    def split(text):
        """The paragraphs of a discussion, each a list of lines, and the example commands that it shows."""
        paragraphs, examples = [], []
        for block in re.split(r"\n\s*\n", text.strip("\n")):
            lines = block.split("\n")
            found = next((i for i, line in enumerate(lines) if EXAMPLE.match(line)), None)
            if found is None:
                paragraphs.append(lines)
                continue
            if found:
                paragraphs.append(lines[:found])
            rest = [EXAMPLE.match(lines[found]).group(1)] + [line.strip() for line in lines[found + 1:]]
            for line in filter(None, rest):
                if examples and examples[-1].endswith("\\"):
                    examples[-1] += "\n  " + line
                else:
                    examples.append(line)
        return [p for p in paragraphs if any(line.strip() for line in p)], examples

    def everything(self):
        """This command and those below it."""
        yield self
        for child in self.subcommands:
            yield from child.everything()

    def sections(self):
        """Titles with the arguments below them, in the order in which `--help` has them."""
        titles = {}
        for argument in self.arguments:
            title = argument.get("sectionTitle")
            if not title:
                title = "Arguments" if argument["kind"] == "positional" else "Options"
            titles.setdefault(title, []).append(argument)
        return titles.items()

    def usage(self):
        """The command line in one line: what must be given, and that there are options."""
        line = [self.name]
        if any(a["kind"] != "positional" for a in self.arguments):
            line.append("[options]")
        for argument in self.arguments:
            if argument["kind"] != "positional":
                continue
            word = "<" + argument["valueName"] + ">" + (" ..." if argument.get("isRepeating") else "")
            line.append(f"[{word}]" if argument.get("isOptional") else word)
        if self.subcommands:
            line.append("<subcommand>")
        return " ".join(line)


def spelling(argument):
    """`-f, --file <path> ...`: every name of an argument, and its value."""
    value = f" <{argument['valueName']}>" if argument["kind"] == "option" else ""
    if argument["kind"] == "positional":
        text = f"<{argument['valueName']}>"
    else:
        dashes = {"long": "--", "short": "-", "longWithSingleDash": "-"}
        names = sorted(argument["names"], key=lambda n: n["kind"] == "long")
        text = ", ".join(dashes[n["kind"]] + n["name"] for n in names) + value
    return text + (" ..." if argument.get("isRepeating") else "")


def meaning(argument):
    """What an argument does, with its values and its default."""
    parts = [argument.get("abstract", "").strip(), argument.get("discussion", "").strip()]
    values = argument.get("allValues") or argument.get("allValueStrings") or []
    if values and argument["kind"] != "flag":
        parts.append("Values: " + ", ".join(values) + ".")
    if argument.get("defaultValue") and argument["kind"] != "flag":
        parts.append(f"Default: {argument['defaultValue']}.")
    return " ".join(" ".join(p.split()) for p in parts if p)


def read(netpold):
    dump = subprocess.run([netpold, "--experimental-dump-help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return Command(json.loads(dump)["command"])


# Markdown

def inline(text):
    """Angle brackets outside code would be tags, and a bare * or _ emphasis."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([<*_])", r"\\\1", p) for p in parts)


def is_table(lines):
    """Lines that are aligned by their writer: they stay as they are."""
    return any(line.startswith("  ") for line in lines)


def markdown(root):
    out = [
        "<!-- generated by scripts/command-pages.py from the commands themselves: make cli -->",
        "# Commands",
        "",
        "What `netpold COMMAND --help` and the man pages say; all are made from the same texts. A test runs each example.",
        "",
        "| exit code | means |",
        "|---|---|",
    ]
    out += [f"| {code} | {text} |" for code, text in EXIT_CODES]
    out += ["", "| command | does |", "|---|---|"]
    commands = [c for c in root.everything() if c is not root]
    for command in commands:
        anchor = re.sub(r"[^a-z0-9 _-]", "", command.name.lower()).replace(" ", "-")
        out.append(f"| [`{command.name}`](#{anchor}) | {inline(command.abstract)} |")
    for command in commands:
        out += ["", f"## {command.name}", "", inline(command.abstract), "", "```text", command.usage(), "```"]
        for lines in command.paragraphs:
            if is_table(lines):
                out += ["", "```text", *lines, "```"]
            else:
                out += ["", *[inline(line) for line in lines]]
        for title, arguments in command.sections():
            out += ["", f"{title.capitalize() if title.isupper() else title}:", ""]
            out += [f"- `{spelling(a)}`: {inline(meaning(a))}".rstrip(": ") for a in arguments]
        if command.examples:
            out += ["", "```console"] + ["$ " + e for e in command.examples] + ["```"]
    return "\n".join(out) + "\n"


# Man pages (man(7))

def roff(text):
    """Text that troff takes for nothing else: hyphens that can be copied, no requests."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def man(command, root, version, date):
    title = command.page.upper()
    out = [f'.TH "{roff(title)}" 1 "{date}" "netpold {roff(version)}" "netpold manual"', ".SH NAME",
           f"{roff(command.page)} \\- {roff(command.abstract.rstrip('.'))}", ".SH SYNOPSIS", f".B {roff(command.usage())}"]
    if command.paragraphs:
        out.append(".SH DESCRIPTION")
        for lines in command.paragraphs:
            out.append(".PP")
            if is_table(lines):
                out += [".nf", *[roff(line) for line in lines], ".fi"]
            else:
                out += [roff(line) for line in lines]
    for heading, arguments in command.sections():
        out.append(f'.SH "{roff(heading.upper())}"')
        for argument in arguments:
            out += [".TP", f".B {roff(spelling(argument))}", roff(meaning(argument)) or "\\&"]
    if command.subcommands:
        out.append(".SH COMMANDS")
        for child in command.subcommands:
            out += [".TP", f".BR {roff(child.page)} (1)", roff(child.abstract)]
    if command.examples:
        out += [".SH EXAMPLES", ".nf", *[roff(e) for e in command.examples], ".fi"]
    out.append(".SH EXIT STATUS")
    for code, text in EXIT_CODES:
        out += [".TP", f".B {code}", roff(text)]
    parent = "-".join(command.words[:-1])
    others = [c.page for c in root.subcommands if c is not command] if not parent else [parent]
    out += [".SH SEE ALSO", ",\n".join(f".BR {roff(o)} (1)" for o in others).replace("(1),", "(1) ,")]
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) != 4 or sys.argv[2] not in ("markdown", "man"):
        sys.exit(__doc__.splitlines()[0])
    netpold, kind, place = sys.argv[1:]
    root = read(netpold)
    if kind == "markdown":
        with open(place, "w", encoding="utf-8") as file:
            file.write(markdown(root))
        return
    version = subprocess.run([netpold, "version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    # Reproducible builds: the date of the commit, not of the day.
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", "0")) or None
    when = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc) if moment else datetime.datetime.now()
    os.makedirs(place, exist_ok=True)
    for command in root.everything():
        with open(os.path.join(place, command.page + ".1"), "w", encoding="utf-8") as file:
            file.write(man(command, root, version, when.strftime("%Y-%m-%d")))


if __name__ == "__main__":
    main()
