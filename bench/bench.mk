# Benchmarks: kernels compiled to WebAssembly, the runner that compares engines on them, and micro
# benchmarks of loading, instantiating and invoking. The top Makefile includes this file.
#
#   make bench                      qip beside the same kernels compiled for this machine
#   make bench PEER='wasm3=/path/to/wasm3 --func {export} {module} {n}'
#   make bench BENCH_SETS=tuning BENCH_OPTIONS='--rounds 9 --cpu 1 --spread'
#   make bench-check                every kernel once: the results must be those of native code
#   make bench-micro
#   make bench-each                 cost of a file in `qip run --each`, besides the component
#   make bench-image                image filters beside V8, share of the host, threads (needs node)
#   make bench-dev                  qip-dev under load beside nginx and node (needs wrk, nginx, node)
#   make gallery                    every filter of modules/rgba/ on one picture

WASM_CLANG ?= clang-19

# Every folder of kernels/ is a set. Kernels of simd/ need an engine with 128-bit vectors.
BENCH_SETS ?= $(if $(PEER),$(filter-out simd,$(BENCH_ALL_SETS)),$(BENCH_ALL_SETS))
BENCH_ALL_SETS := $(notdir $(patsubst %/,%,$(wildcard bench/kernels/*/)))
BENCH_OPTIONS ?= --rounds 5
PEER ?=

BENCH_WASM_FLAGS := --target=wasm32 -std=c17 -O2 -fno-builtin -fno-math-errno -nostdlib \
  -Wl,--no-entry -Wl,--export=bench -Wl,--strip-all -Wall -Wextra -Werror
BENCH_NATIVE_FLAGS := -std=c17 -O2 -fno-builtin -fno-math-errno -ffp-contract=off -Wall -Wextra -Werror
BENCH_MODULES = $(foreach set,$(BENCH_SETS),\
  $(patsubst bench/kernels/%.c,$(BUILD)/bench/%.wasm,$(sort $(wildcard bench/kernels/$(set)/*.c))))
BENCH_SCALAR_MODULES = $(filter-out $(BUILD)/bench/simd/%,$(BENCH_MODULES))
BENCH_NATIVES = $(BENCH_SCALAR_MODULES:.wasm=.native)
BENCH_QIP := --engine 'qip=$(BUILD)/qip call {module} {export} {n}'
BENCH_NATIVE := --engine 'native={stem}.native {n}'

.PHONY: bench bench-kernels bench-check bench-micro bench-each bench-image bench-dev gallery

bench: $(BUILD)/bench/run $(BUILD)/qip $(BENCH_MODULES) $(if $(PEER),,$(BENCH_NATIVES))  ## compare qip on the kernels with native code, or with PEER='name=command'
	$(BUILD)/bench/run $(BENCH_OPTIONS) \
	  $(if $(PEER),--engine '$(PEER)' $(BENCH_QIP) $(BENCH_MODULES), \
	    $(BENCH_QIP) $(BENCH_NATIVE) $(BENCH_SCALAR_MODULES))
ifeq ($(PEER),)
ifneq ($(filter simd,$(BENCH_SETS)),)
	$(BUILD)/bench/run $(BENCH_OPTIONS) $(BENCH_QIP) $(filter-out $(BENCH_SCALAR_MODULES),$(BENCH_MODULES))
endif
endif

bench-kernels: $(BENCH_MODULES)  ## build the kernels only

bench-check: $(BUILD)/bench/run $(BUILD)/qip $(BENCH_MODULES) $(BENCH_NATIVES)  ## every kernel must give the result of native code
	$(BUILD)/bench/run --rounds 1 --low 0 --high 1 --time wall $(BENCH_QIP) $(BENCH_NATIVE) \
	  $(BENCH_SCALAR_MODULES)
ifneq ($(filter simd,$(BENCH_SETS)),)
	@echo "and those of simd/ must agree with their own scalar arithmetic, or they trap:"
	$(BUILD)/bench/run --rounds 1 --low 0 --high 1 --time wall $(BENCH_QIP) \
	  $(filter-out $(BENCH_SCALAR_MODULES),$(BENCH_MODULES))
endif
	@echo "and an engine that is wrong must be noticed:"
	! $(BUILD)/bench/run --rounds 1 --low 0 --high 1 $(BENCH_NATIVE) --engine 'wrong=echo 7' \
	  $(firstword $(BENCH_SCALAR_MODULES))

bench-micro: $(BUILD)/bench/micro $(BUILD)/bench/tuning/parser.wasm $(BUILD)/bench/tuning/nbody.wasm  ## cost of decode, validate, translate, instantiate, invoke
	$(BUILD)/bench/micro $(filter %.wasm,$^)

bench-each: $(BUILD)/bench/each $(BUILD)/qip  ## cost of a file in `qip run --each`, besides the component
	$(BUILD)/bench/each $(BUILD)/qip modules/utf8/hello.wasm

bench-image: $(BUILD)/qip  ## image filters beside V8, share of the host, threads (needs node; ROUNDS=5)
	@node bench/image.mjs --qip $(BUILD)/qip --rounds $(or $(ROUNDS),5)

gallery: $(BUILD)/bench/gallery $(BUILD)/qip  ## draw every filter on one picture, build/gallery/
	$(BUILD)/bench/gallery $(BUILD)/qip $(BUILD)/gallery

$(BUILD)/bench/gallery: $(OBJECTS)/bench/gallery.o
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) -o $@ $^

$(BUILD)/bench/each: $(OBJECTS)/bench/each.o
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) -o $@ $^

$(BUILD)/bench/run: $(OBJECTS)/bench/run.o
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) -o $@ $^

$(BUILD)/bench/micro: $(OBJECTS)/bench/micro.o $(ENGINE_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) -o $@ $^ -lbenchmark -lpthread

$(BUILD)/bench/simd/%.wasm: BENCH_WASM_FLAGS += -msimd128
$(BUILD)/bench/%.wasm: bench/kernels/%.c bench/kernels/kernel.h bench/bench.mk
	@mkdir -p $(@D)
	$(WASM_CLANG) $(BENCH_WASM_FLAGS) -o $@ $<

$(BUILD)/bench/%.native: bench/kernels/%.c bench/native_main.c bench/kernels/kernel.h bench/bench.mk
	@mkdir -p $(@D)
	$(WASM_CLANG) $(BENCH_NATIVE_FLAGS) -o $@ bench/native_main.c $<

bench-dev: $(BUILD)/qip $(BUILD)/qip-dev  ## load on the server beside nginx and node, reloads, a site of 5,000 pages
	@bash bench/dev_load.sh --qip $(BUILD)/qip $(if $(ROUNDS),--rounds $(ROUNDS))
