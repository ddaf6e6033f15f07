# SPDX-License-Identifier: MIT
"""tap: prints rules as TAP cases. A rule is a function that returns its offenders, one line of text each; none means that it holds."""
import sys
import traceback


class Skip(Exception):
    """Raised by a rule that cannot be checked here; its text is the reason."""


def run(cases):
    """cases: (name, function) pairs. Exits with the number of failures."""
    print("1..%d" % len(cases))
    failed = 0
    for number, (name, rule) in enumerate(cases, 1):
        try:
            offenders = rule()
        except Skip as reason:
            print("ok %d - %s # SKIP %s" % (number, name, reason))
            continue
        except Exception:                                        # a rule that breaks has not been kept
            offenders = traceback.format_exc().splitlines()
        print("%s %d - %s" % ("not ok" if offenders else "ok", number, name))
        for line in offenders:
            print("#   " + line)
        failed += bool(offenders)
        sys.stdout.flush()
    sys.exit(min(failed, 100))
