// Reading grows the buffer by doubling, so that a small input costs little and a large one is
// linear; it ends at the input's end or at the limit.
#include "host/cached_run.hpp"

#include <errno.h>

#include <algorithm>

#include "host/files.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

constexpr uint64_t kFirstRead = 64 * 1024;

}  // namespace

Result<bool, HostError> read_ahead(PipelineInput& input, std::vector<uint8_t>& buffer,
                                   uint64_t most) {
  uint64_t used = 0;
  bool is_whole = input.fd < 0;
  while (!is_whole && used < most) {
    const uint64_t wanted = std::min(std::max(used, kFirstRead), most - used);
    if (buffer.size() < used + wanted) buffer.resize(used + wanted);
    const int64_t count = read_fully(input.fd, std::span(buffer).subspan(used, wanted));
    if (count < 0) {
      return file_error("Error reading input file: read " + input.name + ": " +
                        system_error_text(errno));
    }
    used += static_cast<uint64_t>(count);
    is_whole = static_cast<uint64_t>(count) < wanted;
  }
  input.bytes = std::span(buffer).first(used);
  if (is_whole) input.fd = -1;
  return is_whole;
}

std::string keep_result(ResultCache& cache, const CacheSlot& slot, const std::string& printed,
                        const PipelineOutput& output) {
  return cache.store(slot, printed, output.has_output(), output.output.result,
                     output.output.encoding, output.content_type, output.bytes());
}

}  // namespace qip
