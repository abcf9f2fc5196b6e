// spec_runner: runs a folder of converted specification scripts and prints one total.
//
//   spec_runner [--features 2.0|everything] [--set NAME] [--filter SCRIPT] [--in-process] DIR
//
// Each script runs in a child process, so that a crash is reported with the line where it happened
// and the other scripts still run; `--in-process` is for debuggers. Scripts whose MANIFEST.json
// entry names a feature that the language version lacks are out of scope: counted, and the missing
// features listed. Exit status 1 if anything failed.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <set>

#include "spec-tests/spec_script.hpp"

namespace qip {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct Options {
  FeatureSet features = kEverything;
  std::string set_name;  // default: the folder's name
  std::string filter;    // script name without ".json"; empty: all
  bool in_process = false;
  fs::path folder;
};

// Names of the suite's manifest for what this engine has.
struct NamedFeature {
  const char* name;
  FeatureSet needed;
};
constexpr NamedFeature kNamedFeatures[] = {
    {"core", FeatureSet{}.with(Feature::Core)},
    {"core-2.0", FeatureSet{kWasm2.bits & ~static_cast<uint32_t>(Feature::Simd)}},
    {"simd", FeatureSet{}.with(Feature::Simd)},
    {"extended-const", FeatureSet{}.with(Feature::ExtendedConst)},
};

bool has_feature(FeatureSet features, const std::string& name) {
  for (const NamedFeature& feature : kNamedFeatures) {
    if (name == feature.name) return (features.bits & feature.needed.bits) == feature.needed.bits;
  }
  return false;
}

json read_json(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return json::parse(file);
}

class SetRunner {
 public:
  explicit SetRunner(Options options) : options_(std::move(options)) {}

  // True if nothing failed.
  bool run() {
    if (fs::exists(options_.folder / "MANIFEST.json")) {
      manifest_ = read_json(options_.folder / "MANIFEST.json");
    }
    shared_ = make_shared_tally();
    for (const std::string& script : scripts()) {
      if (!options_.filter.empty() && script != options_.filter) continue;
      if (in_scope(script)) run_one(script);
    }
    print_total();
    return total_.failed == 0 && scripts_run_ > 0;
  }

 private:
  static Tally* make_shared_tally() {
    void* page =
        mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) throw std::bad_alloc();
    return new (page) Tally();
  }

  std::vector<std::string> scripts() const {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(options_.folder)) {
      const fs::path path = entry.path();
      if (path.extension() == ".json" && path.filename() != "MANIFEST.json") {
        names.push_back(path.stem().string());
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  // Counts the script as out of scope if it is not in scope.
  bool in_scope(const std::string& script) {
    if (!manifest_.contains(script + ".json")) return true;
    std::set<std::string> missing;
    for (const json& feature : manifest_[script + ".json"].at("features")) {
      const std::string name = feature.get<std::string>();
      if (!has_feature(options_.features, name)) missing.insert(name);
    }
    if (missing.empty()) return true;
    ++out_of_scope_;
    for (const std::string& name : missing) ++missing_features_[name];
    return false;
  }

  // True if modules that must be rejected use features that the language version lacks.
  bool has_foreign_features(const std::string& script) const {
    const json entry = manifest_.value(script + ".json", json::object());
    for (const json& feature : entry.value("features_of_invalid_modules", json::array())) {
      if (!has_feature(options_.features, feature.get<std::string>())) return true;
    }
    return false;
  }

  void run_script(const std::string& script) {
    ScriptRunner runner(options_.folder, options_.set_name + "/" + script + ".wast",
                        options_.features, has_foreign_features(script), *shared_);
    runner.run(read_json(options_.folder / (script + ".json")));
  }

  void run_one(const std::string& script) {
    ++scripts_run_;
    *shared_ = Tally();
    if (options_.in_process) {
      run_script(script);
    } else {
      run_in_child(script);
    }
    std::fflush(stdout);
    total_.passed += shared_->passed;
    total_.failed += shared_->failed;
    total_.text += shared_->text;
  }

  void run_in_child(const std::string& script) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("cannot fork");
    if (child == 0) {
      // exit(), not _exit(): a leak checker reports through the exit status.
      int status = 0;
      try {
        run_script(script);
      } catch (const std::exception& error) {
        std::printf("%s/%s.wast: %s\n", options_.set_name.c_str(), script.c_str(), error.what());
        status = 1;
      }
      std::exit(status);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status == 0) return;
    ++shared_->failed;
    std::printf("%s/%s.wast:%u: the process that ran the script ended with %s %d\n",
                options_.set_name.c_str(), script.c_str(), shared_->line,
                WIFSIGNALED(status) ? "signal" : "status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  }

  void print_total() const {
    if (out_of_scope_ > 0) {
      std::printf("%s: scripts out of scope need", options_.set_name.c_str());
      const char* separator = " ";
      for (const auto& [name, count] : missing_features_) {
        std::printf("%s%s (%u)", separator, name.c_str(), count);
        separator = ", ";
      }
      std::printf("\n");
    }
    std::printf("%s: %u passed, %u failed, %u text, %u out of scope\n", options_.set_name.c_str(),
                total_.passed, total_.failed, total_.text, out_of_scope_);
    std::fflush(stdout);
  }

  Options options_;
  json manifest_ = json::object();
  Tally* shared_ = nullptr;
  Tally total_;
  uint32_t scripts_run_ = 0;
  uint32_t out_of_scope_ = 0;                         // scripts
  std::map<std::string, uint32_t> missing_features_;  // scripts that need each
};

bool parse_options(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool has_value = i + 1 < argc;
    if (argument == "--features" && has_value) {
      const std::string version = argv[++i];
      if (version != "2.0" && version != "everything") return false;
      options->features = version == "2.0" ? kWasm2 : kEverything;
    } else if (argument == "--set" && has_value) {
      options->set_name = argv[++i];
    } else if (argument == "--filter" && has_value) {
      options->filter = argv[++i];
    } else if (argument == "--in-process") {
      options->in_process = true;
    } else if (!argument.starts_with("-") && options->folder.empty()) {
      options->folder = argument;
    } else {
      return false;
    }
  }
  if (options->set_name.empty()) {
    options->set_name = fs::path(fs::absolute(options->folder).lexically_normal()).filename();
  }
  return !options->folder.empty();
}

}  // namespace
}  // namespace qip

int main(int argc, char** argv) {
  qip::Options options;
  if (!qip::parse_options(argc, argv, &options)) {
    std::fprintf(stderr,
                 "usage: spec_runner [--features 2.0|everything] [--set NAME] [--filter SCRIPT] "
                 "[--in-process] DIR\n");
    return 2;
  }
  try {
    return qip::SetRunner(std::move(options)).run() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "spec_runner: %s\n", error.what());
    return 2;
  }
}
