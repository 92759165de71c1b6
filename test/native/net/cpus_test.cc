// CPUs by quota, on made-up control group trees of both versions.
#include "net/cpus.h"

#include "temporary_folder.h"
#include "testing.h"

namespace {

using sluice::net::quota_cpus;

TEST(quota_of_version_2_is_rounded_up) {
  const testing::TemporaryFolder mount;
  for (const auto& [text, cpus] : {std::pair{"100000 100000\n", 1},
                                   {"150000 100000\n", 2},
                                   {"200000 100000\n", 2},
                                   {"1000 100000\n", 1},
                                   {"max 100000\n", 0},
                                   {"", 0},
                                   {"nonsense", 0},
                                   {"5 0\n", 0}}) {
    const testing::Context context(text);
    mount.write("own/cpu.max", text);
    CHECK_EQ(quota_cpus("0::/own\n", mount.path()), cpus);
  }
}

TEST(smallest_quota_on_the_way_to_the_top_counts) {
  const testing::TemporaryFolder mount;
  mount.write("a/b/c/cpu.max", "max 100000\n");
  mount.write("a/b/cpu.max", "300000 100000\n");
  mount.write("a/cpu.max", "800000 100000\n");
  CHECK_EQ(quota_cpus("0::/a/b/c\n", mount.path()), 3);
  mount.write("cpu.max", "200000 100000\n");  // a container sees its own limit at the top
  CHECK_EQ(quota_cpus("0::/a/b/c\n", mount.path()), 2);
  CHECK_EQ(quota_cpus("0::/\n", mount.path()), 2);
  CHECK_EQ(quota_cpus("0::/not/visible/here\n", mount.path()), 2);
}

TEST(quota_of_version_1_is_that_of_the_cpu_controller) {
  const testing::TemporaryFolder mount;
  mount.write("cpu/box/cpu.cfs_quota_us", "250000\n");
  mount.write("cpu/box/cpu.cfs_period_us", "100000\n");
  mount.write("cpu/free/cpu.cfs_quota_us", "-1\n");
  mount.write("cpu/free/cpu.cfs_period_us", "100000\n");
  CHECK_EQ(quota_cpus("5:memory:/box\n4:cpu,cpuacct:/box\n0::/\n", mount.path()), 3);
  CHECK_EQ(quota_cpus("4:cpu,cpuacct:/free\n", mount.path()), 0);
  CHECK_EQ(quota_cpus("4:cpuset:/box\n", mount.path()), 0);
}

TEST(no_control_group_is_no_quota) {
  const testing::TemporaryFolder mount;
  for (const char* text : {"", "\n", "x", "0:", "0::", "0::/gone", "::::\n\n"}) {
    const testing::Context context(text);
    CHECK_EQ(quota_cpus(text, mount.path()), 0);
  }
}

TEST(there_is_always_a_cpu) { CHECK(sluice::net::usable_cpus() >= 1); }

}  // namespace
