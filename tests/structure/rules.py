# SPDX-License-Identifier: MIT
"""rules: what docs/architecture.md promises about the shape of the code. Each function returns its offenders as lines of text.

test_sources.py and test_objects.py apply them to this checkout; test_bite.py to small trees that break one rule each.
"""
import os
import re
import shutil
import subprocess

from tap import Skip
from tree import output_of, symbols

# "Pure inside, the world outside": which folders of src/ a folder may use.
RANKS = {
    "base": {"base"},
    "wire": {"base", "wire"},
    "link": {"base", "wire", "link"},
    "internet": {"base", "wire", "internet"},
    "transport": {"base", "wire", "transport"},
    "http": {"base", "wire", "http"},
    "stack": {"base", "wire", "link", "internet", "transport", "http", "stack"},
}
PUBLIC_FOR_ALL = {"include/parley/types.h", "include/parley/trace.h"}   # and the .def lists
PURE_SYSTEM_HEADERS = {"stdint.h", "stddef.h", "stdbool.h", "stdalign.h", "stdarg.h", "limits.h", "string.h", "cpuid.h", "immintrin.h",
                       "emmintrin.h", "tmmintrin.h", "arm_neon.h"}
ALLOWED_UNDEFINED = {"memcpy", "memmove", "memset", "memcmp", "pl_panic", "_GLOBAL_OFFSET_TABLE_"}   # the last one is the linker's

TCP = "src/transport/tcp/"
SPINE = {TCP + name for name in ("input.c", "output.c", "user.c", "settings.c", "timeouts.c")}
CONNECTION = TCP + "tcp.h"


def folder_of(path):
    """ "src/wire/tcp_hdr.c" -> "wire" """
    return path.split("/")[1]


# The sources.

def include_ranks(tree):
    bad = []
    for path in tree.below("src"):
        folder = folder_of(path)
        if folder not in RANKS:
            bad.append("%s: src/%s has no rank" % (path, folder))
            continue
        for name, target in tree.includes(path):
            if target is None:
                continue
            if target.startswith("src/"):
                allowed = folder_of(target) in RANKS[folder]
            elif target.startswith("include/parley/"):
                allowed = (folder in ("stack", "transport") or target in PUBLIC_FOR_ALL or target.endswith(".def")
                           or target == "include/parley/%s.h" % folder)
            else:
                allowed = False
            if not allowed:
                bad.append("%s includes %s" % (path, name))
    return bad


def pure_system_headers(tree):
    return ["%s includes <%s>" % (path, name) for path in tree.below("src") for name, target in tree.includes(path)
            if target is None and name not in PURE_SYSTEM_HEADERS]


def view_reads_trace_only(tree):
    return ["%s includes %s" % (path, name) for path in tree.below("view") for name, target in tree.includes(path)
            if target and not target.startswith("view/") and target not in PUBLIC_FOR_ALL and not target.endswith(".def")]


def sim_uses_public_and_inspect(tree):
    return ["%s includes %s" % (path, name) for path in tree.below("sim") for name, target in tree.includes(path)
            if target and not target.startswith(("sim/", "include/parley/")) and target != "src/stack/inspect.h"]


def models_know_no_connection(tree):
    return ["%s reaches tcp.h" % path for path in tree.below(TCP + "models", TCP + "cc") if CONNECTION in tree.includes_all(path)]


def integers_only(tree):
    return ["%s: %s" % (path, word) for path in tree.below("src")
            for word in re.findall(r"\b(?:float|double|long double)\b", tree.code(path))]


def spdx(tree):
    code = [path for path in tree.paths if path.endswith((".c", ".h", ".def", ".py", ".sh", "meson.build", "meson_options.txt", ".pkt"))
            or path in ("Makefile", "parley", ".ci/run") or (path.startswith("tools/") and "." not in os.path.basename(path))]
    return [path for path in code if "SPDX-License-Identifier: MIT" not in "".join(tree.text(path).splitlines(True)[:3])]


def stands_alone(tree):
    # Spelt in halves, or this file would offend.
    words = [".." "/shared", "." "library/", "/work" "/", "/tmp" "/wt", "deb.debian" ".org", "pypi" ".org", "Co-authored" "-by"]
    return ["%s: %s" % (path, word) for path in tree.paths for word in words if word in tree.text(path)]


def nothing_left_for_later(tree):
    words = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    return ["%s: %s" % (path, found) for path in tree.below("src", "include", "view", "sim", "os", "cli", "tests", "tools", "bench",
                                                            suffixes=("",)) for found in words.findall(tree.text(path))]


def no_dead_headers(tree):
    code = tree.below("src", "include", "view", "sim", "os", "cli", "tests", "bench", "fuzz", "examples", suffixes=(".c", ".h", ".def"))
    used = {target for path in code for _, target in tree.includes(path) if target != path}
    return [path for path in code if path.endswith((".h", ".def")) and path not in used and not path.startswith("include/parley/")]


