# Builds qip out of tree. `make help` lists the targets.
#
# Variables: CXX, PROFILE=full|small, CHECKS=explicit|guard, DISPATCH=tail|loop,
# SANITIZE=address,undefined, OPTIMIZE=-O2, STATIC=0|1. Every combination other than the default builds in a
# folder of its own, build/<name>/, so nothing is ever mixed.

SHELL := /bin/bash
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules

# --- Configuration -------------------------------------------------------------------------------

DEFAULT_CXX := $(shell command -v clang++-19 >/dev/null 2>&1 && echo clang++-19 || echo g++)
ifeq ($(origin CXX),default)
CXX := $(DEFAULT_CXX)
endif
IS_CLANG := $(findstring clang,$(shell $(CXX) --version 2>/dev/null))

PROFILE ?= full
CHECKS ?= explicit
DISPATCH ?= tail
SANITIZE ?=
DEFAULT_OPTIMIZE := $(if $(filter small,$(PROFILE)),$(if $(IS_CLANG),-Oz,-Os),-O2)
OPTIMIZE ?= $(DEFAULT_OPTIMIZE)

# Line editing in `qip form`. EDIT=0 builds without it.
DEFAULT_EDIT := $(if $(filter full,$(PROFILE)),1,0)
EDIT ?= $(DEFAULT_EDIT)

comma := ,
VARIANT := $(strip \
  $(if $(filter-out $(DEFAULT_CXX),$(CXX)),$(notdir $(CXX))) \
  $(filter-out full,$(PROFILE)) $(filter-out explicit,$(CHECKS)) $(filter-out tail,$(DISPATCH)) \
  $(subst $(comma),-,$(SANITIZE)) $(filter-out $(DEFAULT_OPTIMIZE),$(OPTIMIZE)) \
  $(if $(filter-out $(DEFAULT_EDIT),$(EDIT)),edit$(EDIT)))
empty :=
space := $(empty) $(empty)
BUILD := build$(if $(VARIANT),/$(subst $(space),-,$(VARIANT)))
OBJECTS := $(BUILD)/objects

WARNINGS := -Wall -Wextra -Wconversion -Wno-sign-conversion -Wformat=2 -Werror
# The hardened flags of the OpenSSF compiler guide; the sanitizers replace some of them.
HARDENING := -fstack-protector-strong -fstack-clash-protection -fno-delete-null-pointer-checks \
  -D_GLIBCXX_ASSERTIONS -fPIE
LINK_HARDENING := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodlopen
ifeq ($(SANITIZE),)
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -ftrivial-auto-var-init=zero
endif

MACHINE := $(shell uname -m)
ifeq ($(MACHINE),x86_64)
MACHINE_FLAGS := -msse4.1
HARDENING += -fcf-protection=full
endif

CXXFLAGS_ALL = -std=c++20 $(OPTIMIZE) -g1 -I. -fno-math-errno -ffp-contract=off \
  -ffunction-sections -fdata-sections $(MACHINE_FLAGS) $(WARNINGS) $(HARDENING) \
  $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-sanitize=vptr -fno-omit-frame-pointer) \
  -DQIP_PROFILE_$(shell echo $(PROFILE) | tr a-z A-Z)=1 \
  -DQIP_CHECKS_$(shell echo $(CHECKS) | tr a-z A-Z)=1 \
  -DQIP_DISPATCH_$(shell echo $(DISPATCH) | tr a-z A-Z)=1 $(CXXFLAGS)
$(OBJECTS)/cli/line_reader.o: CXXFLAGS += $(if $(filter 1,$(EDIT)),-DQIP_EDIT=1)
# No exceptions, so no unwind tables either: they would be a third of the program.
PRODUCT_FLAGS := -fno-exceptions -fno-rtti -fno-unwind-tables -fno-asynchronous-unwind-tables
LDFLAGS_ALL := $(LINK_HARDENING) -Wl,--gc-sections,--as-needed \
  $(if $(IS_CLANG),$(if $(shell command -v ld.lld-19 2>/dev/null),-fuse-ld=lld-19 -Wl$(comma)--icf=safe)) \
  -Wl,-z,pack-relative-relocs \
  $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)

