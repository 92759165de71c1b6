// The framing of a chunked body that goes out (RFC 9112 §7.1): the line before a chunk's data, what
// follows it, and the end with those trailers that may be passed on. Bytes only, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::http {

/// Room for the longest chunk_line(): 16 digits and CRLF.
inline constexpr size_t kChunkLineRoom = 18;
/// Stands behind a chunk's data.
inline constexpr std::string_view kChunkEnd = "\r\n";
/// The end of a body without trailers.
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// "1f40\r\n" into `room`, for a chunk of `bytes`. Never 0: that would be the end.
std::string_view chunk_line(uint64_t bytes, std::array<char, kChunkLineRoom>& room);

/// Appends the end of a body: the last chunk, those of `trailers` that may pass
/// (forwards_trailer) and whose name, in lower case, is not in `removed`, and the empty line.
/// `trailers`: as a ChunkedDecoder has appended them, each line with its CRLF.
void append_last_chunk(std::string_view trailers, std::span<const std::string> removed,
                       std::string& out);

}  // namespace sluice::http
