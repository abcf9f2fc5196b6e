// The temporary file lies beside the target, so that it can take the target's name in one step.
#include "cli/recorder.hpp"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/text.hpp"

namespace qip {
namespace {

std::string failure_text(const char* action, const std::string& path, int error) {
  return "Error writing recording: " + std::string(action) + " " + escape_controls(path) + ": " +
         system_error_text(error);
}

}  // namespace

Recorder::~Recorder() {
  if (file_.is_open() && !temporary_.empty()) unlink(temporary_.c_str());
}

std::string Recorder::begin(const std::string& path) {
  path_ = path;
  mode_t mode = 0644;
  struct stat status;
  if (stat(path.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) {
      file_ = FileDescriptor(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
      if (!file_.is_open()) return failure_text("open", path_, errno);
      return write(std::string(kTicksRecorded) + "\n");
    }
    if (access(path.c_str(), W_OK) != 0) return failure_text("open", path_, errno);
    mode = status.st_mode & 0777;
    if (char* target = realpath(path.c_str(), nullptr)) {  // a link stays one
      path_ = target;
      free(target);
    }
  }
  temporary_ = path_ + "." + number_text(static_cast<uint64_t>(getpid())) + ".tmp";
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  file_ = FileDescriptor(open(temporary_.c_str(), flags, mode));
  if (!file_.is_open()) return failure_text("open", temporary_, errno);
  return write(std::string(kTicksRecorded) + "\n");
}

std::string Recorder::write(std::string_view text) {
  size_ += text.size();
  if (size_ > kMaxScriptBytes) {
    return "Error writing recording: " + escape_controls(path_) + ": is full";
  }
  const int error = write_fully(file_.number(), {}, text);
  return error == 0 ? "" : failure_text("write", path_, error);
}

std::string Recorder::add(int64_t now, std::span<const Event> events) {
  if (!file_.is_open()) return "";
  std::string text;
  for (Event event : events) {
    event.time = now;
    text += event_text(event);
  }
  if (events.empty()) text = event_text({.time = now, .kind = EventKind::Tick});
  return write(text);
}

std::string Recorder::end(int64_t now) {
  if (!file_.is_open()) return "";
  std::string problem = write(event_text({.time = now, .kind = EventKind::End}));
  if (!file_.close() && problem.empty()) problem = failure_text("close", path_, errno);
  if (temporary_.empty()) return problem;
  if (problem.empty() && rename(temporary_.c_str(), path_.c_str()) != 0) {
    problem = failure_text("rename", temporary_, errno);
  }
  if (!problem.empty()) unlink(temporary_.c_str());
  return problem;
}

}  // namespace qip
