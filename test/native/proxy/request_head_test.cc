// The request as a target gets it: targets, Host, framing, edits, and what is remembered of it.
#include "proxy/request_head.h"

#include <string>

#include "http/request_parser.h"
#include "testing.h"

namespace {

using namespace sluice::proxy;
using sluice::http::Framing;
using sluice::http::ParseStatus;
using sluice::http::RequestHead;
using sluice::route::Match;
using sluice::route::ProxyAction;

const RequestHead& parsed(const std::string& text) {
  static RequestHead head;
  static std::string bytes;
  bytes = text;
  CHECK(sluice::http::parse_request(bytes, 0, {}, head).status == ParseStatus::ok);
  return head;
}

ProxyAction silent() {
  ProxyAction action;
  action.forwarded = 0;
  return action;
}

std::string written(const std::string& text, const ProxyAction& action) {
  const RequestHead& head = parsed(text);
  RequestShape shape = shape_of(head);
  std::string out = "kept";  // whatever stands before stays, and places are counted with it
  append_request_head(head, Match{}, action, Asker{}, "target:81", shape, out);
  CHECK_EQ(out.substr(shape.host_at, shape.host_size),
           out.substr(out.find("Host: ") + 6, shape.host_size));
  CHECK_EQ(out.substr(shape.host_at + shape.host_size, 2), "\r\n");
  return out.substr(4);
}

TEST(request_head_is_written_anew) {
  CHECK_EQ(
      written("GET /a//b?c HTTP/1.1\r\nHost: h:1\r\nX:  1 \r\nConnection: x\r\n\r\n", silent()),
      "GET /a//b?c HTTP/1.1\r\nHost: h:1\r\n\r\n");
  CHECK_EQ(written("POST / HTTP/1.0\r\nContent-Length: 003\r\n\r\n", silent()),
           "POST / HTTP/1.1\r\nHost: target:81\r\nContent-Length: 3\r\n\r\n");
  CHECK_EQ(written("PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: CHUNKED\r\n\r\n", silent()),
           "PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(request_head_strips_whole_segments) {
  ProxyAction action = silent();
  action.strip_prefix = "/api";
  const auto line = [&action](const std::string& target) {
    const std::string out = written("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n", action);
    return out.substr(4, out.find(" HTTP/1.1") - 4);
  };
  CHECK_EQ(line("/api"), "/");
  CHECK_EQ(line("/api?q"), "/?q");
  CHECK_EQ(line("/api/x/y?q"), "/x/y?q");
  CHECK_EQ(line("/apis"), "/apis");
  CHECK_EQ(line("/x/api"), "/x/api");
}

TEST(request_head_has_the_host_that_the_route_wants) {
  const std::string text = "GET / HTTP/1.1\r\nHost: client\r\n\r\n";
  ProxyAction action = silent();
  CHECK_EQ(written(text, action), "GET / HTTP/1.1\r\nHost: client\r\n\r\n");
  action.target_host = true;
  CHECK_EQ(written(text, action), "GET / HTTP/1.1\r\nHost: target:81\r\n\r\n");
  action.host = "fixed";
  CHECK_EQ(written(text, action), "GET / HTTP/1.1\r\nHost: fixed\r\n\r\n");
}

TEST(request_head_edits_and_upgrades) {
  ProxyAction action = silent();
  action.request.removed = {"x-gone"};
  action.request.added = "X-New: 1\r\n";
  CHECK_EQ(written("GET / HTTP/1.1\r\nHost: h\r\nx-GONE: 1\r\nConnection: Upgrade\r\n"
                   "Upgrade: websocket\r\n\r\n",
                   action),
           "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
           "X-New: 1\r\n\r\n");
}

TEST(request_head_shapes) {
  const auto shape = [](const std::string& method, const std::string& fields = "") {
    return shape_of(parsed(method + " / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"));
  };
  for (const std::string method : {"GET", "HEAD", "OPTIONS", "TRACE"}) {
    CHECK(shape(method).is_safe && shape(method).is_idempotent);
  }
  for (const std::string method : {"PUT", "DELETE"}) {
    CHECK(!shape(method).is_safe && shape(method).is_idempotent);
  }
  for (const std::string method : {"POST", "PATCH", "PROPFIND"}) {
    CHECK(!shape(method).is_safe && !shape(method).is_idempotent);
  }
  const std::string upgrade = "Connection: upgrade\r\nUpgrade: ";
  CHECK(shape("GET", upgrade + "websocket\r\n").wants_upgrade);
  CHECK(!shape("GET", upgrade + "h2c\r\n").wants_upgrade);
  CHECK(!shape("GET", upgrade + "websocket, H2C\r\n").wants_upgrade);
  CHECK(!shape("GET", "Upgrade: websocket\r\n").wants_upgrade);
  CHECK(!shape("GET", upgrade + "websocket\r\nContent-Length: 1\r\n").wants_upgrade);
}

TEST(request_head_cookies) {
  const RequestHead& head =
      parsed("GET / HTTP/1.1\r\nHost: h\r\nCookie: a=1; target=two;b=\r\nCookie: other=3\r\n\r\n");
  CHECK_EQ(cookie_value(head, "target"), "two");
  CHECK_EQ(cookie_value(head, "a"), "1");
  CHECK_EQ(cookie_value(head, "other"), "3");
  CHECK_EQ(cookie_value(head, "b"), "");
  CHECK_EQ(cookie_value(head, "get"), "");
  CHECK_EQ(cookie_value(head, "targe"), "");
}

}  // namespace
