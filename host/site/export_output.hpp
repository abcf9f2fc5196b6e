// Where an export goes: a folder of files, or one file.
//
// Promises: nothing that was there changes before place() or finish(); what is not placed is
// removed again, and so is a folder that was made for nothing (a killed process leaves both).
// Beneath the folder no symbolic link is followed, and no folder that the site is made of is ever
// written to, however it is reached. Bounded: one temporary file per page, or one in all. Errors
// are sentences.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "host/files.hpp"
#include "host/site/response.hpp"
#include "host/site/site.hpp"
#include "loader/result.hpp"

namespace qip {

// The folders that a site is made of.
class SourceFolders {
 public:
  explicit SourceFolders(const Site& site);

  // What is wrong with writing to this folder itself.
  std::string refuse(int folder, const std::string& name) const;
  // The same for it and every folder that it is in.
  std::string refuse_with_parents(int folder, const std::string& name) const;

 private:
  std::set<FileIdentity> identities_;
};

// A body that is to be copied: tells whether its file was changed since the response was made.
class BodyWatch {
 public:
  // The response outlives this.
  explicit BodyWatch(const SiteResponse& response);
  bool is_unchanged() const;

 private:
  const SiteResponse& response_;
  struct stat before_ = {};
};

// Returns 0 or an errno value, which ends the reading.
using BodyTaker = std::function<int(std::span<const uint8_t> part)>;
// Gives the whole body to `take`, part by part. Returns 0, an errno value, or ENODATA if the file
// has become shorter.
int read_body(const SiteResponse& response, const BodyTaker& take);
// Writes the whole body. The same errors.
int copy_body(const SiteResponse& response, int to);

class ExportFolder {
 public:
  // Makes the folder if it is not there.
  static Result<ExportFolder, std::string> open(const std::string& path,
                                                const SourceFolders& sources);
  ExportFolder(ExportFolder&&) noexcept = default;
  ~ExportFolder();

  // Keeps a page under a number of its own until it is placed. Errors are copy_body()'s. Any number
  // of threads.
  int keep(size_t number, const SiteResponse& response) const;
  // Gives it its name, a clean relative path; what has the name is replaced. One thread.
  std::string place(size_t number, const std::string& name, const SourceFolders& sources);
  // The folder stays, even if no page was placed.
  void finish() { made_name_.clear(); }

 private:
  ExportFolder() = default;
  std::string enter(const std::string& folder, const SourceFolders& sources);

  std::string path_;
  FileDescriptor parent_;  // of a folder that was made
  std::string made_name_;  // in it; empty: the folder was there
  FileDescriptor folder_;
  std::string staging_name_;
  FileDescriptor staging_;
  std::string entered_name_;  // where the last page went
  FileDescriptor entered_;
};

class ExportFile {
 public:
  // "-" is stdout. A regular file is replaced in one step; what is neither gets the bytes when they
  // are complete.
  static Result<ExportFile, std::string> open(const std::string& path,
                                              const SourceFolders& sources);
  ExportFile(ExportFile&&) noexcept = default;
  ~ExportFile();

  const std::string& name() const { return name_; }
  int number() const { return file_.number(); }
  std::string write(std::string_view text) const;
  // The file is complete.
  std::string finish();

 private:
  ExportFile() = default;
  std::string open_spool();
  std::string open_beside(const std::string& path, const SourceFolders& sources);
  std::string copy_to_target() const;

  std::string name_;       // for messages
  FileDescriptor file_;    // what is written to
  FileDescriptor target_;  // what is no regular file; stdout if neither this nor a folder is open
  FileDescriptor folder_;  // of a regular file
  std::string temporary_name_;
  std::string final_name_;
};

}  // namespace qip
