// The encoder against a process that a thread plays: what is asked and what becomes of the answers,
// also of one that lies, ends, or never comes.
#include "files/encoder.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "temporary_folder.h"
#include "testing.h"

namespace {

using sluice::make_ref;
using sluice::Ref;
using sluice::files::Encoded;
using sluice::files::EncodeJob;
using sluice::files::Encoder;
using sluice::files::File;
using sluice::files::FileCounts;
using sluice::files::look_up;
using sluice::files::OpenOptions;
using sluice::http::Coding;
using Outcome = sluice::files::Encoded::Outcome;

struct Frame {
  uint32_t kind;
  uint32_t checksum;
  uint64_t length;
};

std::string read_fully(int fd, size_t size) {
  std::string bytes(size, '\0');
  const ssize_t got = ::recv(fd, bytes.data(), size, MSG_WAITALL);
  bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return bytes;
}

/// What was asked of the process.
struct Asked {
  Frame frame{};
  std::string content;
};

Asked read_job(int fd) {
  Asked asked;
  ::recv(fd, &asked.frame, sizeof asked.frame, MSG_WAITALL);
  asked.content = read_fully(fd, asked.frame.length);
  return asked;
}

void reply(int fd, uint32_t kind, const std::string& content) {
  const Frame frame{kind, 7, content.size()};
  ::send(fd, &frame, sizeof frame, MSG_NOSIGNAL);
  ::send(fd, content.data(), content.size(), MSG_NOSIGNAL);
}

Ref<const File> file_of(const std::string& bytes) {
  auto file = make_ref<File>(nullptr, -1, bytes);
  file->mtime_s = 1'000;
  file->mtime_ns = 5;
  file->opened_s = 2'000;
  file->identity = 9;
  return Ref<const File>(file.get());
}

/// An encoder and the end of its connection that a process would have.
class Pair {
 public:
  explicit Pair(OpenOptions options = {})
      : encoder_(
            std::make_unique<Encoder>(std::move(options), [this](uint64_t id, Encoded encoded) {
              done_.set_value({id, std::move(encoded)});
            })) {
    process = encoder_->connect();
    CHECK(process >= 0);
  }
  ~Pair() {
    end();
    encoder_.reset();
  }
  void end() {
    if (process >= 0) ::close(process);
    process = -1;
  }
  void start(EncodeJob job) {
    done_ = {};
    encoder_->encode(std::move(job));
  }
  Encoded wait() {
    auto [id, encoded] = done_.get_future().get();
    CHECK_EQ(id, 3u);
    return std::move(encoded);
  }
  Encoder& encoder() { return *encoder_; }
  int process = -1;

