// load_recipes(): the chain of components for each source media type, from a folder of the shape
// <type>/<subtype>/NN-name.wasm.
//
// Promises: components of a chain run in the order of NN; a leading '-' disables one, whose name is
// still checked and whose bytes are not read; files that do not end in `.wasm` are no recipes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/chain.hpp"
#include "host/content_type.hpp"
#include "host/error.hpp"
#include "host/site/module_set.hpp"
#include "loader/result.hpp"

namespace qip {

struct RecipeChain {
  std::vector<Stage> stages;        // at least one; check_chain() found nothing
  std::vector<Xxh3Digest> digests;  // of the stages' modules
  // What the chain says that it produces, as far as that can be told without running more than
  // value exports; empty: nothing. For listings.
  ContentType declared_output;
};

// By media type, in lower case.
using Recipes = std::map<std::string, RecipeChain, std::less<>>;

Result<Recipes, HostError> load_recipes(const SiteFolder& folder, const FolderListing& listing,
                                        ModuleSet& modules, const RunLimits& limits);

}  // namespace qip