def listed_words_used(tree, list_path, prefix):
    """Every X(name, ...) of a .def list is used in src/ as PREFIXname."""
    used = set()
    for path in tree.below("src"):
        used.update(re.findall(r"\b%s(\w+)" % prefix, tree.code(path)))
    listed = re.findall(r"^\s*X\((\w+)", tree.text(list_path), re.M)
    idle = [prefix + name for name in listed if name not in used]
    if idle or not listed:
        return ["%s: %s" % (list_path, "nothing in src/ uses " + " ".join(idle) if idle else "lists nothing")]
    return []


def headers_stand_alone(tree, compilers, arguments):
    compiler = next(filter(shutil.which, compilers), None)
    if compiler is None:
        raise Skip("none of these compilers is installed: " + " ".join(compilers))
    bad = []
    for path in tree.below("include", suffixes=(".h",)):
        done = subprocess.run([compiler, *arguments, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-Iinclude", "-include",
                               path, "/dev/null"], cwd=tree.top, capture_output=True, text=True)
        if done.returncode != 0:
            bad += [path + ":"] + done.stderr.splitlines()[:8]
    return bad


# The objects: what the linker sees does not depend on what the sources pretend.

def every_source_is_built(objects):
    return ["%s is in no object" % source for source in objects.missing] or ([] if objects.of else ["no source under src/ was built"])


def undefined_symbols(objects):
    return ["%s needs %s" % (source, name) for source, (_, undefined) in sorted(objects.symbols.items())
            for name in sorted(undefined - ALLOWED_UNDEFINED) if name not in objects.definer]


def no_writable_data(objects):
    bad = []
    for source, path in sorted(objects.of.items()):
        for line in output_of("size", "-A", path).splitlines():
            words = line.split()
            if len(words) == 3 and words[1].isdigit() and int(words[1]) > 0:
                section = words[0]
                if re.match(r"\.(data|bss|tdata|tbss|init_array|ctors)", section) and not section.startswith(".data.rel.ro"):
                    bad.append("%s: %s bytes in %s" % (source, words[1], section))
        bad += ["%s: %s is a tentative definition" % (source, line.split()[0])
                for line in output_of("nm", "--format=posix", path).splitlines() if line.split()[1:2] == ["C"]]
    return bad


def call_ranks(objects):
    return ["%s uses %s of %s" % (source, name, target) for source, name, target in objects.calls()
            if folder_of(target) not in RANKS.get(folder_of(source), ())]


def tier(source):
    if source in SPINE:
        return "spine"
    part = source[len(TCP):].split("/")[0]
    return {"steps": "step", "models": "model", "cc": "model"}.get(part, "shared")


def call_tiers(objects):
    """input/output/user/settings/timeouts -> steps -> models; steps call neither the spine nor each other; state, receive, check and explain serve all but
    the models, which know no connection."""
    bad = []
    for source, name, target in objects.calls():
        if not (source.startswith(TCP) and target.startswith(TCP)):
            continue
        forbidden = {"spine": set(), "step": {"spine", "step"}, "shared": {"spine", "step"}, "model": {"spine", "step", "shared"}}
        if tier(target) in forbidden[tier(source)]:
            bad.append("%s (%s) uses %s of %s (%s)" % (source, tier(source), name, target, tier(target)))
    return bad


def archive_exports_pl_only(archive):
    members = output_of("ar", "t", archive).split()
    defined, undefined = symbols(archive)
    bad = [] if len(members) == 1 else ["%d members: %s" % (len(members), " ".join(members))]
    bad += ["exports " + name for name in sorted(defined) if not name.startswith("pl_")]
    bad += ["needs " + name for name in sorted(undefined - ALLOWED_UNDEFINED - defined)]
    return bad + ([] if defined else ["exports nothing"])


def declared_is_defined(tree, archives):
    """Every function that a public header declares exists in one of the archives, or is inline."""
    defined = set().union(*(symbols(archive)[0] for archive in archives))
    bad = []
    for path in tree.below("include", suffixes=(".h",)):
        code = re.sub(r"^[ \t]*#.*?(?<!\\)$", "", tree.code(path), flags=re.M | re.S)
        types = set(re.findall(r"\btypedef\b[^;{]*?\b(pl_\w+)\s*\(", code))
        inline = set(re.findall(r"\bstatic\s+inline\b[^;{(]*?\b(pl_\w+)\s*\(", code))
        for name in sorted(set(re.findall(r"\b(pl_[a-z0-9_]+)\s*\((?!\*)", code)) - types - inline - defined - {"pl_panic"}):
            bad.append("%s declares %s, which no library defines" % (path, name))
    return bad
