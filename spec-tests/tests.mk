# Test targets; included by the top Makefile.
#
# Uses: BUILD, OBJECTS, VARIANT, PROFILE, CXX, LDFLAGS_ALL, ENGINE_OBJECTS, and the target `deps`.
# $(BUILD)/qip, $(BUILD)/unit_tests and $(BUILD)/system_tests are built by the top Makefile.

SPEC_RUNNER_OBJECTS := $(patsubst %,$(OBJECTS)/spec-tests/%.o,spec_runner spec_script spec_values)

$(BUILD)/spec_runner: $(SPEC_RUNNER_OBJECTS) $(ENGINE_OBJECTS)
	@echo "  link $@"
	@$(CXX) $(LDFLAGS_ALL) -o $@ $^

$(BUILD)/linearity: $(OBJECTS)/spec-tests/linearity.o $(ENGINE_OBJECTS)
	@echo "  link $@"
	@$(CXX) $(LDFLAGS_ALL) -o $@ $^

TEST_PROGRAMS := $(BUILD)/qip $(BUILD)/qip-dev $(BUILD)/generate_docs $(BUILD)/unit_tests $(BUILD)/system_tests $(BUILD)/spec_runner

# The house rules say something about the default build only.
HOUSE_RULES := $(if $(VARIANT),,frames size modules-check)

test: deps  ## set up, build, and run every test; the last line counts them
	@$(MAKE) --no-print-directory -j$$(nproc) $(TEST_PROGRAMS)
	@$(MAKE) --no-print-directory test-here

# `make test` runs the specification suites on these as well: the other compiler, the other bounds
# check, and the portable loop under the sanitizers.
define CONFIGURATIONS
CXX=g++ PROFILE=small
PROFILE=small CHECKS=guard
PROFILE=small DISPATCH=loop SANITIZE=address,undefined OPTIMIZE=-O1
endef
export CONFIGURATIONS

test-here: $(TEST_PROGRAMS)  ## run every test with what is installed
	@CHECK_TARGETS="$(HOUSE_RULES)" $(if $(VARIANT),CONFIGURATIONS=) bash spec-tests/run_tests.sh $(BUILD) "$(MAKE)"

spec: $(BUILD)/spec_runner  ## run the official WebAssembly suites and our own scripts
	@bash spec-tests/run_spec.sh $(BUILD)/spec_runner $(BUILD)

spec-fetch:  ## fetch and convert the official suite, for SPECTESTS=build/spectests
	@bash spec-tests/fetch.sh build/spectests

hostile: $(BUILD)/qip $(BUILD)/system_tests  ## run only the hostile modules
	@QIP=$(BUILD)/qip $(BUILD)/system_tests --gtest_filter='Hostile.*:Mutation.*'

fuzz-programs: $(BUILD)/spec_runner  ## compare random programs with V8 (needs node; SECONDS=60 SEED=n SOURCE=trees|c)
	@node spec-tests/fuzz_programs.js --runner $(BUILD)/spec_runner --seconds $(or $(SECONDS),60) \
	  --source $(or $(SOURCE),trees) --seed $(or $(SEED),$(shell date +%s))

image-differential: $(BUILD)/qip  ## compare image filters with V8 (needs node; IMAGES=200 SEED=n)
	@node spec-tests/tile_differential.mjs --qip $(BUILD)/qip --images $(or $(IMAGES),200) \
	  --seed $(or $(SEED),$(shell date +%s))

# libFuzzer comes with Clang.
FUZZ_IMAGES_SOURCES := spec-tests/fuzz_images.cpp $(patsubst %,host/%.cpp,image image_format bmp png \
  jpeg jpeg_encoder text)

$(BUILD)/fuzz_images: $(FUZZ_IMAGES_SOURCES) host/image.hpp host/image_codec.hpp host/test_images.hpp
	@echo "  link $@"
	@clang++-19 -std=c++20 -O1 -g1 -I. $(MACHINE_FLAGS) $(WARNINGS) -Wno-conversion \
	  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $(FUZZ_IMAGES_SOURCES) -ljpeg -lz

fuzz-images: $(BUILD)/fuzz_images  ## feed the image readers with mutated files (needs Clang; SECONDS=60 SEED=n)
	@mkdir -p $(BUILD)/fuzz-images
	@$(BUILD)/fuzz_images -max_total_time=$(or $(SECONDS),60) -seed=$(or $(SEED),$(shell date +%s)) \
	  -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
	  -artifact_prefix=$(BUILD)/fuzz-images/ $(BUILD)/fuzz-images

# Nothing of a browser is needed for `make test`; this installs what it needs.
BROWSER_DEPENDENCIES := chromium:chromium node:nodejs npm:npm

browser: $(BUILD)/qip $(BUILD)/qip-dev  ## drive pages in headless Chromium (installs Chromium, node and playwright-core)
	@$(MAKE) --no-print-directory deps DEPENDENCIES="$(BROWSER_DEPENDENCIES)"
	@mkdir -p $(BUILD)/browser
	@[ -d $(BUILD)/browser/node_modules/playwright-core ] || \
	  npm install --silent --no-audit --no-fund --prefix $(BUILD)/browser playwright-core
	@QIP=$(BUILD)/qip node spec-tests/browser_test.mjs --folder $(BUILD)/browser

linear: $(BUILD)/linearity  ## show that loading is linear in the module's bytes
	@$(BUILD)/linearity

layers:  ## show that includes run one way
	@bash spec-tests/check_layers.sh

frames: $(BUILD)/qip  ## show that no hot handler touches the machine stack
	@bash spec-tests/check_frames.sh $(BUILD)/qip

size: $(BUILD)/qip  ## show lines and bytes against the budget
	@bash spec-tests/size_report.sh $(PROFILE) $(BUILD)/qip

print-build:
	@echo $(BUILD)

.PHONY: test test-here print-build spec spec-fetch hostile fuzz-programs fuzz-images \
  image-differential browser linear layers frames size
