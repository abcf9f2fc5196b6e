# Builds the components of modules/ from their WAT and C sources, in place or into MODULES_OUT.
# The top Makefile includes this file. Flags and tool versions are pinned (wabt, Clang 19 with its
# linker), and nothing of the building machine enters a file, so that rebuilding gives the committed
# bytes: `make modules-check` proves it.

MODULES_OUT ?= modules
WAT2WASM ?= wat2wasm
WASM_CLANG ?= clang-19

# Components run on any engine with WebAssembly 2.0: no more than bulk memory is assumed. The stack
# lies at address 0, so that its overflow traps instead of running into data.
WASM_CFLAGS := --target=wasm32 -std=c17 -O2 -ffreestanding -nostdlib -mcpu=mvp -mbulk-memory \
  -msign-ext -mnontrapping-fptoint -fno-ident -fvisibility=hidden -Imodules \
  -Wall -Wextra -Wconversion -Wno-sign-conversion -Werror
WASM_LDFLAGS := -Wl,--no-entry -Wl,--stack-first -Wl,-z,stack-size=16384 -Wl,--no-growable-memory \
  -Wl,--export-memory -Wl,--gc-sections -Wl,--strip-debug

MODULE_WAT := $(shell find modules -name '*.wat')
MODULE_C := $(shell find modules -name '*.c')
MODULE_HEADERS := $(shell find modules -name '*.h')
MODULE_NAMES := $(patsubst modules/%,%,$(basename $(MODULE_WAT) $(MODULE_C)))

.PHONY: modules modules-check

modules: $(MODULE_NAMES:%=$(MODULES_OUT)/%.wasm)  ## rebuild the components of modules/ in place

$(MODULES_OUT)/%.wasm: modules/%.wat modules/build.mk
	@mkdir -p $(@D)
	$(WAT2WASM) --debug-names -o $@ $<

$(MODULES_OUT)/%.wasm: modules/%.c modules/build.mk $(MODULE_HEADERS)
	@mkdir -p $(@D)
	$(WASM_CLANG) $(WASM_CFLAGS) $(WASM_LDFLAGS) -o $@ $<
	@chmod 644 $@

modules-check:  ## rebuild the components elsewhere and compare them with the committed files
	@rm -rf $(BUILD)/modules-check
	@$(MAKE) --no-print-directory -s MODULES_OUT=$(BUILD)/modules-check modules
	@differ=0; \
	for name in $(MODULE_NAMES); do \
	  cmp -s modules/$$name.wasm $(BUILD)/modules-check/$$name.wasm || \
	    { echo "differs from its source: modules/$$name.wasm"; differ=$$((differ + 1)); }; \
	done; \
	echo "modules-check: $(words $(MODULE_NAMES)) components rebuilt, $$differ differ"; \
	test $$differ -eq 0
