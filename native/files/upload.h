// One file that a client sends, or removes: a file without a name while it comes, which gets its
// name when all of it is there and is what the client said it would be. Belongs to one request; its
// functions run on I/O threads, one at a time, and may wait for a disk. Whatever happens between
// two of them, a kill included, leaves the old file or the new one under the name, and nothing
// beside it but hidden leftovers that the next start removes.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/sha256.h"
#include "files/upload_root.h"
#include "http/request_head.h"
#include "route/snapshot.h"
#include "transfer/intake.h"

namespace sluice::files {

/// Copies of what a head demands of the file that is there (RFC 9110 §13).
class Demands {
 public:
  Demands() = default;
  explicit Demands(const http::RequestHead& head);
  /// Whether they hold. `etag` empty: nothing is there.
  bool hold(std::string_view etag, int64_t modified_s) const;

 private:
  struct Demand {
    http::FieldId id;
    std::string value;
  };
  std::vector<Demand> demands_;
};

struct UploadRequest {
  std::string root;  ///< absolute
  std::string path;  ///< beneath it, decoded, without leading slash; of a directory: with its slash
  std::shared_ptr<const route::UploadRules> rules;
  Demands demands;
  std::optional<uint64_t> length;
  std::optional<Sha256Digest> digest;
  bool names_itself = false;  ///< the file gets a new name in the directory `path`
  bool force_named = false;   ///< as where there are no files without names (tests)
};

class Upload : public Counted<Upload> {
 public:
  explicit Upload(UploadRequest request) : request_(std::move(request)) {}
  ~Upload();

  /// Makes the file, once what can be known already allows it.
  ErrorCode open(UploadRoots& roots);
  /// Writes what is in `load`, which is empty afterwards.
  ErrorCode write();
  /// Gives the file its name.
  ErrorCode store();
  /// Removes the file that is there.
  ErrorCode remove(UploadRoots& roots);

  /// The worker's, while none of those runs.
  transfer::Load load;

  // What store() has done.
  bool is_new() const { return is_new_; }  ///< else it took the place of another
  const std::string& etag() const { return etag_; }
  const std::string& name() const { return name_; }  ///< the last part of its path
  size_t lane() const { return lane_; }
  void set_lane(size_t lane) { lane_ = lane; }

 private:
  struct There;

  ErrorCode begin(UploadRoots& roots);
  ErrorCode look(int folder, There& there) const;
  ErrorCode allow(const There& there) const;
  ErrorCode make_file(int folder);
  ErrorCode make_named(int folder);
  ErrorCode keep(const char* bytes, size_t size);
  ErrorCode keep_pipe();
  ErrorCode copy_pipe(size_t bytes);
  ErrorCode grow(uint64_t bytes);
  ErrorCode publish(int folder, const There& there);
  int link_as(int folder, const char* name);
  ErrorCode replace(int folder);
  OwnedFd find_folder(bool make, int& error);
  int make_folders(int top);

  UploadRequest request_;
  Ref<UploadRoot> root_;
  std::string folder_, name_;  ///< of the path
  OwnedFd file_;
  OwnedFd temporary_folder_;    ///< where it has a hidden name
  std::string temporary_name_;  ///< that name; empty: it has none
  uint64_t size_ = 0;
  uint64_t reserved_ = 0;
  Sha256 hash_;
  bool is_new_ = false;
  std::string etag_;
  size_t lane_ = 0;
};

}  // namespace sluice::files
