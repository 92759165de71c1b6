// A worker's table of remembered answers: what is found under which route and path, replaced,
// forgotten by id, and that the index by id and the table by path never part.
#include "files/answer_table.h"

#include <map>
#include <random>
#include <string>

#include "testing.h"

namespace {

using sluice::make_ref;
using sluice::Ref;
using sluice::files::Answer;
using sluice::files::AnswerSource;
using sluice::files::AnswerTable;
using sluice::files::PathKeyView;

Ref<Answer> answer_of(uint64_t id) {
  AnswerSource source;
  source.id = id;
  source.status = 404;
  return make_ref<Answer>(std::move(source));
}

TEST(answer_is_found_under_its_route_and_path_only) {
  AnswerTable table;
  table.insert({1, "/a"}, answer_of(7));
  CHECK_EQ(table.size(), 1);
  REQUIRE(table.find({1, "/a"}) != nullptr);
  CHECK_EQ(table.find({1, "/a"})->id, 7);
  CHECK(table.find({2, "/a"}) == nullptr);
  CHECK(table.find({1, "/"}) == nullptr);
  CHECK(table.find({1, "/a/"}) == nullptr);
  CHECK(table.find({1, ""}) == nullptr);
}

TEST(newer_answer_replaces_the_older_and_its_id) {
  AnswerTable table;
  table.insert({1, "/a"}, answer_of(7));
  table.insert({1, "/a"}, answer_of(8));
  CHECK_EQ(table.size(), 1);
  table.forget(7);
  REQUIRE(table.find({1, "/a"}) != nullptr);
  CHECK_EQ(table.find({1, "/a"})->id, 8);
  table.insert({1, "/a"}, answer_of(8));  // confirmed: the same id again
  table.forget(8);
  CHECK(table.find({1, "/a"}) == nullptr);
  CHECK_EQ(table.size(), 0);
}

TEST(forgetting_what_is_not_there_does_nothing) {
  AnswerTable table;
  table.forget(1);
  table.insert({1, "/a"}, answer_of(7));
  table.forget(8);
  CHECK_EQ(table.size(), 1);
  table.clear();
  table.forget(7);
  CHECK_EQ(table.size(), 0);
}

TEST(answer_that_is_held_outlives_the_table) {
  Ref<Answer> held;
  {
    AnswerTable table;
    table.insert({1, "/a"}, answer_of(7));
    held = Ref<Answer>(table.find({1, "/a"}));
    table.forget(7);
  }
  CHECK_EQ(held->id, 7);
}

TEST(table_does_what_a_simple_one_does) {
  std::mt19937 random(11);
  const auto pick = [&random](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  AnswerTable table;
  std::map<std::pair<uint32_t, std::string>, uint64_t> model;
  uint64_t last_id = 0;
  for (int step = 0; step < 50'000; ++step) {
    const uint32_t route = pick(3);
    const std::string path = "/" + std::to_string(pick(200));
    const PathKeyView key{route, path};
    if (pick(2) == 0) {
      table.insert(key, answer_of(++last_id));
      model[{route, path}] = last_id;
    } else if (last_id > 0) {
      const uint64_t id = last_id - std::min<uint64_t>(last_id - 1, pick(400));
      table.forget(id);
      std::erase_if(model, [id](const auto& entry) { return entry.second == id; });
    }
    CHECK_EQ(table.size(), model.size());
    const Answer* found = table.find(key);
    const auto wanted = model.find({route, path});
    CHECK_EQ(found == nullptr ? 0 : found->id, wanted == model.end() ? 0 : wanted->second);
  }
}

}  // namespace
