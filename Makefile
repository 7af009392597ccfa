# A thin front of the CMake presets and of the scripts in tools/. `make help` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help run build test check soak bench format install clean

# make run
export MODEL ?=
export PROMPT ?=
# make install
PREFIX ?= /usr/local
# Seconds for each fuzzer of make check
FUZZ_SECONDS ?= 20
# What random tests start from: another one each day, printed by make test
SEED ?= $(shell date +%Y%m%d)

help:
	@echo "make run [MODEL=path PROMPT=text]  build, and generate text (from a tiny fixture by default)"
	@echo "make test                          build for development and run all tests"
	@echo "make check                         sanitizers, other presets, clang-tidy, fuzzers"
	@echo "make soak                          all tests with every seed"
	@echo "make bench                         the benchmarks"
	@echo "make format                        format our C and C++ sources"
	@echo "make install [PREFIX=/usr/local]   install headers, libraries and the program"

build:
	@tools/setup.sh run
	@tools/build.sh release

run: build
	@tools/run.sh

test:
	@tools/setup.sh test
	@MULLAMA_TEST_SEED=$(SEED) tools/test.sh

check:
	@tools/setup.sh check
	@MULLAMA_TEST_SEED=$(SEED) FUZZ_SECONDS=$(FUZZ_SECONDS) tools/check.sh

soak:
	@tools/setup.sh test
	@MULLAMA_SOAK=1 MULLAMA_TEST_SEED=$(SEED) tools/test.sh

bench:
	@tools/setup.sh bench
	@tools/bench.sh

format:
	@tools/setup.sh test
	@tools/checks/format.sh --fix

install: build
	@cmake --install build/release --prefix '$(PREFIX)'

clean:
	@rm -rf build
