#include "agent/control.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <functional>
#include <set>

#include "agent/cgroup.h"
#include "agent/ledger_admin.h"
#include "base/json.h"
#include "policy/trace.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kMaxPeers = 128;
// JSON-RPC 2.0 section 5.1; below: our own.
constexpr int kParseError = -32700;
constexpr int kInvalidRequest = -32600;
constexpr int kNoSuchMethod = -32601;
constexpr int kFailed = -32000;

json::Value ErrorAnswer(const json::Value& id, int code, const std::string& message,
                        json::Object data = {}) {
  json::Object error{{"code", code}, {"message", json::Bytes(message)}, {"data", std::move(data)}};
  return json::Object{{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}};
}

// The parameters of one call. What is not asked for is an error.
class Parameters {
 public:
  explicit Parameters(const json::Value& params) : params_(params) {}

  Result<std::string> Text(const char* name) {
    known_.insert(name);
    return json::GetBytes(params_, name);
  }
  Result<std::string> TextOr(const char* name, std::string otherwise) {
    known_.insert(name);
    if (params_.Find(name) == nullptr) return otherwise;
    return json::GetBytes(params_, name);
  }
  Result<std::uint64_t> Number(const char* name) {
    known_.insert(name);
    return json::GetInteger(params_, name);
  }
  Result<std::optional<std::uint64_t>> NumberIfAny(const char* name) {
    known_.insert(name);
    if (params_.Find(name) == nullptr) return std::optional<std::uint64_t>();
    return std::optional<std::uint64_t>(TRY(json::GetInteger(params_, name)));
  }
  Result<bool> Flag(const char* name) {
    known_.insert(name);
    const json::Value* const value = params_.Find(name);
    if (value == nullptr) return false;
    if (!value->is_bool()) return Fail(Code::kInvalid, std::string(name) + ": true or false expected");
    return value->boolean();
  }
  // Call after all others.
  Status Done() const {
    if (!params_.is_object()) return Fail(Code::kInvalid, "params: an object expected");
    for (const auto& [name, value] : params_.object())
      if (!known_.contains(name)) return Fail(Code::kInvalid, "unknown parameter " + name);
    return {};
  }

 private:
  const json::Value& params_;
  std::set<std::string> known_;
};

json::Object RefusalData(const Receipts::Refusal& refusal) {
  json::Array rules;
  for (const std::string& rule : refusal.decision.rules) rules.push_back(rule);
  return {{"decision", policy::DecisionCodeName(refusal.decision.code)},
          {"rules", std::move(rules)},
          {"entry", json::Integer(refusal.entry)}};
}

struct Call {
  Agent& agent;
  Parameters& params;
  const std::string& principal;
  json::Object& error_data;
};

Result<json::Object> ApplyCanon(Call& call) {
  const std::string text = TRY(call.params.Text("text"));
  const std::string file = TRY(call.params.Text("file"));
  TRY(call.params.Done());
  std::vector<policy::Diagnostic> diagnostics;
  auto applied = call.agent.ApplyCanon(text, file, diagnostics);
  json::Array lines;
  for (const policy::Diagnostic& diagnostic : diagnostics)
    lines.push_back(json::Bytes(policy::Render(diagnostic)));
  if (!lines.empty()) call.error_data["diagnostics"] = std::move(lines);
  return applied;
}

Result<json::Object> Attach(Call& call) {
  const std::string domain = TRY(call.params.Text("domain"));
  const std::string cgroup = TRY(call.params.TextOr("cgroup", ""));
  const std::string unit = TRY(call.params.TextOr("unit", ""));
  const auto pid = TRY(call.params.NumberIfAny("pid"));
  const bool force = TRY(call.params.Flag("force"));
  TRY(call.params.Done());
  if (int{!cgroup.empty()} + int{!unit.empty()} + int{pid.has_value()} != 1)
    return Fail(Code::kInvalid, "one of cgroup, unit and pid expected");
  if (pid) {
    if (*pid > 1u << 22) return Fail(Code::kInvalid, "pid: at most 4194304");
    return call.agent.AttachProcess(domain, static_cast<int>(*pid));
  }
  const std::string path = unit.empty() ? cgroup : TRY(CgroupOfUnit(unit));
  return call.agent.Attach(domain, path, "cgroup", force);
}

Result<json::Object> Detach(Call& call) {
  const std::string domain = TRY(call.params.Text("domain"));
  const std::string cgroup = TRY(call.params.TextOr("cgroup", ""));
  const std::string unit = TRY(call.params.TextOr("unit", ""));
  TRY(call.params.Done());
  if (cgroup.empty() == unit.empty()) return Fail(Code::kInvalid, "one of cgroup and unit expected");
  return call.agent.Detach(domain, unit.empty() ? cgroup : TRY(CgroupOfUnit(unit)));
}