 private:
  std::promise<std::pair<uint64_t, Encoded>> done_;
  std::unique_ptr<Encoder> encoder_;
};

EncodeJob job_for(Ref<const File> file, std::string directory = "") {
  return {3, std::move(file), Coding::brotli, std::move(directory)};
}

TEST(encoding_of_a_small_file_is_held_in_memory) {
  OpenOptions options;
  options.memory_bytes = 4;
  options.counts = std::make_shared<FileCounts>();
  Pair pair(options);
  pair.start(job_for(file_of("a long text")));
  const Asked asked = read_job(pair.process);
  CHECK_EQ(asked.frame.kind, static_cast<uint32_t>(Coding::brotli));
  CHECK_EQ(asked.content, "a long text");
  reply(pair.process, 0, "tiny");
  const Encoded encoded = pair.wait();
  CHECK(encoded.outcome == Outcome::made);
  const File& file = *encoded.file;
  CHECK(file.in_memory());
  CHECK_EQ(file.bytes, "tiny");
  CHECK_EQ(file.size, 4u);
  CHECK_EQ(file.mtime_s, 1'000);
  CHECK_EQ(file.mtime_ns, 5u);
  CHECK_EQ(file.checksum, 7u);
  CHECK_EQ(options.counts->held_bytes.load(), 4);
  CHECK_EQ(options.counts->descriptors.load(), 0);
}

/// Larger than memory, or everything by descriptor; with and without a directory.
TEST(larger_encoding_is_a_file_without_a_name) {
  const testing::TemporaryFolder folder;
  for (const bool keep_descriptor : {false, true}) {
    for (const std::string& directory : {std::string(), folder.path()}) {
      const testing::Context context(directory);
      OpenOptions options;
      options.memory_bytes = keep_descriptor ? 1'000'000 : 4;
      options.keep_descriptor = keep_descriptor;
      options.counts = std::make_shared<FileCounts>();
      Pair pair(options);
      const std::string content(200'000, 'e');
      std::thread process([&pair, &content] {
        CHECK_EQ(read_job(pair.process).content.size(), 300'000u);
        reply(pair.process, 0, content);
      });
      pair.start(job_for(file_of(std::string(300'000, 'f')), directory));
      Encoded encoded = pair.wait();
      process.join();
      CHECK(encoded.outcome == Outcome::made);
      CHECK(!encoded.file->in_memory());
      std::string read(content.size() + 1, '\0');
      CHECK_EQ(::pread(encoded.file->fd, read.data(), read.size(), 0), 200'000);
      read.pop_back();
      CHECK(read == content);
      CHECK_EQ(options.counts->held_bytes.load(), 200'000);
      CHECK_EQ(options.counts->descriptors.load(), 1);
      encoded.file.reset();
      CHECK_EQ(options.counts->held_bytes.load(), 0);
      CHECK_EQ(options.counts->descriptors.load(), 0);
    }
  }
}

TEST(encoding_that_does_not_help_is_useless) {
  Pair pair;
  pair.start(job_for(file_of("text")));
  read_job(pair.process);
  reply(pair.process, 1, "");
  CHECK(pair.wait().outcome == Outcome::useless);
}

TEST(file_that_changes_meanwhile_is_sent_in_full_and_its_encoding_thrown_away) {
  const testing::TemporaryFolder folder;
  folder.write("a", std::string(300'000, 'x'));
  struct timespec times[2] = {{1'000, 0}, {1'000, 0}};
  CHECK_EQ(::utimensat(AT_FDCWD, (folder.path() + "/a").c_str(), times, 0), 0);
  OpenOptions options;
  options.memory_bytes = 1'000;
  const auto looked = look_up(folder.path(), "a", options);
  CHECK(!looked.file->in_memory());
  CHECK_EQ(::truncate((folder.path() + "/a").c_str(), 10), 0);
  Pair pair(options);
  std::thread process([&pair] {
    const Asked asked = read_job(pair.process);
    CHECK_EQ(asked.content.size(), 300'000u);
    CHECK(asked.content.substr(0, 11) == std::string("xxxxxxxxxx\0", 11));
    reply(pair.process, 0, "encoded");
  });
  pair.start(job_for(Ref<const File>(looked.file.get())));
  CHECK(pair.wait().outcome == Outcome::changed);
  process.join();
}

TEST(young_file_is_not_encoded) {
  auto file = make_ref<File>(nullptr, -1, "text");
  file->mtime_s = 1'000;
  file->opened_s = 1'001;
  Pair pair;
  pair.start(job_for(Ref<const File>(file.get())));
  CHECK(pair.wait().outcome == Outcome::changed);
}

TEST(process_that_ends_or_breaks_the_rules_fails_its_job_alone) {
  const std::function<void(int)> faults[] = {
      [](int process) { ::shutdown(process, SHUT_RDWR); },
      [](int process) { read_job(process), ::shutdown(process, SHUT_RDWR); },
      [](int process) {
        read_job(process);
        const Frame frame{0, 0, 3};  // promised and not sent
        ::send(process, &frame, sizeof frame, MSG_NOSIGNAL);
        ::shutdown(process, SHUT_RDWR);
      },
      [](int process) { read_job(process), reply(process, 0, "larger than the file"); },
      [](int process) { read_job(process), reply(process, 0, ""); },
      [](int process) { read_job(process), reply(process, 9, ""); },
  };
  for (const auto& fault : faults) {
    Pair pair;
    std::thread process([&pair, &fault] { fault(pair.process); });
    pair.start(job_for(file_of("text")));
    const Encoded encoded = pair.wait();
    process.join();
    CHECK(encoded.outcome == Outcome::failed && encoded.error != 0);
    pair.end();
    pair.process = pair.encoder().connect();
    pair.start(job_for(file_of("text")));
    read_job(pair.process);
    reply(pair.process, 0, "t");
    CHECK(pair.wait().outcome == Outcome::made);
  }
}

TEST(encoding_without_room_fails_and_the_next_one_is_in_step) {
  Pair pair;
  for (const char* directory : {"/nowhere", ""}) {
    pair.start(job_for(file_of("a text"), directory));
    read_job(pair.process);
    reply(pair.process, 0, "text");
    const Encoded encoded = pair.wait();
    const bool has_room = directory[0] == '\0';
    CHECK(encoded.outcome == (has_room ? Outcome::made : Outcome::failed));
    CHECK_EQ(encoded.error, has_room ? 0 : ENOENT);
  }
}

TEST(encoder_ends_while_its_process_is_silent) {
  auto pair = std::make_unique<Pair>();
  pair->start(job_for(file_of("text")));
  read_job(pair->process);
  pair->encoder().disconnect();
  CHECK(pair->wait().outcome == Outcome::failed);
  pair->start(job_for(file_of("text")));
  CHECK_EQ(pair->wait().error, ENOTCONN);
  pair->end();
  pair->process = pair->encoder().connect();
  pair->start(job_for(file_of("text")));
  read_job(pair->process);
  pair.reset();
}

}  // namespace
