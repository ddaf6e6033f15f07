# SPDX-License-Identifier: MIT
"""The shape of the sources: who may include whom, and what every file must and must not hold."""
import os

import rules
import tap
from tree import Tree

TREE = Tree(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

tap.run([
    ("src includes by rank only", lambda: rules.include_ranks(TREE)),
    ("src includes no system header beyond the freestanding ones", lambda: rules.pure_system_headers(TREE)),
    ("view reads the trace and nothing else", lambda: rules.view_reads_trace_only(TREE)),
    ("sim uses the public headers and inspect.h", lambda: rules.sim_uses_public_and_inspect(TREE)),
    ("TCP's models know no connection", lambda: rules.models_know_no_connection(TREE)),
    ("the core computes with integers only", lambda: rules.integers_only(TREE)),
    ("every source file names its licence", lambda: rules.spdx(TREE)),
    ("the project names no path or host outside itself", lambda: rules.stands_alone(TREE)),
    ("nothing is left for later in the code", lambda: rules.nothing_left_for_later(TREE)),
    ("every header is included somewhere", lambda: rules.no_dead_headers(TREE)),
    ("every drop has a place that drops for it", lambda: rules.listed_words_used(TREE, "include/parley/drops.def", "PL_DROP_")),
    ("every reason has a place that gives it", lambda: rules.listed_words_used(TREE, "include/parley/reasons.def", "PL_WHY_")),
    ("public headers compile alone as C11", lambda: rules.headers_stand_alone(TREE, ["gcc", "clang"], ["-x", "c", "-std=c11"])),
    ("public headers compile alone as C++17", lambda: rules.headers_stand_alone(TREE, ["g++", "clang++"], ["-x", "c++", "-std=c++17"])),
])
