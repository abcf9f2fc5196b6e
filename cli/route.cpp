// qip route: what a site answers, without a server: one response, the list of all paths, or all
// pages in files.
//
// Promises: paths are resolved and responses made by the code of the server. A response goes to
// stdout only if it is a good one.
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/stop_signal.hpp"
#include "host/files.hpp"
#include "host/numbers.hpp"
#include "host/site/archive.hpp"
#include "host/site/export.hpp"
#include "host/site/export_output.hpp"
#include "host/site/request_path.hpp"
#include "host/site/response.hpp"
#include "host/site/site.hpp"
#include "host/text.hpp"
#include "loader/error.hpp"

namespace qip {
namespace {

using SharedSite = std::shared_ptr<const Site>;

Result<SharedSite, HostError> load_site(const Options& options) {
  SiteOptions site;
  site.content = options.operands[1];
  if (options.recipes_path != nullptr) site.recipes = options.recipes_path;
  if (options.forms_path != nullptr) site.forms = options.forms_path;
  if (options.components_path != nullptr) site.components = options.components_path;
  site.mode = options.mode.value_or(SiteMode::Prod);
  site.limits = options.limits;
  return Site::load(site);
}

// --- get and head --------------------------------------------------------------------------------

void log_header(const char* name, const std::string& value) {
  log_line(std::string(name) + ": " + escape_controls(value));
}

void log_times(const ResponseTrace& trace) {
  if (trace.modules.empty()) return;
  log_line("instantiation: " + format_duration(trace.instantiation));
  for (const std::chrono::nanoseconds duration : trace.modules) {
    log_line("module: " + format_duration(duration));
  }
}

int write_body(const SiteResponse& response) {
  if (!response.file) {
    const int error = write_fully(STDOUT_FILENO, response.body);
    return error == 0 ? kSuccess : fail_to_write(error);
  }
  const int error = read_body(
      response, [](std::span<const uint8_t> part) { return write_fully(STDOUT_FILENO, part); });
  if (error == ENODATA) return fail_with("the file changed while it was read");
  return error == 0 ? kSuccess : fail_to_write(error);
}

int answer(const Options& options, bool with_body) {
  const Result<SharedSite, HostError> site = load_site(options);
  if (!site.ok()) return fail_with(site.error());
  const RequestPath request = parse_request_target(options.operands[2]);
  switch (request.verdict) {
    case TargetVerdict::Bad:
      return fail_with("400 Bad Request");
    case TargetVerdict::TooLong:
      return fail_with("414 URI Too Long");
    case TargetVerdict::Redirect:
      log_header("Location", request.location);
      return kSuccess;
    case TargetVerdict::Clean:
      break;
  }
  const Route* route = site.value()->find(request.path);
  if (route == nullptr) return fail_with("404 Not Found");

  Responder responder(0);
  ResponseTrace trace;
  const SharedResponse response = responder.make(*site.value(), *route, trace);
  if (options.verbose) log_times(trace);
  if (trace.error) return fail_with(*trace.error);
  if (response->status != 200) return fail_with("500 Internal Server Error");
  log_header("Content-Type", response->content_type);
  if (!response->etag.empty()) log_header("ETag", response->etag);
  log_header("Content-Length", number_text(response->size()));
  return with_body ? write_body(*response) : kSuccess;
}

// --- list ----------------------------------------------------------------------------------------

// What a route most likely is, without running anything, and without parameters.
std::string_view listed_type(const Route& route) {
  if (route.chain != nullptr) {
    const ContentType& declared = route.chain->declared_output;
    if (declared) return *declared;
    if (route.media_type == "text/markdown") return "text/html";
  }
  return route.media_type;
}

int list(const Options& options) {
  const Result<SharedSite, HostError> site = load_site(options);
  if (!site.ok()) return fail_with(site.error());
  std::string text;
  for (const Route* route : site.value()->listed()) {
    const std::string path = encode_path(route->path);
    const std::string_view type = listed_type(*route);
    for (const char* method : {"GET  ", "HEAD "}) {
      text.append(method).append(path).append("  ").append(type).append("\n");
    }
  }
  return print(text);
}

// --- export --------------------------------------------------------------------------------------

std::string pages_text(uint64_t count) {
  return number_text(count) + (count == 1 ? " page" : " pages");
}

int report(const ExportReport& result, const Options& options) {
  if (options.verbose) {
    log_line(pages_text(result.pages) + ", " + number_text(result.bytes) + " bytes");
  }
  if (result.failed > 0) {
    std::string text = pages_text(result.failed) + " failed:";
    for (const HostError& error : result.failures)
      text += "\n  " + error.message + error.call_stack;
    if (result.failed > result.failures.size()) {
      text += "\n  and " + number_text(result.failed - result.failures.size()) + " more";
    }
    fail_with(text);
  }
  if (result.interrupted) {
    fail_with("interrupted: nothing was written");
    return kInterrupted;
  }
  return result.failed > 0 ? kFailure : kSuccess;
}

// The date of archives that are to be the same whenever they are made. False: it is none.
// Source: reproducible-builds.org, the specification of SOURCE_DATE_EPOCH.
bool read_archive_date(uint64_t& date) {
  const char* text = getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return true;
  const std::optional<uint64_t> seconds = parse_digits(text, 10);
  if (!seconds || *seconds > kLastWarcSecond) return false;
  date = *seconds;
  return true;
}

int export_pages(const Options& options) {
  if (options.output_path == nullptr)
    return fail_with("qip route export needs -o <folder or file>");
  if (options.tar && options.warc) return fail_with("--tar and --warc exclude each other");
  ExportJob job;
  if (options.tar) job.format = ExportFormat::Tar;
  if (options.warc) job.format = ExportFormat::Warc;
  job.output = options.output_path;
  if (job.format == ExportFormat::Folder && job.output == "-") {
    return fail_with("-o - needs --tar or --warc");
  }
  if (options.host != nullptr) job.host = options.host;
  if (!read_archive_date(job.date)) {
    return fail_with("Invalid SOURCE_DATE_EPOCH: " +
                     escape_controls(getenv("SOURCE_DATE_EPOCH"), kNameLimit));
  }
  job.threads = thread_count(options);

  const Result<SharedSite, HostError> site = load_site(options);
  if (!site.ok()) return fail_with(site.error());
  job.stop = &stop_on_signals();
  Responder responder(0);  // each page is made once
  const Result<ExportReport, HostError> result = export_site(*site.value(), responder, job);
  return result.ok() ? report(result.value(), options) : fail_with(result.error());
}

}  // namespace

int route_command(const Command& command, const Options& options) {
  const std::vector<const char*>& operands = options.operands;
  const std::string_view action = operands.empty() ? "" : operands[0];
  const bool is_answer = action == "get" || action == "head";
  const bool is_known = is_answer || action == "list" || action == "export";
  if (!is_known && !operands.empty()) {
    return fail_with("qip route has no " + quoted(action) + ", but get, head, list and export");
  }
  if (!is_known || operands.size() != (is_answer ? 3 : 2)) return fail_with(usage_line(command));

  const auto start = std::chrono::steady_clock::now();
  if (action != "export" &&
      (options.output_path != nullptr || options.tar || options.warc || options.host != nullptr)) {
    return fail_with("-o, --tar, --warc and --host belong to qip route export");
  }
  const int code = action == "export" ? export_pages(options)
                   : action == "list" ? list(options)
                                      : answer(options, action == "get");
  if (options.verbose) log_command_time(start);
  return code;
}

}  // namespace qip
