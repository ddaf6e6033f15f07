# SPDX-License-Identifier: MIT
"""Does every rule bite? Each case builds a small tree that breaks one rule in one place, and one that keeps it, and asks the rule."""
import os
import subprocess
import tempfile

import rules
import tap
from tree import Objects, Tree

LICENSED = "/* SPDX-License-Identifier: MIT */\n"
TCP = "src/transport/tcp/"


def with_tree(files, use):
    """Calls use(tree) on a folder that holds `files`, a dict of path to text."""
    with tempfile.TemporaryDirectory() as top:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
            with open(os.path.join(top, path), "w") as file:
                file.write(text)
        return use(Tree(top))


def compiled(tree):
    """The tree's objects, compiled where a build would put them."""
    folder = os.path.join(tree.top, "build/libparley-core.a.p")
    os.makedirs(folder)
    for source in tree.below("src", suffixes=(".c",)):
        subprocess.run(["gcc", "-std=c11", "-O2", "-fPIC", "-w", "-c", source, "-o",
                        os.path.join(folder, source.replace("/", "_") + ".o")], cwd=tree.top, check=True)
    return Objects(tree, os.path.join(tree.top, "build"))


def bites(rule, bad, good, offender):
    """A case: `rule` names `offender` for the tree `bad` and nothing for the tree `good`."""
    def case():
        found = with_tree(bad, rule)
        said = with_tree(good, rule)
        problems = [] if any(offender in line for line in found) else ["broken on purpose, it said: %r" % found]
        return problems + (["kept, it said: %r" % said] if said else [])
    return case


def on_objects(rule):
    return lambda tree: rule(compiled(tree))


def on_archive(tree):
    objects = compiled(tree)
    archive = os.path.join(tree.top, "out.a")
    subprocess.run(["ar", "rcs", archive, *objects.of.values()], check=True)
    return rules.archive_exports_pl_only(archive)


def on_unbuilt(tree):
    os.makedirs(os.path.join(tree.top, "build"))
    built = compiled(tree) if "src/base/a.c" in tree.known else Objects(tree, os.path.join(tree.top, "build"))
    return rules.every_source_is_built(built)


def half_built(tree):
    objects = compiled(tree)
    if "src/base/late.c" in tree.known:
        os.remove(objects.of["src/base/late.c"])
    return rules.every_source_is_built(Objects(tree, objects.folder))


def declared(tree):
    archive = os.path.join(tree.top, "out.a")
    subprocess.run(["ar", "rcs", archive, *compiled(tree).of.values()], check=True)
    return rules.declared_is_defined(tree, [archive])


def alone(compilers, arguments):
    return lambda tree: rules.headers_stand_alone(tree, compilers, arguments)


H = {"src/base/a.h": "", "src/wire/w.h": "", "src/link/l.h": "", "src/internet/i.h": "", "src/stack/inspect.h": "", "src/stack/s.h": "",
     "include/parley/parley.h": "", "include/parley/trace.h": "", "include/parley/drops.def": "", TCP + "tcp.h": ""}