# --- Sources -------------------------------------------------------------------------------------

sources = $(filter-out %_test.cpp,$(wildcard $(1)/*.cpp))
objects = $(patsubst %.cpp,$(OBJECTS)/%.o,$(1))
LOADER_OBJECTS := $(call objects,$(call sources,loader))
VM_OBJECTS := $(call objects,$(call sources,vm))
HOST_OBJECTS := $(call objects,$(call sources,host) $(call sources,host/site))
DEV_OBJECTS := $(call objects,$(call sources,cli/dev))
DOCS_TOOL := cli/generate_docs.cpp
CLI_OBJECTS := $(call objects,$(filter-out $(DOCS_TOOL),$(call sources,cli)))
HANDLER_OBJECTS := $(foreach object,$(VM_OBJECTS),$(if $(findstring /handlers_,$(object)),$(object)))
ENGINE_OBJECTS := $(VM_OBJECTS) $(LOADER_OBJECTS)
UNIT_TEST_OBJECTS := $(call objects,$(wildcard loader/*_test.cpp vm/*_test.cpp host/*_test.cpp \
  host/site/*_test.cpp cli/*_test.cpp cli/dev/*_test.cpp))
# What other programs share with qip.
SHARED_CLI_OBJECTS = $(filter-out %/main.o,$(CLI_OBJECTS))
SYSTEM_TEST_OBJECTS := $(call objects,$(wildcard spec-tests/*_test.cpp))

# Nothing is loaded at start but what the program is: a static, position-independent program starts
# in a third of the time of one that needs libc.so (cold start is a promise). STATIC=0 links libc
# dynamically instead; the small profile does so by itself, because there bytes count more.
STATIC ?= $(if $(filter full,$(PROFILE)),1,0)
ifneq ($(SANITIZE),)
STATIC := 0
endif
# host/jpeg_leave_out.cpp says what is wrapped, and why.
PRODUCT_LINK := $(if $(filter 1,$(STATIC)),-static-pie -Wl$(comma)--wrap=__isoc99_sscanf,-static-libstdc++ -static-libgcc)
EDIT_LIBRARIES := $(if $(filter 1,$(EDIT)),$(if $(filter 1,$(STATIC)),-l:libedit.a -l:libtinfo.a -l:libbsd.a,-ledit))
IMAGE_LIBRARIES := $(if $(filter 1,$(STATIC)),-l:libjpeg.a -l:libz.a,-ljpeg -lz)
PRODUCT_LIBRARIES := $(EDIT_LIBRARIES) $(IMAGE_LIBRARIES) -l:libmd.a
DEV_LIBRARIES := $(if $(filter 1,$(EDIT)),-ledit) -ljpeg -lz -l:libmd.a -lmicrohttpd -lpthread
TEST_LIBRARIES := $(PRODUCT_LIBRARIES) -lmicrohttpd -lgtest -lgtest_main -lpthread

all: $(BUILD)/qip $(BUILD)/qip-dev  ## build the release programs, build/qip and build/qip-dev

# The handlers come first: their addresses, which speed depends on by some percent, then do not move
# with every change elsewhere.
$(BUILD)/qip: $(HANDLER_OBJECTS) $(CLI_OBJECTS) $(HOST_OBJECTS) $(ENGINE_OBJECTS)
	@echo "  link $@"
	@$(CXX) $(filter-out $(if $(filter 1,$(STATIC)),-pie),$(LDFLAGS_ALL)) $(PRODUCT_LINK) -o $@ $^ $(PRODUCT_LIBRARIES)

# The development server is a program of its own: libmicrohttpd and what it needs are shared
# libraries, so that the distribution keeps them patched.
$(BUILD)/qip-dev: $(HANDLER_OBJECTS) $(DEV_OBJECTS) $(SHARED_CLI_OBJECTS) $(HOST_OBJECTS) $(ENGINE_OBJECTS)
	@echo "  link $@"
	@$(CXX) $(LDFLAGS_ALL) $(if $(SANITIZE),,-static-libstdc++ -static-libgcc) -o $@ $^ $(DEV_LIBRARIES)

# The scripts for browsers are part of the programs.
$(OBJECTS)/host/site/web_scripts.o: $(wildcard host/web/*.js)

# The manual page and the completions, from the table of commands.
$(BUILD)/generate_docs: $(call objects,$(DOCS_TOOL)) \
  $(filter-out %/main.o %/runtime_support.o,$(CLI_OBJECTS)) $(HOST_OBJECTS) $(ENGINE_OBJECTS)
	@echo "  link $@"
	@$(CXX) $(LDFLAGS_ALL) -o $@ $^ $(PRODUCT_LIBRARIES)

DOCS := $(addprefix $(BUILD)/docs/,qip.1 qip.bash _qip qip.fish)
$(BUILD)/docs/qip.1: KIND := man
$(BUILD)/docs/qip.bash: KIND := bash
$(BUILD)/docs/_qip: KIND := zsh
$(BUILD)/docs/qip.fish: KIND := fish
$(DOCS): $(BUILD)/generate_docs
	@mkdir -p $(@D)
	@$< $(KIND) > $@.new && mv $@.new $@

docs: $(DOCS)  ## write the manual page and shell completions, build/docs/

$(BUILD)/unit_tests: $(UNIT_TEST_OBJECTS) \
  $(filter-out %/main.o %/runtime_support.o,$(CLI_OBJECTS) $(DEV_OBJECTS)) $(HOST_OBJECTS) $(ENGINE_OBJECTS)
	@echo "  link $@"
	@$(CXX) $(LDFLAGS_ALL) -o $@ $^ $(TEST_LIBRARIES)

$(BUILD)/system_tests: $(SYSTEM_TEST_OBJECTS) $(HOST_OBJECTS) $(ENGINE_OBJECTS)
	@echo "  link $@"
	@$(CXX) $(LDFLAGS_ALL) -o $@ $^ $(TEST_LIBRARIES)

# Tests and the JSON reader use exceptions; the product does not.
$(OBJECTS)/%_test.o $(OBJECTS)/spec-tests/%.o $(OBJECTS)/bench/%.o: PRODUCT_FLAGS := -Wno-conversion

# The command and the host copy and check; they are compiled for size.
ifeq ($(SANITIZE)$(OPTIMIZE),$(DEFAULT_OPTIMIZE))
$(OBJECTS)/cli/%.o $(OBJECTS)/host/%.o: OPTIMIZE := $(if $(IS_CLANG),-Oz,-Os)
# These work on every pixel.
ifeq ($(PROFILE),full)
$(patsubst %,$(OBJECTS)/%.o,host/bmp host/jpeg host/jpeg_encoder host/png cli/terminal_output): OPTIMIZE := -O2
endif
# Loops over pixels.
$(OBJECTS)/host/tile_convert.o: OPTIMIZE := -O3
endif

$(OBJECTS)/%.o: %.cpp Makefile
	@mkdir -p $(dir $@)
	@echo "  compile $<"
	@$(CXX) $(CXXFLAGS_ALL) $(PRODUCT_FLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(OBJECTS) -name '*.d' 2>/dev/null)

include modules/build.mk
include spec-tests/tests.mk
include bench/bench.mk

# --- Set-up, demonstration, installation ---------------------------------------------------------

# Debian packages: what to look for, and the package that brings it.
DEPENDENCIES := \
  g++:g++ make:make git:git xz:xz-utils clang++-19:clang-19 ld.lld-19:lld-19 wat2wasm:wabt \
  /usr/lib/llvm-19/lib/clang/19/lib/linux:libclang-rt-19-dev \
  objdump:binutils \
  /usr/include/sha2.h:libmd-dev /usr/include/xxhash.h:libxxhash-dev \
  /usr/include/jpeglib.h:libjpeg62-turbo-dev /usr/include/zlib.h:zlib1g-dev \
  /usr/include/histedit.h:libedit-dev /usr/include/bsd/bsd.h:libbsd-dev \
  /usr/include/microhttpd.h:libmicrohttpd-dev curl:curl \
  /usr/include/gtest/gtest.h:libgtest-dev /usr/include/benchmark/benchmark.h:libbenchmark-dev \
  /usr/include/nlohmann/json.hpp:nlohmann-json3-dev

deps:  ## install what is missing with apt-get (Debian 12)
	@missing=""; \
	for entry in $(DEPENDENCIES); do \
	  need=$${entry%%:*}; package=$${entry##*:}; \
	  case $$need in \
	    /*) [ -e $$need ] || missing="$$missing $$package" ;; \
	    *) command -v $$need >/dev/null 2>&1 || missing="$$missing $$package" ;; \
	  esac; \
	done; \
	if [ -z "$$missing" ]; then echo "deps: nothing is missing"; exit 0; fi; \
	echo "deps: installing$$missing"; \
	run=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	$$run apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $$run apt-get install -y -qq --no-install-recommends $$missing

demo-site: deps  ## build a small site and serve it on port 4000 (PORT=n)
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@bash cli/demo_site.sh $(BUILD)

demo: deps  ## set up, build, and run real pipelines on README.md
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@bash cli/demo.sh $(BUILD)

asan:  ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(MAKE) --no-print-directory -j$$(nproc) SANITIZE=address,undefined DISPATCH=loop \
	  PROFILE=small OPTIMIZE=-O1 test-here

ubsan:  ## the tests under UndefinedBehaviorSanitizer alone, with the tail-calling handlers
	$(MAKE) --no-print-directory -j$$(nproc) SANITIZE=undefined PROFILE=small OPTIMIZE=-O1 test-here

PREFIX ?= /usr/local
DESTDIR ?=

SHARE = $(DESTDIR)$(PREFIX)/share

install: $(BUILD)/qip $(BUILD)/qip-dev $(DOCS)  ## install into PREFIX (/usr/local), below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin
	install -s -m 755 $(BUILD)/qip $(BUILD)/qip-dev $(DESTDIR)$(PREFIX)/bin/
	install -D -m 644 $(BUILD)/docs/qip.1 $(SHARE)/man/man1/qip.1
	install -D -m 644 $(BUILD)/docs/qip.bash $(SHARE)/bash-completion/completions/qip
	install -D -m 644 $(BUILD)/docs/_qip $(SHARE)/zsh/site-functions/_qip
	install -D -m 644 $(BUILD)/docs/qip.fish $(SHARE)/fish/vendor_completions.d/qip.fish

compdb:  ## write compile_commands.json for editors and clang-tidy
	@{ echo '['; first=1; \
	for file in $(wildcard loader/*.cpp vm/*.cpp host/*.cpp cli/*.cpp spec-tests/*.cpp bench/*.cpp); do \
	  [ $$first = 1 ] || echo ','; first=0; \
	  printf '{"directory": "%s", "file": "%s", "command": "%s -c %s"}' "$$PWD" "$$file" \
	    '$(CXX) $(CXXFLAGS_ALL) $(PRODUCT_FLAGS)' "$$file"; \
	done; echo ']'; } > compile_commands.json
	@echo "wrote compile_commands.json"

tidy: compdb  ## run clang-tidy over the product
	clang-tidy-19 -p . --quiet $(wildcard loader/*.cpp host/*.cpp host/site/*.cpp cli/*.cpp cli/dev/*.cpp) $(filter-out \
	  vm/handlers_%,$(wildcard vm/*.cpp))

format:  ## format every source file with the repository's settings
	clang-format-19 -i $(wildcard */*.cpp */*.hpp */*/*.cpp */*/*.hpp)

clean:  ## remove build/
	rm -rf build compile_commands.json

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*  ## ' Makefile modules/build.mk spec-tests/tests.mk bench/bench.mk | \
	  sed -E 's/^([a-z-]+):.*  ## (.*)/\1\t\2/' | sort | \
	  awk -F '\t' '{ printf "  %-16s %s\n", $$1, $$2 }'

.PHONY: all docs deps demo demo-site asan ubsan install compdb tidy format clean help
