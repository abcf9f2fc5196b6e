// Names to request paths. Each file has at most three paths, so everything is linear in the names,
// but for the one sort by path that finds duplicates.
#include "host/site/content_index.hpp"

#include <algorithm>

#include "host/site/media_type.hpp"
#include "loader/reader.hpp"

namespace qip {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// No empty, `.` or `..` part, no control character.
bool is_canonical(std::string_view file) {
  for (const char c : file) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  for (size_t begin = 0; begin <= file.size();) {
    const size_t end = std::min(file.find('/', begin), file.size());
    const std::string_view part = file.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

bool is_index(std::string_view name) {
  const std::string lower = lower_case(name);
  return lower == "index.html" || lower == "index.md" || lower == "index.markdown";
}

// How many bytes of the name a path may leave out. What stays is a name: not empty, `.` or `..`.
size_t page_extension_bytes(std::string_view name) {
  const std::string lower = lower_case(name);
  for (const std::string_view extension : {".html", ".md", ".markdown"}) {
    if (!lower.ends_with(extension)) continue;
    const std::string_view rest(lower.data(), lower.size() - extension.size());
    return rest.empty() || rest == "." || rest == ".." ? 0 : extension.size();
  }
  return 0;
}

IndexedFile index_file(const std::string& file) {
  const size_t slash = file.rfind('/');
  const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  const std::string folder = slash == std::string::npos ? "" : "/" + file.substr(0, slash);
  IndexedFile indexed;
  indexed.file = file;
  indexed.media_type = media_type_of_name(name);
  const std::string path = "/" + file;
  if (is_index(name)) {
    if (!folder.empty()) indexed.paths.push_back(folder);
    indexed.paths.push_back(folder + "/");
  } else if (const size_t bytes = page_extension_bytes(name)) {
    indexed.paths.push_back(path.substr(0, path.size() - bytes));
  }
  indexed.paths.push_back(path);
  indexed.canonical = indexed.paths.front();
  return indexed;
}

// Empty: every path belongs to one file.
std::string duplicate_problem(const std::vector<IndexedFile>& files) {
  std::vector<std::pair<std::string_view, size_t>> paths;
  for (size_t i = 0; i < files.size(); i++) {
    for (const std::string& path : files[i].paths) paths.emplace_back(path, i);
  }
  std::sort(paths.begin(), paths.end());
  for (size_t i = 1; i < paths.size(); i++) {
    if (paths[i].first != paths[i - 1].first) continue;
    return "duplicate route path " + quoted_path(paths[i].first) + " for " +
           quoted_path(files[paths[i - 1].second].file) + " and " +
           quoted_path(files[paths[i].second].file);
  }
  return "";
}

}  // namespace

const char* path_problem(std::string_view relative) {
  if (!is_valid_utf8(relative)) return "must be valid UTF-8";
  if (relative.find('\\') != std::string_view::npos) return "must not contain backslash";
  return is_canonical(relative) ? nullptr : "is not canonical";
}

Result<std::vector<IndexedFile>, std::string> index_content(const std::vector<std::string>& files) {
  std::vector<IndexedFile> index;
  index.reserve(files.size());
  for (const std::string& file : files) {
    if (const char* problem = path_problem(file)) {
      return "content path " + quoted_path(file) + " " + problem;
    }
    index.push_back(index_file(file));
  }
  std::string duplicate = duplicate_problem(index);
  if (!duplicate.empty()) return duplicate;
  return index;
}

}  // namespace qip
