// Header field lines that somebody else has put together: that they are lines of a head and nothing
// more. Bytes only, any thread.
#pragma once

#include <string_view>

namespace sluice::http {

/// "Name: value\r\n" any number of times; nothing that frames a message or belongs to a connection
/// (RFC 9110 §7.6.1), and nothing that could end a line or the head early.
bool are_free_field_lines(std::string_view lines);

}  // namespace sluice::http
