// The four folders in turn, then one table of all paths. Nobody sees a site before it is whole.
#include "host/site/site.hpp"

#include <algorithm>
#include <utility>

#include "host/site/elements.hpp"
#include "host/site/media_type.hpp"

namespace qip {
namespace {

constexpr std::string_view kRecipesName = "_recipes";
constexpr std::string_view kFormsName = "_forms";
constexpr std::string_view kComponentsName = "_components";
constexpr std::string_view kOwnNames[] = {kRecipesName, kFormsName, kComponentsName};
constexpr std::string_view kModuleExtension = ".wasm";

void add_watched(const SiteFolder& folder, const FolderListing& listing,
                 std::vector<std::string>& watched) {
  for (const std::string& relative : listing.folders) watched.push_back(folder.path_of(relative));
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

Site::Site(const SiteOptions& options, const Site* previous)
    : options_(options),
      modules_(options.limits, previous != nullptr ? &previous->modules_ : nullptr) {}

Result<std::shared_ptr<const Site>, HostError> Site::load(const SiteOptions& options,
                                                          const Site* previous) {
  const std::shared_ptr<Site> site(new Site(options, previous));
  if (MaybeError failure = site->load_all()) return std::move(*failure);
  site->modules_.forget_previous();
  return std::shared_ptr<const Site>(site);
}

MaybeError Site::load_all() {
  Result<SiteFolder, std::string> content = SiteFolder::open(options_.content, "content");
  if (!content.ok()) return file_error(std::move(content.error()));
  content_ = std::move(content.value());
  // Whatever is wrong with names is told before anything is compiled.
  if (MaybeError failure =
          open_folder(options_.recipes, kRecipesName, "recipes", recipes_folder_)) {
    return failure;
  }
  if (MaybeError failure = open_folder(options_.forms, kFormsName, "forms", forms_folder_)) {
    return failure;
  }
  if (MaybeError failure =
          open_folder(options_.components, kComponentsName, "components", components_folder_)) {
    return failure;
  }
  if (MaybeError failure = load_content()) return failure;
  if (MaybeError failure = load_recipes_folder()) return failure;
  if (MaybeError failure = load_modules(forms_folder_, RouteKind::Form, kFormsFolder)) {
    return failure;
  }
  if (MaybeError failure =
          load_modules(components_folder_, RouteKind::Component, kComponentsFolder)) {
    return failure;
  }
  for (const BuiltInScript& script : built_in_scripts()) {
    add_route(RouteKind::Script, std::string(script.name),
              std::string(kOwnFolder) + std::string(script.name));
  }
  if (MaybeError failure = build_table()) return failure;
  digest_surroundings();
  std::sort(watched_.begin(), watched_.end());
  watched_.erase(std::unique(watched_.begin(), watched_.end()), watched_.end());
  return std::nullopt;
}

MaybeError Site::open_folder(const std::optional<std::string>& path, std::string_view default_name,
                             const char* role, std::optional<SiteFolder>& folder) {
  if (!path) {
    Result<std::optional<SiteFolder>, std::string> found =
        SiteFolder::open_inside(*content_, default_name, role);
    if (!found.ok()) return file_error(std::move(found.error()));
    folder = std::move(found.value());
    return std::nullopt;
  }
  Result<SiteFolder, std::string> opened = SiteFolder::open(*path, role);
  if (!opened.ok()) return file_error(std::move(opened.error()));
  folder = std::move(opened.value());
  return std::nullopt;
}

MaybeError Site::load_content() {
  const Result<FolderListing, std::string> listing = content_->list(kOwnNames);
  if (!listing.ok()) return file_error(listing.error());
  add_watched(*content_, listing.value(), watched_);
  Result<std::vector<IndexedFile>, std::string> index = index_content(listing.value().files);
  if (!index.ok()) return file_error(std::move(index.error()));
  for (IndexedFile& indexed : index.value()) {
    const size_t number =
        add_route(RouteKind::Content, std::move(indexed.file), indexed.canonical).number;
    for (size_t i = 1; i < indexed.paths.size(); i++) {
      paths_.emplace_back(std::move(indexed.paths[i]), number);
    }
  }
  return std::nullopt;
}

MaybeError Site::load_recipes_folder() {
  if (!recipes_folder_) return std::nullopt;
  const Result<FolderListing, std::string> listing = recipes_folder_->list();
  if (!listing.ok()) return file_error(listing.error());
  add_watched(*recipes_folder_, listing.value(), watched_);
  Result<Recipes, HostError> recipes =
      load_recipes(*recipes_folder_, listing.value(), modules_, options_.limits);
  if (!recipes.ok()) return std::move(recipes.error());
  recipes_ = std::move(recipes.value());
  for (Route& route : routes_) {  // content only, so far
    const auto chain = recipes_.find(route.media_type);
    if (chain != recipes_.end()) route.chain = &chain->second;
  }
  return std::nullopt;
}

// What a browser fetches: forms, which pages name and are therefore looked at here, and components,
// which are only passed on.
MaybeError Site::load_modules(const std::optional<SiteFolder>& folder, RouteKind kind,
                              std::string_view paths) {
  if (!folder) return std::nullopt;
  const Result<FolderListing, std::string> listing = folder->list();
  if (!listing.ok()) return file_error(listing.error());
  add_watched(*folder, listing.value(), watched_);
  for (const std::string& file : listing.value().files) {
    if (!file.ends_with(kModuleExtension)) continue;
    const bool is_form = kind == RouteKind::Form;
    if (const char* problem = path_problem(file)) {
      return file_error(std::string(is_form ? "form" : "component") + " path " + quoted_path(file) +
                        " " + problem);
    }
    add_route(kind, file, std::string(paths) + file);
    if (!is_form) continue;
    Result<SiteModule, HostError> module = modules_.load(*folder, file);
    if (!module.ok()) return std::move(module.error());
    if (MaybeError failure = check_sealed(module.value().component)) return failure;
    forms_.emplace(file.substr(0, file.size() - kModuleExtension.size()),
                   std::move(module.value()));
  }
  return std::nullopt;
}

Route& Site::add_route(RouteKind kind, std::string file, std::string path) {
  const size_t number = routes_.size();
  Route& route = routes_.emplace_back();
  route.kind = kind;
  route.media_type = media_type_of_name(file);
  route.file = std::move(file);
  route.path = std::move(path);
  route.number = number;
  paths_.emplace_back(route.path, number);
  return route;
}

// All paths, sorted. Two routes for one are an error, and so is one that the server keeps for
// itself.
MaybeError Site::build_table() {
  std::sort(paths_.begin(), paths_.end());
  const auto duplicate = [](const std::string& path, const std::string& one,
                            const std::string& other) {
    return file_error("duplicate route path " + quoted_path(path) + " for " + quoted_path(one) +
                      " and " + quoted_path(other));
  };
  for (size_t i = 1; i < paths_.size(); i++) {
    if (paths_[i].first != paths_[i - 1].first) continue;
    return duplicate(paths_[i].first, name_of(routes_[paths_[i - 1].second]),
                     name_of(routes_[paths_[i].second]));
  }
  if (const Route* const route = find_exactly(kReloadPath)) {
    return duplicate(std::string(kReloadPath), name_of(*route), "built-in reload");
  }
  for (const Route& route : routes_) {
    if (route.kind != RouteKind::Script) listed_.push_back(&route);
  }
  std::sort(listed_.begin(), listed_.end(),
            [](const Route* left, const Route* right) { return left->path < right->path; });
  return std::nullopt;
}

// For messages: content by its relative path, everything else by a whole one.
std::string Site::name_of(const Route& route) const {
  switch (route.kind) {
    case RouteKind::Content:
      return route.file;
    case RouteKind::Script:
      return "built-in " + route.file;
    case RouteKind::Form:
    case RouteKind::Component:
      break;
  }
  return folder_of(route).path_of(route.file);
}

void Site::digest_surroundings() {
  Xxh3 digest;
  digest.update(bytes_of(options_.mode == SiteMode::Dev ? "dev" : "prod"));
  for (const auto& [name, module] : forms_) {
    // No file name has a zero byte, so names and digests cannot be mistaken for each other.
    digest.update({reinterpret_cast<const uint8_t*>(name.c_str()), name.size() + 1});
    digest.update(module.digest);
  }
  surroundings_ = digest.digest();
}

const Route* Site::find(std::string_view path) const {
  if (const Route* route = find_exactly(path)) return route;
  if (path.size() > 1 && path.ends_with('/')) return find_exactly(path.substr(0, path.size() - 1));
  return find_exactly(std::string(path) + "/");
}

const Route* Site::find_exactly(std::string_view path) const {
  const auto place = std::lower_bound(
      paths_.begin(), paths_.end(), path,
      [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
  const bool is_there = place != paths_.end() && place->first == path;
  return is_there ? &routes_[place->second] : nullptr;
}

size_t Site::path_count() const {
  return paths_.size() - built_in_scripts().size();
}

const SiteFolder& Site::folder_of(const Route& route) const {
  if (route.kind == RouteKind::Form) return *forms_folder_;
  return route.kind == RouteKind::Component ? *components_folder_ : *content_;
}

const SiteModule* Site::form(std::string_view name) const {
  const auto place = forms_.find(name);
  return place == forms_.end() ? nullptr : &place->second;
}

}  // namespace qip
