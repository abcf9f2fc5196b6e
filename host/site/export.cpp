// Exports. Workers take the next page from a counter. A folder takes pages as they come and names
// them at the end; an archive takes them in order, by whichever thread has the next one, and a
// window of finished pages bounds what waits. Ends: the counter only grows, and the page that all
// others wait for is always with a thread that does not wait.
#include "host/site/export.hpp"

#include <errno.h>
#include <pthread.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "host/batch.hpp"
#include "host/condition.hpp"
#include "host/digest.hpp"
#include "host/site/archive.hpp"
#include "host/site/elements.hpp"
#include "host/site/export_output.hpp"
#include "host/site/media_type.hpp"
#include "host/site/request_path.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

// Of finished pages that wait for their turn. Some hold an open file instead of bytes.
constexpr uint64_t kMostWaitingBytes = uint64_t{64} << 20;
constexpr size_t kMostWaitingPages = 4096;
constexpr size_t kMostWaitingFiles = 16;

bool is_index_file(std::string_view file) {
  std::string name(file.substr(file.rfind('/') + 1));  // npos + 1 is 0
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name == "index.html" || name == "index.md" || name == "index.markdown";
}

// The host of a URI: a name or an address, and perhaps a port.
bool is_host(std::string_view text) {
  const auto belongs = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), belongs);
}

// A page that was made.
struct Page {
  SharedResponse response;
  std::string head;  // what stands before the body in an archive
  std::unique_ptr<BodyWatch> watch;

  uint64_t held_bytes() const { return response == nullptr ? 0 : response->body.size(); }
  size_t held_files() const { return response != nullptr && response->file ? 1 : 0; }
};

constexpr const char* kChanged = "the file changed while it was read";

class SiteExport {
 public:
  SiteExport(const Site& site, Responder& responder, const ExportJob& job)
      : site_(site), responder_(responder), job_(job), sources_(site), warc_(job.date) {}

  Result<ExportReport, HostError> run();

 private:
  bool is_archive() const { return job_.format != ExportFormat::Folder; }
  std::string open();
  void make_all();
  void add_scripts();
  std::string finish();

  static void* work_in_thread(void* work) {
    static_cast<SiteExport*>(work)->work();
    return nullptr;
  }
  void work();
  bool is_stopped() const {
    return (job_.stop != nullptr && job_.stop->load(std::memory_order_relaxed)) ||
           is_broken_.load(std::memory_order_relaxed);
  }
  bool wait_for_turn(size_t index);
  void make(size_t index, MemoryPool* pool);
  MaybeError fill_head(size_t index, Page& page) const;
  void hand_over(size_t index, Page page);
  void write_waiting(std::unique_lock<std::mutex>& lock);
  std::string write(size_t index, const Page& page) const;
  void fail(size_t index, HostError error);
  void break_off(std::string reason);
  std::string find_clash() const;

  const Site& site_;
  Responder& responder_;
  const ExportJob& job_;
  const SourceFolders sources_;
  const WarcFormat warc_;
  std::unique_ptr<ExportFolder> folder_;  // one of these

  std::unique_ptr<ExportFile> file_;

  std::vector<const Route*> routes_;
  std::vector<std::string> names_;  // of files; empty: the page failed. Each by one thread
  std::atomic<size_t> next_{0};
  std::atomic<uint8_t> elements_{0};
  std::atomic<bool> is_broken_{false};

  std::mutex mutex_;  // of what follows
  Condition turn_;
  std::map<size_t, Page> waiting_;
  uint64_t waiting_bytes_ = 0;
  size_t waiting_files_ = 0;
  size_t next_to_write_ = 0;
  bool is_writing_ = false;
  std::string broken_reason_;
  std::map<size_t, HostError> failures_;
  ExportReport report_;
};

// --- Making pages --------------------------------------------------------------------------------

// Threads that the system refuses are done without.
void SiteExport::make_all() {
  std::vector<pthread_t> helpers;
  const size_t wanted = std::min<size_t>(job_.threads, routes_.size());
  for (size_t i = 1; i < wanted; i++) {
    pthread_t helper;
    if (pthread_create(&helper, nullptr, work_in_thread, this) == 0) helpers.push_back(helper);
  }
  work();
  for (const pthread_t helper : helpers) pthread_join(helper, nullptr);
}

void SiteExport::work() {
  size_t longest = 0;
  for (const Route* route : routes_) {
    if (route->chain != nullptr) longest = std::max(longest, route->chain->stages.size());
  }
  MemoryPool pool(longest);
  for (;;) {
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= routes_.size()) return;
    if (!wait_for_turn(index)) break;
    make(index, &pool);
  }
  // Those that wait look whether it stops. One that has just looked holds the mutex.
  const std::lock_guard lock(mutex_);
  turn_.notify_all();
}

