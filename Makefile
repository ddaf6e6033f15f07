# SPDX-License-Identifier: MIT
#
# The front door. Each target first makes sure that what it needs is installed (tools/deps), then builds (tools/build; by Meson and ninja,
# in build/UID/VARIANT), then does its work. Meson's own files are meson.build and meson_options.txt.

.POSIX:
.PHONY: help demo build test test-long golden bench bench-path lib rfc-map segment-table install clean
SHELL = /bin/sh

# make test T=word     only the tests whose name contains word          make test B=gcc     only this build (gcc or asan)
# make demo ARGS=...   arguments for `parley demo`                      make JOBS=2 ...     at most two compilers at once
T =
B =
ARGS =
PREFIX = /usr/local

help:
	@echo 'make demo       two hosts shake hands and part, and then with Linux (ARGS="--scene NAME --seed N --loss P")'
	@echo 'make test       build three ways, run every test (T=word: only these; B=gcc or B=asan: only this build)'
	@echo 'make test-long  the same and the tests that take long'
	@echo 'make golden     write tests/sim/golden/: what simulated networks result in, by algorithm, rate, delay, loss (ARGS="WORD ...": only these lines)'
	@echo 'make bench      measure (T=word: only these)'
	@echo 'make bench-path  the same lossy path for parley and for the kernel, in real time: 8 minutes (ARGS=--quick: 1; ARGS=--help; T="cubic 1%": only these)'
	@echo 'make build      build the program; ./parley runs it'
	@echo 'make rfc-map    write docs/rfc-map.md: each requirement of the RFCs, its code, its test'
	@echo 'make segment-table  write docs/segments.md: what is answered to each segment, from tests/segment/table.txt'
	@echo 'make lib        build libparley.a, and say where it is'
	@echo 'make install    install library, headers and program below PREFIX (default /usr/local)'
	@echo 'make clean      remove what this user built'

demo:
	@tools/deps demo
	@tools/build opt parley
	@"$$(tools/build --where opt)/parley" demo $(ARGS)

build:
	@tools/deps lib
	@tools/build opt

test:
	@tools/deps test
	@tools/test "$(B)" $(T)

test-long:
	@tools/deps test
	@tools/test --long "$(B)" $(T)

golden:
	@tools/deps test
	@tools/build gcc long.test_golden
	@"$$(tools/build --where gcc)/long.test_golden" --write $(ARGS)

bench:
	@tools/deps bench
	@tools/build opt
	@tools/bench $(T)

bench-path:
	@tools/deps lib
	@tools/build opt path.bench_path
	@dir="$$(tools/build --where opt)" && "$$dir/path.bench_path" --json "$$dir/bench-path.json" $(ARGS) $(T)

rfc-map:
	@tools/rfc-map

segment-table:
	@tools/segment-table

lib:
	@tools/deps lib
	@tools/build opt libparley.a
	@echo "$$(tools/build --where opt)/libparley.a"

install:
	@tools/deps lib
	@tools/build opt
	@dir="$$(tools/build --where opt)" && meson configure -Dprefix='$(PREFIX)' "$$dir" >/dev/null && \
	{ DESTDIR='$(DESTDIR)' meson install --quiet -C "$$dir" >"$$dir/install.log" 2>&1 || { cat "$$dir/install.log" >&2; exit 1; }; }
	@echo 'installed below $(DESTDIR)$(PREFIX): the program parley, its manual and completion for bash, libparley.a and its headers, and the plug for packetdrill'

clean:
	@rm -rf "$$(dirname "$$(tools/build --where opt)")"
