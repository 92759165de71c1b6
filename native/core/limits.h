// Constants of the core that are not configuration, each with its reason. Measured ones name the
// benchmark that measures them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

/// One recv(2) reads at most this much; also the room in which pipelined answers are gathered.
inline constexpr size_t kScratchBytes = 64 * 1024;
/// A file that is copied is read in pieces of this size, unless transfer.copyBytes says otherwise.
inline constexpr size_t kCopyBytes = 256 * 1024;
/// Bodies up to this size are copied behind their head into one send; larger ones held in memory go
/// out by one sendmsg of two parts (a copy costs more than the second part from here on).
inline constexpr size_t kGatherBytes = 4 * 1024;
/// One connection moves at most this many bytes in a turn of the loop, so that others get theirs.
inline constexpr uint64_t kTurnBytes = 1024 * 1024;
/// Bodies from here on go out corked (TCP_CORK): the client's acknowledgements would otherwise push
/// a partial packet whenever a call has ended. It saves a tenth of the CPU time of 100 MiB; for
/// smaller bodies its two setsockopt cost more (docs/design/0003-thresholds.md).
inline constexpr uint64_t kCorkBytes = 256 * 1024;
/// And answers at most this many pipelined requests in a turn.
inline constexpr unsigned kTurnRequests = 64;
/// Connections accepted by one listener in a turn.
inline constexpr unsigned kTurnAccepts = 64;
/// Connections that the kernel had queued and that are still taken when a listener stops.
inline constexpr unsigned kBacklogTaken = 4096;
/// Events taken from the kernel in one call.
inline constexpr int kEventsPerTurn = 256;
/// Requests of one worker that may wait for an answer at once; beyond it: 503.
inline constexpr size_t kMaxParked = 16 * 1024;
/// Distinct questions of one worker that may be open at once; beyond it: 503.
inline constexpr size_t kMaxQuestions = 4 * 1024;
/// Of those, from one client address; beyond it requests wait in line until timeouts.head.
inline constexpr uint32_t kQuestionsPerAddress = 64;
/// Answers in a worker's table; TypeScript bounds them first, this is the backstop.
inline constexpr size_t kMaxAnswers = 1024 * 1024;
/// An answer that rests on files is trusted this long before it is looked at again.
inline constexpr int64_t kTrustUs = 1'000'000;
/// Likewise where inotify tells of every change but those through mmap(2), which it does not see.
inline constexpr int64_t kWatchedTrustUs = 10'000'000;
/// Directories that are watched at most: each costs the kernel about a kilobyte.
inline constexpr size_t kMaxWatchedFolders = 16 * 1024;
/// Answers that a change of one path reports to TypeScript; the others are found out when asked
/// for.
inline constexpr size_t kMaxReported = 4 * 1024;
/// A file whose mtime is younger than this may change without its times changing (DESIGN §7).
inline constexpr int64_t kYoungS = 2;
/// Entries of a directory that a listing shows.
inline constexpr size_t kMaxListed = 10'000;
/// Served answers are reported to TypeScript at most this often.
inline constexpr int64_t kReportMs = 100;
/// An accept that ran out of descriptors is tried again after this long.
inline constexpr int64_t kAcceptPauseMs = 100;
/// A shortage of descriptors is logged once until there was none for so long.
inline constexpr int64_t kShortageQuietMs = 60'000;
/// After an early answer the request's unread bytes are drained, so that the client can read the
/// answer before the connection is reset: until none came for so long, and so long altogether.
inline constexpr int64_t kLingerIdleMs = 2'000;
inline constexpr int64_t kLingerMs = 30'000;
/// What an I/O thread reads at once for a file whose pages cannot be relied on to stay in memory.
inline constexpr uint64_t kFillBytes = 64 * 1024;
/// A file whose pages were all found in memory is not probed again for this long.
inline constexpr int64_t kWarmUs = 1'000'000;
/// Bodies that a route does not read are discarded up to this size to keep the connection.
inline constexpr uint64_t kDiscardBytes = 64 * 1024;
/// A gateway that drains gives idle connections this long for a request that is on its way.
inline constexpr int64_t kDrainGraceMs = 500;
/// An error that a setting would change is logged at most this often.
inline constexpr int64_t kComplaintUs = 1'000'000;
/// A pipe for splicing: what is asked for unless transfer.pipeBytes says otherwise, what is the
/// least that is worth having, how many empty ones a worker keeps, and how long it does without
/// after it could not have one.
inline constexpr size_t kPipeBytes = 1024 * 1024;
inline constexpr size_t kLeastPipeBytes = 64 * 1024;
inline constexpr size_t kIdlePipes = 16;
inline constexpr int64_t kPipeRetryUs = 1'000'000;
/// From so many bytes left of a body on they are spliced instead of copied (docs/design/0005). The
/// default of transfer.spliceBytes. A chunk, with its framing, wants to be longer.
inline constexpr uint64_t kSpliceBytes = 16 * 1024;
inline constexpr uint64_t kSpliceChunkBytes = 128 * 1024;
/// Before a body that is going to be spliced so much is received together with the head.
inline constexpr size_t kBulkHeadBytes = 16 * 1024;
/// Of an upload, what is copied is written to its file in pieces of this size.
inline constexpr size_t kLoadBytes = 128 * 1024;
/// Messages of channels from this size on are sent from a file of pages in memory, by sendfile;
/// how much such a file takes before the next one is begun (docs/ZERO-COPY.md).
inline constexpr size_t kBroadcastFileBytes = 16 * 1024;
inline constexpr uint64_t kBroadcastPagesBytes = 4 * 1024 * 1024;
/// A stream without heartbeats is looked at this often.
inline constexpr int64_t kSilentStreamMs = 3'600'000;
/// The files of an upload's root are counted again, for its quota, at most this often: others may
/// write there, too.
inline constexpr int64_t kRecountUs = 60'000'000;
/// Of a request, sent so far, that is kept so that it can be sent again to another target.
inline constexpr size_t kReplayBytes = 16 * 1024;
/// Retries of one worker for one upstream: as many at once as the reserve, which every request
/// fills by a share. A storm of failures makes a fifth more requests, not twice as many.
inline constexpr double kRetryReserve = 20;
inline constexpr double kRetryShare = 0.2;
/// A connection to a target is given up this long before the target would close it.
inline constexpr int64_t kIdleMarginMs = 500;
/// Hexadecimal digits of a request id (X-Request-Id).
inline constexpr size_t kRequestIdBytes = 32;
/// Of listeners that pass connections on as they are: how long a connection to a target may take to
/// be made, and a tunnel may be silent.
inline constexpr int64_t kTcpConnectMs = 5'000;
inline constexpr int64_t kTcpTunnelMs = 3'600'000;
/// Bytes of a TLS record, which is as long as TLS allows: fewer of them cost less.
inline constexpr size_t kTlsRecordBytes = 16 * 1024;
/// So much is encrypted before it is sent by one call. What a slow client's socket does not take of
/// it is held for that client.
inline constexpr size_t kTlsBatchBytes = 64 * 1024;
/// What else may wait behind that: answers to a client that asks and takes none.
inline constexpr size_t kTlsUnsentBytes = 2 * kTlsBatchBytes;
/// A turn of the loop spends so long on handshakes, and at least one step of one: a burst of them
/// must not stall the other connections of a worker.
inline constexpr int64_t kHandshakeTurnUs = 2'000;
/// Subject of a client's certificate, as it is handed on; a longer one counts as none.
inline constexpr size_t kTlsSubjectBytes = 4 * 1024;
/// Questions of one worker to user code that may be open at once, and their bytes that may wait to
/// be sent; beyond either: 503.
inline constexpr size_t kMaxHookQuestions = 16 * 1024;
inline constexpr size_t kMaxHookBytes = 16 * 1024 * 1024;
/// What one verdict of user code may have, body included.
inline constexpr size_t kMaxVerdictBytes = 16 * 1024 * 1024;
/// Verdicts that one worker remembers, and the longest key of one.
inline constexpr size_t kMaxVerdicts = 16 * 1024;
inline constexpr size_t kMaxVerdictKey = 8 * 1024;
/// A request whose hook has no app to be asked in waits so long for one: as long as an app may take
/// to start unless the configuration says otherwise (timeouts.appStart).
/// Requests of a route whose handler streams that go to its socket before it is asked again.
inline constexpr uint8_t kDirectHandlerRequests = 63;
inline constexpr int64_t kHookPatienceMs = 30'000;
/// A connection to an app that could not be made is tried again after this.
inline constexpr int64_t kHookRetryMs = 100;
/// A question that so many apps did not survive is not asked again.
inline constexpr unsigned kMaxAppsLost = 2;
/// Rewritten so often a request goes in circles.
inline constexpr unsigned kMaxRewrites = 8;
/// Sets of eight clients that rate limits of a gateway have room for: one megabyte.
inline constexpr size_t kRateSets = 16 * 1024;
/// Threads for whatever may block on a disk, and jobs that may wait for them.
inline constexpr size_t kIoThreads = 3;
inline constexpr size_t kIoQueue = 64 * 1024;
/// Lines of the access log travel to the thread that writes them in blocks of this size; a worker
/// has at most so many of them. When all wait to be written, further lines are dropped and counted.
inline constexpr size_t kLogBlockBytes = 64 * 1024;
inline constexpr size_t kLogBlocks = 16;
/// So many full ones wake that thread at once; fewer wait for kLogDelayMs. Each time it wakes it
/// costs two switches and finds its code gone from the processor's caches.
inline constexpr size_t kLogBlocksAtOnce = 4;
/// A block that is not full is handed over this long after its first line, within a timer's tick.
inline constexpr int64_t kLogDelayMs = 36;
/// Values in a line of the access log are cut to so many bytes of what came.
inline constexpr size_t kLogTargetBytes = 2048;
inline constexpr size_t kLogFieldBytes = 1024;  ///< Referer, User-Agent
inline constexpr size_t kLogHostBytes = 256;    ///< hosts, request ids, upstreams
inline constexpr size_t kLogRouteBytes = 256;
inline constexpr size_t kLogMethodBytes = 32;
/// A log file, pipe or socket that could not be had is tried again at most this often.
inline constexpr int64_t kLogRetryUs = 1'000'000;
/// Whoever stops waits at most this long for lines that nobody takes.
inline constexpr int64_t kLogPatienceUs = 2'000'000;

}  // namespace sluice
