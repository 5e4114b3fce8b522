#include "ledger/static_http.h"

#include <fmt/format.h>

#include <algorithm>

namespace proofgate::ledger {
namespace {

constexpr std::size_t kMaxPath = 128;

bool IsDigits(std::string_view text, std::size_t count) {
  return text.size() == count && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view TakeSegment(std::string_view& path) {
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(path.size(), segment.size() + 1));
  return segment;
}

// As TilePath and BundlePath write them; hence no dots but those of ".p".
bool IsServed(std::string_view path) {
  if (path == "checkpoint") return true;
  if (path.size() > kMaxPath || path.empty() || path.back() == '/' || TakeSegment(path) != "tile") return false;
  const std::string_view level = TakeSegment(path);
  if (level != "entries" && !(IsDigits(level, 1) && level < "8")) return false;
  std::string_view segment = TakeSegment(path);
  while (segment.size() == 4 && segment.front() == 'x' && IsDigits(segment.substr(1), 3)) segment = TakeSegment(path);
  if (IsDigits(segment, 3)) return path.empty();
  if (segment.size() != 5 || !IsDigits(segment.substr(0, 3), 3) || segment.substr(3) != ".p") return false;
  const std::string_view width = TakeSegment(path);
  return path.empty() && (IsDigits(width, 1) || IsDigits(width, 2) || IsDigits(width, 3)) && width.front() != '0';
}

std::string_view Reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
  }
}

}  // namespace

bool IsRequestComplete(std::string_view bytes) { return bytes.find("\r\n\r\n") != std::string_view::npos; }

HttpRequest ReadRequest(std::string_view head) {
  const auto refuse = [](int status) { return HttpRequest{status, true, ""}; };
  const std::size_t end = head.find("\r\n");
  if (head.size() > kMaxRequestBytes || end == std::string_view::npos || !IsRequestComplete(head)) return refuse(400);
  const std::string_view line = head.substr(0, end);
  if (std::any_of(line.begin(), line.end(), [](char c) { return c < 0x20 || c > 0x7e; })) return refuse(400);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || line.find(' ', first + 1) != last) return refuse(400);
  const std::string_view version = line.substr(last + 1);
  if (!version.starts_with("HTTP/")) return refuse(400);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse(505);
  const std::string_view method = line.substr(0, first);
  HttpRequest request;
  request.wants_body = method != "HEAD";
  if (method != "GET" && method != "HEAD") return refuse(405);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.empty() || target.front() != '/') return refuse(400);
  if (!IsServed(target.substr(1))) {
    request.status = 404;
    return request;
  }
  request.path = target.substr(1);
  return request;
}

std::string AnswerHead(int status, std::string_view path, std::uint64_t length) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Length: {}\r\nX-Content-Type-Options: nosniff\r\n", status, Reason(status), length);
  if (status == 405) head += "Allow: GET, HEAD\r\n";
  if (status == 200) {
    const bool is_checkpoint = path == "checkpoint";
    head += is_checkpoint ? "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
                          : "Content-Type: application/octet-stream\r\nCache-Control: public, max-age=604800, immutable\r\n";
  }
  return head + "\r\n";
}

}  // namespace proofgate::ledger
