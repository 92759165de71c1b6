// Runs a fuzz target over files and directories given as arguments, so that `npm test` replays
// every corpus with any compiler. Left out when libFuzzer brings its own main().
// A crash is the failure; the name of the input is printed before each run with -v.

#ifndef SLUICE_LIBFUZZER

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

int replayed = 0;
bool verbose = false;

void replay_file(const fs::path& path) {
  if (verbose) std::fprintf(stderr, "%s\n", path.c_str());
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
  // An allocation of the exact size, so that AddressSanitizer sees a read past the end.
  const auto data = std::make_unique<std::uint8_t[]>(bytes.size());
  if (!bytes.empty()) std::memcpy(data.get(), bytes.data(), bytes.size());
  LLVMFuzzerTestOneInput(data.get(), bytes.size());
  ++replayed;
}

void replay(const fs::path& path) {
  if (!fs::is_directory(path)) return replay_file(path);
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) replay_file(entry.path());
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "-v") == 0) verbose = true;
    else replay(argv[i]);
  }
  LLVMFuzzerTestOneInput(nullptr, 0);
  std::printf("replayed %d inputs\n", replayed);
  return 0;
}

#endif