Result<json::Object> IssueReceipt(Call& call) {
  Agent::IssueRequest request;
  request.domain = TRY(call.params.Text("domain"));
  request.rule = TRY(call.params.Text("rule"));
  request.object = TRY(call.params.TextOr("object", ""));
  request.exe = TRY(call.params.TextOr("exe", ""));
  request.ttl_ns = TRY(call.params.NumberIfAny("ttl_ns"));
  request.uses = TRY(call.params.NumberIfAny("uses"));
  request.principal = call.principal;
  TRY(call.params.Done());
  std::optional<Receipts::Refusal> refusal;
  auto issued = call.agent.Issue(request, refusal);
  if (refusal) call.error_data = RefusalData(*refusal);
  return issued;
}

Result<json::Object> RevokeReceipt(Call& call) {
  const std::string id = TRY(call.params.Text("id"));
  const std::string why = TRY(call.params.TextOr("why", "asked for"));
  TRY(call.params.Done());
  return call.agent.Revoke(id, why);
}

Result<json::Object> ReadEntries(Call& call) {
  const std::uint64_t from = TRY(call.params.Number("from"));
  const std::uint64_t count = TRY(call.params.Number("count"));
  TRY(call.params.Done());
  return call.agent.Entries(from, count);
}

Result<json::Object> Figures(Call& call) {
  TRY(call.params.Done());
  return LedgerFigures(call.agent.ledger());
}

Result<json::Object> SignManifest(Call& call) {
  const std::string manifest = TRY(call.params.Text("manifest"));
  TRY(call.params.Done());
  return SignExport(call.agent.ledger(), call.agent.signer(), manifest);
}

Result<json::Object> BackUp(Call& call) {
  const std::string dir = TRY(call.params.Text("dir"));
  TRY(call.params.Done());
  if (!policy::IsCleanPath(dir)) return Fail(Code::kInvalid, "dir: an absolute path expected");
  TRY(call.agent.Flush());
  TRY(call.agent.ledger().Backup(dir));
  return json::Object{{"dir", json::Bytes(dir)}};
}

Result<json::Object> Retain(Call& call) {
  ledger::Drop drop;
  drop.below = TRY(call.params.Number("below"));
  drop.why = TRY(call.params.Text("why"));
  drop.archive_sha256 = TRY(call.params.TextOr("archive_sha256", ""));
  drop.by = call.principal;
  TRY(call.params.Done());
  return RetainEntries(call.agent.ledger(), drop);
}

Result<json::Object> PlaceHold(Call& call) {
  ledger::Hold hold;
  hold.name = TRY(call.params.Text("name"));
  hold.from = TRY(call.params.Number("from"));
  hold.why = TRY(call.params.Text("why"));
  TRY(call.params.Done());
  TRY(ledger::PlaceHold(call.agent.ledger(), hold, call.principal));
  return json::Object{{"name", hold.name}};
}

Result<json::Object> ReleaseHold(Call& call) {
  const std::string name = TRY(call.params.Text("name"));
  const std::string why = TRY(call.params.Text("why"));
  TRY(call.params.Done());
  TRY(ledger::ReleaseHold(call.agent.ledger(), name, why, call.principal));
  return json::Object{{"name", name}};
}

Result<json::Object> Erase(Call& call) {
  const Digest commitment = TRY(ParseDigest(TRY(call.params.Text("commitment"))));
  const std::string why = TRY(call.params.Text("why"));
  TRY(call.params.Done());
  TRY(ledger::EraseBlob(call.agent.ledger(), commitment, why, call.principal));
  return json::Object{{"commitment", Hex(commitment)}};
}

Result<json::Object> KeepCosigned(Call& call) {
  const std::string note = TRY(call.params.Text("checkpoint"));
  TRY(call.params.Done());
  TRY(call.agent.ledger().KeepCosigned(note));
  return json::Object{{"kept", true}};
}

template <Result<json::Object> (Agent::*method)()>
Result<json::Object> Plain(Call& call) {
  TRY(call.params.Done());
  return (call.agent.*method)();
}
template <Result<json::Object> (Agent::*method)() const>
Result<json::Object> Plain(Call& call) {
  TRY(call.params.Done());
  return (call.agent.*method)();
}
template <Result<json::Object> (Agent::*method)(const std::string&)>
Result<json::Object> WithText(Call& call, const char* name) {
  const std::string text = TRY(call.params.Text(name));
  TRY(call.params.Done());
  return (call.agent.*method)(text);
}

using Method = std::function<Result<json::Object>(Call&)>;
const std::map<std::string, Method, std::less<>>& Methods() {
  static const std::map<std::string, Method, std::less<>> methods = {
      {"status", Plain<&Agent::Describe>},
      {"flush", Plain<&Agent::Flush>},
      {"counters", Plain<&Agent::Counters>},
      {"canon.apply", ApplyCanon},
      {"canon.show", Plain<&Agent::ShowCanon>},
      {"attach", Attach},
      {"detach", Detach},
      {"run.open", [](Call& call) { return WithText<&Agent::OpenRun>(call, "domain"); }},
      {"run.close", [](Call& call) { return WithText<&Agent::CloseRun>(call, "cgroup"); }},
      {"prove.open", Plain<&Agent::OpenProof>},
      {"receipt.issue", IssueReceipt},
      {"receipt.list", Plain<&Agent::ListReceipts>},
      {"receipt.revoke", RevokeReceipt},
      {"ledger.checkpoint", Plain<&Agent::Checkpoint>},
      {"ledger.entries", ReadEntries},
      {"ledger.figures", Figures},
      {"ledger.sign_export", SignManifest},
      {"ledger.backup", BackUp},
      {"ledger.retain", Retain},
      {"ledger.hold", PlaceHold},
      {"ledger.release", ReleaseHold},
      {"ledger.erase", Erase},
      {"ledger.keep_cosigned", KeepCosigned},
  };
  return methods;
}

}  // namespace

