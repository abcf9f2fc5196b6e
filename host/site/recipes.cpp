// Names first, then order, then bytes: nothing is compiled before every name is right.
#include "host/site/recipes.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "host/pipeline.hpp"
#include "host/plan.hpp"

namespace qip {
namespace {

struct RecipeFile {
  std::string file;  // relative
  std::string name;
  unsigned order = 0;
  bool is_enabled = true;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

// What is wrong with a file name, or null. Precondition: it ends in `.wasm`.
const char* parse_name(std::string_view name, RecipeFile& recipe) {
  constexpr std::string_view kExtension = ".wasm";
  if (!is_ascii(name)) return "filename must be ASCII";
  recipe.is_enabled = !name.starts_with('-');
  if (!recipe.is_enabled) name.remove_prefix(1);
  name.remove_suffix(kExtension.size());
  if (name.size() < 2 || !is_digit(name[0]) || !is_digit(name[1])) {
    return "filename prefix must be two digits";
  }
  recipe.order = static_cast<unsigned>(10 * (name[0] - '0') + (name[1] - '0'));
  if (name.size() < 3 || name[2] != '-') return "filename must match NN-name.wasm";
  return name.size() == 3 ? "recipe name must not be empty" : nullptr;
}

using FilesByType = std::map<std::string, std::vector<RecipeFile>, std::less<>>;

HostError misplaced(const std::string& file) {
  return file_error("recipe path " + quoted_path(file) + " must match <type>/<subtype>/<file>");
}

MaybeError sort_into(const std::string& file, FilesByType& types) {
  const size_t first = file.find('/');
  const size_t second = first == std::string::npos ? first : file.find('/', first + 1);
  if (second == std::string::npos || file.find('/', second + 1) != std::string::npos) {
    return misplaced(file);
  }
  RecipeFile recipe{file, file.substr(second + 1)};
  if (const char* problem = parse_name(recipe.name, recipe)) {
    return file_error("invalid recipe filename " + quoted_path(file) + ": " + problem);
  }
  const Result<ContentType, std::string> type = parse_content_type(file.substr(0, second));
  if (!type.ok()) return misplaced(file);
  if (recipe.is_enabled) types[*type.value()].push_back(std::move(recipe));
  return std::nullopt;
}

MaybeError put_in_order(const std::string& type, std::vector<RecipeFile>& files) {
  std::sort(files.begin(), files.end(), [](const RecipeFile& left, const RecipeFile& right) {
    return std::tie(left.order, left.name) < std::tie(right.order, right.name);
  });
  for (size_t i = 1; i < files.size(); i++) {
    if (files[i].order != files[i - 1].order) continue;
    const char digits[] = {static_cast<char>('0' + files[i].order / 10),
                           static_cast<char>('0' + files[i].order % 10)};
    return file_error("duplicate recipe prefix for " + type + ": " + std::string(digits, 2) +
                      " in " + quoted_path(files[i - 1].file) + " and " +
                      quoted_path(files[i].file));
  }
  return std::nullopt;
}

// What the last component that speaks of it says, unless a later one changes the bytes' nature; as
// run_pipeline() finds it.
ContentType declared_output(std::span<const Stage> stages, const RunLimits& limits) {
  ContentType declared;
  const std::vector<PlannedStage> plan = plan_chain(stages, limits);
  for (size_t i = 0; i < plan.size(); i++) {
    const PlannedStage& planned = plan[i];
    const bool keeps_type =
        is_tile_stage(stages[i]) ||
        (planned.contract.output_capacity != nullptr && planned.values.output_capacity > 0 &&
         planned.contract.output_encoding != Encoding::I32);
    if (planned.types.output || !keeps_type) declared = planned.types.output;
  }
  return declared;
}

Result<RecipeChain, HostError> load_chain(const SiteFolder& folder,
                                          const std::vector<RecipeFile>& files, ModuleSet& modules,
                                          const RunLimits& limits) {
  RecipeChain chain;
  for (const RecipeFile& recipe : files) {
    Result<SiteModule, HostError> module = modules.load(folder, recipe.file);
    if (!module.ok()) return std::move(module.error());
    chain.digests.push_back(module.value().digest);
    chain.stages.push_back({std::move(module.value().component), {}});
  }
  if (MaybeError failure = check_chain(chain.stages)) return std::move(*failure);
  chain.declared_output = declared_output(chain.stages, limits);
  return chain;
}

}  // namespace

Result<Recipes, HostError> load_recipes(const SiteFolder& folder, const FolderListing& listing,
                                        ModuleSet& modules, const RunLimits& limits) {
  FilesByType types;
  for (const std::string& file : listing.files) {
    if (!file.ends_with(".wasm")) continue;
    if (MaybeError failure = sort_into(file, types)) return std::move(*failure);
  }
  for (auto& [type, files] : types) {
    if (MaybeError failure = put_in_order(type, files)) return std::move(*failure);
  }
  Recipes recipes;
  for (const auto& [type, files] : types) {
    Result<RecipeChain, HostError> chain = load_chain(folder, files, modules, limits);
    if (!chain.ok()) return std::move(chain.error());
    recipes.emplace(type, std::move(chain.value()));
  }
  return recipes;
}

}  // namespace qip
