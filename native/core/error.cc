// The rows of core/errors.def as a constant table. Any thread.
#include "core/error.h"

#include <array>
#include <cassert>

namespace sluice {
namespace {

constexpr std::array<ErrorInfo, static_cast<size_t>(ErrorCode::count_)> kErrors = {{
#define SLUICE_ERROR(code, status, source, retry, name, meaning) \
  {status, ErrorSource::source, Retry::retry, name, meaning},
#include "core/errors.def"
#undef SLUICE_ERROR
}};

}  // namespace

const ErrorInfo& error_info(ErrorCode code) {
  assert(code < ErrorCode::count_);
  return kErrors[static_cast<size_t>(code)];
}

}  // namespace sluice
