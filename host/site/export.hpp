// export_site(): every page of a site as a file of a folder, of a tar archive, or as a record of a
// WARC file, byte for byte what a server would send.
//
// Promises: the result depends on the site alone, not on the number of threads or the clock; a page
// that fails is told and does not stop the others; a file appears whole or not at all, an archive
// only if every page could be made.
// Sources: POSIX.1-2017, pax (ustar interchange format, with extended headers for long names);
// the WARC file format 1.1.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"
#include "host/site/response.hpp"
#include "host/site/site.hpp"

namespace qip {

enum class ExportFormat : uint8_t { Folder, Tar, Warc };

struct ExportJob {
  ExportFormat format = ExportFormat::Folder;
  std::string output;              // a folder, a file, or "-" for stdout (archives)
  std::string host = "qip.local";  // of the URIs in a WARC file
  uint64_t date = 0;               // of its records: seconds since 1970, at most kLastWarcSecond
  unsigned threads = 1;
  const std::atomic<bool>* stop = nullptr;  // set: pages that have not begun are not made
};

struct ExportReport {
  size_t pages = 0;    // written
  uint64_t bytes = 0;  // of their bodies
  size_t failed = 0;
  // In the order of their paths, which they begin with: the first kMaxRememberedFailures.
  std::vector<HostError> failures;
  bool interrupted = false;  // nothing was written
};

// The file that a static server needs for a route: `/` is index.html, `/docs` is docs/index.html if
// its source is an index file, `/about` is about.html if it is HTML (and so is anything else whose
// name does not say that it is HTML); else the path as it is.
std::string export_name(const Route& route, std::string_view content_type);

// The head of the HTTP response that a server sends, but for its date and what is about the
// connection.
std::string http_head(const SiteResponse& response);

// Pages are written in the order of Site::listed(), the built-in scripts that they need behind
// them. An error: nothing was written.
Result<ExportReport, HostError> export_site(const Site& site, Responder& responder,
                                            const ExportJob& job);

}  // namespace qip
