// The probe: every feature has a row, nothing is left open, and what a filter refuses is reported
// with its errno and its substitute. The filter is a real seccomp program in a child process.
#include "net/capabilities.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "temporary_folder.h"
#include "testing.h"

namespace {

using sluice::net::Capability;
using sluice::net::Feature;

const Capability& row_of(const std::vector<Capability>& all, Feature feature) {
  return all[static_cast<size_t>(feature)];
}

TEST(every_feature_has_a_row) {
  const auto& all = sluice::net::capabilities();
  REQUIRE_EQ(all.size(), sluice::net::kFeatureCount);
  std::set<std::string> names;
  for (size_t i = 0; i < all.size(); ++i) {
    const testing::Context context(all[i].name);
    names.insert(all[i].name);
    CHECK_EQ(all[i].available, all[i].error == 0);
    CHECK_EQ(all[i].available, sluice::net::available(static_cast<Feature>(i)));
    CHECK(std::string(all[i].detail) != "");
  }
  CHECK_EQ(names.size(), all.size());
  CHECK_EQ(&all, &sluice::net::capabilities());
}

TEST(probing_leaves_nothing_open) {
  sluice::net::probe_capabilities();
  const size_t before = testing::open_descriptors();
  sluice::net::probe_capabilities();
  CHECK_EQ(testing::open_descriptors(), before);
}

struct Refusal {
  Feature feature;
  long call;
  int error;
};

const std::vector<Refusal> kRefusals = {
    {Feature::openat2, SYS_openat2, EPERM},
    {Feature::sendfile, SYS_sendfile, ENOSYS},
    {Feature::splice, SYS_splice, EPERM},
    {Feature::tee, SYS_tee, ENOSYS},
    {Feature::vmsplice, SYS_vmsplice, EPERM},
    {Feature::preadv2_nowait, SYS_preadv2, ENOSYS},
    {Feature::inotify, SYS_inotify_init1, EMFILE},
    {Feature::memfd, SYS_memfd_create, EPERM},
    {Feature::large_pipes, SYS_fcntl, EPERM},
    {Feature::reuseport, SYS_setsockopt, ENOPROTOOPT},
};

bool refuse_calls() {
  std::vector<sock_filter> program;
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  for (const Refusal& refusal : kRefusals) {
    program.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(refusal.call), 0, 1));
    program.push_back(
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(refusal.error)));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// In the child: the number of the first refusal that is not reported as it should, from 1.
int first_wrong_row() {
  if (!refuse_calls()) return 255;
  const std::vector<Capability> all = sluice::net::probe_capabilities();
  int number = 0;
  for (const Refusal& refusal : kRefusals) {
    ++number;
    const Capability& row = row_of(all, refusal.feature);
    const Capability& usual = row_of(sluice::net::capabilities(), refusal.feature);
    if (row.available || row.error != refusal.error) return number;
    if (usual.available && std::string(row.detail) == usual.detail) return number;
  }
  return row_of(all, Feature::proc_fd).available ? 0 : 254;
}

TEST(calls_that_a_filter_refuses_are_reported_with_a_substitute) {
  sluice::net::capabilities();  // before the filter
  const pid_t child = ::fork();
  if (child == 0) ::_exit(first_wrong_row());
  int status = 0;
  REQUIRE_EQ(::waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
