// The table of file systems, by the magic numbers of statfs(2). What is not in it, overlayfs for
// one (a file changes its inode when it is first written), is watched and looked at again too.
#include "files/file_system.h"

#include <sys/vfs.h>

#include <cstdint>

#include "net/sys.h"

namespace sluice::files {
namespace {

struct Kind {
  uint32_t magic;
  FileSystem what;
};

constexpr Kind kKinds[] = {
    {0xef53, {"ext4", true, false}},         {0x58465342, {"XFS", true, false}},
    {0x9123683e, {"Btrfs", true, false}},    {0x01021994, {"tmpfs", true, false}},
    {0xf2f52010, {"F2FS", true, false}},     {0x2fc12fc1, {"ZFS", true, false}},
    {0x858458f6, {"ramfs", true, false}},    {0xca451a4e, {"bcachefs", true, false}},
    {0x6969, {"NFS", false, true}},          {0x01021997, {"9p", false, true}},
    {0x65735546, {"FUSE", false, true}},     {0x786f4256, {"vboxsf", false, true}},
    {0xff534d42, {"CIFS", false, true}},     {0xfe534d42, {"SMB", false, true}},
    {0x00c36400, {"Ceph", false, true}},     {0x5346414f, {"AFS", false, true}},
    {0x6a656a63, {"virtiofs", false, true}},
};

FileSystem kind_of(const struct statfs& status) {
  const auto magic = static_cast<uint32_t>(status.f_type);
  for (const Kind& kind : kKinds) {
    if (kind.magic == magic) return kind.what;
  }
  return {};
}

}  // namespace

FileSystem file_system_of(const std::string& path) {
  struct statfs status {};
  return sys::statfs(path.c_str(), &status) < 0 ? FileSystem{} : kind_of(status);
}

FileSystem file_system_of(int fd) {
  struct statfs status {};
  return sys::fstatfs(fd, &status) < 0 ? FileSystem{} : kind_of(status);
}

}  // namespace sluice::files
