// Site: one generation of everything that a site is made of: request paths, chains, forms,
// components. Immutable; a reload makes another one, and requests in flight keep theirs.
//
// Promises: load() is all or nothing; components whose bytes have not changed are not compiled
// again. Content is indexed here and read when it is asked for.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/error.hpp"
#include "host/limits.hpp"
#include "host/site/content_index.hpp"
#include "host/site/folder.hpp"
#include "host/site/module_set.hpp"
#include "host/site/recipes.hpp"
#include "loader/result.hpp"

namespace qip {

enum class SiteMode : uint8_t {
  Dev,  // pages reload themselves, errors are shown to the browser
  Prod,
};

struct SiteOptions {
  std::string content;
  // Empty: the folders `_recipes`, `_forms`, `_components` of the content, where they are.
  std::optional<std::string> recipes;
  std::optional<std::string> forms;
  std::optional<std::string> components;
  SiteMode mode = SiteMode::Prod;
  RunLimits limits{};  // of one response
};

enum class RouteKind : uint8_t { Content, Form, Component, Script };

// What answers to a path.
struct Route {
  RouteKind kind = RouteKind::Content;
  std::string path;                    // canonical, decoded
  std::string file;                    // relative to its folder; of a Script: its name
  std::string media_type;              // of the source
  const RecipeChain* chain = nullptr;  // Content only
  // A number of its own in this generation: 0, 1, ... Scripts come last.
  size_t number = 0;
};

class Site {
 public:
  // `previous` may be null; it is not kept. Errors are sentences without a prefix.
  static Result<std::shared_ptr<const Site>, HostError> load(const SiteOptions& options,
                                                             const Site* previous = nullptr);
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  const SiteOptions& options() const { return options_; }

  // By a decoded path: exactly, else with the trailing slash removed or added. Null: 404.
  const Route* find(std::string_view path) const;
  // Sorted by path; no Script among them.
  const std::vector<const Route*>& listed() const { return listed_; }
  const std::vector<Route>& routes() const { return routes_; }

  const SiteFolder& folder_of(const Route& route) const;  // not of a Script
  const SiteModule* form(std::string_view name) const;    // null: there is none
  bool has_forms() const { return !forms_.empty(); }
  // Of everything besides source and chain that decides a page: forms and mode.
  const Xxh3Digest& surroundings() const { return surroundings_; }

  size_t path_count() const;  // without built-in scripts
  size_t recipe_count() const { return recipes_.size(); }
  size_t form_count() const { return forms_.size(); }
  // Full paths of all folders whose change may change the site.
  const std::vector<std::string>& watched() const { return watched_; }

 private:
  Site(const SiteOptions& options, const Site* previous);
  MaybeError load_all();
  MaybeError open_folder(const std::optional<std::string>& path, std::string_view default_name,
                         const char* role, std::optional<SiteFolder>& folder);
  MaybeError load_content();
  MaybeError load_recipes_folder();
  MaybeError load_modules(const std::optional<SiteFolder>& folder, RouteKind kind,
                          std::string_view paths);
  MaybeError build_table();
  void digest_surroundings();
  Route& add_route(RouteKind kind, std::string file, std::string path);
  const Route* find_exactly(std::string_view path) const;
  std::string name_of(const Route& route) const;

  SiteOptions options_;
  std::optional<SiteFolder> content_;
  std::optional<SiteFolder> recipes_folder_;
  std::optional<SiteFolder> forms_folder_;
  std::optional<SiteFolder> components_folder_;
  ModuleSet modules_;
  Recipes recipes_;
  std::map<std::string, SiteModule, std::less<>> forms_;
  std::vector<Route> routes_;
  std::vector<std::pair<std::string, size_t>> paths_;  // of every route, with its number, sorted
  std::vector<const Route*> listed_;
  Xxh3Digest surroundings_{};
  std::vector<std::string> watched_;
};

}  // namespace qip
