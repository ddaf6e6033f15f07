# SPDX-License-Identifier: MIT
"""tree: the checkout and its compiled objects, as the rules look at them. No rule stands here."""
import os
import re
import subprocess

SKIPPED_FOLDERS = {".git", "build", "__pycache__", ".cache"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
STRINGS = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')


class Tree:
    """The files below `top`, by their path from there."""

    def __init__(self, top):
        self.top = top
        self.paths = []
        for folder, folders, names in os.walk(top):
            folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
            for name in set(names) - SKIPPED_FOLDERS:            # in a worktree .git is a file
                path = os.path.relpath(os.path.join(folder, name), top)
                if not os.path.islink(os.path.join(folder, name)):
                    self.paths.append(path)
        self.paths.sort()
        self.known = set(self.paths)
        self.texts = {}

    def text(self, path):
        if path not in self.texts:
            with open(os.path.join(self.top, path), errors="replace") as file:
                self.texts[path] = file.read()
        return self.texts[path]

    def code(self, path):
        """The text without comments and the contents of strings."""
        return COMMENTS.sub(" ", STRINGS.sub('""', self.text(path)))

    def below(self, *folders, suffixes=(".c", ".h")):
        return [path for path in self.paths if path.endswith(suffixes) and any(path.startswith(folder + "/") for folder in folders)]

    def includes(self, path):
        """(what is written, the file of ours that it means or None for the system's) for each #include."""
        found = []
        for quote, name in INCLUDE.findall(self.text(path)):
            places = ["include", "src", "", "tests"]
            if quote == '"':
                places.insert(0, os.path.dirname(path))
            candidates = [os.path.normpath(os.path.join(place, name)) for place in places]
            found.append((name, next((c for c in candidates if c in self.known), None)))
        return found

    def includes_all(self, path):
        """Every file of ours that `path` includes, directly or not."""
        seen, waiting = set(), [path]
        while waiting:
            for _, target in self.includes(waiting.pop()):
                if target and target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return seen


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols(path):
    """(defined globals, undefined) of an object or archive, as sets of names."""
    defined, undefined = set(), set()
    for line in output_of("nm", "--format=posix", "--extern-only", path).splitlines():
        words = line.split()
        if len(words) >= 2 and len(words[1]) == 1:
            (undefined if words[1] in "Uwv" else defined).add(words[0])
    return defined, undefined


class Objects:
    """The core's objects of one build: for each source under src/ the object that it became."""

    def __init__(self, tree, folder):
        self.folder = folder
        self.of = {}                                             # source -> object
        self.missing = []
        for source in tree.below("src", suffixes=(".c",)):
            path = os.path.join(folder, "libparley-core.a.p", source.replace("/", "_") + ".o")
            if os.path.exists(path):
                self.of[source] = path
            else:
                self.missing.append(source)
        self.symbols = {source: symbols(path) for source, path in self.of.items()}
        self.definer = {name: source for source, (defined, _) in self.symbols.items() for name in defined}

    def calls(self):
        """(source, name, the source that defines it) for each name that one source of the core takes from another."""
        for source, (_, undefined) in sorted(self.symbols.items()):
            for name in sorted(undefined):
                if name in self.definer:
                    yield source, name, self.definer[name]