tap.run([
    ("rank: link may not include internet", bites(
        rules.include_ranks, {**H, "src/link/l.c": '#include "internet/i.h"'}, {**H, "src/link/l.c": '#include "wire/w.h"'}, "src/link/l.c")),
    ("rank: base may not include upwards", bites(
        rules.include_ranks, {**H, "src/base/b.c": '#include "../wire/w.h"'}, {**H, "src/base/b.c": '#include "a.h"'}, "src/base/b.c")),
    ("rank: only stack sees parley.h", bites(
        rules.include_ranks, {**H, "src/wire/w.c": "#include <parley/parley.h>"},
        {**H, "src/stack/s.c": "#include <parley/parley.h>", "src/wire/w.c": "#include <parley/drops.def>"}, "src/wire/w.c")),
    ("rank: a folder without one", bites(
        rules.include_ranks, {"src/misc/m.c": ""}, {"src/base/m.c": ""}, "src/misc/m.c")),
    ("stdio in the core", bites(
        rules.pure_system_headers, {"src/base/b.c": "#include <stdio.h>"}, {"src/base/b.c": "#include <stdint.h>"}, "stdio.h")),
    ("a view that reads the core", bites(
        rules.view_reads_trace_only, {**H, "view/v.c": "#include <parley/parley.h>"}, {**H, "view/v.c": "#include <parley/trace.h>"}, "view/v.c")),
    ("a simulator that reads the core", bites(
        rules.sim_uses_public_and_inspect, {**H, "sim/n.c": '#include "stack/s.h"'}, {**H, "sim/n.c": '#include "stack/inspect.h"'}, "sim/n.c")),
    ("a model that reaches the connection by a detour", bites(
        rules.models_know_no_connection,
        {**H, TCP + "models/rtt.c": '#include "transport/tcp/x.h"', TCP + "x.h": '#include "tcp.h"'},
        {**H, TCP + "models/rtt.c": '#include "transport/tcp/x.h"', TCP + "x.h": '#include "base/a.h"'}, "rtt.c")),
    ("a float in the core", bites(
        rules.integers_only, {"src/base/b.c": "static double x;"}, {"src/base/b.c": "/* no double */ int x;"}, "src/base/b.c: double")),
    ("a file without a licence", bites(
        rules.spdx, {"sim/a.c": "int x;\n"}, {"sim/a.c": LICENSED, "notes.md": "x"}, "sim/a.c")),
    ("a tool without a licence", bites(
        rules.spdx, {"tools/t": "#!/bin/sh\n"}, {"tools/t": "#!/bin/sh\n# SPDX-License-Identifier: MIT\n"}, "tools/t")),
    ("a path outside the project", bites(
        rules.stands_alone, {"README.md": "see .." + "/shared/x"}, {"README.md": "see docs/"}, "README.md")),
    ("something left for later", bites(
        rules.nothing_left_for_later, {"os/a.c": "/* TO" "DO */"}, {"os/a.c": "/* METHOD */"}, "os/a.c")),
    ("a header that nobody includes", bites(
        rules.no_dead_headers, {"sim/a.h": "", "sim/b.h": "", "sim/b.c": '#include "b.h"'}, {"sim/b.h": "", "sim/b.c": '#include "b.h"'}, "sim/a.h")),
    ("a drop that nobody uses", bites(
        lambda tree: rules.listed_words_used(tree, "include/parley/drops.def", "PL_DROP_"),
        {"include/parley/drops.def": 'X(SHORT, "")\nX(LONG, "")', "src/base/b.c": "int a = PL_DROP_SHORT; /* PL_DROP_LONG */"},
        {"include/parley/drops.def": 'X(SHORT, "")', "src/base/b.c": "int a = PL_DROP_SHORT;"}, "PL_DROP_LONG")),
    ("a header that needs another before it, C11", bites(
        alone(["gcc"], ["-x", "c", "-std=c11"]), {"include/parley/p.h": "uint8_t x(void);"},
        {"include/parley/p.h": "#include <stdint.h>\nuint8_t x(void);"}, "p.h")),
    ("a header that is not C++", bites(
        alone(["g++", "clang++"], ["-x", "c++", "-std=c++17"]), {"include/parley/p.h": "int new(void);"},
        {"include/parley/p.h": "int anew(void);"}, "p.h")),
    ("a source that is not built", bites(
        half_built, {"src/base/a.c": "int a;", "src/base/late.c": "int b;"}, {"src/base/a.c": "int a;"}, "late.c")),
    ("no source at all", bites(on_unbuilt, {"README.md": ""}, {"src/base/a.c": "int a;"}, "no source")),
    ("a call of malloc", bites(
        on_objects(rules.undefined_symbols), {"src/base/a.c": "void *malloc(unsigned long); void *f(void) { return malloc(9); }"},
        {"src/base/a.c": "int g(void); int f(void) { return g(); }", "src/base/b.c": "int g(void) { return 1; }"}, "needs malloc")),
    ("a static counter", bites(
        on_objects(rules.no_writable_data), {"src/base/a.c": "int f(void) { static int n; return ++n; }"},
        {"src/base/a.c": "int f(int i) { static const int n[] = {1, 2}; return n[i & 1]; }"}, "src/base/a.c")),
    ("initialised data", bites(
        on_objects(rules.no_writable_data), {"src/base/a.c": "int a = 1;"},
        {"src/base/a.c": 'static const char *const names[] = {"a", "b"}; const char *f(int i) { return names[i]; }'}, ".data")),
    ("data per thread", bites(
        on_objects(rules.no_writable_data), {"src/base/a.c": "_Thread_local int a;"}, {"src/base/a.c": "const int a = 1;"}, ".tbss")),
    ("a call up the ranks by a private prototype", bites(
        on_objects(rules.call_ranks),
        {"src/wire/a.c": "int up(void); int f(void) { return up(); }", "src/stack/b.c": "int up(void) { return 1; }"},
        {"src/stack/a.c": "int up(void); int f(void) { return up(); }", "src/wire/b.c": "int up(void) { return 1; }"}, "src/wire/a.c uses up")),
    ("a step that calls a step", bites(
        on_objects(rules.call_tiers),
        {TCP + "steps/ack.c": "int g(void); int f(void) { return g(); }", TCP + "steps/text.c": "int g(void) { return 1; }"},
        {TCP + "input.c": "int g(void); int f(void) { return g(); }", TCP + "steps/text.c": "int g(void) { return 1; }"}, "(step) uses g")),
    ("a step that calls output", bites(
        on_objects(rules.call_tiers),
        {TCP + "steps/ack.c": "int g(void); int f(void) { return g(); }", TCP + "output.c": "int g(void) { return 1; }"},
        {TCP + "steps/ack.c": "int g(void); int f(void) { return g(); }", TCP + "state.c": "int g(void) { return 1; }"}, "(step) uses g")),
    ("a model that calls state", bites(
        on_objects(rules.call_tiers),
        {TCP + "models/rtt.c": "int g(void); int f(void) { return g(); }", TCP + "state.c": "int g(void) { return 1; }"},
        {TCP + "models/rtt.c": "int g(void); int f(void) { return g(); }", TCP + "models/window.c": "int g(void) { return 1; }"},
        "(model) uses g")),
    ("an export that is not pl_*", bites(
        on_archive, {"src/base/a.c": "int pl_a(void) { return 1; } int b(void) { return 2; }"},
        {"src/base/a.c": "int pl_a(void) { return 1; } static int b(void) { return 2; }"}, "exports b")),
    ("a declared function that nobody wrote", bites(
        declared, {"include/parley/p.h": "int pl_a(void);\nint pl_b(void);", "src/base/a.c": "int pl_a(void) { return 1; }"},
        {"include/parley/p.h": "typedef void pl_fn(int);\nstatic inline int pl_c(void) { return pl_a(); }\nint pl_a(void); /* pl_b() */",
         "src/base/a.c": "int pl_a(void) { return 1; }"}, "pl_b")),
])