// False: the export stops.
bool SiteExport::wait_for_turn(size_t index) {
  std::unique_lock lock(mutex_);
  const auto may_go_on = [&] {
    const bool has_room = waiting_.size() < kMostWaitingPages &&
                          waiting_bytes_ < kMostWaitingBytes && waiting_files_ < kMostWaitingFiles;
    return is_stopped() || has_room || index == next_to_write_;
  };
  while (!may_go_on()) turn_.wait(lock);
  return !is_stopped();
}

void SiteExport::make(size_t index, MemoryPool* pool) {
  const Route& route = *routes_[index];
  ResponseTrace trace;
  Page page;
  page.response = responder_.make(site_, route, trace, pool);
  if (page.response->status != 200) {
    HostError error = trace.error ? std::move(*trace.error) : file_error("no response");
    return fail(index, std::move(error));
  }
  elements_.fetch_or(page.response->elements, std::memory_order_relaxed);
  names_[index] = export_name(route, page.response->content_type);
  page.watch = std::make_unique<BodyWatch>(*page.response);
  if (is_archive()) {
    if (MaybeError failure = fill_head(index, page)) return fail(index, std::move(*failure));
    return hand_over(index, std::move(page));
  }
  const int error = folder_->keep(index, *page.response);
  if (error == ENODATA || (error == 0 && !page.watch->is_unchanged())) {
    return fail(index, file_error(kChanged));
  }
  if (error != 0) return break_off("write " + job_.output + ": " + system_error_text(error));
  const std::lock_guard lock(mutex_);
  report_.pages++;
  report_.bytes += page.response->size();
}

MaybeError SiteExport::fill_head(size_t index, Page& page) const {
  const SiteResponse& response = *page.response;
  if (job_.format == ExportFormat::Tar) {
    page.head = tar_header(names_[index], response.size());
    return std::nullopt;
  }
  const std::string http = http_head(response);
  const std::string uri = "http://" + job_.host + encode_path(routes_[index]->path);
  Sha256 block;
  Sha256 payload;
  block.update({reinterpret_cast<const uint8_t*>(http.data()), http.size()});
  const int error = read_body(response, [&](std::span<const uint8_t> part) {
    block.update(part);
    payload.update(part);
    return 0;
  });
  if (error != 0) return file_error(kChanged);
  page.head = warc_.response_record({uri, http, response.size(), block.digest(), payload.digest()});
  return std::nullopt;
}

void SiteExport::fail(size_t index, HostError error) {
  error.message = escape_controls(routes_[index]->path) + ": " + error.message;
  names_[index].clear();
  {
    const std::lock_guard lock(mutex_);
    report_.failed++;
    failures_.emplace(index, std::move(error));
    if (failures_.size() > kMaxRememberedFailures) failures_.erase(std::prev(failures_.end()));
  }
  if (is_archive()) hand_over(index, {});
}

void SiteExport::break_off(std::string reason) {
  const std::lock_guard lock(mutex_);
  if (broken_reason_.empty()) broken_reason_ = std::move(reason);
  is_broken_.store(true, std::memory_order_relaxed);
  turn_.notify_all();
}

// --- Writing an archive --------------------------------------------------------------------------

// A page without a response failed.
void SiteExport::hand_over(size_t index, Page page) {
  std::unique_lock lock(mutex_);
  waiting_bytes_ += page.held_bytes();
  waiting_files_ += page.held_files();
  waiting_.emplace(index, std::move(page));
  if (!is_writing_) write_waiting(lock);
}

// One thread at a time; the others go on making pages meanwhile.
void SiteExport::write_waiting(std::unique_lock<std::mutex>& lock) {
  is_writing_ = true;
  while (!waiting_.empty() && waiting_.begin()->first == next_to_write_ && !is_broken_) {
    const Page page = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    // After a failure there will be no archive, but all failures are to be told.
    if (page.response != nullptr && report_.failed == 0) {
      lock.unlock();
      std::string failure = write(next_to_write_, page);
      lock.lock();
      report_.pages++;
      report_.bytes += page.response->size();
      if (!failure.empty()) {
        broken_reason_ = std::move(failure);
        is_broken_ = true;
      }
    }
    waiting_bytes_ -= page.held_bytes();
    waiting_files_ -= page.held_files();
    next_to_write_++;
    turn_.notify_all();
  }
  is_writing_ = false;
}

std::string SiteExport::write(size_t index, const Page& page) const {
  std::string failure = file_->write(page.head);
  if (!failure.empty()) return failure;
  const int error = copy_body(*page.response, file_->number());
  if (error == ENODATA || (error == 0 && !page.watch->is_unchanged())) {
    return escape_controls(routes_[index]->path) + ": " + kChanged;
  }
  if (error != 0) return "write " + file_->name() + ": " + system_error_text(error);
  return file_->write(job_.format == ExportFormat::Tar ? tar_padding(page.response->size())
                                                       : WarcFormat::record_end());
}

// --- The whole -----------------------------------------------------------------------------------

