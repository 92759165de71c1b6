// Pieces of response heads: status lines, reason phrases, numbers. What is built once per file or
// route is built with these; what changes with every response (Date, Connection) is added by the
// worker. Bytes only, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::http {

/// "Not Found" for 404 (RFC 9110 §15); "Status" for a code that has no registered phrase.
std::string_view reason_phrase(uint16_t status);

/// Appends "HTTP/1.1 404 Not Found\r\n". The version is 1.1 whatever the client's (RFC 9110 §2.5).
void append_status_line(std::string& out, uint16_t status);

/// In decimal.
void append_number(std::string& out, uint64_t number);

/// Appends "Content-Length: 123\r\n".
void append_content_length(std::string& out, uint64_t bytes);

/// Appends `name` ": " `value` CRLF.
void append_field(std::string& out, std::string_view name, std::string_view value);

/// Whether a response with this status never has a body (RFC 9110 §6.4.1): 1xx, 204, 304.
bool is_bodiless(uint16_t status);

}  // namespace sluice::http
