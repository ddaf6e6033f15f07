# SPDX-License-Identifier: MIT
"""Is docs/rfc-map.md what code and tests say, is every requirement accounted for, and would the map notice if not?"""
import importlib.machinery
import importlib.util
import os
import sys
import tempfile

import tap

sys.dont_write_bytecode = True                                   # the tool lies beside others that are no modules
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOADER = importlib.machinery.SourceFileLoader("rfc_map", os.path.join(TOP, "tools/rfc-map"))
SPEC = importlib.util.spec_from_loader("rfc_map", LOADER)
rfc_map = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(rfc_map)

REQUIREMENTS = "".join("%s\t%s\t3.8\tMUST\tgroup\twords\n" % row for row in (
    ("MUST-1", "9293"), ("MUST-2a", "9293"), ("MUST-2b", "9293"), ("SHLD-3", "9293"), ("6298-5.4", "6298"), ("6298-5.5", "6298"), ("5961-3.2-a", "5961")))
CODE = """/* a.c: nothing */
/* RFC 9293 3.8, MUST-1, 2: why. */
static int one(int a,
               int b)
{
    return a + b;             /* RFC 6298 5.4 to 5.5; RFC 5961 3.2-a; RFC 5961 3.2 */
}
"""
TEST = """/* test_a.c: SHLD-3 stands in the opening comment and marks nothing. */
static void helper(void) { call("MUST-1"); }

/* MUST-1 and 2: whatever. */
static void a_case(void **state)
{
    call("RFC 6298 5.4, 5.5");
}

static void another(void **state) { call("RFC 5961 3.2-a"); }
"""
SCRIPT = """// SPDX-License-Identifier: MIT
// A rule: MUST-1, RFC 6298 5.4,
// 5.5.
`parley msl=5s`
0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3     /* MUST-1 again; MUST-2b */
+0 write(3, "SHLD-3", 6) = 6
"""
GOOD = {"tests/rfc/requirements.tsv": REQUIREMENTS, "tests/rfc/not-done.tsv": "SHLD-3\tnot built\tnobody did\n", "src/a.c": CODE, "tests/unit/test_a.c": TEST,
        "docs/defaults.md": "as it is\n"}


def said(changes, then=lambda m: m.problems):
    """What the map says of GOOD with some files changed: path to (old, new), or to a new text."""
    with tempfile.TemporaryDirectory() as top:
        for path, text in {**GOOD, **{p: c for p, c in changes.items() if isinstance(c, str)}}.items():
            if isinstance(changes.get(path), tuple):
                old, new = changes[path]
                assert old in text, old
                text = text.replace(old, new)
            os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
            with open(os.path.join(top, path), "w") as file:
                file.write(text)
        return then(rfc_map.RfcMap(top))


def script(text, path="tests/script/open/a.pkt"):
    """The changes that leave a script as the only test there is."""
    return {"tests/unit/test_a.c": "/* nothing */\n", path: text}


def bites(changes, *wanted):
    """A case: with these changes the map says each of `wanted`, and without them nothing."""
    def case():
        found = said(changes)
        wrong = ["%r is not in %r" % (text, found) for text in wanted if not any(text in line for line in found)]
        return wrong + ["good, it said: " + line for line in said({})]
    return case


def found_places():
    """Where the good tree's rows were found."""
    def places(m):
        return {key: ([(p.line, p.function and p.function.name) for p in row.code], [(p.line, p.function.name) for p in row.tests]) for key, row in m.rows.items()}
    code, test, body = [(2, "one")], [(4, "a_case")], [(6, "one")]
    want = {"MUST-1": (code, test), "MUST-2a": (code, test), "MUST-2b": (code, test), "SHLD-3": ([], []), "6298-5.4": (body, [(7, "a_case")]),
            "6298-5.5": (body, [(7, "a_case")]), "5961-3.2-a": (body, [(10, "another")])}
    got = said({}, places)
    return ["%s: %r, not %r" % (key, got[key], want[key]) for key in want if got[key] != want[key]]


def found_in_scripts():
    """A script is a case; its comments mark it, once each, and nothing else in it does."""
    def places(m):
        return {key: [(p.line, p.function, p.link()) for p in row.tests] for key, row in m.rows.items()}
    def at(line):
        return [(line, None, "[open/a.pkt:%d](../tests/script/open/a.pkt#L%d)" % (line, line))]
    want = {"MUST-1": at(2), "MUST-2a": [], "MUST-2b": at(5), "SHLD-3": [], "6298-5.4": at(2), "6298-5.5": at(2), "5961-3.2-a": []}
    got = said(script(SCRIPT), places)
    return ["%s: %r, not %r" % (key, got[key], want[key]) for key in want if got[key] != want[key]]