std::string SiteExport::open() {
  if (!is_host(job_.host)) return "Invalid host: " + escape_controls(job_.host);
  if (!is_archive()) {
    Result<ExportFolder, std::string> folder = ExportFolder::open(job_.output, sources_);
    if (!folder.ok()) return folder.error();
    folder_ = std::make_unique<ExportFolder>(std::move(folder.value()));
    return "";
  }
  Result<ExportFile, std::string> file = ExportFile::open(job_.output, sources_);
  if (!file.ok()) return file.error();
  file_ = std::make_unique<ExportFile>(std::move(file.value()));
  return job_.format == ExportFormat::Warc ? file_->write(warc_.info_record()) : "";
}

// The built-in scripts that the pages need, in the order of their names.
void SiteExport::add_scripts() {
  const uint8_t used = elements_.load(std::memory_order_relaxed);
  std::set<std::string_view> needed;
  for (const BuiltInScript& script : built_in_scripts()) {
    if ((script.needed_by & used) != 0) needed.insert(script.name);
  }
  std::vector<const Route*> scripts;
  for (const Route& route : site_.routes()) {
    if (route.kind == RouteKind::Script && needed.contains(route.file)) scripts.push_back(&route);
  }
  std::sort(scripts.begin(), scripts.end(),
            [](const Route* left, const Route* right) { return left->path < right->path; });
  routes_.insert(routes_.end(), scripts.begin(), scripts.end());
  names_.resize(routes_.size());
}

// Two pages that would be one file, or one that would be a file and a folder.
std::string SiteExport::find_clash() const {
  std::map<std::string_view, size_t> pages;
  const auto text = [&](size_t one, size_t other, std::string_view name) {
    return escape_controls(routes_[one]->path) + " and " + escape_controls(routes_[other]->path) +
           " would both be written to " + escape_controls(name);
  };
  for (size_t i = 0; i < names_.size(); i++) {
    if (names_[i].empty()) continue;
    const auto [found, is_new] = pages.emplace(names_[i], i);
    if (!is_new) return text(found->second, i, names_[i]);
  }
  for (const auto& [name, index] : pages) {
    for (size_t slash = name.find('/'); slash != name.npos; slash = name.find('/', slash + 1)) {
      const auto found = pages.find(name.substr(0, slash));
      if (found != pages.end()) return text(found->second, index, found->first);
    }
  }
  return "";
}

std::string SiteExport::finish() {
  if (!is_archive()) {
    for (size_t i = 0; i < names_.size(); i++) {
      if (names_[i].empty()) continue;
      std::string failure = folder_->place(i, names_[i], sources_);
      if (!failure.empty()) return failure;
    }
    folder_->finish();
    return "";
  }
  std::string failure;
  if (job_.format == ExportFormat::Tar) failure = file_->write(tar_end());
  return failure.empty() ? file_->finish() : failure;
}

Result<ExportReport, HostError> SiteExport::run() {
  std::string failure = open();
  if (!failure.empty()) return file_error("Error writing export: " + failure);
  routes_ = site_.listed();
  names_.resize(routes_.size());
  make_all();
  if (!is_stopped()) {
    const size_t pages = routes_.size();
    add_scripts();
    for (size_t i = pages; i < routes_.size() && !is_stopped(); i++) make(i, nullptr);
  }
  if (is_broken_) return file_error("Error writing export: " + broken_reason_);
  for (auto& [index, error] : failures_) report_.failures.push_back(std::move(error));
  report_.interrupted = is_stopped();
  if (job_.format != ExportFormat::Warc) {
    failure = find_clash();
    if (!failure.empty()) return file_error(failure);
  }
  if (report_.interrupted || (is_archive() && report_.failed > 0)) {
    report_.pages = 0;
    report_.bytes = 0;
    return std::move(report_);
  }
  failure = finish();
  if (!failure.empty()) return file_error("Error writing export: " + failure);
  return std::move(report_);
}

}  // namespace

std::string export_name(const Route& route, std::string_view content_type) {
  if (route.path == "/") return "index.html";
  std::string name = route.path.substr(1);
  if (route.kind != RouteKind::Content) return name;
  if (is_index_file(route.file)) return name + "/index.html";
  if (is_html(content_type) && media_type_of_name(name) != "text/html") name += ".html";
  return name;
}

std::string http_head(const SiteResponse& response) {
  std::string head = "HTTP/1.1 200 OK\r\n";
  const auto append = [&head](const char* name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  append("Content-Type", response.content_type);
  if (!response.etag.empty()) append("ETag", response.etag);
  append("Cache-Control", "no-cache");
  append("X-Content-Type-Options", "nosniff");
  append("Content-Length", number_text(response.size()));
  return head.append("\r\n");
}

Result<ExportReport, HostError> export_site(const Site& site, Responder& responder,
                                            const ExportJob& job) {
  return SiteExport(site, responder, job).run();
}

}  // namespace qip
