// What OpenSSL reads from and writes to: the socket of a session, through net/sys, without the
// calls that would only say EAGAIN. Where kTLS is wanted, OpenSSL's own BIO for sockets stands
// behind it.
#pragma once

struct bio_st;

namespace sluice::net {

class TlsSession;

struct TlsBio {
  /// Null when there is no memory.
  static bio_st* make(TlsSession& session);

  static int read(bio_st* bio, char* room, int size);
  static int write(bio_st* bio, const char* bytes, int size);
  static long control(bio_st* bio, int command, long number, void* pointer);
};

}  // namespace sluice::net