std::string Answer(Agent& agent, std::string_view message, const std::string& principal) {
  const auto request = json::ParseLenient(message);
  if (!request) return json::Encode(ErrorAnswer(0, kParseError, request.error().message));
  const json::Value* const id_member = request->Find("id");
  const json::Value id = id_member != nullptr && id_member->is_integer() ? *id_member : json::Value(0);
  const auto version = json::GetString(*request, "jsonrpc");
  const auto name = json::GetString(*request, "method");
  if (!version || *version != "2.0" || !name || id_member == nullptr)
    return json::Encode(ErrorAnswer(id, kInvalidRequest, "jsonrpc \"2.0\", id and method expected"));
  const auto method = Methods().find(*name);
  if (method == Methods().end())
    return json::Encode(ErrorAnswer(id, kNoSuchMethod, "no method " + policy::EscapeForPeople(*name)));
  const json::Value* const params_member = request->Find("params");
  const json::Value params_value = params_member == nullptr ? json::Value() : *params_member;
  Parameters params(params_value);
  json::Object error_data;
  Call call{agent, params, principal, error_data};
  auto result = method->second(call);
  if (!result) {
    error_data["code"] = CodeName(result.error().code);
    return json::Encode(ErrorAnswer(id, kFailed, result.error().message, std::move(error_data)));
  }
  return json::Encode(json::Object{{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(*result)}});
}

Result<std::unique_ptr<Control>> Control::Listen(const std::string& path, Agent& agent) {
  Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.is_open()) return FailErrno(errno, "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return Fail(Code::kInvalid, path + ": too long");
  std::memcpy(address.sun_path, path.data(), path.size());
  unlink(path.c_str());
  const mode_t before = umask(0177);
  const int bound = bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = errno;
  umask(before);
  if (bound != 0) return FailErrno(error, path);
  if (listen(listener.get(), 16) != 0) return FailErrno(errno, path);
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return FailErrno(errno, "epoll");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener.get();
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listener.get(), &event) != 0)
    return FailErrno(errno, "epoll");
  return std::unique_ptr<Control>(new Control(std::move(epoll), std::move(listener), agent));
}

void Control::Accept() {
  Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd.is_open()) return;
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.uid != 0) return;
  if (peers_.size() >= kMaxPeers) return;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd.get();
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) return;
  const int key = fd.get();
  peers_[key].fd = std::move(fd);
}

bool Control::Read(Peer& peer) {
  std::array<char, 65536> buffer{};
  const ssize_t got = recv(peer.fd.get(), buffer.data(), buffer.size(), 0);
  if (got == 0) return false;
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  peer.in.append(buffer.data(), static_cast<std::size_t>(got));
  for (std::size_t end = 0; (end = peer.in.find('\n')) != std::string::npos;) {
    const std::string message = peer.in.substr(0, end);
    peer.in.erase(0, end + 1);
    peer.out += Answer(agent_, message, "uid:0") + "\n";
  }
  if (peer.in.size() > kMaxMessageBytes) return false;
  return Write(peer);
}

bool Control::Write(Peer& peer) {
  while (!peer.out.empty()) {
    const ssize_t sent = send(peer.fd.get(), peer.out.data(), peer.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent < 0) break;
    peer.out.erase(0, static_cast<std::size_t>(sent));
  }
  epoll_event event{};
  event.events = EPOLLIN;
  if (!peer.out.empty()) event.events = EPOLLOUT;  // a peer that does not read is not read
  event.data.fd = peer.fd.get();
  return epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, peer.fd.get(), &event) == 0;
}

Result<Control::Turn> Control::Serve(int stop_fd, int timeout_ms) {
  if (watched_stop_ != stop_fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = stop_fd;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_fd, &event) != 0) return FailErrno(errno, "epoll");
    watched_stop_ = stop_fd;
  }
  std::array<epoll_event, 32> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  if (count < 0 && errno != EINTR) return FailErrno(errno, "epoll");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == stop_fd) return Turn::kStop;
    if (event.data.fd == listener_.get()) {
      Accept();
      continue;
    }
    const auto peer = peers_.find(event.data.fd);
    if (peer == peers_.end()) continue;
    const bool stays = (event.events & EPOLLOUT) ? Write(peer->second) : Read(peer->second);
    if (!stays) peers_.erase(peer);
  }
  return Turn::kServed;
}

}  // namespace proofgate::agent
