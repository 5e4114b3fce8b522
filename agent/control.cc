#include "agent/control.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>
#include <set>

#include "agent/cgroup.h"
#include "agent/ledger_admin.h"
#include "agent/ledger_methods.h"
#include "agent/peer.h"
#include "agent/session_methods.h"
#include "base/json.h"
#include "policy/trace.h"

namespace proofgate::agent {
namespace {

constexpr std::size_t kMaxPeers = 192;        // of all doors; operators have what the others leave
constexpr std::size_t kMaxPeersOfDoor = 64;   // governed processes, approvers
constexpr std::size_t kMaxPeersOfOne = 8;     // one uid in one cgroup
constexpr std::size_t kMostAnswersATurn = 32;
constexpr std::size_t kMostUnread = 1u << 20; // bytes of answers that wait for one peer to read, and one answer more
json::Object RefusalData(const Receipts::Refusal& refusal) {
  json::Array rules;
  for (const std::string& rule : refusal.decision.rules) rules.push_back(rule);
  return {{"decision", policy::DecisionCodeName(refusal.decision.code)},
          {"rules", std::move(rules)},
          {"entry", json::Integer(refusal.entry)}};
}

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

Result<json::Object> ApplyBundle(Call& call) {
  const std::string bundle = TRY(call.params.Text("bundle"));
  TRY(call.params.Done());
  return call.agent.ApplyBundle(bundle, call.caller.principal);
}

Result<json::Object> ChangeTrustRoot(Call& call) {
  const std::string envelope = TRY(call.params.Text("envelope"));
  TRY(call.params.Done());
  return call.agent.ChangeTrustRoot(envelope, call.caller.principal);
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
  json::Object bound;
  for (const char* key : {"argv", "env", "content"})
    if (const json::Value* const value = call.params.Any(key)) bound[key] = *value;
  request.binding = TRY(policy::ReadBinding(json::Value(std::move(bound))));
  request.ttl_ns = TRY(call.params.NumberIfAny("ttl_ns"));
  request.uses = TRY(call.params.NumberIfAny("uses"));
  request.principal = call.caller.principal;
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

}  // namespace

const MethodTable& OperatorMethods() {
  static const MethodTable all = [] {
    MethodTable methods = {
        {"status", Plain<&Agent::Describe>},
        {"flush", Plain<&Agent::Flush>},
        {"counters", Plain<&Agent::Counters>},
        {"canon.apply", ApplyCanon},
        {"canon.show", Plain<&Agent::ShowCanon>},
        {"canon.apply_bundle", ApplyBundle},
        {"canon.trust", ChangeTrustRoot},
        {"canon.trust_root", Plain<&Agent::ShowTrust>},
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
        {"ledger.keep_cosigned", [](Call& call) { return WithText<&Agent::KeepCosigned>(call, "checkpoint"); }},
    };
    AddOperatorMethods(methods);
    AddLedgerMethods(methods);
    AddPromotionMethods(methods);
    return methods;
  }();
  return all;
}

std::string Answer(Agent& agent, std::string_view message, const std::string& principal) {
  Caller caller;
  caller.principal = principal;
  return AnswerFrom(OperatorMethods(), agent, message, caller);
}

namespace {

Result<Fd> ListenAt(const std::string& path, mode_t mask) {
  Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.is_open()) return FailErrno(errno, "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return Fail(Code::kInvalid, path + ": too long");
  std::memcpy(address.sun_path, path.data(), path.size());
  unlink(path.c_str());
  const mode_t before = umask(mask);
  const int bound = bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = errno;
  umask(before);
  if (bound != 0) return FailErrno(error, path);
  if (listen(listener.get(), 64) != 0) return FailErrno(errno, path);
  return listener;
}

}  // namespace

Result<std::unique_ptr<Control>> Control::Listen(const std::string& path, Agent& agent, Identify identify) {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return FailErrno(errno, "epoll");
  std::unique_ptr<Control> control(new Control(std::move(epoll), agent, std::move(identify)));
  TRY(control->OpenDoor(Door::kOperators, path));
  return control;
}

Status Control::OpenDoor(Door door, const std::string& path) {
  // Who may connect is decided by uid and cgroup, and by the gate.
  Fd listener = TRY(ListenAt(path, door == Door::kOperators ? 0177 : 0111));
  // The gate refuses what our group owns to governed processes; this is theirs.
  if (door == Door::kGoverned && geteuid() == 0 && lchown(path.c_str(), 0, 0) != 0)
    return FailErrno(errno, "chown " + path);
  const int fd = listener.get();
  TRY(Watch(fd));
  doors_.insert_or_assign(fd, OpenedDoor{door, std::move(listener)});
  return {};
}

Status Control::Watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return FailErrno(errno, "epoll");
  return {};
}

// Nothing a peer sends is looked at before it is known who it is; a peer that
// this door is not for is gone before it has said a word.
void Control::Accept(const OpenedDoor& at) {
  Fd fd(accept4(at.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd.is_open()) return;
  Fd process;
  const auto caller = identify_(fd.get(), agent_, process);
  if (!caller) return;
  if (at.door == Door::kOperators && caller->uid != 0) return;
  if ((at.door == Door::kGoverned) != !caller->domain.empty() && at.door != Door::kOperators) return;
  MakeRoom(at.door, *caller);
  const int key = fd.get();
  if (peers_.size() >= kMaxPeers || !Watch(key)) return;
  Peer& peer = peers_[key];
  peer.fd = std::move(fd);
  peer.process = std::move(process);
  peer.door = at.door;
  peer.caller = *caller;
  peer.turn = ++turns_;
}

// A door's peers have a bound of their own, and of one caller's there is a
// smaller one: who opens too many loses its own oldest.
void Control::MakeRoom(Door door, const Caller& caller) {
  if (door == Door::kOperators) return;
  std::size_t of_door = 0;
  std::size_t of_one = 0;
  const Peer* oldest_of_one = nullptr;
  const Peer* oldest = nullptr;
  for (const auto& [key, peer] : peers_) {
    if (peer.door != door) continue;
    ++of_door;
    if (oldest == nullptr || peer.turn < oldest->turn) oldest = &peer;
    if (peer.caller.uid != caller.uid || peer.caller.cgroup_id != caller.cgroup_id) continue;
    ++of_one;
    if (oldest_of_one == nullptr || peer.turn < oldest_of_one->turn) oldest_of_one = &peer;
  }
  if (of_one >= kMaxPeersOfOne) peers_.erase(oldest_of_one->fd.get());
  else if (of_door >= kMaxPeersOfDoor) peers_.erase(oldest->fd.get());
}

bool Control::Read(Peer& peer) {
  std::array<char, 65536> buffer{};
  const ssize_t got = recv(peer.fd.get(), buffer.data(), buffer.size(), 0);
  if (got == 0) return false;
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  peer.turn = ++turns_;
  peer.in.append(buffer.data(), static_cast<std::size_t>(got));
  return Answer(peer);
}

// A peer that does not read its answers gets no more of them, and is not read;
// one that asks much at once waits for the others' turns.
bool Control::Answer(Peer& peer) {
  const std::size_t most = peer.door == Door::kOperators ? kMaxMessageBytes : kMaxNarrowMessageBytes;
  const MethodTable& methods = peer.door == Door::kOperators  ? OperatorMethods()
                               : peer.door == Door::kGoverned ? GovernedMethods()
                                                              : ApproverMethods();
  std::size_t begin = 0;
  std::size_t answered = 0;
  std::size_t end = 0;
  for (; (end = peer.in.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (answered++ == kMostAnswersATurn || peer.out.size() >= kMostUnread) break;
    // A process may have given up rights since it connected.
    if (peer.door == Door::kGoverned) {
      const auto now = identify_(peer.fd.get(), agent_, peer.process);
      if (!now || now->domain != peer.caller.domain) return false;
      peer.caller = *now;
    }
    peer.out += AnswerFrom(methods, agent_, std::string_view(peer.in).substr(begin, end - begin), peer.caller) + "\n";
  }
  peer.has_more = end != std::string::npos;
  peer.in.erase(0, begin);
  if (!peer.has_more && peer.in.size() > most) return false;
  return Write(peer);
}

bool Control::Write(Peer& peer) {
  std::size_t done = 0;
  while (done < peer.out.size()) {
    const ssize_t sent = send(peer.fd.get(), peer.out.data() + done, peer.out.size() - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent < 0) break;
    done += static_cast<std::size_t>(sent);
  }
  peer.out.erase(0, done);
  epoll_event event{};
  event.events = EPOLLIN;
  if (!peer.out.empty() || peer.has_more) event.events = EPOLLOUT;
  event.data.fd = peer.fd.get();
  return epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, peer.fd.get(), &event) == 0;
}

Result<Control::Turn> Control::Serve(int stop_fd, int timeout_ms) {
  if (watched_stop_ != stop_fd) {
    TRY(Watch(stop_fd));
    watched_stop_ = stop_fd;
  }
  std::array<epoll_event, 32> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  if (count < 0 && errno != EINTR) return FailErrno(errno, "epoll");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == stop_fd) return Turn::kStop;
    if (const auto door = doors_.find(event.data.fd); door != doors_.end()) {
      Accept(door->second);
      continue;
    }
    const auto peer = peers_.find(event.data.fd);
    if (peer == peers_.end()) continue;
    const bool stays = (event.events & EPOLLOUT) ? Write(peer->second) && (!peer->second.out.empty() || Answer(peer->second))
                                                 : Read(peer->second);
    if (!stays) peers_.erase(peer);
  }
  return Turn::kServed;
}

}  // namespace proofgate::agent
