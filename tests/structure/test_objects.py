# SPDX-License-Identifier: MIT
"""The shape of what was built, as the linker sees it, by gcc and by clang: what the core needs, holds and exports, and who calls whom."""
import functools
import os

import rules
import tap
from tree import Objects, Tree

TREE = Tree(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def built(compiler):
    folder = os.environ.get("PARLEY_BUILD_" + compiler.upper())
    if not folder:
        raise tap.Skip("needs the %s build; a plain `make test` makes it" % compiler)
    return folder


@functools.lru_cache
def objects_in(folder):
    return Objects(TREE, folder)


def of(compiler, rule):
    return lambda: rule(objects_in(built(compiler)))


def archives(compiler):
    folder = built(compiler)
    return [os.path.join(folder, name) for name in ("libparley.a", "libparley-os.a", "libparley-view.a", "libparley-sim.a")
            if os.path.exists(os.path.join(folder, name))]


tap.run([case for compiler in ("gcc", "clang") for case in [
    ("every source of the core is built, %s" % compiler, of(compiler, rules.every_source_is_built)),
    ("the core needs memcpy memmove memset memcmp pl_panic only, %s" % compiler, of(compiler, rules.undefined_symbols)),
    ("the core has no writable data, %s" % compiler, of(compiler, rules.no_writable_data)),
    ("libparley.a exports pl_* only, %s" % compiler, lambda c=compiler: rules.archive_exports_pl_only(built(c) + "/libparley.a")),
]] + [
    ("calls go down the ranks only", of("gcc", rules.call_ranks)),
    ("TCP's calls go from the spine to steps to models", of("gcc", rules.call_tiers)),
    ("every declared public function is defined", lambda: rules.declared_is_defined(TREE, archives("gcc"))),
])
