// index_content(): which request paths the files of a content folder answer to.
//
// Promises: every file has one canonical path and all its paths are told apart from those of other
// files, or the error names both files. Runs nothing, opens no file.
// Bounded: by the listing; n log n in its files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/site/folder.hpp"
#include "loader/result.hpp"

namespace qip {

struct IndexedFile {
  std::string file;                // relative path
  std::string media_type;          // of the source
  std::string canonical;           // without extension or trailing slash where there is such a path
  std::vector<std::string> paths;  // all, canonical first
};

// What is wrong with a relative path as a request path, as the end of a sentence: `is not
// canonical`. Null: nothing.
const char* path_problem(std::string_view relative);

// In the order of the files. Errors are sentences: `content path "<p>" must be valid UTF-8`, `must
// not contain backslash`, `is not canonical` (a control character in it counts as that);
// `duplicate route path "<path>" for "<file1>" and "<file2>"`.
Result<std::vector<IndexedFile>, std::string> index_content(const std::vector<std::string>& files);

}  // namespace qip