def staleness():
    def write(m):
        with open(os.path.join(m.top, rfc_map.MAP), "w") as file:
            file.write(m.markdown())
        fresh = m.stale()
        with open(os.path.join(m.top, "src/a.c"), "w") as file:
            file.write("\n\n" + CODE)
        moved = rfc_map.RfcMap(m.top).stale()
        with open(os.path.join(m.top, "src/a.c"), "w") as file:
            file.write(CODE.replace("one(", "two("))
        renamed = rfc_map.RfcMap(m.top).stale()
        return (["fresh, and called stale"] if fresh else []) + (["only lines moved, and called stale"] if moved else []) + \
            ([] if renamed else ["a function was renamed, and the map called fresh"])
    return said({}, write) + ([] if said({}, lambda m: m.stale()) else ["no map at all, and called fresh"])


MAP = rfc_map.RfcMap(TOP)
tap.run([
    ("every requirement has its code and its test, or a reason why not", lambda: MAP.problems),
    ("docs/rfc-map.md is what code and tests say", MAP.stale),
    ("RFC 9293 has all its 126 rows", lambda: [] if sum(row.rfc == "9293" for row in MAP.rows.values()) == 126 else ["not 126"]),
    ("ids, lists and ranges are found where they stand", found_places),
    ("a row without code", bites({"src/a.c": ("MUST-1, 2", "MUST-2")}, "MUST-1 (RFC 9293 3.8) has no code")),
    ("a row without test", bites({"tests/unit/test_a.c": ("5.4, 5.5", "5.5")}, "6298-5.4 (RFC 6298 3.8) has no test")),
    ("a test that is no case", bites({"tests/unit/test_a.c": ("another(void **state)", "another(void)")}, "5961-3.2-a (RFC 5961 3.8) has no test")),
    ("scripts are tests, and their comments are read", found_in_scripts),
    ("a script that is not run is no test", bites(script(SCRIPT, "tests/drill/a.pkt"), "MUST-1 (RFC 9293 3.8) has no test")),
    ("a row that the script does not cite", bites(script(SCRIPT.replace("MUST-2b", "x")), "MUST-2b (RFC 9293 3.8) has no test")),
    ("an unknown id in a script", bites(script(SCRIPT.replace("MUST-2b", "MUST-78")), "tests/script/open/a.pkt:5 cites MUST-78")),
    ("a row that is not done, and a script cites it", bites(script(SCRIPT.replace("again", "again, SHLD-3")), "SHLD-3 (RFC 9293 3.8) is 'not built'")),
    ("a row without either and without reason", bites({"tests/rfc/not-done.tsv": ""}, "SHLD-3 (RFC 9293 3.8) has no code and no test")),
    ("a row that is not done, and cited", bites({"src/a.c": ("why.", "why. SHLD-3")}, "SHLD-3 (RFC 9293 3.8) is 'not built'")),
    ("no test, but there is one", bites({"tests/rfc/not-done.tsv": GOOD["tests/rfc/not-done.tsv"] + "MUST-1\tno test\tlater\n"}, "MUST-1 (RFC 9293 3.8) is 'no test'")),
    ("partly, but no code", bites({"tests/rfc/not-done.tsv": "SHLD-3\tpartly\thalf\n"}, "SHLD-3 (RFC 9293 3.8) is 'partly'")),
    ("deviates, but docs/defaults.md is silent", bites({"tests/rfc/not-done.tsv": "SHLD-3\tdeviates\tso\n"}, "does not name it")),
    ("an unknown id", bites({"src/a.c": ("why.", "why. MUST-77")}, "src/a.c:2 cites MUST-77")),
    ("an unknown id in a list", bites({"tests/unit/test_a.c": ("MUST-1 and 2", "MUST-1, 2 to 4")}, "test_a.c:4 cites MUST-3", "test_a.c:4 cites MUST-4")),
    ("an unknown letter", bites({"docs/x.md": "RFC 5961 3.2-z"}, "docs/x.md:1 cites 5961-3.2-z")),
    ("an unknown row that is not done", bites({"tests/rfc/not-done.tsv": "SHLD-3\tnot built\ta\nMUST-9\tnot built\tb\n"}, "MUST-9 is no row")),
    ("an unknown kind of reason", bites({"tests/rfc/not-done.tsv": "SHLD-3\tlazy\ta\n"}, "'lazy' is none of")),
    ("a row that stands twice", bites({"tests/rfc/requirements.tsv": REQUIREMENTS + REQUIREMENTS.split("\n")[0] + "\n"}, "MUST-1 stands twice")),
    ("a line that is cut short", bites({"tests/rfc/requirements.tsv": REQUIREMENTS + "MUST-8\t9293\n"}, "not 6 fields")),
    ("a map that is stale", staleness),
])
