// StaticHttp: what an HTTP request for a directory of tiles asks for, and the
// head of the answer. Pure; `proofgate ledger serve` moves the bytes.
//
// The part of HTTP/1.1 (RFC 9112) that a tlog-tiles client needs: GET and HEAD of
// `checkpoint` and `tile/…`, one request a connection. What else is asked for is
// refused before any file is looked at.

#ifndef PROOFGATE_LEDGER_STATIC_HTTP_H_
#define PROOFGATE_LEDGER_STATIC_HTTP_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace proofgate::ledger {

inline constexpr std::size_t kMaxRequestBytes = 4096;

// Has all of a request's head arrived?
bool IsRequestComplete(std::string_view bytes);

struct HttpRequest {
  int status = 200;       // or why not: 400, 404, 405, 505
  bool wants_body = true; // not after HEAD
  std::string path;       // "checkpoint", "tile/0/x001/234.p/7": clean, below the directory; empty unless 200
};
// `head`: up to and with the empty line.
HttpRequest ReadRequest(std::string_view head);

// Status line and fields, with the empty line. Tiles never change, so they may be
// kept; the checkpoint may not.
std::string AnswerHead(int status, std::string_view path, std::uint64_t length);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_STATIC_HTTP_H_
