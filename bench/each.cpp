// What `qip run --each` costs per file besides the component: many small files through a component
// that does next to nothing, on one core.
//
// Usage: each QIP MODULE [FILES]. Prints microseconds of wall time per file (medians of interleaved
// rounds), beside what the file system takes for the same work without any component (open, read,
// write a temporary file, rename), and the peak memory for few and for many files.
// Exit code 1 if anything fails.
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "spec-tests/process.hpp"

namespace {

namespace fs = std::filesystem;
using qip::ProcessOptions;
using qip::ProcessResult;

constexpr int kRounds = 7;
constexpr size_t kFewFiles = 100;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string file_name(size_t index) {
  char name[32];
  snprintf(name, sizeof name, "%06zu.txt", index);
  return name;
}

bool write_whole(const fs::path& path, const std::string& text) {
  FILE* file = fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool written = fwrite(text.data(), 1, text.size(), file) == text.size();
  return fclose(file) == 0 && written;
}

// The same traffic with the file system, in plain system calls.
bool copy_plainly(const std::string& from, const std::string& to) {
  const std::string temporary = to + ".new";
  char buffer[4096];
  const int in = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  const int out = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (in < 0 || out < 0) return false;
  const ssize_t count = read(in, buffer, sizeof buffer);
  const bool done = count >= 0 && write(out, buffer, static_cast<size_t>(count)) == count;
  close(in);
  return close(out) == 0 && rename(temporary.c_str(), to.c_str()) == 0 && done;
}

double copy_files(const fs::path& folder, size_t count) {
  const double start = qip::process_detail::now_seconds();
  for (size_t i = 0; i < count; i++) {
    if (!copy_plainly(folder / "in" / file_name(i), folder / "copy" / file_name(i))) return -1;
  }
  return qip::process_detail::now_seconds() - start;
}

ProcessResult run_each(const std::string& program, const std::string& module,
                       const fs::path& folder, size_t count) {
  std::vector<std::string> command = {program, "run", "--each", "-j", "1",
                                      "-o",    "out", module,   "--"};
  for (size_t i = 0; i < count; i++) command.push_back("in/" + file_name(i));
  ProcessOptions options;
  options.working_directory = folder;
  options.timeout_ms = 120'000;
  return run_process(command, options);
}

int fail(const std::string& message) {
  fprintf(stderr, "each: %s\n", message.c_str());
  return 1;
}

int measure(const std::string& program, const std::string& module, const fs::path& folder,
            size_t count) {
  for (const char* name : {"in", "copy"}) fs::create_directory(folder / name);
  for (size_t i = 0; i < count; i++) {
    if (!write_whole(folder / "in" / file_name(i), "file " + std::to_string(i))) {
      return fail("cannot write files");
    }
  }
  std::vector<double> times;
  std::vector<double> copies;
  long peak = 0;
  for (int round = 0; round < kRounds; round++) {
    const ProcessResult run = run_each(program, module, folder, count);
    if (run.exit_code != 0) return fail(run.error);
    times.push_back(run.seconds);
    peak = std::max(peak, run.peak_kilobytes);
    const double copied = copy_files(folder, count);
    if (copied < 0) return fail("cannot copy files");
    copies.push_back(copied);
    // Replacing files is another kind of work than making them.
    for (const char* name : {"out", "copy"}) fs::remove_all(folder / name);
    fs::create_directory(folder / "copy");
  }
  const ProcessResult few = run_each(program, module, folder, kFewFiles);
  const double scale = 1e6 / static_cast<double>(count);
  printf("%zu files, one thread, median of %d rounds\n", count, kRounds);
  printf("  qip run --each      %6.1f microseconds per file\n", median(times) * scale);
  printf("  plain file copies   %6.1f microseconds per file\n", median(copies) * scale);
  printf("  peak memory         %ld KB (%zu files: %ld KB)\n", peak, kFewFiles, few.peak_kilobytes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return fail("usage: each QIP MODULE [FILES]");
  const size_t count = argc > 3 ? strtoul(argv[3], nullptr, 10) : 10'000;
  // In memory where the system has such a folder: the disk is not what is measured.
  std::string name = fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path().string();
  name += "/qip-each-XXXXXX";
  if (mkdtemp(name.data()) == nullptr || count < kFewFiles) {
    return fail("no folder, or too few files");
  }
  const int code = measure(fs::absolute(argv[1]), fs::absolute(argv[2]), name, count);
  fs::remove_all(name);
  return code;
}
