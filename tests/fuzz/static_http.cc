// What a stranger sends to `ledger serve`: whatever it is, a path that is given
// out is one of the log's own.

#include "ledger/static_http.h"
#include "tests/fuzz/holds.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace proofgate::ledger;
  using proofgate::Holds;
  const std::string_view bytes = proofgate::AsText(data, size);
  const HttpRequest request = ReadRequest(bytes);
  Holds(request.path.empty() == (request.status != 200));
  if (request.status == 200) {
    Holds(IsRequestComplete(bytes));
    Holds(request.path == "checkpoint" || request.path.starts_with("tile/"));
    Holds(request.path.find("..") == std::string::npos && request.path.find("//") == std::string::npos);
    Holds(request.path.find_first_not_of("abcdefghiklnoprstx0123456789./") == std::string::npos);
  }
  const std::string head = AnswerHead(request.status, request.path, size);
  Holds(head.ends_with("\r\n\r\n") && IsRequestComplete(head));
  return 0;
}
