# SPDX-License-Identifier: MIT
"""Is docs/segments.md what tests/segment/table.txt says, does each row cite its paragraph, and would it be noticed if not?"""
import importlib.machinery
import importlib.util
import os
import sys
import tempfile

import tap

sys.dont_write_bytecode = True                                   # the tool lies beside others that are no modules
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOADER = importlib.machinery.SourceFileLoader("segment_table", os.path.join(TOP, "tools/segment-table"))
SPEC = importlib.util.spec_from_loader("segment_table", LOADER)
segment_table = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(segment_table)

GOOD = """# A small table.
state OPEN | It is open.
state OPEN/more | The same, and more.
state TIME-WAIT/orphan | Over.
state TIME-WAIT/full | Over, too.
kind SYN | SYN | R | - | 0 | 0 | a SYN
kind ACK | ACK | R | N | 0 | 0 | an ACK
kind RST | RST | R | - | 0 | 0 | a RST
timestamps none | none
timestamps old | old
group LATE | TIME-WAIT/orphan TIME-WAIT/full
absent LATE OPEN/more | closed | it is open
deviation odd | It is <odd>.
step 3.10.7.4 first: all
| * | * -RST | old | * | ACK again | same | - | TCP_PAWS | 7323 5.3 R1
| * | SYN | none | * | challenge ACK | same | - | TCP_SYN_CHALLENGED | 9293 3.10.7.4 fourth {odd}
| OPEN LATE | ACK | none | * | - | same | acked | accepted | 9293 3.10.7.4 fifth; 5961 5.2
| OPEN/more | ACK | none | * | ACK | same | acked | accepted | 9293 3.10.7.4 fifth
| OPEN OPEN/more TIME-WAIT/full | RST | * | * | - | OPEN | reset | TCP_RST_TAKEN | 9293 3.10.7.4 second
| TIME-WAIT/orphan | RST | * | * | - | same | - | TCP_RST_TIME_WAIT | 1337 3
"""


def said(old="", new="", then=lambda t: t.problems()):
    """What the tool says of GOOD with one change."""
    assert old in GOOD, old
    with tempfile.TemporaryDirectory() as top:
        for path in (segment_table.TABLE, segment_table.PAGE):
            os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
        with open(os.path.join(top, segment_table.TABLE), "w") as file:
            file.write(GOOD.replace(old, new, 1))
        try:
            return then(segment_table.Table(top))
        except segment_table.Bad as what:
            return [str(what)]


def bites(old, new, wanted):
    def case():
        found = said(old, new)
        return ([] if any(wanted in line for line in found) else ["%r is not in %r" % (wanted, found)]) + ["good, it said: " + line for line in said()]
    return case


def shows(*wanted):
    """The page of GOOD has these lines."""
    def case():
        page = said(then=lambda t: t.markdown()).split("\n")
        return ["the page lacks: " + line for line in wanted if line not in page]
    return case


def staleness():
    def write(t):
        with open(os.path.join(t.top, segment_table.PAGE), "w") as file:
            file.write(t.markdown())
        fresh = t.stale()
        t.rows[0].answer = "ACK"
        return (["fresh, and called stale"] if fresh else []) + ([] if t.stale() else ["a row changed, and the page called fresh"])
    return said(then=write) + ([] if said(then=lambda t: t.stale()) else ["no page at all, and called fresh"])


TABLE = segment_table.Table(TOP)
tap.run([
    ("each row of the table begins with its paragraph, each departure is explained", TABLE.problems),
    ("docs/segments.md is what the table says", TABLE.stale),
    ("the table has its states, kinds and cells", lambda: [] if len(TABLE.states) >= 22 and len(TABLE.kinds) >= 74 and TABLE.cells() > 15000 else ["fewer"]),
    ("a row stands in the table of each of its states", shows(
        "| first | SYN, ACK | old |  | ACK again |  |  | `TCP_PAWS`: RFC 7323 5.3 R1 |",
        "| first | ACK | fine |  | - |  | acked | RFC 9293 3.10.7.4 fifth; RFC 5961 5.2 |")),
    ("a variant shows what differs", shows("Everything is as in [OPEN](#open), but:", "| first | ACK | fine |  | ACK |  | acked | RFC 9293 3.10.7.4 fifth |")),
    ("the entry is compared with its twin", shows("| RST | -, OPEN, reset | - |")),
    ("a departure is explained, and nothing is taken for HTML", shows("- **odd** (OPEN, TIME-WAIT/orphan, TIME-WAIT/full): It is \\<odd>.")),
    ("a row without its paragraph", bites("9293 3.10.7.4 second", "the second step", "does not begin with an RFC")),
    ("a mark that nothing explains", bites("{odd}", "{even}", "{even} is not explained")),
    ("an explanation that no row needs", bites("fourth {odd}", "fourth", "the deviation odd marks no row")),
    ("an unknown kind", bites("| ACK | none", "| ACKS | none", "'ACKS' is unknown")),
    ("an unknown state", bites("| OPEN LATE |", "| OPEN LATER |", "'LATER' is unknown")),
    ("an unknown next state", bites("| - | OPEN | reset", "| - | SHUT | reset", "'SHUT' is no state")),
    ("a row that is cut short", bites("| accepted | 9293 3.10.7.4 fifth; 5961 5.2", "| accepted", "not 9 fields")),
    ("a page that is stale", staleness),
])
