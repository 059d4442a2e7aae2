#!/usr/bin/env python3
"""The module and folder rules of ARCHITECTURE.md, checked; --graph prints them.

Modules: which module may import what is the table RULES below. Folders: inside a module, the folders must not form a
cycle. A folder uses another one when a file names a type, a free function, or a member of an extension, that only the
other folder declares. A member counts only where its name is declared once in all of Sources: the graph may lack an
edge, and has none that is not there.
Package.swift: a target's dependencies are the modules that its files import.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Sources")

# By module: the modules of this package it may import, and what else. None: anything.
PURE = {"NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "BPFEmit", "BPFSimulate"}
RULES = {
    "DNSScan": (set(), set()),
    "HTTPScan": (set(), set()),
    "TLSScan": (set(), set()),
    "NetTypes": (set(), set()),
    "PolicyAPI": ({"NetTypes", "CRE2"}, {"CYaml", "Dispatch", "Yams"}),
    "PolicyIR": ({"HTTPScan", "NetTypes", "PolicyAPI"}, {"Algorithms"}),
    "ProxyRules": ({"HTTPScan", "NetTypes", "PolicyAPI", "PolicyIR"}, {"Foundation"}),
    "Support": ({"CLinux"}, None),
    "PolicyAnalysis": ({"NetTypes", "PolicyAPI", "PolicyIR", "Support"}, {"Algorithms"}),
    "BPFEmit": ({"NetTypes", "PolicyAPI", "PolicyIR", "CNetpoldABI"}, {"Algorithms"}),
    "BPFSimulate": ({"NetTypes", "PolicyAPI", "PolicyIR", "BPFEmit", "CNetpoldABI"}, set()),
    "Datapath": ({"NetTypes", "PolicyAPI", "PolicyIR", "BPFEmit", "CNetpoldABI", "CLibBPF", "CLibNL", "CLinux",
         "Support"}, None),
    "CNIPlugin": ({"Support"}, {"Foundation", "Glibc", "SystemPackage"}),
    "Agent": ({"NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "Support", "BPFEmit"}, None),
    "KubeClient": ({"NetTypes", "PolicyAPI", "Support"}, None),
    "KubeObjects": ({"PolicyAPI", "PolicyIR", "PolicyAnalysis", "Support", "Agent", "KubeClient"}, None),
    "L7Proxy": ({"DNSScan", "HTTPScan", "PolicyIR", "ProxyRules", "Support"}, None),
    "KubeTestServer": ({"PolicyAPI"}, None),
    "LabKit": (
        {"NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "Support", "BPFEmit", "Datapath", "Agent", "CLinux"}, None),
    "BenchKit": (
        {"NetTypes", "PolicyAPI", "PolicyIR", "Support", "BPFEmit", "CNetpoldABI", "Datapath", "Agent", "LabKit",
         "CLinux", "KubeClient", "KubeObjects", "KubeTestServer"},
        None),
    "netpold": (
        {"NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "Support", "BPFEmit", "Datapath", "Agent", "LabKit",
         "BenchKit", "L7Proxy", "ProxyRules", "CNIPlugin", "KubeClient", "KubeObjects"}, None),
    "embed-bpf": (set(), None),
}
# Commands alone parse arguments.
ONLY_IN = {"ArgumentParser": {"netpold"}}

IMPORT = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:struct |func |enum |class |protocol )?(\w+)", re.M)
TOP_LEVEL = re.compile(r"^(?:@\w+(?:\([^)]*\))? |public |package |internal |final |indirect )*(?:struct|enum|class|protocol|actor|typealias|func) (\w+)", re.M)
EXTENSION = re.compile(r"^(?:public |package )?extension ([\w.]+)[^{]*\{(.*?)^\}", re.M | re.S)
ANY_DECLARATION = re.compile(r"\b(?:func|var|let|case|struct|enum|class|protocol|actor|typealias) `?(\w+)")
MEMBER = re.compile(r"^    (?:@\w+(?:\([^)]*\))? |public |package |internal |static |mutating |final |consuming |borrowing )*(?:func|var|let|struct|enum|class|typealias) (\w+)", re.M)


def code_of(text):
    """The text without comments and without literal text, interpolations kept."""
    text = re.sub(r'#*"""(.|\n)*?"""#*', lambda m: " ".join(re.findall(r"\\\(([^\n]*)\)", m.group(0))), text)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(\\.|[^"\\\n])*"', lambda m: " ".join(re.findall(r"\\\(([^()]*(?:\([^()]*\))*[^()]*)\)", m.group(0))), text)


def swift_files(module):
    for folder, _, names in sorted(os.walk(os.path.join(SOURCES, module))):
        for name in sorted(names):
            if name.endswith(".swift"):
                path = os.path.join(folder, name)
                inside = os.path.relpath(folder, os.path.join(SOURCES, module)).split(os.sep)[0]
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, os.path.join(SOURCES, "..")), inside, code_of(file.read())


def declaration_counts():
    """How often each name is declared anywhere in Sources, as a member, case, local or type."""
    counts = defaultdict(int)
    for module in RULES:
        for _, _, code in swift_files(module):
            for name in ANY_DECLARATION.findall(code):
                counts[name] += 1
    return counts


def folder_graph(files, counts):
    """By folder: the folders it uses, each with the names and a file as evidence."""
    declared = defaultdict(set)
    for _, folder, code in files:
        for name in TOP_LEVEL.findall(code):
            declared[name].add(folder)
    added = {}
    for _, folder, code in files:
        for extended, body in EXTENSION.findall(code):
            owners = declared.get(extended.split(".")[0], set())
            if owners and folder not in owners:
                for name in MEMBER.findall(body):
                    if counts[name] == 1:
                        added[name] = folder
    graph = defaultdict(lambda: defaultdict(set))
    for path, folder, code in files:
        for word in set(re.findall(r"\b\w+\b", code)):
            if word in declared and len(declared[word]) == 1 and (word[0].isupper() or f"{word}(" in code):
                other = next(iter(declared[word]))
                if other != folder:
                    graph[folder][other].add((word, path))
            if word in added and added[word] != folder:
                graph[folder][added[word]].add((word, path))
    return graph


def cycles(graph):
    """The strongly connected sets of more than one folder."""
    def reach(start):
        seen, stack = set(), [start]
        while stack:
            for other in graph.get(stack.pop(), {}):
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        return seen
    nodes = set(graph) | {other for uses in graph.values() for other in uses}
    reached = {node: reach(node) for node in nodes}
    found, done = [], set()
    for node in sorted(nodes):
        if node not in done and node in reached[node]:
            knot = sorted(other for other in nodes if other in reached[node] and node in reached[other])
            done |= set(knot)
            found.append(knot)
    return found


# Modules of the system and the toolchain; and those that come with a library under another name.
SYSTEM = {"Dispatch", "Foundation", "FoundationNetworking", "Glibc", "Musl", "Synchronization", "Testing", "os"}
PART_OF = {"CNIOLLHTTP": "NIOHTTP1", "CYaml": "Yams"}


def package_differences():
    """What targets import and do not declare, and declare and do not import. C modules that only link have no imports to look at."""
    root = os.path.join(SOURCES, "..")
    dump = subprocess.run(["swift", "package", "dump-package"], cwd=root, check=True, capture_output=True, text=True).stdout
    for target in json.loads(dump)["targets"]:
        place = target.get("path") or os.path.join("Tests" if target["type"] == "test" else "Sources", target["name"])
        declared = {next(iter(dependency.values()))[0] for dependency in target["dependencies"]}
        imported = set()
        for folder, _, names in os.walk(os.path.join(root, place)):
            for name in names:
                if name.endswith(".swift"):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        imported |= {PART_OF.get(module, module) for module in IMPORT.findall(file.read())}
        imported -= SYSTEM | {target["name"]}
        if not imported:
            continue
        for module in sorted(imported - declared):
            yield f"Package.swift: {target['name']} imports {module} and does not declare it"
        for module in sorted(declared - imported):
            yield f"Package.swift: {target['name']} declares {module} and does not import it"


def main():
    show = "--graph" in sys.argv[1:]
    status = 0
    counts = declaration_counts()
    for module in [name for name in RULES if os.path.isdir(os.path.join(SOURCES, name))]:
        ours, others = RULES[module]
        files = list(swift_files(module))
        used = set()
        for path, _, code in files:
            for name in IMPORT.findall(code):
                is_ours = name in RULES or name.startswith("CLib") or name in ("CRE2", "CNetpoldABI", "CLinux")
                used |= {name} if is_ours else set()
                if (is_ours and name not in ours) or (not is_ours and others is not None and name not in others) or (
                        name in ONLY_IN and module not in ONLY_IN[name]):
                    print(f"{path}: {module} must not import {name}", file=sys.stderr)
                    status = 1
        graph = folder_graph(files, counts)
        if show:
            print(f"{module}: {', '.join(sorted(used)) or '-'}")
            for folder in sorted({folder for _, folder, _ in files} - {'.'}):
                print(f"    {folder}: {', '.join(sorted(graph.get(folder, {}))) or '-'}")
        for knot in cycles(graph):
            status = 1
            print(f"Sources/{module}: the folders {', '.join(knot)} form a cycle", file=sys.stderr)
            for folder in knot:
                for other in knot:
                    for word, path in sorted(graph.get(folder, {}).get(other, ()))[:3]:
                        print(f"    {folder} uses {other}: {word} in {path}", file=sys.stderr)
    for difference in package_differences():
        print(difference, file=sys.stderr)
        status = 1
    unknown = [name for name in sorted(os.listdir(SOURCES)) if name not in RULES and not name.startswith("C")]
    for name in unknown:
        print(f"Sources/{name}: no rule says what it may import; add it to scripts/check-imports.py", file=sys.stderr)
        status = 1
    if show and not status:
        print("no cycle between modules or folders")
    sys.exit(status)


main()
