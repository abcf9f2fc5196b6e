// Making a response: the source is read once, as a whole and as it is at one moment; everything
// else follows from its bytes. A file that changes while it is read is read again a few times, and
// then taken as it came, without its metadata being remembered.
#include "host/site/response.hpp"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "host/pipeline.hpp"
#include "host/site/elements.hpp"
#include "host/site/media_type.hpp"
#include "host/site/response_cache.hpp"
#include "host/text.hpp"
#include "loader/error.hpp"

namespace qip {
namespace {

// Goes up when other bytes are made of the same source, components and forms.
constexpr std::string_view kTagVersion = "qip-etag 1 ";
constexpr int kReadAttempts = 4;

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
std::string_view text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::vector<uint8_t> copied(std::span<const uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

// --- What decides a response ---------------------------------------------------------------------

SourceDigest digest_of(std::span<const uint8_t> bytes) {
  Xxh3 digest;
  digest.update(bytes);
  return {digest.digest(), bytes.size()};
}

ResponseKey key_of(const Site& site, const Route& route, const SourceDigest& source) {
  Xxh3 making;
  const auto kind = static_cast<uint8_t>(route.kind);
  making.update({&kind, 1});
  making.update(site.surroundings());
  // Up to the zero byte, so that its end cannot be mistaken.
  making.update(
      {reinterpret_cast<const uint8_t*>(route.media_type.c_str()), route.media_type.size() + 1});
  if (route.chain != nullptr) {
    for (const Xxh3Digest& module : route.chain->digests) making.update(module);
  }
  return {source, making.digest()};
}

// `forms`: of the forms on the page, in the order of their names.
std::string entity_tag(const Site& site, const Route& route, const SourceDigest& source,
                       std::span<const Xxh3Digest> forms) {
  Xxh3 tag;
  tag.update(bytes_of(kTagVersion));
  tag.update(bytes_of(site.options().mode == SiteMode::Dev ? "dev\n" : "prod\n"));
  tag.update(source.digest);
  if (route.chain != nullptr) {
    for (const Xxh3Digest& module : route.chain->digests) tag.update(module);
  }
  for (const Xxh3Digest& form : forms) tag.update(form);
  return "\"" + hex_text(tag.digest()) + "\"";
}

// --- Sources -------------------------------------------------------------------------------------

// A file that is sent as it is, and not held in memory.
bool is_sent_from_file(const Route& route, uint64_t size) {
  return size > kMostHeldBytes && route.chain == nullptr && !is_html(route.media_type);
}

struct Source {
  SourceDigest digest;
  std::vector<uint8_t> bytes;
  std::optional<FileDescriptor> file;  // instead of `bytes`
};

// Of a file that is too large to be held.
Result<SourceDigest, HostError> digest_of_file(const FileDescriptor& file, const Route& route) {
  constexpr size_t kBytesAtOnce = 256 * 1024;
  std::vector<uint8_t> buffer(kBytesAtOnce);
  Xxh3 digest;
  for (uint64_t size = 0;;) {
    const int64_t count = read_fully(file.number(), buffer);
    if (count < 0) {
      return file_error("read " + escape_controls(route.file) + ": " + system_error_text(errno));
    }
    const auto part = std::span(buffer).first(static_cast<size_t>(count));
    digest.update(part);
    size += part.size();
    if (part.size() < buffer.size()) return SourceDigest{digest.digest(), size};
  }
}

Result<Source, HostError> read_opened(OpenedFile opened, const Route& route) {
  Source source;
  if (is_sent_from_file(route, opened.stamp.size)) {
    const Result<SourceDigest, HostError> digest = digest_of_file(opened.file, route);
    if (!digest.ok()) return digest.error();
    source.digest = digest.value();
    source.file = std::move(opened.file);
    return source;
  }
  Result<std::vector<uint8_t>, std::string> bytes =
      read_whole(opened.file.number(), escape_controls(route.file), kMostSourceBytes);
  if (!bytes.ok()) return file_error(std::move(bytes.error()));
  source.bytes = std::move(bytes.value());
  source.digest = digest_of(source.bytes);
  return source;
}

Result<Source, HostError> read_file(const Site& site, const Route& route, ResponseCache& cache) {
  const SiteFolder& folder = site.folder_of(route);
  for (int attempt = 1;; attempt++) {
    const int64_t read_at = wall_clock_nanoseconds();
    Result<OpenedFile, std::string> opened = folder.open_file(route.file);
    if (!opened.ok()) return file_error(std::move(opened.error()));
    const FileStamp stamp = opened.value().stamp;
    Result<Source, HostError> source = read_opened(std::move(opened.value()), route);
    if (!source.ok()) return source;
    const Result<FileStamp, std::string> after = folder.stamp(route.file);
    const bool is_unchanged = after.ok() && after.value() == stamp;
    if (is_unchanged && is_settled(stamp, read_at) &&
        (cache.keeps_responses() || source.value().file)) {
      cache.keep_source(stamp, source.value().digest);
    }
    if (is_unchanged || attempt == kReadAttempts) return source;
  }
}

std::string_view script_text(const Route& route) {
  for (const BuiltInScript& script : built_in_scripts()) {
    if (script.name == route.file) return script.text;
  }
  return {};
}

Result<Source, HostError> read_source(const Site& site, const Route& route, ResponseCache& cache) {
  if (route.kind != RouteKind::Script) return read_file(site, route, cache);
  Source source;
  source.bytes = copied(bytes_of(script_text(route)));
  source.digest = digest_of(source.bytes);
  return source;
}

// --- Chains --------------------------------------------------------------------------------------

class TracingObserver : public PipelineObserver {
 public:
  explicit TracingObserver(ResponseTrace& trace) : trace_(trace) {}

  void on_instance(size_t) override { trace_.instantiation += since_last(); }
  void on_input(std::span<const uint8_t>) override {}
  void on_output(size_t, const StageOutput&) override { trace_.modules.push_back(since_last()); }
  void on_image(size_t, const Image&) override { trace_.modules.push_back(since_last()); }
  MaybeError on_result(size_t, uint32_t) override {
    trace_.modules.push_back(since_last());
    return std::nullopt;
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::chrono::nanoseconds since_last() {
    const Clock::time_point now = Clock::now();
    return now - std::exchange(last_, now);
  }

  ResponseTrace& trace_;
  Clock::time_point last_ = Clock::now();
};

// Fills in body and content type.
MaybeError run_chain(const Site& site, const Route& route, std::span<const uint8_t> source,
                     ResponseTrace& trace, MemoryPool* pool, SiteResponse& response) {
  RunLimits limits = site.options().limits;
  limits.max_output_bytes = limits.max_output_bytes.value_or(kMostOutputBytes);
  TimedBudget budget(limits);
  TracingObserver observer(trace);
  PipelineInput input;
  input.bytes = source;
  input.name = route.file;
  input.content_type = route.media_type;
  const Result<PipelineOutput, HostError> output = run_pipeline(
      route.chain->stages, input, budget, observer, {.trust = FirstStageTrust::None, .pool = pool});
  if (!output.ok()) return output.error();

  const PipelineOutput& made = output.value();
  BodyOrigin origin{.source_type = route.media_type, .ran_chain = true, .declared = {}};
  origin.encoding = made.output.encoding;
  if (made.is_type_declared) origin.declared = made.content_type;
  response.content_type = response_content_type(origin, made.bytes());
  const bool is_items = made.output.bytes && made.output.encoding == Encoding::I32;
  response.body = is_items ? copied(bytes_of(item_lines(made.bytes()))) : copied(made.bytes());
  return std::nullopt;
}

// --- Pages ---------------------------------------------------------------------------------------

Result<std::vector<Xxh3Digest>, HostError> find_forms(const Site& site,
                                                      const std::vector<std::string>& names) {
  std::vector<Xxh3Digest> digests;
  for (const std::string& name : names) {
    if (!site.has_forms()) {
      return contract_error(
          "qip-form tags detected, but no form modules are loaded (pass --forms <forms_dir>)");
    }
    const SiteModule* form = site.form(name);
    if (form == nullptr) {
      return contract_error("qip-form name " + quoted(name) + " has no matching module in --forms");
    }
    digests.push_back(form->digest);
  }
  return digests;
}

// Puts the scripts in that a page needs. Returns the digests of its forms.
Result<std::vector<Xxh3Digest>, HostError> complete_page(const Site& site, SiteResponse& response) {
  const std::string_view page = text_of(response.body);
  const Result<PageElements, std::string> elements = find_page_elements(page);
  if (!elements.ok()) return contract_error(elements.error());
  Result<std::vector<Xxh3Digest>, HostError> forms = find_forms(site, elements.value().form_names);
  if (!forms.ok()) return forms;
  response.elements = elements.value().kinds;
  std::string script = element_script(elements.value());
  // What is empty stays empty.
  if (site.options().mode == SiteMode::Dev && !page.empty()) script += reload_script();
  if (!script.empty()) response.body = copied(bytes_of(inject_script(page, script)));
  return forms;
}

// Fills in body and content type. Only what people put into the content is told by its bytes.
void send_source(const Route& route, Source source, SiteResponse& response) {
  const BodyOrigin origin{.source_type = route.media_type, .declared = {}};
  const bool is_content = route.kind == RouteKind::Content;
  response.content_type = response_content_type(
      origin, is_content ? std::span<const uint8_t>(source.bytes) : std::span<const uint8_t>());
  response.body = std::move(source.bytes);
  response.file = std::move(source.file);
  if (response.file) response.file_size = source.digest.size;
}

SharedResponse file_response(const Site& site, const Route& route, Source source) {
  auto response = std::make_shared<SiteResponse>();
  response->etag = entity_tag(site, route, source.digest, {});
  send_source(route, std::move(source), *response);
  return response;
}

}  // namespace

// --- Responder -----------------------------------------------------------------------------------

struct Responder::State {
  explicit State(uint64_t cache_bytes) : cache(cache_bytes) {}

  Result<SharedResponse, HostError> make(const Site& site, const Route& route, ResponseTrace& trace,
                                         MemoryPool* pool);
  Result<SharedResponse, HostError> make_from(const Site& site, const Route& route, Source source,
                                              ResponseTrace& trace, MemoryPool* pool);

  ResponseCache cache;
};

Result<SharedResponse, HostError> Responder::State::make(const Site& site, const Route& route,
                                                         ResponseTrace& trace, MemoryPool* pool) {
  Result<Source, HostError> source = read_source(site, route, cache);
  if (!source.ok()) return std::move(source.error());
  if (source.value().file) return file_response(site, route, std::move(source.value()));
  const ResponseKey key = key_of(site, route, source.value().digest);
  if (SharedResponse kept = cache.find(key)) return kept;
  Result<SharedResponse, HostError> made =
      make_from(site, route, std::move(source.value()), trace, pool);
  if (made.ok()) cache.keep(key, made.value());
  return made;
}

Result<SharedResponse, HostError> Responder::State::make_from(const Site& site, const Route& route,
                                                              Source source, ResponseTrace& trace,
                                                              MemoryPool* pool) {
  const SourceDigest digest = source.digest;
  auto response = std::make_shared<SiteResponse>();
  if (route.chain == nullptr) {
    send_source(route, std::move(source), *response);
  } else if (MaybeError failure = run_chain(site, route, source.bytes, trace, pool, *response)) {
    return std::move(*failure);
  }
  std::vector<Xxh3Digest> forms;
  if (is_html(response->content_type)) {
    Result<std::vector<Xxh3Digest>, HostError> found = complete_page(site, *response);
    if (!found.ok()) return std::move(found.error());
    forms = std::move(found.value());
  }
  response->etag = entity_tag(site, route, digest, forms);
  return SharedResponse(std::move(response));
}

Responder::Responder(uint64_t cache_bytes) : state_(std::make_unique<State>(cache_bytes)) {}

Responder::~Responder() = default;

SharedResponse Responder::find(const Site& site, const Route& route) {
  ResponseCache& cache = state_->cache;
  if (route.kind == RouteKind::Script) {
    return cache.find(key_of(site, route, digest_of(bytes_of(script_text(route)))));
  }
  const SiteFolder& folder = site.folder_of(route);
  const Result<FileStamp, std::string> stamp = folder.stamp(route.file);
  if (!stamp.ok()) return nullptr;
  const std::optional<SourceDigest> known = cache.find_source(stamp.value());
  if (!known) return nullptr;
  if (!is_sent_from_file(route, stamp.value().size)) return cache.find(key_of(site, route, *known));
  Result<OpenedFile, std::string> opened = folder.open_file(route.file);
  if (!opened.ok() || opened.value().stamp != stamp.value()) return nullptr;
  return file_response(site, route, {*known, {}, std::move(opened.value().file)});
}

SharedResponse Responder::make(const Site& site, const Route& route, ResponseTrace& trace,
                               MemoryPool* pool) {
  Result<SharedResponse, HostError> made = state_->make(site, route, trace, pool);
  if (made.ok()) return std::move(made.value());
  trace.error = std::move(made.error());
  return std::make_shared<SiteResponse>(
      error_response(*trace.error, site.options().mode, std::chrono::system_clock::now()));
}

uint64_t Responder::held_bytes() const {
  return state_->cache.held_bytes();
}

// --- Errors --------------------------------------------------------------------------------------

namespace {

std::string html_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace

SiteResponse error_response(const HostError& error, SiteMode mode,
                            std::chrono::system_clock::time_point now) {
  SiteResponse response;
  response.status = 500;
  if (mode == SiteMode::Prod) {
    response.content_type = "text/plain; charset=utf-8";
    response.body = copied(bytes_of("500 internal server error\n"));
    return response;
  }
  response.content_type = "text/html; charset=utf-8";
  std::string page =
      "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
      "<title>qip dev error</title></head>\n<body>\n<pre>";
  page += date_time_text(static_cast<uint64_t>(std::chrono::system_clock::to_time_t(now))) + "\n" +
          html_text(error.message) + html_text(error.call_stack);
  page.append("</pre>\n").append(reload_script()).append("</body>\n</html>\n");
  response.body = copied(bytes_of(page));
  return response;
}

// --- If-None-Match -------------------------------------------------------------------------------

namespace {

std::string_view without_spaces(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

bool is_tag_character(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte == 0x21 || (byte >= 0x23 && byte <= 0x7E) || byte >= 0x80;
}

// Takes an entity tag from the front of `text`, and returns its opaque part with the quotes. Empty:
// there is none.
std::string_view take_tag(std::string_view& text) {
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (!text.starts_with('"')) return {};
  size_t end = 1;
  while (end < text.size() && is_tag_character(text[end])) end++;
  if (end == text.size() || text[end] != '"') return {};
  const std::string_view tag = text.substr(0, end + 1);
  text.remove_prefix(end + 1);
  return tag;
}

}  // namespace

// Tags are compared weakly: `W/` says nothing. A list may have empty places.
bool none_match_names(std::string_view header, std::string_view etag) {
  std::string_view rest = without_spaces(header);
  if (etag.empty()) return false;
  if (rest == "*") return true;
  bool is_named = false;
  while (!rest.empty()) {
    if (rest[0] != ',') {
      const std::string_view tag = take_tag(rest);
      if (tag.empty()) return false;
      if (tag == etag) is_named = true;
      rest = without_spaces(rest);
      if (rest.empty()) break;
      if (rest[0] != ',') return false;
    }
    rest = without_spaces(rest.substr(1));
  }
  return is_named;
}

}  // namespace qip
