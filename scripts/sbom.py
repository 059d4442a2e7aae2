#!/usr/bin/env python3
"""sbom.py SCRATCH VERSION ARCHITECTURE EPOCH --licences FOLDER: what is inside the netpold of `make dist`, as CycloneDX 1.5 JSON.

Swift packages are those of which a module was linked, with the versions of Package.resolved; Debian's libraries have those that dpkg
says of the archives in SCRATCH/lib. The licence texts of all of them go to FOLDER; a part without one is an error.
"""
import argparse
import datetime
import json
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse
import uuid

# By the archive's name: SPDX expression, and what the text is in Debian's copyright file if that has several.
DEBIAN = {
    "libbpf": "LGPL-2.1-only OR BSD-2-Clause",
    "libelf": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "libz": "Zlib",
    "libnl-3": "LGPL-2.1-only",
    "libnl-route-3": "LGPL-2.1-only",
    "libre2": "BSD-3-Clause",
    "libstdc++": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libgcc_s": "GPL-3.0-or-later WITH GCC-exception-3.1",
}
# Texts that Debian's copyright files only point at.
COMMON = ["LGPL-2.1", "LGPL-3", "GPL-2", "GPL-3"]
# Sources of others inside a Swift package: bill-of-materials name, licence, and the module that has them.
INSIDE = {
    "CNIOLLHTTP": ("llhttp", "MIT"),
    "CNIOBoringSSL": ("BoringSSL", "OpenSSL AND ISC AND Apache-2.0"),
    "CCryptoBoringSSL": ("BoringSSL", "OpenSSL AND ISC AND Apache-2.0"),
    "CYaml": ("libyaml", "MIT"),
}


def output(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def stop(message):
    sys.exit(f"sbom: {message}")


def component(name, version, purl, licence, **more):
    """A part; what lies inside another part has no version of its own, and is told apart by a `ref`."""
    entry = {"type": "library", "bom-ref": more.pop("ref", purl), "name": name, "purl": purl}
    if version:
        entry["version"] = version
    if re.search(r" (OR|AND|WITH) ", licence):
        entry["licenses"] = [{"expression": licence}]
    else:
        entry["licenses"] = [{"license": {"id": licence}}]
    entry.update(more)
    return entry


def swift_licence(text):
    if "Apache License" in text:
        return "Apache-2.0 WITH Swift-exception" if "Runtime Library Exception" in text else "Apache-2.0"
    if "MIT License" in text or "Permission is hereby granted, free of charge" in text:
        return "MIT"
    return None


def swift_packages(scratch, licences):
    """The packages that gave a module to the link, and the sources of others in them."""
    linked = (scratch / "release/netpold.product/Objects.LinkFileList").read_text()
    modules = set(re.findall(r"/([A-Za-z0-9_-]+)\.build/", linked))
    pins = {}
    for pin in json.loads(pathlib.Path("Package.resolved").read_text())["pins"]:
        pins[pin["identity"]] = pin
    for folder in sorted((scratch / "checkouts").iterdir()):
        own = sorted(m for m in modules if (folder / "Sources" / m).is_dir())
        if not own:
            continue
        pin = pins.get(folder.name.lower()) or stop(f"{folder.name} is not in Package.resolved")
        place = re.sub(r"^https://|\.git$", "", pin["location"])
        version = pin["state"]["version"]
        texts = [f for f in folder.rglob("*") if re.match(r"(LICENSE|NOTICE|COPYING)", f.name) and f.is_file()
                 and (f.parent == folder or any(f.is_relative_to(folder / "Sources" / m) for m in own))]
        licence = next(filter(None, (swift_licence(f.read_text()) for f in texts if f.name.startswith("LICENSE"))), None)
        if not licence:
            stop(f"{folder.name}: no licence is known")
        target = licences / folder.name
        target.mkdir(parents=True, exist_ok=True)
        for text in texts:
            shutil.copyfile(text, target / "-".join(text.relative_to(folder).parts))
        yield component(folder.name, version, f"pkg:swift/{place}@{version}", licence,
                        hashes=[{"alg": "SHA-1", "content": pin["state"]["revision"]}])
        for module in own:
            if module in INSIDE:
                name, inside = INSIDE[module]
                yield component(name, None, f"pkg:generic/{name.lower()}", inside, ref=f"{name} of {folder.name}",
                                description=f"part of {folder.name} {version}")


def toolchain(licences):
    """The Swift runtime, Foundation and the ICU in it, whose licence and those of its tables the toolchain does not bring: LICENSES does."""
    program = pathlib.Path(shutil.which("swift")).resolve()
    version = re.search(r"Swift version (\S+)", output("swift", "--version")).group(1)
    licence = program.parent.parent / "share/swift/LICENSE.txt"
    if not licence.is_file():
        stop(f"there is no {licence}")
    shutil.copyfile(licence, licences / "Swift.txt")
    yield component("swift", version, f"pkg:generic/swift@{version}", "Apache-2.0 WITH Swift-exception",
                    description="Swift runtime, libdispatch and Foundation")
    yield component("icu", None, "pkg:generic/icu", "Unicode-3.0", description=f"part of Foundation {version}")


def debian(scratch, architecture, licences):
    system = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    distribution = system["ID"].strip('"') + "-" + system.get("VERSION_ID", "sid").strip('"')
    archives = {path.name.removesuffix(".a"): path.resolve() for path in (scratch / "lib").glob("*.a")}
    for name, path in sorted(archives.items()):
        # dpkg knows the path from before /usr was merged too.
        found = None
        for candidate in (path, str(path).removeprefix("/usr")):
            run = subprocess.run(["dpkg", "-S", str(candidate)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            if run.returncode == 0:
                found = run.stdout.split(":")[0]
                break
        if not found:
            stop(f"no Debian package has {path}")
        fields = output("dpkg-query", "-W", "-f", "${Version}\t${source:Package}\t${source:Version}\t${Architecture}", found)
        version, source, source_version, arch = fields.split("\t")
        shutil.copyfile(f"/usr/share/doc/{found}/copyright", licences / f"{name}.txt")
        yield component(name, version, f"pkg:deb/debian/{found}@{urllib.parse.quote(version)}?arch={arch}&distro={distribution}",
                        DEBIAN[name], ref=f"{name}.a", description=f"{name}.a of {found}; its source is Debian's {source} {source_version}")
    for name in COMMON:
        shutil.copyfile(f"/usr/share/common-licenses/{name}", licences / f"{name}.txt")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scratch", type=pathlib.Path)
    parser.add_argument("version")
    parser.add_argument("architecture")
    parser.add_argument("epoch", type=int)
    parser.add_argument("--licences", type=pathlib.Path, required=True)
    options = parser.parse_args()
    parts = [*swift_packages(options.scratch, options.licences), *toolchain(options.licences),
             *debian(options.scratch, options.architecture, options.licences)]
    program = f"pkg:generic/netpold@{options.version}"
    moment = datetime.datetime.fromtimestamp(options.epoch, datetime.timezone.utc)
    json.dump({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # The same for the same contents.
        "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, " ".join([program, *(p["purl"] for p in parts)]))),
        "version": 1,
        "metadata": {
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application", "bom-ref": program, "name": "netpold", "version": options.version, "purl": program,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "description": "The programs of bpf/ inside are GPL-2.0-only OR BSD-2-Clause",
            },
        },
        "components": parts,
        "dependencies": [{"ref": program, "dependsOn": [p["bom-ref"] for p in parts]}],
    }, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
